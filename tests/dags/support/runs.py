"""Runs of a DAG inside this process, by Airflow's own `dag.test()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conftest import DAGS


@dataclass(frozen=True)
class Run:
    state: str
    states: dict[str, str]
    tries: dict[str, int]
    xcoms: dict[str, Any]
    # Mapped ones are told apart by `map_index`.
    instances: list[Any]


def run_dag(dag_id: str, conf: dict[str, Any] | None = None, **times: Any) -> Run:
    """One run, from start to end; without `logical_date` it has none. Retries are really waited for."""
    from airflow.dag_processing.dagbag import DagBag

    # Read anew, as a worker does: a task keeps the parameters of its last run in this process.
    dag = DagBag(dag_folder=str(DAGS)).dags[dag_id]
    run = dag.test(run_conf=conf, **{"logical_date": None, **times})
    instances = run.get_task_instances()
    return Run(
        state=str(run.state),
        states={ti.task_id: str(ti.state) for ti in instances},
        tries={ti.task_id: ti.try_number for ti in instances},
        instances=instances,
        xcoms={ti.task_id: ti.xcom_pull(task_ids=ti.task_id) for ti in instances},
    )
