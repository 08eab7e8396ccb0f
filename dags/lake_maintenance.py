"""
# lake_maintenance

Every **Sunday at 03:00 UTC**: keeps each table of the lake small. The DAG is made **paused**: look at what it would do
(**Trigger**, switch **Dry run** on), then unpause it. It never makes a run for a Sunday that is over.

| | |
|---|---|
| puts together | the small files of a partition, and applies deletes: no row changes |
| frees | snapshots older than **Snapshots up to this age stay**, and the files that only they need; with **Delete orphans** also files that no table needs |
| never deletes | what any snapshot that is left needs: the newest one, three of each branch, every tag, the last one before a great loss of rows |
| | files that another program put there, files younger than three days, more than 20 % of a table's bytes at once |
| tables | all that lakejobs made or that were adopted (`lakejobs maintain adopt`) |

## Tasks

1. **list_tables**, **tables**: which tables there are.
2. For each table on its own, so that one that fails stops no other: **count_before**; **compact** and **count_compacted**;
   **expire** and **count_expired**; **find_orphans** and **count_orphans**; **verify**. The counts read metadata and footers. Other rows after a step than before
   it turn the table red at once, and no further step follows. **verify** compares every row with what was written and with the
   source.

How much each step freed, by kind: click the task, then **XCom**. Files of snapshots are deleted only after the catalog has
confirmed that the snapshots are gone; in a bucket with versions they are hidden, not freed.

## Run it again

At any time: what is done is not done twice. For one table or with other ages click **Trigger**.

## When a task fails

The red lines of its log say what is wrong, then what to do; then **Clear** the task. Exit 1: the store or the catalog is away, or a
file could not be removed (tried again, twice). Exit 3: the table is not as it was written, or more would go than is
allowed; **find_orphans** says so with the flag. Red with *other rows*: look at the table (`lakejobs inspect`) before anything
else; an export that committed in between is harmless. `lakejobs maintain rollback` brings an older snapshot back as long as
it has not expired.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param, task, task_group
from lakejobs_dags.defaults import dag_defaults
from lakejobs_dags.job_task import job_task

# The table of a mapped task, and the name that Airflow shows for it.
TABLE = "{{ ti.xcom_pull(task_ids='tables')[ti.map_index] }}"
TODAY = "{{ dag_run.run_after | ds }}"
DRY_RUN = "{{ 'true' if params.dry_run else '' }}"


def _text(name: str) -> str:
    """A parameter as a flag's value; nothing where it is empty."""
    return f"{{{{ '' if params.{name} is none else params.{name} }}}}"


def _switch(name: str) -> str:
    return f"{{{{ 'true' if params.{name} else '' }}}}"


def _age(title: str, description: str) -> Param:
    return Param(
        None, type=["null", "string"], pattern=r"^\d+(\.\d+)?[mhd]$|^0$", title=title, description=description
    )


with DAG(
    description="Every Sunday: keep the tables of the lake small",
    doc_md=__doc__,
    # Without a first day, and with no patience for a tick that is over, there is no run for the past.
    schedule=CronTriggerTimetable("0 3 * * 0", timezone="UTC", run_immediately=timedelta(0)),
    is_paused_upon_creation=True,
    tags=["weekly", "maintain", "iceberg"],
    dagrun_timeout=timedelta(hours=24),
    params={
        "table": Param(
            None,
            type=["null", "string"],
            title="Tables",
            description="Tables of the lake, separated by commas, such as default.web_logs. Empty: all that lakejobs made.",
        ),
        "dry_run": Param(
            False, type="boolean", title="Dry run", description="Tell what would go, by the same plan; change nothing."
        ),
        "min_files": Param(
            None,
            type=["null", "integer"],
            minimum=2,
            title="Small files that are put together",
            description="So many in a partition at least. Empty: 5.",
        ),
        "max_rewrite": Param(
            None,
            type=["null", "string"],
            pattern=r"^\d+(\.\d+)?(B|[kMGT]i?B)$",
            title="Bytes that are written anew",
            description="At most, the oldest first, such as 20GB. Empty: 100GB.",
        ),
        "older_than": _age("Snapshots up to this age stay", "Such as 36h or 30d. Empty: what the table says, else 7d."),
        "keep": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Snapshots that stay",
            description="So many of each branch, however old. Empty: what the table says, else 3.",
        ),
        "keep_before_shrink": _age(
            "How long a great loss can be undone",
            "So long the last snapshot before a loss of more than half of the rows stays. Empty: 30d.",
        ),
        "delete": Param(
            False,
            type="boolean",
            title="Delete orphans",
            description="Remove files that no table needs. Off: they are only reported.",
        ),
        "orphan_age": _age("Orphans up to this age stay", "By the store's clock. Empty: 3d."),
        "max_orphans": Param(
            None,
            type=["null", "string"],
            pattern=r"^\d+(\.\d+)?%$",
            title="Share of a table's bytes that may go",
            description="More is refused. Empty: 20%.",
        ),
        "allow_young_orphans": Param(
            False,
            type="boolean",
            title="Allow young orphans",
            description="Orphans up to this age may be less than 24h. Only where no run is writing.",
        ),
    },
    **{**dag_defaults("lake_maintenance"), "start_date": None},
):
    planned = job_task(
        "list_tables",
        "maintain",
        {
            "operation": "list",
            "table": _text("table"),
            # Also those that lakejobs.yaml has no more.
            "all-tables": "{{ '' if params.table else 'true' }}",
        },
        day=TODAY,
        doc_md="Which tables are maintained.",
    )

    @task(doc_md="One group of tasks for each of them.")
    def tables(summary: dict) -> list[str]:
        return list(summary["managed"])

    def step(task_id: str, command: str, flags: dict[str, str | bool], doc_md: str, **kwargs: object):
        return job_task(
            task_id,
            command,
            {**flags, "table": TABLE},
            day=TODAY,
            map_index_template=TABLE,
            execution_timeout=timedelta(hours=6),
            doc_md=doc_md,
            **kwargs,
        )

    def count(task_id: str, **kwargs: str):
        return step(
            task_id,
            "verify",
            {"counts": True, "against": "written", "format": "iceberg"},
            "Rows, files and sizes, by metadata and footers: as they were written, and as before.",
            **kwargs,
        )

    @task_group
    def maintain_table(table: str) -> None:  # noqa: ARG001
        before = count("count_before")
        compact = step(
            "compact",
            "maintain",
            {
                "operation": "compact",
                "min-files": _text("min_files"),
                "max-rewrite": _text("max_rewrite"),
                "dry-run": DRY_RUN,
            },
            "Puts small files together, partition by partition; the files of before stay until their snapshots expire.",
        )
        compacted = count("count_compacted", same_rows_as="maintain_table.count_before")
        expire = step(
            "expire",
            "maintain",
            {
                "operation": "expire",
                "older-than": _text("older_than"),
                "keep": _text("keep"),
                "keep-before-shrink": _text("keep_before_shrink"),
                "dry-run": DRY_RUN,
            },
            "Removes old snapshots, and the files that only they need.",
        )
        expired = count("count_expired", same_rows_as="maintain_table.count_before")
        orphans = step(
            "find_orphans",
            "maintain",
            {
                "operation": "orphans",
                "delete": _switch("delete"),
                "orphan-age": _text("orphan_age"),
                "max-orphans": _text("max_orphans"),
                "allow-young-orphans": _switch("allow_young_orphans"),
                "dry-run": DRY_RUN,
            },
            "Reports files that no table needs; removes them where Delete orphans is on.",
        )
        cleaned = count("count_orphans", same_rows_as="maintain_table.count_before")
        verify = step(
            "verify",
            "verify",
            {"format": "iceberg"},
            "Compares every row with what was written, and with the source.",
        )
        before >> compact >> compacted >> expire >> expired >> orphans >> cleaned >> verify

    maintain_table.expand(table=tables(planned.output))
