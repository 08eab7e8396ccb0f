"""What all DAGs of lakejobs have in common."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import Asset

from lakejobs_dags import settings
from lakejobs_dags.alert import alert

# Before any day that is ever handled: Airflow runs nothing, and says success, for a logical date before it.
START = datetime(2000, 1, 1, tzinfo=timezone.utc)

TASK_DEFAULTS = {
    "owner": "lakejobs",
    "retries": 2,
    "retry_delay": settings.RETRY_DELAY,
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": alert,
}


def dag_defaults(dag_id: str, file: str | None = None) -> dict[str, Any]:
    """
    Arguments of the DAG of that name. One that LAKEJOBS_DAGS leaves out is built, and Airflow does not take it; of
    several DAGs of one file it names the `file`.
    """
    return {
        "dag_id": dag_id,
        "auto_register": (file or dag_id) in settings.DAGS,
        "start_date": START,
        "catchup": False,
        "max_active_runs": 1,
        "default_args": TASK_DEFAULTS,
        "on_failure_callback": alert,
    }


CRUD_COUNTS = Asset(name="crud_weekly_counts", uri="lakejobs://crud/output")
