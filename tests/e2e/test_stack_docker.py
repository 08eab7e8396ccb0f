"""The runner docker and the filter before the engine, on what test_stack.py has left."""

from __future__ import annotations

import json
from pathlib import Path

from rest import Airflow
from stack import Stack, wait_until
from state import counts, day, lake_rows, services, source_rows


def test_docker_runner(stack: Stack, airflow: Airflow) -> None:
    """Each task is a container of the jobs' image, started through the filter."""
    stack.set_env(LAKEJOBS_RUNNER="docker")
    stack.up()
    wait_until("DAGs of the other runner", lambda: "DockerJob" in operators(airflow), 120)
    run = airflow.trigger("web_logs_lake", date=day(-2))
    states = airflow.wait("web_logs_lake", run)
    assert states == {"seed_demo_rows": "skipped", "export_to_lake": "success", "verify_lake": "success", "report": "success"}
    assert airflow.tasks("web_logs_lake", run)["export_to_lake"]["operator"] == "DockerJob"
    assert airflow.xcom("web_logs_lake", run, "export_to_lake")["job"] == "export"
    run = airflow.trigger("crud_weekly_aggregate", date=day(-2))
    assert set(airflow.wait("crud_weekly_aggregate", run).values()) == {"success"}
    assert counts(stack, airflow, run).exists()
    assert containers_of_tasks(stack) == [], "containers of tasks are removed"


def containers_of_tasks(stack: Stack) -> list[str]:
    label = f"label=lakejobs.docker-filter={stack.name}"
    return stack.run("docker", "ps", "--all", "--no-trunc", "--quiet", "--filter", label).stdout.split()


def test_a_filter_that_is_killed_leaves_no_container_for_good(stack: Stack, airflow: Airflow) -> None:
    date = day(-61)
    stack.job("seed", "--rows", "600000", "--days", "1", "--date", date, "--append")
    run = airflow.trigger("web_logs_lake", date=date, demo_data=False, lookback=0)
    export = "{{json .Config.Cmd}}"

    def exporting() -> list[str]:
        shown = [(id, stack.run("docker", "inspect", "--format", export, id, check=False).stdout) for id in containers_of_tasks(stack)]
        return [id for id, command in shown if "export" in command]

    (left,) = wait_until("the export's container", exporting, 120, 0.1)
    stack.run("docker", "kill", stack.container("docker-filter"))
    stack.up()
    # The task has lost its container and makes another; the first ends by itself.
    airflow.wait("web_logs_lake", run, 600)
    wait_until("the end of what was left behind", lambda: left not in containers_of_tasks(stack), 240)
    assert lake_rows(stack) == source_rows(stack)


def operators(airflow: Airflow) -> set[str]:
    return {task["operator_name"] for task in airflow.api("GET", "dags/web_logs_lake/tasks")["tasks"]}


def test_filter_refuses_the_rest(stack: Stack) -> None:
    script = (Path(__file__).parent / "refusals.py").read_text()
    done = stack.compose("exec", "-T", "airflow-scheduler", "python", "-c", script, stack.container("postgres"))
    results = json.loads(done.splitlines()[-1])
    assert len(results) == 28
    wanted = {what: int(what[:3]) if what[:3].isdigit() else 403 for what in results}
    assert results == wanted


def test_the_engine_is_out_of_reach_otherwise(stack: Stack) -> None:
    mounting = [
        name for name, service in services(stack).items()
        if any("docker.sock" in volume.get("source", "") for volume in service.get("volumes", ()))
    ]
    assert mounting == ["docker-filter"]
    assert "docker.sock" not in stack.run("env", "LAKEJOBS_RUNNER=bash", "docker", "compose", "config").stdout
    probe = "fetch('http://docker-filter:2375/_ping').then(() => process.exit(1), () => process.exit(0))"
    stack.compose("run", "--rm", "--no-TTY", "--entrypoint", "node", "jobs", "-e", probe)


def test_the_filter_goes_with_the_runner(stack: Stack) -> None:
    """It is root and has the engine's socket: switched off, it is gone with the next `up`, and stops with the rest."""
    stack.set_env(LAKEJOBS_RUNNER="bash")
    stack.up()
    assert stack.container("docker-filter") == ""
    stack.set_env(LAKEJOBS_RUNNER="docker")
    stack.up()
    assert stack.container("docker-filter") != ""
    # Neither does it outlive a `down` or a `stop` that comes first.
    stack.set_env(LAKEJOBS_RUNNER="bash")
    stack.compose("stop", "docker-filter")
    running = stack.run("docker", "inspect", "--format", "{{.State.Running}}", stack.container("docker-filter"))
    assert running.stdout.strip() == "false"
