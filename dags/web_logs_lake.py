"""
# web_logs_lake

Every morning at **07:00 UTC**: yesterday's rows of the PostgreSQL table `web_logs` go to the lake, as Parquet files
and into an Apache Iceberg table.

| | |
|---|---|
| reads | `public.web_logs` in PostgreSQL (`POSTGRES_*`) |
| writes | the Iceberg table `default.web_logs` (`WAREHOUSE`) |
| | Parquet files by day (`PARQUET_LOCATION`) |
| day | the day before the run, in UTC, unless the parameter **Day** says otherwise |

## Tasks

1. **seed_demo_rows**: 10,000 demo rows for the day. **Skipped** (pink) where the day has rows, where the switch
   **Demo data** is off, and where `DEMO_DATA` is not true: skipped is fine.
2. **export_to_lake**: replaces the day, and the days before it that **Lookback** says, in one step. Days that did not
   change since their last export are left alone; where none did, it says `unchanged` and writes nothing. How many rows and files, and the new snapshot: click the
   task, **Storage**, **XCom**.
3. **verify_lake**: reads the delivered files of these days back, row by row, and compares them with what was read of the
   source. Red: the lake has other rows than the export read, or a file is gone.
4. **report**: the page of the day, also where a task before it has failed; **Lake** in the menu shows it. What becomes of it
   is not what becomes of the run.

## Run it again

At any time, as often as you like: a day is replaced, never doubled, and left as it is where its rows are there already
(**Write all** writes them all the same). Click **Trigger**, choose the day. To run a task of
a past run again, open the run, click the task, then **Clear**. For many days use the DAG **lake_backfill**.

## When a task fails

The red lines of its log say what is wrong, then what to do.

| exit | meaning | Airflow | what to do |
|---|---|---|---|
| 1 | a database or the object store is away | tries again, twice | look whether it answers; `lakejobs check` tests each connection |
| 2 | a wrong setting | fails at once | change the setting that the message names, then **Clear** |
| 3 | the data: a type without an exact counterpart, most of a day's rows gone, files that are not as they were written | fails at once | do what the message says, then **Clear** |
| 4 | somebody else changed the same days meanwhile | tries again, twice | if it stays: who else writes to the table? |
| 143 | stopped by somebody, or by the time limit | tries again, twice | nothing is half-published; **Clear** |

## Good to know

- **Backfill** in the trigger form: an end date without a time means midnight, before that day's 07:00 run. To include
  the last day, end one day later. **lake_backfill** has no such trap.
- A logical date in the future is refused: leave it as it is and choose the day as a parameter.
- Switched on (unpaused) after 07:00, the DAG runs at once for yesterday.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, AssetAlias, Param
from lakejobs_dags import settings
from lakejobs_dags.days import (
    DAY,
    DEMO_DATA,
    FORCE,
    day_param,
    demo_param,
    export_day,
    force_param,
    more_lookback,
)
from lakejobs_dags.defaults import dag_defaults
from lakejobs_dags.job_task import job_task
from lakejobs_dags.report import report_task
from lakejobs_dags.tables.forms import config_file

_DAY = f"{{{{ {export_day(settings.IS_OFTENER_THAN_DAILY)} }}}}"
# Of a lakejobs.yaml this DAG has its own table alone; without one LAKEJOBS_TABLE may name others.
_TABLE = "public.web_logs" if config_file() else ""

# What the export says that it wrote: its summary is its XCom.
_EXPORTED = "(ti.xcom_pull(task_ids='export_to_lake') or {})"
# More tables than a summary lists: then all that exports made are verified.
EXPORTED_TABLES = f"{{{{ '' if {_EXPORTED}.get('tablesMore') else {_EXPORTED}.get('tables', []) | map(attribute='table') | join(',') }}}}"
EXPORTED_FROM = f"{{{{ {_EXPORTED}.get('from', '') }}}}"
EXPORTED_TO = f"{{{{ {_EXPORTED}.get('to', '') }}}}"

with DAG(
    **dag_defaults("web_logs_lake"),
    description="Every morning: yesterday's web logs from PostgreSQL to the lake",
    doc_md=__doc__,
    schedule=settings.SCHEDULE,
    tags=["daily", "export", "iceberg"],
    dagrun_timeout=timedelta(hours=6),
    params={
        "date": day_param("The day to export. Empty: yesterday. Leave Logical Date as it is."),
        "lookback": Param(
            3,
            type="integer",
            minimum=0,
            maximum=366,
            title="Lookback (days)",
            description="Days before it to replace as well, where their rows have changed.",
        ),
        "force": force_param(),
        "demo_data": demo_param("Fill an empty day with 10,000 demo rows first. Needs DEMO_DATA=true."),
    },
):
    seed = job_task(
        "seed_demo_rows",
        "seed",
        {"demo": True, "days": "1", "date": DAY, "if-empty": True},
        day=DAY,
        environment=DEMO_DATA,
        execution_timeout=timedelta(minutes=20),
        doc_md="Demo rows for the day, where it has none. Skipped (exit 99) where there is nothing to do.",
    )
    export = job_task(
        "export_to_lake",
        "export",
        {
            "mode": "day",
            "date": _DAY,
            "lookback": f"{{{{ params.lookback + {more_lookback(settings.IS_OFTENER_THAN_DAILY)} }}}}",
            "partition-by": "day(timestamp)",
            "skip-unchanged": True,
            "force": FORCE,
            **({"table": _TABLE} if _TABLE else {}),
        },
        day=_DAY,
        # Demo data is optional: the export runs also where that task was skipped.
        trigger_rule="none_failed",
        execution_timeout=timedelta(hours=2),
        outlets=[AssetAlias("web_logs_lake")],
        doc_md="Replaces the day in the Iceberg table and in the Parquet files.",
    )
    verify = job_task(
        "verify_lake",
        "verify",
        {"against": "written", "table": EXPORTED_TABLES, "from": EXPORTED_FROM, "to": EXPORTED_TO},
        day=_DAY,
        trigger_rule="none_failed",
        execution_timeout=timedelta(hours=2),
        doc_md="Proves by the delivered files that the lake has the rows that the export read.",
    )
    seed >> export >> verify >> report_task(_DAY)
