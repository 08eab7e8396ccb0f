"""What a job prints, as its task's log shows it: for people, who see the first 120 characters of a line or so."""

from __future__ import annotations

import json
import logging
import sys
import textwrap
from typing import Any

import structlog

from lakejobs_dags.outcome import Told, summary_of
from lakejobs_dags.tables.plan import is_plan

# Airflow's log view cuts what is longer.
WIDTH = 120
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


class JobLog:
    """
    Keeps all lines of a job, and logs them as they come, but for its result, which becomes the XCom (a summary, a
    plan), and the error before it, which says what is about to be said better.
    """

    def __init__(self, log: Any) -> None:
        self.lines: list[str] = []
        self._log = log
        self._held = ""
        self.last_error = ""

    def line(self, raw: str) -> None:
        """The next line that the job has printed."""
        self.lines.append(raw)
        if summary_of([raw]) or is_plan(raw):
            return
        self._release()
        level, text = readable(raw)
        if level == logging.ERROR:
            self._held = self.last_error = text
        else:
            self.log(level, "%s", text)

    def end(self, said: str) -> None:
        """Nothing follows. An error that begins with what the summary has said is left out."""
        if said and self._held.startswith(said):
            self._held = ""
        self._release()

    def log(self, level: int, form: str, *values: object) -> None:
        """A word about the job."""
        self._log.log(level, form, *values)

    def info(self, form: str, *values: object) -> None:
        """For the Docker provider: a line of a container's output is `%s`, anything else a word about it."""
        if form == "%s":
            self.line(str(values[0]))
        else:
            self.log(logging.INFO, form, *values)

    def warning(self, form: str, *values: object) -> None:
        self.log(logging.WARNING, form, *values)

    def _release(self) -> None:
        if self._held:
            self.log(logging.ERROR, "%s", self._held)
        self._held = ""


def tell(log: Any, level: int, reason: str, fix: str = "") -> None:
    """The reason on lines of its own, then what to do about it."""
    for text in (reason, fix and f"What to do: {fix}"):
        for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False):
            log.log(level, "%s", line)


def readable(line: str) -> tuple[int, str]:
    """A JSON line of the job's logger as level and text; any other line as it is."""
    try:
        entry = json.loads(line)
        level, message = _LEVELS[entry["level"]], entry["msg"]
    except (ValueError, TypeError, KeyError):
        return logging.INFO, line
    rest = {name: value for name, value in entry.items() if name not in ("level", "time", "msg")}
    return level, " ".join([message, *(f"{name}={_text(value)}" for name, value in rest.items())])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def end_without_traceback() -> None:
    """
    From now on this task's process logs a `Told` by its last line alone. Airflow would print "Task failed with
    exception" and its own nine frames; nothing of that is about the job.
    """
    processors = structlog.get_config()["processors"]
    if _last_line not in processors:
        processors.insert(0, _last_line)


def _last_line(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    error = sys.exc_info()[1]
    if event.get("exc_info") and isinstance(error, Told):
        del event["exc_info"]
        event["event"] = error.last_line
    return event
