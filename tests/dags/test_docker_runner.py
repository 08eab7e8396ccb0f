"""The DAGs with LAKEJOBS_RUNNER=docker. Docker itself is the end-to-end test's; here its API is spoken to."""

from __future__ import annotations

import json
import re

import pytest
from conftest import ROOT
from docker_daemon import docker_daemon
from runs import run_dag

DAY = "2024-09-16"
SUMMARY = {"job": "export", "status": "ok", "exit": 0, "runId": "1", "rows": 7}


@pytest.fixture
def docker(monkeypatch, airflow_db):
    """The environment of a worker in the compose stack."""
    from lakejobs_dags import settings

    monkeypatch.setattr(settings, "RUNNER", "docker")
    for name, value in {
        "HOST_DATA_DIR": "/srv/lakejobs/data",
        "LAKEJOBS_UID": "50000",
        "LAKEJOBS_RUNNER": "docker",
        "POSTGRES_PASSWORD": "canary-password",
        "MINIO_ROOT_PASSWORD": "canary-minio",
        "WAREHOUSE": "s3://logs-bucket/iceberg",
        "DEMO_DATA": "true",
        "AIRFLOW__API__SECRET_KEY": "canary-airflow",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def read(docker):
    from airflow.dag_processing.dagbag import DagBag
    from conftest import DAGS

    return DagBag(dag_folder=str(DAGS))


def test_every_dag_is_read(read):
    assert read.import_errors == {}
    assert read.captured_warnings == {}
    assert len(read.dags) == 4


def test_a_task_is_a_container_of_our_image(read):
    from airflow.providers.docker.operators.docker import DockerOperator

    for dag in read.dags.values():
        # This one only reads what the task before it has found.
        for task in (one for one in dag.tasks if (dag.dag_id, one.task_id) != ("lake_maintenance", "tables")):
            assert isinstance(task, DockerOperator)
            assert task.image == "lakejobs/jobs:latest"
            assert (task.docker_url, task.network_mode) == ("tcp://docker-filter:2375", "lakejobs")
            assert 99 in task.skip_on_exit_code
            assert (task.auto_remove, task.mount_tmp_dir, task.user) == ("force", False, "50000:0")
            (mount,) = task.mounts
            assert (mount["Source"], mount["Target"], mount["Type"]) == (
                "/srv/lakejobs/data",
                "/opt/lakejobs/data",
                "bind",
            )


def test_a_job_gets_the_settings_of_jobs_and_no_others():
    """As .env.example has them: those before the parts of DAGs and of Compose, which the filter lets through."""
    from lakejobs_dags.docker_job import job_settings

    def names(text):
        return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))

    jobs, others = (ROOT / ".env.example").read_text().split("# --- DAGs")
    beside = {"LAKEJOBS_HOME", "LAKEJOBS_NETWORK", "NODE_OPTIONS"}
    everything = dict.fromkeys(names(jobs) | names(others) | beside, "x")
    libpq = {f"PG{name}" for name in ("PASSFILE", "PASSWORD", "SSLMODE", "SSLROOTCERT", "SSLCERT", "SSLKEY")}
    assert job_settings(everything | dict.fromkeys(libpq, "x")).keys() == names(jobs) | libpq


def test_rendered_fields_hold_no_secret(read):
    for dag in read.dags.values():
        for task in dag.tasks:
            shown = repr([getattr(task, name) for name in task.template_fields])
            assert "canary" not in shown


def a_run(daemon, monkeypatch, dag_id="web_logs_lake", **conf):
    monkeypatch.setenv("DOCKER_URL", daemon.url)
    return run_dag(dag_id, {"date": DAY, **conf})


def test_success(docker, monkeypatch):
    # As a job writes it: logs, its summary, a warning of the runtime behind it.
    output = '{"level":"info","msg":"committing"}\n' + json.dumps(SUMMARY) + "\n(node:1) Warning: something\n"
    with docker_daemon(output, 0) as daemon:
        run = a_run(daemon, monkeypatch, demo_data=False)
    assert set(run.states) == {"seed_demo_rows", "export_to_lake", "verify_lake", "report"}
    assert set(run.states.values()) == {"success"}
    assert run.xcoms["export_to_lake"] == SUMMARY
    seed, export, verify, report = daemon.created
    assert export["Cmd"] == [
        "export",
        "--mode=day",
        f"--date={DAY}",
        "--lookback=3",
        "--partition-by=day(timestamp)",
        "--skip-unchanged",
    ]
    assert verify["Cmd"][:2] == ["verify", "--against=written"]
    assert report["Cmd"] == ["report", f"--date={DAY}"]
    assert seed["Cmd"] == ["seed", "--demo", "--days=1", f"--date={DAY}", "--if-empty"]
    # The task's word wins over the worker's.
    assert "DEMO_DATA=false" in seed["Env"] and "DEMO_DATA=true" not in seed["Env"]
    assert "DEMO_DATA=true" in export["Env"]
    assert "POSTGRES_PASSWORD=canary-password" in export["Env"]
    about = sorted(entry for entry in export["Env"] if entry.startswith(("AIRFLOW", "LAKEJOBS_RUNNER")))
    names = "DAG_ID DAG_OWNER DAG_RUN_ID LOG_URL MAP_INDEX TASK_ID TRY_NUMBER".split()
    assert [entry.split("=")[0] for entry in about] == [f"AIRFLOW_CTX_{name}" for name in names]
    assert "AIRFLOW_CTX_TASK_ID=export_to_lake" in about and "AIRFLOW_CTX_MAP_INDEX=-1" in about
    host = export["HostConfig"]
    assert host["NetworkMode"] == "lakejobs"
    assert not host.get("Privileged")
    assert [mount["Source"] for mount in host["Mounts"]] == ["/srv/lakejobs/data"]
    assert daemon.removed == 4


def test_demo_data_of_the_worker_holds_where_the_switch_is_on(docker, monkeypatch):
    with docker_daemon(json.dumps(SUMMARY), 0) as daemon:
        a_run(daemon, monkeypatch)
    assert "DEMO_DATA=true" in daemon.created[0]["Env"]


@pytest.mark.parametrize(
    ("code", "state", "tries"), [(1, "failed", 3), (2, "failed", 1), (3, "failed", 1), (99, "skipped", 1)]
)
def test_exit_codes(docker, monkeypatch, code, state, tries):
    summary = {**SUMMARY, "status": "failed", "exit": code, "error": {"message": "what was wrong", "fix": "do this"}}
    with docker_daemon(json.dumps(summary) + "\n", code) as daemon:
        run = a_run(daemon, monkeypatch)
    assert (run.states["seed_demo_rows"], run.tries["seed_demo_rows"]) == (state, tries)
    # The report is made in any case; what follows a task that is skipped runs as well.
    assert daemon.removed == (4 if code == 99 else 2 * tries)


def test_a_container_is_shown_as_a_process_is(docker, monkeypatch, capfd):
    """Its lines readable, its summary left out, the reason on lines of its own."""
    summary = {**SUMMARY, "status": "failed", "exit": 2, "error": {"message": "what was wrong", "fix": "do this"}}
    output = '{"level":"info","msg":"reading","table":"x"}\n{"level":"error","msg":"what was wrong: do this"}\n'
    with docker_daemon(output + json.dumps(summary) + "\n", 2) as daemon:
        a_run(daemon, monkeypatch)
    shown = capfd.readouterr().out
    assert "reading table=x" in shown
    assert '"runId"' not in shown and "Traceback" not in shown and "what was wrong: do this" not in shown
    assert shown.index("what was wrong") < shown.index("What to do: do this") < shown.index("export exited with 2: not")


def test_a_container_that_was_killed_is_tried_again(docker, monkeypatch):
    with docker_daemon("half a li", 137) as daemon:
        run = a_run(daemon, monkeypatch)
    assert run.tries["seed_demo_rows"] == 3


def test_flags_that_render_to_nothing_are_left_out(docker, monkeypatch):
    with docker_daemon(json.dumps(SUMMARY), 0) as daemon:
        monkeypatch.setenv("DOCKER_URL", daemon.url)
        run = run_dag("lake_backfill", {"from": DAY, "to": DAY, "mode": "full"})
    assert run.states == {"export_days": "success", "aggregate_days": "skipped"}
    assert daemon.created[0]["Cmd"] == [
        *["export", "--mode=full", "--skip-unchanged"],
        "--partition-by=day(timestamp)",
    ]
