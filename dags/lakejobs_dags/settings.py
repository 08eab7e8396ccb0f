"""The environment that the DAGs read, once, when they are parsed (docs/operations.md)."""

from __future__ import annotations

import os
from datetime import time, timedelta


def _seconds(name: str, default: int) -> timedelta:
    return timedelta(seconds=float(os.environ.get(name) or default))


# bash: the job is a process of the Airflow worker. docker: a container of its own.
RUNNER = os.environ.get("LAKEJOBS_RUNNER") or "bash"
HOME = os.environ.get("LAKEJOBS_HOME") or "/opt/lakejobs"
# The first wait before another try; it doubles each time.
RETRY_DELAY = _seconds("LAKEJOBS_RETRY_SECONDS", 120)
# How often a job that said "not yet" is run again, and until when (UTC) on the morning after its day.
NOT_YET_DELAY = _seconds("LAKEJOBS_NOT_YET_SECONDS", 1800)
NOT_YET_UNTIL = time.fromisoformat(os.environ.get("LAKEJOBS_NOT_YET_UNTIL") or "12:00")
