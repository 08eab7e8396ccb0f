"""From what a job printed and how it exited to what Airflow makes of the task (exit codes: README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
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


class Told(AirflowException):
    """A failure whose reason is in the log already; `last_line` is what comes of it."""

    def __init__(self, message: str, last_line: str) -> None:
        super().__init__(message)
        self.last_line = last_line


class Refused(Told, AirflowFailException):
    """Another try would fail alike."""


class NotStarted(Refused):
    """The run asks for something that no job is started for."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason}: {fix}", "The job was not started, and is not tried again")
        self.reason = reason
        self.fix = fix


class JobFailed(Told):
    """The job failed in a way that another try may mend."""


@dataclass(frozen=True)
class Moment:
    """What the end of a job is judged by, beside its exit code."""

    now: datetime
    # After which time a job that says "not yet" is run again, and when "not yet" becomes a failure.
    wait: timedelta
    until: datetime
    # Since when this run is at it.
    since: datetime
    # This try, and how many there are.
    attempt: int = 1
    attempts: int = 1


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


def conclude(exit_code: int, summary: Summary | None, moment: Moment) -> Summary | None:
    """Returns the summary of a job that succeeded; raises what Airflow understands for any other exit."""
    if exit_code == 0:
        return summary
    line = describe(exit_code, summary)
    ended = f"{_job(summary)} exited with {exit_code}"
    if exit_code == NOTHING_TO_DO:
        raise AirflowSkipException(line)
    if exit_code in _PERMANENT:
        raise Refused(line, f"{ended}: not tried again. When it is corrected, Clear this task")
    if exit_code == NOT_YET:
        if moment.now < moment.until:
            raise AirflowRescheduleException(min(moment.now + moment.wait, moment.until))
        # Of an old day nobody has waited for anything.
        waited = f" (waited until {moment.until:%Y-%m-%d %H:%M} UTC)" if moment.since < moment.until else ""
        raise Refused(f"{line}{waited}", f"{ended}{waited}: not tried again. When it is there, Clear this task")
    last = moment.attempt >= moment.attempts
    again = "the last. When it is mended, Clear this task" if last else "the next follows by itself"
    raise JobFailed(line, f"{ended}: try {moment.attempt} of {moment.attempts}, {again}")


def describe(exit_code: int, summary: Summary | None) -> str:
    """One line: the job, its exit code, what was wrong and what to do about it."""
    message, fix = reason(summary)
    return f"{_job(summary)} exited with {exit_code}: {message}" + (f": {fix}" if fix else "")


def failed_as(command: str, error: str) -> Summary:
    """In the place of the summary of a command that prints something else: what its last error line said."""
    return {"job": command, "error": {"message": error}}


def reason(summary: Summary | None) -> tuple[str, str]:
    """What was wrong, and what to do about it."""
    error = (summary or {}).get("error") or {}
    return error.get("message", "no summary: see the log above"), error.get("fix", "")


def _job(summary: Summary | None) -> str:
    return summary["job"] if summary else "the job"


def brief(summary: Summary) -> list[str]:
    """
    What came of a job, for people: a line for each table, a last one for all of them where there are several, or for results
    that are no table.
    `default.web_logs, 2024-09-13 … 2024-09-16: 10000 rows, 5 files, 0.6 s, s3://lake/default/web_logs`
    """
    tables = summary.get("tables") or []
    outputs = _outputs(summary)
    if len(tables) == 1 and not outputs:
        (table,) = tables
        counted = {**summary, "status": table["status"], "unchangedRows": table.get("unchangedRows")}
        return [_line(table["table"], counted, _places(table))]
    each = [_line(table["table"], table, _places(table)) for table in tables]
    name = summary["job"] if outputs or not tables else f"{summary['job']} of {len(tables)} tables"
    return [*each, _line(name, summary, outputs)]


def _line(name: str, counted: Summary, places: list[str]) -> str:
    days = f", {counted['from']} … {counted['to']}" if counted.get("from") and counted.get("to") else ""
    status = [] if counted["status"] == "ok" else [counted["status"]]
    counts = [
        f"{counted[field]} {field[:-1] if counted[field] == 1 else field}"
        for field in ("rows", "files", "rejects")
        if counted.get(field) is not None
    ]
    unchanged = [f"{counted['unchangedRows']} rows as they were"] if counted.get("unchangedRows") else []
    seconds = [f"{counted['seconds']:.1f} s"] if "seconds" in counted else []
    return f"{name}{days}: " + (", ".join([*status, *counts, *unchanged, *seconds, *places]) or "done")


def _places(table: Summary) -> list[str]:
    """Where a table is: the Iceberg table's folder, else its Parquet files'."""
    metadata, parquet = table.get("metadataLocation"), table.get("parquetLocation")
    return [metadata.rsplit("/metadata/", 1)[0]] if metadata else [parquet] if parquet else []


def _outputs(summary: Summary) -> list[str]:
    outputs = summary.get("outputs") or []
    more = len(outputs) + summary.get("outputsMore", 0) - 1
    return [outputs[0] + (f" and {more} more" if more > 0 else "")] if outputs else []
