"""What a job is told of the task that it is of."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk.execution_time.context import context_to_airflow_vars


def task_environment(context: Any) -> dict[str, str]:
    """Airflow's own names (`AIRFLOW_CTX_*`), and the index of a mapped task and the log's address, which it has none for."""
    instance = context["ti"]
    names = {"MAP_INDEX": getattr(instance, "map_index", None), "LOG_URL": getattr(instance, "log_url", None)}
    own = {f"AIRFLOW_CTX_{name}": str(value) for name, value in names.items() if value is not None}
    return {**context_to_airflow_vars(context, in_env_var_format=True), **own, **lineage_parent(instance)}


def lineage_parent(instance: Any) -> dict[str, str]:
    """
    The task's run, as the OpenLineage provider tells it to others, and the run at the top; of each try. Nothing where the provider
    is absent or has nowhere to send to: there is no such run then. A worker's own OPENLINEAGE_CONTEXT would win over it.
    """
    try:
        from airflow.providers.openlineage.conf import is_disabled
        from airflow.providers.openlineage.plugins import macros

        if is_disabled():
            return {}
        return {
            "OPENLINEAGE_CONTEXT": "",
            "OPENLINEAGE_PARENT_ID": macros.lineage_parent_id(instance),
            "OPENLINEAGE_ROOT_PARENT_ID": macros.lineage_root_parent_id(instance),
        }
    except ImportError:
        return {}
    except Exception as fault:  # A provider of another version: no task fails for that.
        logging.getLogger(__name__).warning("The task's run is not told to OpenLineage: %s", fault)
        return {}
