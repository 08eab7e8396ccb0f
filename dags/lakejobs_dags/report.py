"""The last task of the daily DAGs: the report of the day."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import BaseOperator

from lakejobs_dags.job_task import job_task


def report_task(day: str) -> BaseOperator:
    """
    Makes the report of that day, a template, where LAKEJOBS_REPORTS says. As a teardown it runs whatever became of the tasks
    before it, and what becomes of it is not what becomes of the run: a run that failed stays failed, one that succeeded has
    succeeded. Its own failure is red, and reported as any other.
    """
    task = job_task(
        "report",
        "report",
        {"date": day},
        day=day,
        execution_timeout=timedelta(minutes=30),
        doc_md="Makes the report of the day: Lake in Airflow's menu. It runs also where a task before it has failed.",
    )
    return task.as_teardown()
