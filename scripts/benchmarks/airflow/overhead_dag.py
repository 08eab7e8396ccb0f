"""A task that does nothing and a task that runs a small job, one after the other."""

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from lakejobs_dags.job_task import job_task

DAY = "2024-09-16"

with DAG("overhead", schedule=None, max_active_runs=1):
    nothing = BashOperator(task_id="nothing", bash_command="true")
    job = job_task("job", "generate", {"first-date": DAY, "days": "1", "events": "10", "replace": True}, day=DAY)
    nothing >> job
