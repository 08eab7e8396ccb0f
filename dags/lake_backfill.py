"""
# lake_backfill

Many days at once, started by hand: click **Trigger**, choose what, from when and until when.

| parameter | meaning |
|---|---|
| **Job** | **export**: the days of a PostgreSQL table to the lake; **aggregate**: for each day, the counts of the seven days up to it |
| **From**, **To** | first and last day, both included, in UTC |
| **Mode** | export only. **day** replaces each of these days; **full** replaces the whole table, whatever the days |
| **Table** | export only. Empty: `LAKEJOBS_TABLE`, else public.web_logs |

It reads and writes what **web_logs_lake** and **crud_weekly_aggregate** do. One of its two tasks runs, the other is
**skipped** (pink).

## Run it again

At any time: days are replaced, never doubled. An export of many days is one step: all of them or none. An aggregate
publishes day by day and reads each log once.

## When it fails

The log's last lines say what is wrong and what to do: correct it and trigger again, or **Clear** the task. Exits are
explained in the docs of the two daily DAGs.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param
from lakejobs_dags.defaults import CRUD_COUNTS, DAG_DEFAULTS, WEB_LOGS
from lakejobs_dags.job_task import job_task

# schema.table, with its target behind "=" or without.
_NAME = r"[A-Za-z_][A-Za-z0-9_$]*"
_TABLE = rf"{_NAME}(\.{_NAME})?(={_NAME}\.{_NAME})?"

with DAG(
    dag_id="lake_backfill",
    description="By hand: export or aggregate many days at once",
    doc_md=__doc__,
    schedule=None,
    tags=["by hand", "export", "aggregate"],
    dagrun_timeout=timedelta(hours=24),
    params={
        "job": Param(
            "export",
            type="string",
            enum=["export", "aggregate"],
            values_display={
                "export": "export: PostgreSQL to the lake",
                "aggregate": "aggregate: weekly counts of the CRUD logs",
            },
            title="Job",
            description="What to do for these days.",
        ),
        "from": Param(type="string", format="date", title="From (UTC)", description="First day."),
        "to": Param(type="string", format="date", title="To (UTC)", description="Last day, included."),
        "mode": Param(
            "day",
            type="string",
            enum=["day", "full"],
            values_display={"day": "day: replace these days", "full": "full: replace the whole table"},
            title="Mode",
            description="Export only.",
        ),
        "table": Param(
            None,
            type=["null", "string"],
            pattern=rf"^{_TABLE}(,{_TABLE})*$",
            title="Table",
            description="Export only: schema.table, several separated by commas. Empty: the table of web_logs_lake.",
        ),
    },
    **DAG_DEFAULTS,
):
    job_task(
        "export_days",
        "export",
        {
            "mode": "{{ params.mode }}",
            "from": "{{ params['from'] if params.mode == 'day' else '' }}",
            "to": "{{ params.to if params.mode == 'day' else '' }}",
            "table": "{{ params.table or '' }}",
            "partition-by": "{{ '' if params.table else 'day(timestamp)' }}",
        },
        day="{{ params.to }}",
        skip_because="{{ '' if params.job == 'export' else 'the parameter Job is ' ~ params.job }}",
        execution_timeout=timedelta(hours=12),
        outlets=[WEB_LOGS],
        doc_md="Replaces the days, or the whole table.",
    )
    job_task(
        "aggregate_days",
        "aggregate",
        {"from": "{{ params['from'] }}", "to": "{{ params.to }}", "missing-days": "warn"},
        day="{{ params.to }}",
        skip_because="{{ '' if params.job == 'aggregate' else 'the parameter Job is ' ~ params.job }}",
        execution_timeout=timedelta(hours=12),
        outlets=[CRUD_COUNTS],
        doc_md="Counts the window of each day and publishes the results.",
    )
