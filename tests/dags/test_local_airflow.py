"""A real scheduler: scripts/airflow from its start to Ctrl-C, by REST and in a browser. In this order."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import psycopg2
import pytest
from local_airflow import ROOT, LocalAirflow, processes_of, source, until

DAILY = {"web_logs_lake": "export_to_lake", "crud_weekly_aggregate": "aggregate_week"}
# Where an export of the view is held up, and what its session at the server waits for: a lock, or a row.
HOLDS = {"before its first row": "relation", "between two rows": "PgSleep"}
# Not a lock there: a reader gives up on one after ten seconds, and its job would end by itself.
HELD_VIEW = """CREATE OR REPLACE VIEW held AS
    SELECT i AS id, timestamptz '2024-09-16 00:00:00Z' + i * interval '1 second' AS timestamp
    FROM generate_series(1, 200000) AS i WHERE i < 200000 OR pg_sleep(600) IS NOT NULL"""


@pytest.mark.parametrize(("dag", "task"), DAILY.items())
def test_the_schedule_runs_by_itself(airflow, dag, task):
    (run,) = airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns?run_type=scheduled")["dag_runs"]
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
    airflow.posts.clear()
    dag = "lake_backfill"
    run = airflow.trigger(dag, {"job": "aggregate", "from": "2024-09-16", "to": "2024-09-14"})
    assert airflow.finished(dag, run) == "failed"
    task = airflow.tasks(dag, run)["aggregate_days"]
    assert (task["state"], task["try_number"]) == ("failed", 1)
    (post,) = until("a message", lambda: airflow.posts)
    assert (post["dag"], post["task"], post["day"], post["run"]) == (dag, "aggregate_days", "2024-09-14", run)
    assert post["error"].startswith("aggregate exited with 2: ")
    assert post["log"].startswith(f"{airflow.url}/dags/{dag}/runs/")


@pytest.mark.parametrize("event", HOLDS.values(), ids=HOLDS)
def test_a_run_that_is_marked_failed_ends_its_job_cleanly(airflow, event):
    with source(airflow) as cursor:
        run = trigger_held_export(airflow, cursor, event)
        assert len(processes_of(airflow.folder, run=run)) == 1
        assert bool(held_files(airflow)) == (event == "PgSleep")
        airflow.call("PATCH", airflow.run_path("lake_backfill", run), {"state": "failed"})
        # Left alone it would go on for ten minutes.
        until("the job has ended", lambda: not processes_of(airflow.folder, run=run), 30)
        until("the server has ended its statement", lambda: not waits_of_others(cursor), 5)
    assert airflow.state("lake_backfill", run) == "failed"
    assert held_files(airflow) == []


def test_a_browser_does_what_a_newcomer_does(airflow):
    environment = {**os.environ, "AIRFLOW_URL": airflow.url}
    done = subprocess.run(
        ["node", str(ROOT / "tests/browser/airflow.js")], env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ctrl_c_in_the_midst_of_a_job_leaves_nothing(airflow):
    with source(airflow) as cursor:
        trigger_held_export(airflow, cursor, HOLDS["between two rows"])
        assert held_files(airflow)
        assert airflow.stop() == 130
    assert processes_of(airflow.folder) == []
    assert held_files(airflow) == []


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


def trigger_held_export(airflow: LocalAirflow, cursor: psycopg2.extensions.cursor, event: str) -> str:
    """A run whose export of the view waits for `event`; the cursor's session holds the lock, if it is one."""
    cursor.execute(HELD_VIEW)
    cursor.connection.commit()
    if event == "relation":
        cursor.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
    # A DAG without a schedule: no other run of it follows when this one ends.
    days = {"from": "2024-09-16", "to": "2024-09-16"}
    run = airflow.trigger("lake_backfill", {"job": "export", "mode": "full", "table": "public.held", **days})
    until("the export waits", lambda: event in waits_of_others(cursor), 60)
    return run


def waits_of_others(cursor: psycopg2.extensions.cursor) -> list[str]:
    """What the other sessions that have locked the view, or want to, wait for."""
    # What a transaction has seen of the activity stays as it was.
    cursor.execute("SELECT pg_stat_clear_snapshot()")
    cursor.execute(
        """SELECT DISTINCT coalesce(wait_event, '') FROM pg_stat_activity JOIN pg_locks USING (pid)
        WHERE relation = 'held'::regclass AND pid <> pg_backend_pid()"""
    )
    return [event for (event,) in cursor.fetchall()]


def held_files(airflow: LocalAirflow) -> list[Path]:
    """What the lake has of the view: files that are being written, data files, metadata."""
    lake = airflow.folder / "lake"
    return [path for path in lake.rglob("*") if path.is_file() and "held" in str(path.relative_to(lake))]
