"""What tests ask the stack about its tables, services and runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg2
from pyiceberg.catalog import load_catalog

from rest import Airflow
from stack import Stack, wait_until

LONG_RUNNING = {
    *("postgres", "iceberg-postgres", "minio", "airflow-postgres"),
    *("airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"),
}
# Of the profile spark.
SPARK = {"spark-master", "spark-worker", "spark-connect"}
ONCE = {"data-init", "lakejobs-init", "postgres-roles", "minio-roles", "airflow-init"}
Note = Callable[[str], None]


def day(offset: int) -> str:
    """In UTC. It changes at midnight: ask once in a test, or take the day from what the job or the run says."""
    return (datetime.now(timezone.utc) + timedelta(days=offset)).strftime("%Y-%m-%d")


def source_rows(stack: Stack) -> int:
    with psycopg2.connect(stack.postgres_uri()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.web_logs")
        return cursor.fetchone()[0]


def lake_rows(stack: Stack, table: str = "default.web_logs") -> int:
    """As a reader who knows PyIceberg and the settings of the catalog, nothing of us."""
    catalog = load_catalog(
        "local",
        **{
            "type": "sql",
            "uri": stack.postgres_uri("ICEBERG_").replace("postgresql:", "postgresql+psycopg2:"),
            "warehouse": "s3://logs-bucket/iceberg",
            "init_catalog_tables": "false",
            "s3.endpoint": f"http://127.0.0.1:{stack.env('S3_PORT')}",
            "s3.access-key-id": stack.env("MINIO_ROOT_USER"),
            "s3.secret-access-key": stack.secrets["MINIO_ROOT_PASSWORD"],
            "s3.region": "us-east-1",
        },
    )
    return catalog.load_table(table).scan().to_arrow().num_rows


def services(stack: Stack) -> dict[str, Any]:
    return json.loads(stack.compose("--profile", "*", "config", "--format", "json"))["services"]


def scheduled_run(airflow: Airflow, dag: str) -> str:
    """The first one's id, once it is green. Before 07:00 UTC it is of yesterday's slot, about the day before that."""

    def first() -> str | None:
        return min((run for run in airflow.runs(dag) if run.startswith("scheduled__")), default=None)

    run = wait_until(f"the run of {dag}", first, 180)
    airflow.wait(dag, run)
    return run


def counts(stack: Stack, airflow: Airflow, run: str) -> Path:
    """What a run of `crud_weekly_aggregate` has published."""
    summary = airflow.xcom("crud_weekly_aggregate", run, "aggregate_week")
    return stack.folder / f"data/crud/output/{summary['to']}.csv"
