"""One message for each task that failed for good, and for each run that took too long."""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from typing import Any

from airflow.sdk.configuration import conf

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10


def alert(context: Any) -> None:
    """
    Posts JSON with dag, task, day, run, error, log and text (all of it, for chat) to ALERT_WEBHOOK_URL, if it is set.

    For `on_failure_callback` of tasks and of the DAG: a run that failed because of a task was reported by the task.
    """
    url = os.environ.get("ALERT_WEBHOOK_URL")
    if not url or context.get("reason") == "task_failure":
        return
    request = urllib.request.Request(
        url, json.dumps(message_of(context)).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS).close()
    except OSError as error:
        # The address may hold a token: it is not logged.
        log.warning("The alert could not be posted to ALERT_WEBHOOK_URL: %s", error)


def message_of(context: Any) -> dict[str, str | None]:
    """What went wrong, where, for which day, and where the log is."""
    run = context["dag_run"]
    instance = context.get("task_instance")
    dag, task = run.dag_id, instance.task_id if instance else None
    error = str(context.get("exception") or context.get("reason") or "the task's process ended unexpectedly")
    parts = {
        "dag": dag,
        "task": task,
        "day": getattr(context.get("task"), "day", None),
        "run": run.run_id,
        "error": error.splitlines()[0],
        "log": getattr(instance, "log_url", None) or f"{_base_url()}/dags/{dag}/runs/{run.run_id}",
    }
    where = f"{dag}.{task}" if task else dag
    day = f" for {parts['day']}" if parts["day"] else ""
    return {**parts, "text": f"{where} failed{day}: {parts['error']}\n{parts['log']}"}


def _base_url() -> str:
    return conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
