"""The stack from a fresh clone on, in the order in which a user meets it; test_stack_docker.py and test_stack_ends.py go on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psycopg2
import pytest

import sample_reports
from rest import Airflow
from stack import ROOT, Failed, Stack, wait_until
from state import LONG_RUNNING, ONCE, SPARK, Note, counts, day, lake_rows, scheduled_run, services, source_rows

MB = 1024 * 1024


def test_images(stack: Stack, note: Note) -> None:
    stack.compose("--profile", "*", "build")
    for kind, limit in (("", 450), ("AIRFLOW_", None), ("FILTER_", None)):
        image = stack.env(f"LAKEJOBS_{kind}IMAGE")
        (inspected,) = json.loads(stack.run("docker", "image", "inspect", image).stdout)
        size = inspected["Size"] / 1e6
        note(f"image {image.split('/')[1]}: {size:.0f} MB")
        assert limit is None or size <= limit
        assert inspected["Config"]["Labels"]["org.opencontainers.image.licenses"] == "MIT"
    assert stack.run("docker", "run", "--rm", stack.env("LAKEJOBS_IMAGE"), "--version").stdout == "0.1.0\n"


def test_a_job_by_hand_before_anything_else_runs(stack: Stack) -> None:
    # Tables, bucket and roles are made for it, and the demo's shop, which tables/lakejobs.yaml names, too.
    assert stack.job("seed")["rows"] == 10_000
    summary = stack.job("export")
    tables = ["default.web_logs", "shop.customers", "shop.order_items", "shop.orders"]
    assert sorted((table["table"], table["mode"]) for table in summary["tables"]) == [(name, "full") for name in tables]
    assert lake_rows(stack) == source_rows(stack) == 10_000


def test_every_command_inside_the_image(stack: Stack) -> None:
    """Where nothing but what the bundle left outside lies beside it: DuckDB, codecs, the pretty log."""
    for command in ("init", "check", "seed", "export", "generate", "aggregate"):
        shown = stack.run("docker", "run", "--rm", "--network", "none", stack.env("LAKEJOBS_IMAGE"), command, "--help")
        assert shown.stdout.startswith(f"lakejobs {command} ")
    assert stack.job("init")["status"] == "ok"
    assert stack.job("check")["status"] == "ok"
    for codec in ("snappy", "zstd", "gzip"):
        stack.job("export", "--codec", codec, "--table", f"public.web_logs=codecs.{codec}")
        assert lake_rows(stack, f"codecs.{codec}") == source_rows(stack)
    # So many users that DuckDB merges their counts.
    assert stack.job("generate", "data/many", day(-7), "7", "10000", "20000")["status"] == "ok"
    assert stack.job("aggregate", "data/many", "s3://logs-bucket/crud/many")["rows"] == 140_000
    nothing = ("aggregate", "/tmp/none", "/tmp/out", "--log-format", "pretty")
    refused = stack.run("docker", "run", "--rm", stack.env("LAKEJOBS_IMAGE"), *nothing, check=False)
    assert (refused.returncode, "] ERROR: " in refused.stderr) == (2, True)


def test_jobs_are_not_the_stores_owners(stack: Stack) -> None:
    """Each is a role of docs/permissions.md; these work while the databases' owners may not log in."""
    owners = {stack.secrets[f"{name}_PASSWORD"] for name in ("POSTGRES", "ICEBERG_POSTGRES", "MINIO_ROOT")}

    def holds(service: dict[str, Any]) -> bool:
        # Compose doubles what it would take for a variable.
        return not owners.isdisjoint(str(value).replace("$$", "$") for value in (service.get("environment") or {}).values())

    stores = {"postgres", "iceberg-postgres", "minio"}
    making = {"lakejobs-init", "postgres-roles", "minio-roles"}
    assert {name for name, service in services(stack).items() if holds(service)} == stores | making
    with ExitStack() as at_the_end:
        for prefix in ("", "ICEBERG_"):
            connection = psycopg2.connect(stack.postgres_uri(prefix))
            connection.autocommit = True
            cursor = at_the_end.enter_context(closing(connection)).cursor()
            cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lakejobs%' "
                           "AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)")
            assert cursor.fetchone() == (0,)
            cursor.execute("ALTER ROLE CURRENT_USER NOLOGIN")
            at_the_end.callback(cursor.execute, "ALTER ROLE CURRENT_USER LOGIN")
        for role in ("reader", "exporter", "maintainer"):
            checked = stack.job("check", "--permissions", "--as", role, options=("--no-deps",))
            assert {check["status"] for check in checked["checks"]} == {"ok"}
        for command in (
            ("seed", "--append", "--rows", "10"), ("export",), ("verify",),
            ("maintain", "expire"), ("report",), ("sql", "--json", "select count(*) from web_logs"),
            ("inspect", "--json"), ("inspect", "web_logs", "--tree", "--json"), ("runs", "--json"),
        ):
            stack.job(*command, options=("--no-deps",))
    # And they are no more than that.
    key = {"ACCESS_KEY_ID": "lake-reader", "SECRET_ACCESS_KEY": stack.secrets["READER_PASSWORD"]}
    as_reader = [word for name, value in key.items() for word in ("-e", f"MAINTAINER_AWS_{name}={value}")]
    with pytest.raises(Failed, match="AccessDenied"):
        stack.job("maintain", "expire", "--older-than", "0", "--keep", "1", options=("--no-deps", *as_reader))
    for prefix, user in (("", "lakejobs_source"), ("ICEBERG_", "lakejobs_reader")):
        secret = stack.secrets["READER_PASSWORD" if prefix else "EXPORTER_PASSWORD"]
        port, database = (stack.env(f"{prefix}POSTGRES_{name}") for name in ("PORT", "DB"))
        with closing(psycopg2.connect(host="127.0.0.1", port=port, dbname=database, user=user, password=secret)) as connection:
            for statement in ("DELETE FROM iceberg_tables" if prefix else "DELETE FROM web_logs", "CREATE TABLE mine (a int)"):
                with pytest.raises(psycopg2.Error, match="permission denied|read-only"), connection.cursor() as cursor:
                    cursor.execute(statement)
                connection.rollback()


def test_a_stack_without_the_roles_passwords_says_so(stack: Stack) -> None:
    for service, names in (("postgres-roles", ("DEMO_PASSWORD", "EXPORTER_PASSWORD")), ("minio-roles", ("MAINTAINER_PASSWORD",))):
        unset = [word for name in names for word in ("-e", f"{name}=")]
        with pytest.raises(Failed, match="take them from .env.example") as failed:
            stack.compose("run", "--rm", "--no-TTY", "--no-deps", *unset, service)
        assert all(name in str(failed.value) for name in names)


FLOOR = """
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("floor", schedule=None):
    BashOperator(task_id="true", bash_command="true")
"""


def test_up_to_healthy(stack: Stack, note: Note) -> None:
    # What Airflow alone takes for a task.
    (stack.folder / "dags/floor.py").write_text(FLOOR)
    note(f"up --wait, stores running already: {stack.up():.0f} s")
    states = {
        line["Service"]: (line["State"], line["Health"], line["ExitCode"])
        for line in map(json.loads, stack.compose("ps", "--all", "--format", "json").splitlines())
    }
    assert states == {
        **dict.fromkeys(LONG_RUNNING, ("running", "healthy", 0)),
        **dict.fromkeys(ONCE, ("exited", "", 0)),
    }


def test_no_part_of_airflow_is_called_unhealthy(airflow: Airflow) -> None:
    """The home page shows these four; without a triggerer the third would be red."""
    health = airflow.call("GET", "/api/v2/monitor/health")
    parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    assert {part: health[part]["status"] for part in parts} == dict.fromkeys(parts, "healthy")


def test_ports_are_open_on_this_machine_only(stack: Stack) -> None:
    ports = [port for service in services(stack).values() for port in service.get("ports", ())]
    assert len(ports) == 6
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_every_service_is_bounded(stack: Stack) -> None:
    """In memory, logs and rights; watched, and started again, where it runs on."""
    for name, service in services(stack).items():
        assert int(service["mem_limit"]) > 0, name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["cap_drop"] == ["ALL"], name
        assert 0 < service["pids_limit"] <= 4096, name
        # What Airflow writes beside its database and its logs is in its home; Spark's have a file in the place of /etc/passwd.
        assert service.get("read_only") or name.startswith("airflow-") or name in SPARK, name
        assert "privileged" not in service, name
        runs_on = name in LONG_RUNNING | SPARK | {"docker-filter"}
        assert ("healthcheck" in service) == runs_on, name
        assert service["restart"] == ("unless-stopped" if runs_on else "no"), name


def test_passwords_are_where_they_are_needed(stack: Stack) -> None:
    """The part of Airflow that reads DAGs runs no job, and jobs have no business with Airflow's database."""
    shown = stack.compose("exec", "-T", "airflow-dag-processor", "env")
    assert [name for name, secret in stack.secrets.items() if secret in shown] == []
    for host in ("airflow-postgres", "airflow-apiserver", "docker-filter"):
        probe = f"require('dns').lookup('{host}', (error) => process.exit(error ? 0 : 1))"
        stack.compose("run", "--rm", "--no-TTY", "--entrypoint", "node", "jobs", "-e", probe)


def test_login(airflow: Airflow) -> None:
    assert airflow.token().count(".") == 2
    for user, password in (("admin", "wrong"), ("nobody", "admin")):
        with pytest.raises(HTTPError, match="401"):
            Airflow(airflow.base, user, password).token()
    assert airflow.api("GET", "importErrors")["import_errors"] == []


def test_the_morning_run_needs_no_click(airflow: Airflow) -> None:
    """The latest one that was missed: green behind an export by hand in another mode."""
    for dag in ("web_logs_lake", "crud_weekly_aggregate"):
        scheduled_run(airflow, dag)


def test_triggered_over_rest(stack: Stack, airflow: Airflow, note: Note) -> None:
    states = airflow.wait("web_logs_lake", run := airflow.trigger("web_logs_lake"))
    assert states == {"seed_demo_rows": "skipped", "export_to_lake": "success", "verify_lake": "success", "report": "success"}
    task = airflow.tasks("web_logs_lake", run)["export_to_lake"]["duration"]
    job = airflow.xcom("web_logs_lake", run, "export_to_lake")["seconds"]
    airflow.wait("floor", run := airflow.trigger("floor"))
    floor = airflow.tasks("floor", run)["true"]["duration"]
    note(f"export_to_lake: {task:.1f} s as a task, {job:.1f} s of them the job; a task that runs true: {floor:.1f} s")
    airflow.wait("crud_weekly_aggregate", run := airflow.trigger("crud_weekly_aggregate"))
    assert counts(stack, airflow, run).exists()


def test_a_logical_date_in_the_future_is_refused(airflow: Airflow) -> None:
    """Airflow alone would take it, and keep the next mornings waiting behind it."""
    before = airflow.runs("web_logs_lake")
    with pytest.raises(HTTPError, match="400") as refused:
        airflow.api("POST", "dags/web_logs_lake/dagRuns", {"logical_date": f"{day(1)}T07:00:00Z", "conf": {}})
    assert "is in the future" in json.load(refused.value)["detail"]
    assert airflow.runs("web_logs_lake").keys() == before.keys()


def test_a_browser_does_what_a_newcomer_does(stack: Stack, note: Note) -> None:
    """Its pictures are kept in `.cache/screenshots` of the clone."""
    pictures = ROOT / ".cache/screenshots"
    shutil.rmtree(pictures, ignore_errors=True)
    environment = {
        **os.environ, "AIRFLOW_URL": f"http://localhost:{stack.env('AIRFLOW_PORT')}", "SCREENSHOTS": str(pictures),
    }
    start = time.monotonic()
    script = str(ROOT / "tests/browser/airflow.js")
    done = subprocess.run(["node", script], env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    note(f"browser: {time.monotonic() - start:.0f} s, {len(list(pictures.iterdir()))} pictures in {pictures}")


def test_the_page_lake(stack: Stack, airflow: Airflow) -> None:
    """What the daily DAGs left; then, with a month of reports of which some tell of faults, in the browser."""
    folder = stack.folder / "data/reports"
    newest = counts(stack, airflow, scheduled_run(airflow, "crud_weekly_aggregate")).stem
    for dag in ("web_logs_lake", "crud_weekly_aggregate"):
        run = scheduled_run(airflow, dag)
        assert airflow.runs(dag)[run]["note"] == f"day **{newest}**"
    assert sorted(path.name for path in folder.glob(f"{newest}.*")) == [f"{newest}.html", f"{newest}.json"]
    for report in folder.iterdir():
        report.unlink()
    sample_reports.write_month(folder, newest)
    hostile = sample_reports.back(3, newest)
    (folder / f"{hostile}.html").write_text(sample_reports.page(hostile, sample_reports.HOSTILE))
    environment = {
        **os.environ, "AIRFLOW_URL": f"http://localhost:{stack.env('AIRFLOW_PORT')}", "DAY": newest, "HOSTILE": hostile,
        "SCREENSHOTS": str(ROOT / ".cache/screenshots"),
    }
    script = str(ROOT / "tests/browser/lake-page.js")
    done = subprocess.run(["node", script], env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr


def test_backfill_of_three_days_over_rest(stack: Stack, airflow: Airflow) -> None:
    airflow.api("POST", "backfills", {
        "dag_id": "web_logs_lake", "from_date": f"{day(-30)}T00:00:00Z", "to_date": f"{day(-28)}T23:59:59Z",
        "run_backwards": False, "reprocess_behavior": "none", "max_active_runs": 1, "dag_run_conf": {},
    })

    def backfilled() -> list[str]:
        return sorted(run for run in airflow.runs("web_logs_lake") if run.startswith("backfill__"))

    for run in wait_until("three runs", lambda: len(runs := backfilled()) == 3 and runs, 60):
        airflow.wait("web_logs_lake", run)
    assert source_rows(stack) >= 40_000
    assert lake_rows(stack) == source_rows(stack)


def test_aggregate_by_hand(stack: Stack) -> None:
    """Yesterday's window from the default folders; as another user between two runs of the DAG."""
    windows = [(day(-7), day(-1))]
    summary = stack.job("aggregate")
    windows.append((day(-7), day(-1)))
    assert (summary["from"], summary["to"]) in windows
    again = stack.job("aggregate", summary["to"], options=("--user", "4711:0"))
    assert (again["status"], again["rows"]) == ("ok", summary["rows"])


def test_the_dag_after_another_user(airflow: Airflow) -> None:
    airflow.wait("crud_weekly_aggregate", airflow.trigger("crud_weekly_aggregate"))


def test_real_logs(stack: Stack, crud_logs: Path) -> None:
    shutil.copytree(crud_logs / "input", stack.folder / "data/real")
    stack.job("aggregate", "data/real", "data/crud/output/real", "2024-09-16")
    written = (stack.folder / "data/crud/output/real/2024-09-16.csv").read_bytes()
    assert written == (crud_logs / "expected/2024-09-16.csv").read_bytes()


def test_memory(stack: Stack, note: Note) -> None:
    names = {stack.container(service): service for service in LONG_RUNNING}
    listing = stack.run("docker", "stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.MemUsage}}", *names)
    used = {names[line.split()[0]]: line.split()[1] for line in listing.stdout.splitlines()}
    note("memory: " + ", ".join(f"{service} {used[service]}" for service in sorted(used)))


def test_killed_in_the_middle(stack: Stack, airflow: Airflow) -> None:
    """Source, store and scheduler at once, while an export reads: nothing is lost, nothing is there twice."""
    date = day(-60)
    stack.job("seed", "--rows", "600000", "--days", "1", "--date", date, "--append")
    killed = [stack.container(service) for service in ("postgres", "minio", "airflow-scheduler")]
    run = airflow.trigger("web_logs_lake", date=date, demo_data=False, lookback=0)
    top = ("docker", "top", killed[2], "-eo", "pid,args")
    wait_until("the export", lambda: f"export --mode=day --date={date}" in stack.run(*top).stdout, 120, 0.2)
    stack.run("docker", "kill", *killed)
    assert airflow.state("web_logs_lake", run) == "running"
    stack.up()
    airflow.wait("web_logs_lake", run, 600)
    assert source_rows(stack) > 600_000
    assert lake_rows(stack) == source_rows(stack)
