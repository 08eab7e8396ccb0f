"""The day that a run of ours handled, as its note: grid, head of the run and list of runs show it."""

from __future__ import annotations

import logging
from typing import Any

from airflow.listeners import hookimpl

from lakejobs_page.reports import is_day
from lakejobs_page.runs import day_of_run

log = logging.getLogger(__name__)


class DayNotes:
    """For the scheduler, which saves what is set here with the run's end. A note that somebody wrote stays."""

    @hookimpl
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        add_note(dag_run)

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        add_note(dag_run)


def add_note(run: Any) -> None:
    """Raises nothing: a run's end does not depend on it."""
    try:
        from sqlalchemy.orm import object_session

        session = object_session(run)
        if session is None or run.note or not (day := day_of_run(session, run.dag_id, run.run_id)):
            return
        first = (run.conf or {}).get("from")
        is_many = isinstance(first, str) and is_day(first) and first < day
        run.note = f"days **{first} … {day}**" if is_many else f"day **{day}**"
    except Exception:
        log.exception("The day of run %s could not be noted", getattr(run, "run_id", run))
