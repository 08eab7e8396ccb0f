"""
# lake_backfill

Many days at once, started by hand: click **Trigger**, choose what, from when and until when.

| parameter | meaning |
|---|---|
| **Job** | **export**: the days of a PostgreSQL table to the lake; **aggregate**: for each day, the counts of the seven days up to it |
| **From**, **To** | first and last day, both included, in UTC; of no use to mode full |
| **Mode** | export only. **day** replaces each of these days; **full** replaces the whole table, whatever the days |
| **Write all** | export only. Off: days, or the table, are left as they are where the lake has their rows already |
| **Table** | export only. Those of `lakejobs.yaml` are offered, and have its options. Empty: `LAKEJOBS_TABLE`, else public.web_logs |

It reads and writes what **web_logs_lake** and **crud_weekly_aggregate** do. One of its two tasks runs, the other is
**skipped** (pink).

## Run it again

At any time: days are replaced, never doubled. An export of many days is one step: all of them or none. An aggregate
publishes day by day and reads each log once.

## When it fails

The red lines of its log say what is wrong, then what to do: correct it and trigger again, or **Clear** the task. Exits are
explained in the docs of the two daily DAGs.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, AssetAlias, Param
from lakejobs_dags.days import DAY_BEFORE, FORCE, force_param
from lakejobs_dags.defaults import CRUD_COUNTS, dag_defaults
from lakejobs_dags.job_task import job_task
from lakejobs_dags.tables.document import Faults
from lakejobs_dags.tables.forms import config_file, read

# [source/]schema.table or a pattern, with its target behind "=" or without; other names in double quotes, as lakejobs.yaml has them.
_PLAIN = r"[A-Za-z_*][A-Za-z0-9_$*]*"
_NAME = rf'({_PLAIN}|("[^"]*")+)'
_TABLE = rf"([A-Za-z*][A-Za-z0-9_-]*/)?{_NAME}(\.{_NAME})?(={_PLAIN}\.{_PLAIN})?"
_OFFERED = read(Faults()).tables
# Of a lakejobs.yaml all would be meant.
_USUAL = "public.web_logs" if config_file() else ""
_DAY = f"{{{{ params.to or {DAY_BEFORE} }}}}"


def _day(title: str, description: str) -> Param:
    # Empty fields are none of the form's errors: a whole table needs none. The jobs refuse one that is missing.
    return Param(None, type=["null", "string"], format="date", title=title, description=description)


with DAG(
    **dag_defaults("lake_backfill"),
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
        "from": _day("From (UTC)", "First day."),
        "to": _day("To (UTC)", "Last day, included."),
        "mode": Param(
            "day",
            type="string",
            enum=["day", "full"],
            values_display={"day": "day: replace these days", "full": "full: replace the whole table"},
            title="Mode",
            description="Export only.",
        ),
        "force": force_param(),
        "table": Param(
            None,
            type=["null", "string"],
            pattern=rf"^{_TABLE}(,{_TABLE})*(?![\s\S])",
            title="Table",
            **({"examples": list(_OFFERED)} if _OFFERED else {}),
            description="Export only: schema.table, several separated by commas. Empty: the table of web_logs_lake.",
        ),
    },
):
    job_task(
        "export_days",
        "export",
        {
            "mode": "{{ params.mode }}",
            "from": "{{ params['from'] or '' if params.mode == 'day' else '' }}",
            "to": "{{ params.to or '' if params.mode == 'day' else '' }}",
            "table": f"{{{{ params.table or '{_USUAL}' }}}}",
            "skip-unchanged": True,
            "force": FORCE,
            "partition-by": "{{ '' if params.table else 'day(timestamp)' }}",
        },
        day=_DAY,
        skip_because="{{ '' if params.job == 'export' else 'the parameter Job is ' ~ params.job }}",
        execution_timeout=timedelta(hours=12),
        outlets=[AssetAlias("lake_backfill")],
        doc_md="Replaces the days, or the whole table.",
    )
    job_task(
        "aggregate_days",
        "aggregate",
        {
            "from": "{{ params['from'] or '(give From)' }}",
            "to": "{{ params.to or '(give To)' }}",
            "missing-days": "warn",
        },
        day=_DAY,
        skip_because="{{ '' if params.job == 'aggregate' else 'the parameter Job is ' ~ params.job }}",
        execution_timeout=timedelta(hours=12),
        outlets=[CRUD_COUNTS],
        doc_md="Counts the window of each day and publishes the results.",
    )
