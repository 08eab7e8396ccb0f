"""The environment that the DAGs read, once, when they are parsed (docs/operations.md)."""

from __future__ import annotations

import os
import re
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import CronTriggerTimetable
from croniter import croniter

# Each in a file of its name.
DAG_IDS = ("web_logs_lake", "crud_weekly_aggregate", "lake_backfill", "lake_maintenance")
# What LAKEJOBS_DAGS may name: those, and all that come of lakejobs.yaml.
DAG_FILES = (*DAG_IDS, "lake_tables")


def _seconds(name: str, default: int) -> timedelta:
    return timedelta(seconds=float(os.environ.get(name) or default))


def _dags(names: str) -> frozenset[str]:
    """Those that are named; all, if none is."""
    wanted = frozenset(name.strip() for name in names.split(",") if name.strip())
    for name in sorted(wanted.difference(DAG_FILES)):
        raise ValueError(f'LAKEJOBS_DAGS: "{name}" is not valid: give some of {", ".join(DAG_FILES)}')
    return wanted or frozenset(DAG_FILES)


def _flag(name: str, default: bool) -> bool:
    value = (os.environ.get(name) or "").lower()
    words = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}
    if value and value not in words:
        raise ValueError(f'{name}: "{value}" is not valid: give true or false')
    return words.get(value, default)


def _prefix(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", value):
        raise ValueError(f'LAKEJOBS_DAG_PREFIX: "{value}" is not valid: give letters, digits, _, . and -, as lake_')
    return value


def _schedule(cron: str, timezone: str) -> CronTriggerTimetable:
    """Airflow itself would say of a wrong one neither where it comes from nor, of a zone, anything before it runs."""
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'LAKEJOBS_TIMEZONE: "{timezone}" is not valid: give UTC, Europe/Berlin, …') from None
    timetable = CronTriggerTimetable(cron, timezone=timezone)
    if len(timetable.expression.split()) != 5 or not croniter.is_valid(timetable.expression):
        raise ValueError(f'LAKEJOBS_SCHEDULE: "{cron}" is not valid: give a cron expression, as 30 6 * * *')
    return timetable


def is_oftener_than_daily(timetable: CronTriggerTimetable) -> bool:
    (minutes, hours, *_), _ = croniter.expand(timetable.expression)
    return len(minutes) * len(hours) > 1 or "*" in (minutes + hours)


# bash: the job is a process of the Airflow worker. docker: a container of its own.
RUNNER = os.environ.get("LAKEJOBS_RUNNER") or "bash"
HOME = os.environ.get("LAKEJOBS_HOME") or "/opt/lakejobs"
# The first wait before another try; it doubles each time.
RETRY_DELAY = _seconds("LAKEJOBS_RETRY_SECONDS", 120)
# How often a job that said "not yet" is run again, and until when (UTC) on the morning after its day.
NOT_YET_DELAY = _seconds("LAKEJOBS_NOT_YET_SECONDS", 1800)
NOT_YET_UNTIL = time.fromisoformat(os.environ.get("LAKEJOBS_NOT_YET_UNTIL") or "12:00")
# Other DAGs are not made.
DAGS = _dags(os.environ.get("LAKEJOBS_DAGS") or "")
# Of the two daily DAGs. A zone moves the clock alone: days are UTC days.
CRON = os.environ.get("LAKEJOBS_SCHEDULE") or "0 7 * * *"
TIMEZONE = os.environ.get("LAKEJOBS_TIMEZONE") or "UTC"
SCHEDULE = _schedule(CRON, TIMEZONE)
IS_OFTENER_THAN_DAILY = is_oftener_than_daily(SCHEDULE)
# Of the DAGs of lakejobs.yaml: what their names begin with, and whether new ones wait to be switched on.
DAG_PREFIX = _prefix(os.environ.get("LAKEJOBS_DAG_PREFIX") or "lake_")
PAUSED = _flag("LAKEJOBS_PAUSED", True)
# Of aggregate, where nobody chooses.
ENGINES = ("duckdb", "spark")
ENGINE = os.environ.get("LAKEJOBS_ENGINE") or "duckdb"
if ENGINE not in ENGINES:
    raise ValueError(f'LAKEJOBS_ENGINE: "{ENGINE}" is not valid: give {" or ".join(ENGINES)}')
# As assets name it.
CATALOG = os.environ.get("ICEBERG_CATALOG_NAME") or "local"
