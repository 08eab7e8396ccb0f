"""The DAG of a group of tables."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, AssetAlias, CronTriggerTimetable

from lakejobs_dags import settings
from lakejobs_dags.days import FORCE, day_param, export_day, force_param, more_lookback
from lakejobs_dags.defaults import TASK_DEFAULTS, dag_defaults
from lakejobs_dags.job_task import job_task, mapped_job_task
from lakejobs_dags.tables.deadline import deadline_of
from lakejobs_dags.tables.groups import Group

_DOC = """
# {dag_id}

The tables of the group **{name}** of `lakejobs.yaml`, from PostgreSQL to the lake. {schedule}

1. **plan**: which tables there are, by their names; patterns are looked up in their source.
2. **export**, one task for each table: those with `mode: day` replace a day, the others are replaced as a whole. What
   did not change is left as it is, and the task says so. Rows, files, snapshot: click the task, **Storage**, **XCom**.

| | |
|---|---|
| day | the last UTC day that was over at the run's tick, unless the parameter **Day** says otherwise{oftener} |
| change tables | edit `lakejobs.yaml`: the next run has it. A table that is taken out stays in the lake |

## Run it again

At any time: rows are replaced, never doubled. Click **Trigger**, or **Clear** one task.

## When a task fails

The others go on. The red lines of its log say what is wrong, then what to do; then **Clear** it. Where **plan** fails,
the file says something wrong of this group: the message has its line.
"""


def lake_dag(group: Group) -> DAG:
    """`plan` asks which tables the group has now; `export` is mapped over them."""
    timezone = group.timezone or "UTC"
    # Names that are no cron expression stay what they are.
    is_cron = group.schedule is not None and group.schedule not in ("@once", "@continuous")
    schedule = CronTriggerTimetable(group.schedule, timezone=timezone) if is_cron else group.schedule
    is_oftener = is_cron and settings.is_oftener_than_daily(schedule)
    last = export_day(is_oftener)
    day = f"{{{{ {last} }}}}"
    common = dag_defaults(group.dag_id, "lake_tables")
    pool = {"pool": group.pool} if group.pool else {}
    when = f"It runs by the schedule `{group.schedule}` ({timezone})." if group.schedule else "It is started by hand."
    with DAG(
        **{**common, "default_args": {**TASK_DEFAULTS, "owner": group.owner or TASK_DEFAULTS["owner"], **pool}},
        description=f"The tables of group {group.name} to the lake",
        doc_md=_DOC.format(
            dag_id=group.dag_id,
            name=group.name,
            schedule=when,
            oftener="; the day that runs, up to the tick, too" if is_oftener else "",
        ),
        schedule=schedule,
        is_paused_upon_creation=settings.PAUSED,
        **({"max_active_tasks": group.max_active_tasks} if group.max_active_tasks else {}),
        tags=["tables", "export", "iceberg"],
        dagrun_timeout=timedelta(hours=24),
        **deadline_of(group),
        params={
            "date": day_param("Of tables by day: the day to export. Empty: yesterday. Leave Logical Date as it is."),
            "force": force_param(),
        },
    ) as dag:
        plan = job_task(
            "plan",
            "config",
            {"group": group.name, "json": True},
            day=day,
            plans=True,
            doc_md="Which tables the group has now.",
        )
        mapped_job_task(
            "export",
            "export",
            {
                "group": group.name,
                "table": "{{ task.item.table }}",
                "exclude": "{{ task.item.exclude }}",
                "date": f"{{{{ ({last}) if task.item.by_day else '' }}}}",
                "lookback": f"{{{{ task.item.lookback + {more_lookback(is_oftener)} if task.item.by_day else '' }}}}",
                "skip-unchanged": "{{ 'true' if task.item.skip_unchanged else '' }}",
                "force": FORCE,
            },
            day=day,
            items=plan.output,
            map_index_template="{{ task.item.table }}",
            execution_timeout=timedelta(hours=12),
            outlets=[AssetAlias(group.dag_id)],
            doc_md="Exports one table. Its own retries, log and XCom; the others do not wait for it.",
        )
    return dag
