"""A real scheduler: scripts/airflow from its start to Ctrl-C, by REST and in a browser. In this order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg2
import pytest
from local_airflow import ROOT, LocalAirflow, free_port, processes_of, until, worker_environment

DAILY = {"web_logs_lake": "export_to_lake", "crud_weekly_aggregate": "aggregate_week"}
posts: list[dict] = []


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    server = HTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        **worker_environment(),
        "LAKEJOBS_RETRY_SECONDS": "1",
        "LAKEJOBS_NOT_YET_SECONDS": "3",
        "LAKEJOBS_LOCK_TIMEOUT": "600",
        "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{server.server_port}/",
    }
    airflow = LocalAirflow(tmp_path_factory.mktemp("local") / "airflow", free_port(), environment)
    airflow.start()
    yield airflow
    airflow.stop(signal.SIGTERM)
    server.shutdown()
    subprocess.run([str(ROOT / "scripts/airflow"), "--clean", "--folder", str(airflow.folder)], check=True)


@pytest.mark.parametrize(("dag", "task"), DAILY.items())
def test_the_schedule_runs_by_itself(airflow, dag, task):
    (run,) = airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
    assert run["run_type"] == "scheduled"
    assert run["logical_date"].endswith("T07:00:00Z")
    assert airflow.finished(dag, run["dag_run_id"]) == "success"
    day = date.fromisoformat(run["logical_date"][:10]) - timedelta(days=1)
    assert airflow.xcom(dag, run["dag_run_id"], task)["to"] == day.isoformat()
    assert {name: ti["try_number"] for name, ti in airflow.tasks(dag, run["dag_run_id"]).items()}[task] == 1


def test_a_run_by_hand_that_is_cleared_keeps_its_day(airflow):
    dag, task = "crud_weekly_aggregate", "aggregate_week"
    run = airflow.trigger(dag, {})
    assert airflow.finished(dag, run) == "success"
    yesterday = airflow.xcom(dag, run, task)["to"]
    started = airflow.call("GET", airflow.run_path(dag, run))["run_after"]
    assert yesterday == (date.fromisoformat(started[:10]) - timedelta(days=1)).isoformat()
    airflow.call(
        "POST",
        f"/api/v2/dags/{dag}/clearTaskInstances",
        {"dag_run_id": run, "task_ids": [task], "dry_run": False, "only_failed": False, "reset_dag_runs": True},
    )
    until("the second try", lambda: airflow.tasks(dag, run)[task]["try_number"] == 2)
    assert airflow.finished(dag, run) == "success"
    assert airflow.xcom(dag, run, task)["to"] == yesterday


def test_a_backfill_of_three_days(airflow):
    dag = "crud_weekly_aggregate"
    body = {
        "dag_id": dag,
        "from_date": "2024-09-01T00:00:00Z",
        # Without the time, the last day's run would be left out.
        "to_date": "2024-09-03T23:59:59Z",
        "run_backwards": False,
        "reprocess_behavior": "none",
        "max_active_runs": 1,
    }
    airflow.call("POST", "/api/v2/backfills", body)

    def runs() -> list[dict]:
        found = airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns?run_type=backfill&order_by=logical_date")["dag_runs"]
        return found if len(found) == 3 and all(run["state"] == "success" for run in found) else []

    days = [airflow.xcom(dag, run["dag_run_id"], "aggregate_week")["to"] for run in until("three runs", runs)]
    assert days == ["2024-08-31", "2024-09-01", "2024-09-02"]


def test_a_log_that_is_late_is_waited_for(airflow):
    dag, task = "crud_weekly_aggregate", "aggregate_week"
    today = datetime.now(timezone.utc).date().isoformat()
    run = airflow.trigger(dag, {"date": today, "demo_data": False})
    until("the task waits", lambda: airflow.tasks(dag, run)[task]["state"] == "up_for_reschedule")
    (airflow.folder / f"crud/input/{today}.csv").write_text(f"ann@x.org,READ,{today} 00:00:00\n")
    assert airflow.finished(dag, run) == "success"
    assert airflow.tasks(dag, run)[task]["try_number"] == 1
    assert airflow.xcom(dag, run, task)["to"] == today


def test_parameters_are_checked_when_a_run_is_asked_for(airflow):
    from urllib.error import HTTPError

    with pytest.raises(HTTPError) as refused:
        airflow.trigger("web_logs_lake", {"date": "$(touch /tmp/x)"})
    assert refused.value.code == 400


def test_a_logical_date_in_the_future_is_refused(airflow):
    """Airflow alone would take it, and keep the next mornings waiting behind it."""
    from urllib.error import HTTPError

    runs = f"/api/v2/dags/{(dag := 'web_logs_lake')}/dagRuns"
    before = airflow.call("GET", runs)["total_entries"]
    later = datetime.now(timezone.utc) + timedelta(minutes=10)
    with pytest.raises(HTTPError) as refused:
        airflow.call("POST", runs, {"logical_date": later.isoformat(), "conf": {"date": "2024-09-16"}})
    assert refused.value.code == 400
    assert "is in the future" in json.load(refused.value)["detail"]
    assert airflow.call("GET", runs)["total_entries"] == before
    # A browser's clock may be ahead of the server's.
    ahead = datetime.now(timezone.utc) + timedelta(seconds=10)
    run = airflow.call("POST", runs, {"logical_date": ahead.isoformat(), "conf": {"date": "2024-09-16"}})
    assert airflow.finished(dag, run["dag_run_id"]) == "success"


def test_a_failure_is_reported_with_an_address_that_works(airflow):
    posts.clear()
    dag = "lake_backfill"
    run = airflow.trigger(dag, {"job": "aggregate", "from": "2024-09-16", "to": "2024-09-14"})
    assert airflow.finished(dag, run) == "failed"
    task = airflow.tasks(dag, run)["aggregate_days"]
    assert (task["state"], task["try_number"]) == ("failed", 1)
    (post,) = until("a message", lambda: posts)
    assert (post["dag"], post["task"], post["day"], post["run"]) == (dag, "aggregate_days", "2024-09-14", run)
    assert post["error"].startswith("aggregate exited with 2: ")
    assert post["log"].startswith(f"{airflow.url}/dags/{dag}/runs/")


def test_a_run_that_is_marked_failed_ends_its_job_cleanly(airflow):
    dag = "crud_weekly_aggregate"
    write_long_job(airflow, "2023-01-07")
    run = airflow.trigger(dag, {"date": "2023-01-07", "demo_data": False})
    until("the job runs", lambda: processes_of(airflow.folder, b"main.js\0aggregate"))
    airflow.call("PATCH", airflow.run_path(dag, run), {"state": "failed"})
    until("the job has ended", lambda: not processes_of(airflow.folder, b"main.js\0aggregate"), 90)
    assert airflow.state(dag, run) == "failed"
    assert not (airflow.folder / "crud/output/2023-01-07.csv").exists()
    assert not list((airflow.folder / "crud/output").glob("*.tmp*"))


def test_a_browser_does_what_a_newcomer_does(airflow):
    environment = {**os.environ, "AIRFLOW_URL": airflow.url}
    done = subprocess.run(
        ["node", str(ROOT / "tests/browser/airflow.js")], env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ctrl_c_in_the_midst_of_a_job_leaves_nothing(airflow):
    # A job that would wait for its table for ten minutes.
    with source(airflow) as cursor:
        cursor.execute("LOCK TABLE web_logs IN ACCESS EXCLUSIVE MODE")
        airflow.trigger("web_logs_lake", {"date": "2024-09-20", "demo_data": False})
        until("the job runs", lambda: processes_of(airflow.folder, b"main.js\0export"))
        assert airflow.stop() == 130
    assert processes_of(airflow.folder) == []


def test_a_second_start_goes_on(airflow):
    airflow.start()
    assert len(airflow.call("GET", "/api/v2/dags/web_logs_lake/dagRuns")["dag_runs"]) >= 2


def test_a_port_in_use_is_named(airflow):
    done = subprocess.run(
        [str(ROOT / "scripts/airflow"), "--folder", str(airflow.folder) + "-2"],
        env={**airflow.environment, "AIRFLOW_PORT": str(airflow.port)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"Port {airflow.port} is in use" in done.stderr


@contextmanager
def source(airflow: LocalAirflow) -> Iterator[psycopg2.extensions.cursor]:
    """The source database, with the settings that its processes have."""
    pid = processes_of(airflow.folder, b"scheduler")[0]
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    values = dict(entry.split("=", 1) for entry in entries if entry.startswith("POSTGRES_"))
    connection = psycopg2.connect(
        host=values["POSTGRES_HOST"],
        port=values["POSTGRES_PORT"],
        user=values["POSTGRES_USER"],
        password=values["POSTGRES_PASSWORD"],
        dbname=values["POSTGRES_DB"],
    )
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def write_long_job(airflow: LocalAirflow, last: str) -> None:
    """Logs whose counting takes some seconds."""
    first = (date.fromisoformat(last) - timedelta(days=6)).isoformat()
    folder = str(airflow.folder / "crud/input")
    command = ["node", str(ROOT / "dist/main.js"), "generate", folder, first, "7", "2000000", "3500000"]
    subprocess.run(command, check=True, capture_output=True)
