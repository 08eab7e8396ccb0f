"""What all DAGs of lakejobs have in common."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

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

DAG_DEFAULTS = {
    "start_date": START,
    "catchup": False,
    "max_active_runs": 1,
    "default_args": TASK_DEFAULTS,
    "on_failure_callback": alert,
}

WEB_LOGS = Asset(name="web_logs", uri="lakejobs://iceberg/default/web_logs")
CRUD_COUNTS = Asset(name="crud_weekly_counts", uri="lakejobs://crud/output")
