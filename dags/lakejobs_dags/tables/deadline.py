"""The deadline of a group: Airflow's own, told of by the message of an alert."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback

from lakejobs_dags.alert import log_url, post
from lakejobs_dags.tables.groups import Group, time_of_day


def deadline_of(group: Group) -> dict[str, DeadlineAlert]:
    """The argument of the group's DAG; nothing without one, or without a time of day that it is counted from."""
    tick = time_of_day(group.schedule)
    if group.deadline is None or tick is None:
        return {}
    by = f"{group.deadline} {group.timezone or 'UTC'}"
    return {
        "deadline": DeadlineAlert(
            reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
            interval=_wait(tick, time.fromisoformat(group.deadline)),
            # By the executor: one for the triggerer would need one.
            callback=SyncCallback(late, {"by": by, "owner": group.owner}),
            name=f"not done by {by}",
        )
    }


def _wait(tick: time, deadline: time) -> timedelta:
    """From the tick to the next time that it is the time of the deadline: 24 hours at most, and never none."""
    minutes = (deadline.hour - tick.hour) * 60 + deadline.minute - tick.minute
    return timedelta(minutes=minutes if minutes > 0 else minutes + 24 * 60)


def late(context: dict[str, Any], by: str, owner: str | None) -> None:
    """Posts that a run is late to ALERT_WEBHOOK_URL. One that was started by hand has no time to be late for."""
    run = context["dag_run"]
    if run["run_type"] == "scheduled":
        post(message_of(run, by, owner))


def message_of(run: dict[str, Any], by: str, owner: str | None) -> dict[str, str | None]:
    """As of other alerts (`lakejobs_dags.alert`)."""
    dag, state = run["dag_id"], run["state"]
    error = f"late: not done by {by}, the run is {state}" + (f"; owner {owner}" if owner else "")
    log = log_url(dag, run["dag_run_id"])
    parts = {"dag": dag, "task": None, "day": None, "run": run["dag_run_id"], "error": error, "log": log}
    return {**parts, "text": f"{dag} is {error}\n{log}"}
