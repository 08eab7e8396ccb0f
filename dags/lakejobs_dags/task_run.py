"""What holds for a job task whichever way it runs: when it may begin, and what its end means."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Protocol

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from lakejobs_dags import settings
from lakejobs_dags.outcome import Summary, brief, conclude, summary_of

# Template fields of a job task: the day that it is about; why it is skipped, if it is.
FIELDS = ("day", "skip_because")


class JobTask(Protocol):
    day: str
    skip_because: str
    log: logging.Logger


def admit(task: JobTask, context: Any) -> None:
    """Skips a task that its parameters do not ask for; fails one for a day, or of a run, that is still to come."""
    if task.skip_because:
        raise AirflowSkipException(task.skip_because)
    refuse_future(task.day, context["dag_run"].logical_date, _now())


def finish(task: JobTask, exit_code: int, lines: Iterable[str]) -> Summary | None:
    """The job's summary, if it succeeded; otherwise raises what Airflow understands."""
    summary = summary_of(lines)
    if summary:
        task.log.info("%s", brief(summary))
    until = end_of_waiting(task.day, settings.NOT_YET_UNTIL)
    return conclude(exit_code, summary, wait=settings.NOT_YET_DELAY, until=until, now=_now())


def refuse_future(day: str, logical_date: datetime | None, now: datetime) -> None:
    """Raises AirflowFailException for a day, or a logical date, after now."""
    if logical_date is not None and logical_date > now:
        raise AirflowFailException(
            f"the logical date {logical_date.isoformat()} is in the future: trigger the DAG without one, "
            "and give the day as a parameter"
        )
    if date.fromisoformat(day) > now.date():
        raise AirflowFailException(f"the day {day} is in the future (today is {now.date()}, UTC): give an earlier day")


def end_of_waiting(day: str, until: time) -> datetime:
    """When input of the day that is still missing has failed to come: on the day after it, at `until` (UTC)."""
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), until, timezone.utc)


def _now() -> datetime:
    return datetime.now(timezone.utc)
