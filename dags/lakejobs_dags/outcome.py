"""From what a job printed and how it exited to what Airflow makes of the task (exit codes: README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
)

Summary = dict[str, Any]

NOTHING_TO_DO = 99
NOT_YET = 5
# Wrong settings and unfit data stay so: another try would fail alike.
_PERMANENT = {2, 3}


class JobFailed(AirflowException):
    """The job failed in a way that another try may mend."""


def summary_of(lines: Iterable[str]) -> Summary | None:
    """The last of the lines that is a job's summary; warnings of the runtime may follow it."""
    found = None
    for line in lines:
        if '"runId"' in line:
            found = _as_summary(line) or found
    return found


def _as_summary(line: str) -> Summary | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and {"job", "status", "exit", "runId"} <= value.keys() else None


def conclude(
    exit_code: int, summary: Summary | None, *, wait: timedelta, until: datetime, now: datetime
) -> Summary | None:
    """
    Returns the summary of a job that succeeded; raises what Airflow understands for any other exit.

    :param wait: after which time a job that says "not yet" is run again
    :param until: when "not yet" becomes a failure
    """
    if exit_code == 0:
        return summary
    line = describe(exit_code, summary)
    if exit_code == NOTHING_TO_DO:
        raise AirflowSkipException(line)
    if exit_code in _PERMANENT:
        raise AirflowFailException(line)
    if exit_code == NOT_YET:
        if now >= until:
            raise AirflowFailException(f"{line} (waited until {until:%Y-%m-%d %H:%M} UTC)")
        raise AirflowRescheduleException(min(now + wait, until))
    raise JobFailed(line)


def describe(exit_code: int, summary: Summary | None) -> str:
    """One line: the job, its exit code, what was wrong and what to do about it."""
    job = summary["job"] if summary else "the job"
    error = (summary or {}).get("error") or {}
    message = error.get("message", "no summary: see the log above")
    fix = f": {error['fix']}" if error.get("fix") else ""
    return f"{job} exited with {exit_code}: {message}{fix}"


def brief(summary: Summary) -> str:
    """What came of a job, for people: `export: ok, 2024-09-13 … 2024-09-16, rows 10000, files 5, 0.6 s`."""
    days = [f"{summary['from']} … {summary['to']}"] if summary.get("from") and summary.get("to") else []
    counts = [f"{name} {summary[name]}" for name in ("rows", "files", "rejects") if summary.get(name) is not None]
    seconds = [f"{summary['seconds']} s"] if "seconds" in summary else []
    return f"{summary['job']}: " + ", ".join([summary["status"], *days, *counts, *seconds])
