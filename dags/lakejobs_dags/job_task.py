"""The one way in which the DAGs make a task of a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from lakejobs_dags import settings

if TYPE_CHECKING:
    from airflow.sdk import XComArg
    from airflow.sdk.definitions.mappedoperator import MappedOperator


def job_task(
    task_id: str,
    command: str,
    flags: Mapping[str, str | bool],
    *,
    day: str,
    environment: Mapping[str, str] | None = None,
    same_rows_as: str = "",
    plans: bool = False,
    **kwargs: Any,
) -> BaseOperator:
    """
    A task that runs `lakejobs COMMAND FLAGS`, as LAKEJOBS_RUNNER says: `bash` (default) or `docker`.

    Exit 99 skips the task, 2 and 3 fail it at once, 5 runs it again later, any other failure uses up a try.
    The job's summary becomes its XCom.

    :param flags: by name; True for a flag without a value; a template that renders to nothing leaves its flag out
    :param day: the day that the task is about, a template; shown as the task's index, unless something else is
    :param environment: more names for the job; a template that renders to nothing leaves the worker's own value
    :param same_rows_as: a task of the same table whose job counted its rows: other rows now fail this one
    :param plans: what the job prints is a plan: its items become the XCom
    """
    job = {"command": command, "flags": flags, "environment": environment or {}, "day": day, "plans": plans}
    kwargs.setdefault("map_index_template", day)
    return _operator()(task_id=task_id, same_rows_as=same_rows_as, **job, **kwargs)


def mapped_job_task(
    task_id: str,
    command: str,
    flags: Mapping[str, str | bool],
    *,
    day: str,
    items: XComArg,
    map_index_template: str,
    **kwargs: Any,
) -> MappedOperator:
    """The same for each item of a list, which templates see as `task.item`."""
    job = {"command": command, "flags": flags, "environment": {}, "day": day}
    shared = {"task_id": task_id, "map_index_template": map_index_template, **job, **kwargs}
    return _operator().partial(**shared).expand(item=items)


def _operator() -> type[BaseOperator]:
    if settings.RUNNER == "bash":
        from lakejobs_dags.bash_job import BashJob

        return BashJob
    if settings.RUNNER == "docker":
        # Loads the Docker SDK, which the other runner need not have.
        from lakejobs_dags.docker_job import DockerJob

        return DockerJob
    raise ValueError(f'LAKEJOBS_RUNNER: "{settings.RUNNER}" is not valid: give bash or docker')
