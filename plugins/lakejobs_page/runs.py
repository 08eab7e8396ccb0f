"""Which run handled which day: what its tasks have said, and Airflow has kept beside them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lakejobs_page.reports import is_day

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# The tasks of jobs, by the names of their operators. The day that one is about is its rendered index (job_task.py).
OPERATORS = {"BashJob": "lakejobs_dags.bash_job", "DockerJob": "lakejobs_dags.docker_job"}
# Those that end with a report of yesterday.
DAILY = ("web_logs_lake", "crud_weekly_aggregate")
_MOST = 50


def newest_day(indexes: Iterable[str | None]) -> str | None:
    """Of what tasks of a run have said; the indexes of mapped ones are tables."""
    return max((index for index in indexes if index and is_day(index)), default=None)


def day_of_run(session: Session, dag_id: str, run_id: str) -> str | None:
    """None before the first task of ours has begun."""
    from airflow.models.taskinstance import TaskInstance as TI
    from sqlalchemy import select

    query = select(TI._rendered_map_index).where(
        TI.dag_id == dag_id, TI.run_id == run_id, TI.operator.in_(OPERATORS), TI._rendered_map_index.is_not(None)
    )
    return newest_day(session.scalars(query))


def day_of_task(session: Session, dag_id: str, run_id: str, task_id: str, map_index: int) -> str | None:
    """Its own, else that of its run."""
    from airflow.models.taskinstance import TaskInstance as TI
    from sqlalchemy import select

    query = select(TI._rendered_map_index).where(
        TI.dag_id == dag_id, TI.run_id == run_id, TI.task_id == task_id, TI.map_index == map_index
    )
    return newest_day([session.scalar(query)]) or day_of_run(session, dag_id, run_id)


def last_due_day(session: Session, now: datetime) -> str:
    """The last day that is to have a report: yesterday, or the day before it until today's scheduled run has ended.

    A run that the scheduler should have made by `now`, and has not, makes yesterday due: that is to be seen.
    """
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.state import DagRunState
    from sqlalchemy import exists, select

    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    comes = DagModel.next_dagrun_create_after
    waits = DagModel.dag_id.in_(DAILY) & DagModel.is_paused.is_(False) & DagModel.is_stale.is_(False)
    is_to_come = exists().where(waits & (comes > now) & (comes < midnight + timedelta(days=1)))
    goes_on = DagRun.state.in_((DagRunState.QUEUED, DagRunState.RUNNING))
    is_at_work = exists().where(
        DagRun.dag_id.in_(DAILY) & goes_on & (DagRun.run_type == "scheduled") & (DagRun.run_after >= midnight)
    )
    days = 2 if session.scalar(select(is_to_come | is_at_work)) else 1
    return (now - timedelta(days=days)).date().isoformat()


def runs_of_day(session: Session, day: str) -> list[dict[str, Any]]:
    """`dag`, `run`, `type`, `state` of runs with a task of ours for that day, the last first."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance as TI
    from sqlalchemy import and_, select

    at = and_(TI.dag_id == DagRun.dag_id, TI.run_id == DagRun.run_id)
    handled = select(TI.id).where(at, TI.operator.in_(OPERATORS), TI._rendered_map_index == day).exists()
    query = select(DagRun).where(handled).order_by(DagRun.run_after.desc()).limit(_MOST)
    return [
        {"dag": run.dag_id, "run": run.run_id, "type": str(run.run_type), "state": str(run.state)}
        for run in session.scalars(query)
    ]
