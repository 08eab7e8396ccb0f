"""The one way in which the DAGs make a task of a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import BaseOperator

from lakejobs_dags import settings


def job_task(
    task_id: str,
    command: str,
    flags: Mapping[str, str | bool],
    *,
    day: str,
    environment: Mapping[str, str] | None = None,
    **kwargs: Any,
) -> BaseOperator:
    """
    A task that runs `lakejobs COMMAND FLAGS`, as LAKEJOBS_RUNNER says: `bash` (default) or `docker`.

    Exit 99 skips the task, 2 and 3 fail it at once, 5 runs it again later, any other failure uses up a try.
    The job's summary becomes its XCom.

    :param flags: by name; True for a flag without a value; a template that renders to nothing leaves its flag out
    :param day: the day that the task is about, a template
    :param environment: more names for the job; a template that renders to nothing leaves the worker's own value
    """
    job = {"command": command, "flags": flags, "environment": environment or {}, "day": day}
    if settings.RUNNER == "bash":
        from lakejobs_dags.bash_job import BashJob

        return BashJob(task_id=task_id, **job, **kwargs)
    if settings.RUNNER == "docker":
        # Loads the Docker SDK, which the other runner need not have.
        from lakejobs_dags.docker_job import DockerJob

        return DockerJob(task_id=task_id, **job, **kwargs)
    raise ValueError(f'LAKEJOBS_RUNNER: "{settings.RUNNER}" is not valid: give bash or docker')
