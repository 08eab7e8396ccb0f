"""The DAGs with LAKEJOBS_RUNNER=docker. Docker itself is the end-to-end test's; here its API is spoken to."""

from __future__ import annotations

import json

import pytest
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
    assert len(read.dags) == 3


def test_a_task_is_a_container_of_our_image(read):
    from airflow.providers.docker.operators.docker import DockerOperator

    for dag in read.dags.values():
        for task in dag.tasks:
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
    assert run.states == {"seed_demo_rows": "success", "export_to_lake": "success"}
    assert run.xcoms["export_to_lake"] == SUMMARY
    seed, export = daemon.created
    assert export["Cmd"] == ["export", "--mode=day", f"--date={DAY}", "--lookback=3", "--partition-by=day(timestamp)"]
    assert seed["Cmd"] == ["seed", "--demo", "--days=1", f"--date={DAY}", "--if-empty"]
    # The task's word wins over the worker's.
    assert "DEMO_DATA=false" in seed["Env"] and "DEMO_DATA=true" not in seed["Env"]
    assert "DEMO_DATA=true" in export["Env"]
    assert "POSTGRES_PASSWORD=canary-password" in export["Env"]
    assert not [entry for entry in export["Env"] if entry.startswith(("AIRFLOW", "LAKEJOBS_RUNNER"))]
    host = export["HostConfig"]
    assert host["NetworkMode"] == "lakejobs"
    assert not host.get("Privileged")
    assert [mount["Source"] for mount in host["Mounts"]] == ["/srv/lakejobs/data"]
    assert daemon.removed == 2


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
    assert daemon.removed == tries + (code == 99)


def test_a_container_that_was_killed_is_tried_again(docker, monkeypatch):
    with docker_daemon("half a li", 137) as daemon:
        run = a_run(daemon, monkeypatch)
    assert run.tries["seed_demo_rows"] == 3


def test_flags_that_render_to_nothing_are_left_out(docker, monkeypatch):
    with docker_daemon(json.dumps(SUMMARY), 0) as daemon:
        monkeypatch.setenv("DOCKER_URL", daemon.url)
        run = run_dag("lake_backfill", {"from": DAY, "to": DAY, "mode": "full"})
    assert run.states == {"export_days": "success", "aggregate_days": "skipped"}
    assert daemon.created[0]["Cmd"] == ["export", "--mode=full", "--partition-by=day(timestamp)"]
