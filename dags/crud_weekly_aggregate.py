"""
# crud_weekly_aggregate

Every morning at **07:00 UTC**: how often each user did CREATE, READ, UPDATE and DELETE in the seven days up to
yesterday.

| | |
|---|---|
| reads | daily logs in `CRUD_INPUT`: YYYY-MM-DD.csv or .csv.gz |
| writes | YYYY-MM-DD.csv in `CRUD_OUTPUT`, named by the window's last day |
| | the same rows under that day in the table `CRUD_ICEBERG` of the lake (Compose: `crud_weekly`) |
| | rejected lines in `.lakejobs/rejects` beside it |
| engine | the parameter **Engine**: `duckdb`, here, or `spark`, the Spark at `SPARK_REMOTE`; the result is the same |
| window | seven days that end with the day before the run, in UTC, unless the parameter **Day** says otherwise |

## Tasks

1. **generate_demo_logs**: demo logs for the days of the window that have none. **Skipped** (pink) where the switch
   **Demo data** is off and where `DEMO_DATA` is not true: skipped is fine.
2. **aggregate_week**: counts, and publishes the result in one step. Days that were counted before come from a cache.
   Rows, rejected lines, missing days and where the result is: click the task, **Storage**, **XCom**.
3. **report**: the page of the day, also where a task before it has failed; **Lake** in the menu shows it. What becomes of it
   is not what becomes of the run.

## Run it again

At any time, as often as you like: the same logs give the same bytes. Click **Trigger**, choose the last day of the
window. To run a task of a past run again, open the run, click the task, then **Clear**. For many days use the DAG
**lake_backfill**.

## When a task fails

The red lines of its log say what is wrong, then what to do.

| exit | meaning | Airflow | what to do |
|---|---|---|---|
| 1 | the disk is full, the object store is away | tries again, twice | mend that, then **Clear** |
| 2 | a wrong setting | fails at once | change the setting that the message names, then **Clear** |
| 3 | no log in the whole window, or too many bad lines | fails at once | look at the rejected lines; mend the log, then **Clear** |
| 5 | yesterday's log is not there yet | looks again every 30 minutes (**up for reschedule**), until 12:00 UTC | ask for the log; when it has come, **Clear** |
| 143 | stopped by somebody, or by the time limit | tries again, twice | nothing is half-published; **Clear** |

## Good to know

- **Backfill** in the trigger form: an end date without a time means midnight, before that day's 07:00 run. To include
  the last day, end one day later. **lake_backfill** has no such trap.
- A logical date in the future is refused: leave it as it is and choose the day as a parameter.
- Switched on (unpaused) after 07:00, the DAG runs at once for yesterday.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG
from lakejobs_dags import settings
from lakejobs_dags.days import DAY, DEMO_DATA, ENGINE, WINDOW_START, day_param, demo_param, engine_param
from lakejobs_dags.defaults import CRUD_COUNTS, dag_defaults
from lakejobs_dags.job_task import job_task
from lakejobs_dags.report import report_task

with DAG(
    **dag_defaults("crud_weekly_aggregate"),
    description="Every morning: what each user did in the last seven days",
    doc_md=__doc__,
    schedule=settings.SCHEDULE,
    tags=["daily", "aggregate", "crud"],
    # Waiting for yesterday's log until noon included.
    dagrun_timeout=timedelta(hours=8),
    params={
        "date": day_param("The last of the seven days. Empty: yesterday. Leave Logical Date as it is."),
        "engine": engine_param(),
        "demo_data": demo_param("Write demo logs for days without a log first. Needs DEMO_DATA=true."),
    },
):
    generate = job_task(
        "generate_demo_logs",
        "generate",
        {"demo": True, "first-date": WINDOW_START, "days": "7", "if-missing": True},
        day=DAY,
        environment=DEMO_DATA,
        execution_timeout=timedelta(minutes=20),
        doc_md="Demo logs for days of the window without a log. Skipped (exit 99) where there is nothing to do.",
    )
    aggregate = job_task(
        "aggregate_week",
        "aggregate",
        {"date": DAY, "missing-days": "latest", "engine": ENGINE},
        day=DAY,
        # Demo logs are optional: the counting runs also where that task was skipped.
        trigger_rule="none_failed",
        outlets=[CRUD_COUNTS],
        doc_md="Counts the window and publishes its result.",
    )
    generate >> aggregate >> report_task(DAY)
