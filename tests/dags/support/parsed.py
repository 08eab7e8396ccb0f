"""What Airflow's DAG processor makes of a folder of DAGs in a given environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def parsed(environment: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """
    `dags` (id: cron expression and zone), `flags` (task: its environment), `errors` (file: text), `package` (its file).

    What the DAG files import is read anew, as it looks at the environment then; what others hold of it stays.
    """
    from airflow.dag_processing.dagbag import DagBag

    before = dict(os.environ)
    held = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "lakejobs_dags"}
    os.environ.update(environment)
    try:
        bag = DagBag(dag_folder=str(folder))
        package = sys.modules.get("lakejobs_dags")
        return {
            "dags": {
                name: [getattr(dag.timetable, "expression", ""), str(getattr(dag.timetable, "timezone", ""))]
                for name, dag in bag.dags.items()
            },
            "flags": {task.task_id: getattr(task, "env", None) for dag in bag.dags.values() for task in dag.tasks},
            "errors": {Path(path).name: text for path, text in bag.import_errors.items()},
            "package": package and package.__file__,
        }
    finally:
        os.environ.clear()
        os.environ.update(before)
        for name in list(sys.modules):
            if name.split(".")[0] == "lakejobs_dags":
                del sys.modules[name]
        sys.modules.update(held)
