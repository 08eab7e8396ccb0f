"""How the stack changes its password, stops, goes and comes back, on what test_stack_docker.py has left."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest

from rest import Airflow
from stack import Failed, Stack
from state import LONG_RUNNING, ONCE, Note, counts, lake_rows, scheduled_run, source_rows


def test_a_password_changed_after_the_first_up(stack: Stack) -> None:
    """The server keeps the one it was made with: `up` stops at `lakejobs-init`, whose log says how to change it."""
    user, changed = stack.env("POSTGRES_USER"), f"changed-{uuid4().hex}"
    stack.set_env(POSTGRES_PASSWORD=changed)
    with pytest.raises(Failed, match="lakejobs-init"):
        stack.up()
    log = stack.compose("logs", "--no-color", "lakejobs-init")
    (statement,) = set(re.findall(r'ALTER USER "\w+" PASSWORD', log.replace('\\"', '"')))
    # As it is said, in the server itself, where no password is asked for.
    psql = ("psql", "--username", user, "--dbname", stack.env("POSTGRES_DB"), "--command")
    stack.compose("exec", "-T", "postgres", *psql, f"{statement} '{changed}'")
    stack.secrets["POSTGRES_PASSWORD"] = changed
    # Roles and keys are what .env says at each start.
    its = {f"{role}_PASSWORD": f"{role.lower()}-{uuid4().hex}" for role in ("EXPORTER", "MAINTAINER")}
    stack.set_env(**its)
    stack.secrets.update(its)
    stack.up()
    for role in ("exporter", "maintainer"):
        assert stack.job("check", "--permissions", "--as", role)["status"] == "ok"
    assert stack.job("check")["status"] == "ok"


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
    assert found_in_logs(stack, words) == {"EXPORTER_PASSWORD"}
    stack.compose(*shell, 'echo "canary $MAINTAINER_AWS_SECRET_ACCESS_KEY" >/opt/airflow/logs/canary.log')
    assert found_in_logs(stack, words) == {"EXPORTER_PASSWORD", "MAINTAINER_PASSWORD"}


def found_in_logs(stack: Stack, words: dict[str, str]) -> set[str]:
    done = stack.run("docker", "compose", "logs", "--no-color")
    tasks = stack.compose("exec", "-T", "airflow-scheduler", "sh", "-c", "find /opt/airflow/logs -type f -exec cat {} +")
    text = done.stdout + done.stderr + tasks
    assert "export_to_lake" in text
    return {name for name, word in words.items() if word in text}


def test_stops_cleanly(stack: Stack) -> None:
    stack.set_env(LAKEJOBS_RUNNER="docker")
    stack.up()
    # Also with the setting that would no longer start the filter.
    stack.set_env(LAKEJOBS_RUNNER="bash")
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
    stack.set_env(LAKEJOBS_UID="4711")
    note(f"up --wait, images present, no volumes: {stack.up():.0f} s")
    scheduled_run(airflow, "web_logs_lake")
    again = counts(stack, airflow, scheduled_run(airflow, "crud_weekly_aggregate"))
    assert lake_rows(stack) == source_rows(stack)
    assert again.read_bytes() == written[again.name]
    assert lake_rows(stack, "default.crud_weekly") == again.read_bytes().count(b"\n") - 1
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
