"""The stack from a fresh clone to `down -v`, in the order in which a user meets it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psycopg2
import pytest
from pyiceberg.catalog import load_catalog

from rest import Airflow
from stack import ROOT, Stack, wait_until

MB = 1024 * 1024
LONG_RUNNING = {
    *("postgres", "iceberg-postgres", "minio", "airflow-postgres"),
    *("airflow-apiserver", "airflow-scheduler", "airflow-dag-processor"),
}
ONCE = {"data-init", "lakejobs-init", "airflow-init"}
Note = Callable[[str], None]


def day(offset: int) -> str:
    """In UTC. It changes at midnight: ask once in a test, or take the day from what the job or the run says."""
    return (datetime.now(timezone.utc) + timedelta(days=offset)).strftime("%Y-%m-%d")


def source_rows(stack: Stack) -> int:
    with psycopg2.connect(stack.postgres_uri()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.web_logs")
        return cursor.fetchone()[0]


def lake_rows(stack: Stack, table: str = "default.web_logs") -> int:
    """As a reader who knows PyIceberg and the settings of the catalog, nothing of us."""
    catalog = load_catalog(
        "local",
        **{
            "type": "sql",
            "uri": stack.postgres_uri("ICEBERG_").replace("postgresql:", "postgresql+psycopg2:"),
            "warehouse": "s3://logs-bucket/iceberg",
            "init_catalog_tables": "false",
            "s3.endpoint": f"http://127.0.0.1:{stack.env('S3_PORT')}",
            "s3.access-key-id": stack.env("MINIO_ROOT_USER"),
            "s3.secret-access-key": stack.secrets["MINIO_ROOT_PASSWORD"],
            "s3.region": "us-east-1",
        },
    )
    return catalog.load_table(table).scan().to_arrow().num_rows


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
    assert stack.job("seed")["rows"] == 10_000
    summary = stack.job("export")
    assert [table["mode"] for table in summary["tables"]] == ["full"]
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
    assert stack.job("aggregate", "data/many", "s3://logs-bucket/many")["rows"] == 140_000
    nothing = ("aggregate", "/tmp/none", "/tmp/out", "--log-format", "pretty")
    refused = stack.run("docker", "run", "--rm", stack.env("LAKEJOBS_IMAGE"), *nothing, check=False)
    assert (refused.returncode, "] ERROR: " in refused.stderr) == (3, True)


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


def services(stack: Stack) -> dict[str, Any]:
    return json.loads(stack.compose("--profile", "*", "config", "--format", "json"))["services"]


def test_ports_are_open_on_this_machine_only(stack: Stack) -> None:
    ports = [port for service in services(stack).values() for port in service.get("ports", ())]
    assert len(ports) == 5
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_every_service_is_bounded(stack: Stack) -> None:
    """In memory, logs and rights; watched, and started again, where it runs on."""
    for name, service in services(stack).items():
        assert int(service["mem_limit"]) > 0, name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        runs_on = name in LONG_RUNNING | {"docker-filter"}
        assert ("healthcheck" in service) == runs_on, name
        assert service["restart"] == ("unless-stopped" if runs_on else "no"), name


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


def scheduled_run(airflow: Airflow, dag: str) -> str:
    """The first one's id, once it is green. Before 07:00 UTC it is of yesterday's slot, about the day before that."""
    run = wait_until(f"the run of {dag}", lambda: min(airflow.runs(dag), default=None), 180)
    assert run.startswith("scheduled__")
    airflow.wait(dag, run)
    return run


def test_triggered_over_rest(stack: Stack, airflow: Airflow, note: Note) -> None:
    states = airflow.wait("web_logs_lake", run := airflow.trigger("web_logs_lake"))
    assert states == {"seed_demo_rows": "skipped", "export_to_lake": "success"}
    task = airflow.tasks("web_logs_lake", run)["export_to_lake"]["duration"]
    job = airflow.xcom("web_logs_lake", run, "export_to_lake")["seconds"]
    airflow.wait("floor", run := airflow.trigger("floor"))
    floor = airflow.tasks("floor", run)["true"]["duration"]
    note(f"export_to_lake: {task:.1f} s as a task, {job:.1f} s of them the job; a task that runs true: {floor:.1f} s")
    airflow.wait("crud_weekly_aggregate", run := airflow.trigger("crud_weekly_aggregate"))
    assert counts(stack, airflow, run).exists()


def counts(stack: Stack, airflow: Airflow, run: str) -> Path:
    """What a run of `crud_weekly_aggregate` has published."""
    summary = airflow.xcom("crud_weekly_aggregate", run, "aggregate_week")
    return stack.folder / f"data/crud/output/{summary['to']}.csv"


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


def test_docker_runner(stack: Stack, airflow: Airflow) -> None:
    """Each task is a container of the jobs' image, started through the filter."""
    stack.set_env(LAKEJOBS_RUNNER="docker", COMPOSE_PROFILES="docker-runner")
    stack.up()
    wait_until("DAGs of the other runner", lambda: "DockerJob" in operators(airflow), 120)
    run = airflow.trigger("web_logs_lake", date=day(-2))
    states = airflow.wait("web_logs_lake", run)
    assert states == {"seed_demo_rows": "skipped", "export_to_lake": "success"}
    assert airflow.tasks("web_logs_lake", run)["export_to_lake"]["operator"] == "DockerJob"
    assert airflow.xcom("web_logs_lake", run, "export_to_lake")["job"] == "export"
    run = airflow.trigger("crud_weekly_aggregate", date=day(-2))
    assert set(airflow.wait("crud_weekly_aggregate", run).values()) == {"success"}
    assert counts(stack, airflow, run).exists()
    left = stack.run("docker", "ps", "--all", "--quiet", "--filter", f"label=lakejobs.docker-filter={stack.name}").stdout
    assert left == "", "containers of tasks are removed"


def operators(airflow: Airflow) -> set[str]:
    return {task["operator_name"] for task in airflow.api("GET", "dags/web_logs_lake/tasks")["tasks"]}


def test_filter_refuses_the_rest(stack: Stack) -> None:
    script = (Path(__file__).parent / "refusals.py").read_text()
    done = stack.compose("exec", "-T", "airflow-scheduler", "python", "-c", script, stack.container("postgres"))
    results = json.loads(done.splitlines()[-1])
    assert len(results) == 20
    assert {what: status for what, status in results.items() if status != 403} == {}


def test_the_engine_is_out_of_reach_otherwise(stack: Stack) -> None:
    mounting = [
        name for name, service in services(stack).items()
        if any("docker.sock" in volume["source"] for volume in service.get("volumes", ()))
    ]
    assert mounting == ["docker-filter"]
    probe = "fetch('http://docker-filter:2375/_ping').then(() => process.exit(1), () => process.exit(0))"
    stack.compose("run", "--rm", "--no-TTY", "--entrypoint", "node", "jobs", "-e", probe)


def test_no_secret_in_any_log(stack: Stack) -> None:
    generated = {
        name: stack.compose("exec", "-T", "airflow-scheduler", "cat", f"/opt/airflow/secrets/{name}")
        for name in ("fernet_key", "jwt_secret", "secret_key")
    }
    assert min(map(len, generated.values())) >= 43
    # A part of each password that no encoding changes.
    words = {name: secret[:39].rstrip(" ") for name, secret in stack.secrets.items()} | generated
    assert found_in_logs(stack, words) == set()
    # The search finds what is there: in a container's output, and in a task's log.
    shell = ("exec", "-T", "airflow-scheduler", "sh", "-c")
    stack.compose(*shell, 'echo "canary $POSTGRES_PASSWORD" >/proc/1/fd/2')
    assert found_in_logs(stack, words) == {"POSTGRES_PASSWORD"}
    stack.compose(*shell, 'echo "canary $MINIO_ROOT_PASSWORD" >/opt/airflow/logs/canary.log')
    assert found_in_logs(stack, words) == {"POSTGRES_PASSWORD", "MINIO_ROOT_PASSWORD"}


def found_in_logs(stack: Stack, words: dict[str, str]) -> set[str]:
    done = stack.run("docker", "compose", "logs", "--no-color")
    tasks = stack.compose("exec", "-T", "airflow-scheduler", "sh", "-c", "find /opt/airflow/logs -type f -exec cat {} +")
    text = done.stdout + done.stderr + tasks
    assert "export_to_lake" in text
    return {name for name, word in words.items() if word in text}


def test_stops_cleanly(stack: Stack) -> None:
    stack.compose("stop")
    codes = {
        line["Service"]: line["ExitCode"] for line in map(json.loads, stack.compose("ps", "--all", "--format", "json").splitlines())
    }
    assert set(codes) == LONG_RUNNING | ONCE | {"docker-filter"}
    # 143: ended by the signal, as those do that have nothing to finish.
    assert {name: code for name, code in codes.items() if code not in (0, 143)} == {}


def test_down_leaves_the_data_and_up_works_on_it(stack: Stack, airflow: Airflow, note: Note) -> None:
    stack.compose("down", "--volumes")
    assert stack.left() == []
    written = {file.name: file.read_bytes() for file in (stack.folder / "data/crud/output").glob("*.csv")}
    assert any((stack.folder / "data/minio/logs-bucket/iceberg").rglob("*.parquet"))
    # Another user from now on: what 50000 wrote is no hindrance.
    stack.set_env(LAKEJOBS_RUNNER="bash", COMPOSE_PROFILES="", LAKEJOBS_UID="4711")
    note(f"up --wait, images present, no volumes: {stack.up():.0f} s")
    scheduled_run(airflow, "web_logs_lake")
    again = counts(stack, airflow, scheduled_run(airflow, "crud_weekly_aggregate"))
    assert lake_rows(stack) == source_rows(stack)
    assert again.read_bytes() == written[again.name]
    assert again.stat().st_uid == 4711
    stack.compose("down", "--volumes")
    assert stack.left() == []


def test_unit_tests_inside_the_image(stack: Stack, note: Note) -> None:
    stack.run("docker", "build", "--quiet", "--file", "docker/jobs.Dockerfile", "--target", "test",
              "--tag", f"{stack.name}/test", ".")
    # Two of them mount a file system in a namespace of their own.
    options = ("--rm", "--network", "none", "--security-opt", "seccomp=unconfined")
    done = stack.run("docker", "run", *options, f"{stack.name}/test")
    note("in the image: " + " ".join(line for line in done.stderr.splitlines() if line.startswith("Tests:")))
