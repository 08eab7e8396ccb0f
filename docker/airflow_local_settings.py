"""What this Airflow refuses: the scheduler imports it from `config` in AIRFLOW_HOME, and so does the API server.

Airflow 3.3 takes a run whose logical date is in the future, starts nothing before that date, and with one active run
per DAG lets the next mornings wait behind it. Runs are made with their tasks, and each task passes through this hook:
a ValueError there takes back the run, and who asked for it is told (HTTP 400, exit 1 of the CLI).
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

# Airflow takes every other name for a setting of its own.
__all__ = ("task_instance_mutation_hook",)

# The form sends the browser's time, and clocks differ. The run waits for so long at most.
_TOLERANCE = timedelta(minutes=5)


def task_instance_mutation_hook(task_instance: Any, dag_run: Any) -> None:
    """Raises ValueError for a run that has not begun and whose logical date is in the future."""
    if dag_run is None or dag_run.logical_date is None or dag_run.state != "queued":
        return
    if dag_run.logical_date > datetime.now(timezone.utc) + _TOLERANCE:
        raise ValueError(
            f"the logical date {dag_run.logical_date.isoformat()} is in the future: Airflow would start nothing until "
            "then. Leave it as it is, or out; a day is given as a parameter"
        )
