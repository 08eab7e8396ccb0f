"""What holds for a job task whichever way it runs: when it may begin, and what its end means."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Protocol

from airflow.sdk.exceptions import AirflowSkipException

from lakejobs_dags import settings
from lakejobs_dags.assets import announce
from lakejobs_dags.job_log import JobLog, end_without_traceback, tell
from lakejobs_dags.outcome import (
    NOT_YET,
    NOTHING_TO_DO,
    Moment,
    NotStarted,
    Refused,
    Summary,
    brief,
    conclude,
    failed_as,
    reason,
    summary_of,
)
from lakejobs_dags.tables.plan import items_of

# Template fields of a job task: the day that it is about; why it is skipped, if it is.
FIELDS = ("day", "skip_because")


class JobTask(Protocol):
    day: str
    skip_because: str
    same_rows_as: str
    item: dict[str, Any] | None
    plans: bool
    log: logging.Logger
    outlets: Sequence[Any]


def admit(task: JobTask, context: Any) -> None:
    """
    Fails a task at once whose run was given a parameter that the DAG does not have, or that is for a day, or of a run,
    still to come; skips one that the parameters do not ask for.
    """
    end_without_traceback()
    run = context["dag_run"]
    try:
        refuse_unknown(run.conf or {}, context["dag"].params)
        if task.skip_because:
            raise AirflowSkipException(task.skip_because)
        refuse_future(task.day, run.logical_date, _now())
    except NotStarted as refusal:
        tell(task.log, logging.ERROR, refusal.reason, refusal.fix)
        raise


def finish(task: JobTask, context: Any, exit_code: int, job: JobLog) -> Summary | list[dict[str, Any]] | None:
    """
    The job's summary, or its plan, if it succeeded; otherwise raises what Airflow understands. The log says what came
    of it.
    """
    if exit_code == 0 and task.plans:
        job.end("")
        items = items_of(job.lines)
        job.log(logging.INFO, "%s", f"{len(items)} tables: {', '.join(item['table'] for item in items)}")
        return items
    summary = summary_of(job.lines)
    if summary is None and task.plans and job.last_error:
        summary = failed_as("plan", job.last_error)
    said, fix = reason(summary)
    job.end(said if summary and exit_code != NOTHING_TO_DO else "")
    if exit_code == 0:
        for line in brief(summary) if summary else ():
            job.log(logging.INFO, "%s", line)
        if summary:
            catalog = (task.item or {}).get("catalog", settings.CATALOG)
            announce(task.outlets, context["outlet_events"], summary, catalog)
    elif exit_code != NOTHING_TO_DO:
        tell(job, logging.INFO if exit_code == NOT_YET else logging.ERROR, said, fix)
    instance = context["ti"]
    if exit_code == 0 and task.same_rows_as:
        before = instance.xcom_pull(task_ids=task.same_rows_as, map_indexes=instance.map_index)
        try:
            refuse_other_rows(before, summary)
        except Refused as refusal:
            tell(job, logging.ERROR, str(refusal), "look at the table before anything else: lakejobs inspect")
            raise
    moment = Moment(
        now=_now(),
        wait=settings.NOT_YET_DELAY,
        until=end_of_waiting(task.day, settings.NOT_YET_UNTIL),
        since=context["dag_run"].start_date or _now(),
        attempt=instance.try_number,
        attempts=instance.max_tries + 1,
    )
    return conclude(exit_code, summary, moment)


def refuse_unknown(given: Collection[str], known: Collection[str]) -> None:
    """Raises NotStarted for names that the DAG has no parameter of: a misspelt one would count as not given."""
    unknown = sorted(set(given) - set(known))
    if not unknown:
        return
    near = difflib.get_close_matches(unknown[0], known, 1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    names = ", ".join(map(repr, unknown))
    raise NotStarted(f"unknown parameter {names} in the run's conf{meant}", f"give one of {', '.join(sorted(known))}")


def refuse_other_rows(before: Summary | None, now: Summary | None) -> None:
    """Raises Refused where two counts of a table differ: of steps between them none changes a row."""
    counts = [(summary or {}).get("rows") for summary in (before, now)]
    if counts[0] is not None and counts[0] == counts[1]:
        return
    name = ((now or before or {}).get("tables") or [{}])[0].get("table", "the table")
    raise Refused(
        f"{name} has other rows than before this step: {counts[0]} before, {counts[1]} now",
        "Not tried again. An export that committed in between is harmless: then Clear this table's tasks",
    )


def refuse_future(day: str, logical_date: datetime | None, now: datetime) -> None:
    """Raises NotStarted for a day, or a logical date, after now."""
    if logical_date is not None and logical_date > now:
        raise NotStarted(
            f"the logical date {logical_date.isoformat()} is in the future",
            "trigger the DAG without one, and give the day as a parameter",
        )
    if date.fromisoformat(day) > now.date():
        raise NotStarted(f"the day {day} is in the future (today is {now.date()}, UTC)", "give an earlier day")


def end_of_waiting(day: str, until: time) -> datetime:
    """When input of the day that is still missing has failed to come: on the day after it, at `until` (UTC)."""
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), until, timezone.utc)


def _now() -> datetime:
    return datetime.now(timezone.utc)
