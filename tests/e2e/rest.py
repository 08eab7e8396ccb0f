"""Airflow's REST API, as a user of it has it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from stack import wait_until


@dataclass(frozen=True)
class Airflow:
    base: str
    user: str = "admin"
    password: str = "admin"

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """Raises HTTPError."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.base}{path}", data, headers, method=method), timeout=30) as answer:
            return json.load(answer)

    def token(self) -> str:
        return self.call("POST", "/auth/token", {"username": self.user, "password": self.password})["access_token"]

    def api(self, method: str, path: str, body: Any = None) -> Any:
        return self.call(method, f"/api/v2/{path}", body, self.token())

    def trigger(self, dag: str, **conf: Any) -> str:
        """Returns the run's id."""
        return self.api("POST", f"dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"]

    def state(self, dag: str, run: str) -> str | None:
        try:
            return self.api("GET", f"dags/{dag}/dagRuns/{quote(run)}")["state"]
        except (HTTPError, URLError, ConnectionError, TimeoutError):
            return None

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        found = self.api("GET", f"dags/{dag}/dagRuns/{quote(run)}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in found}

    def log(self, dag: str, run: str, task: str, attempt: int = 1) -> str:
        path = f"dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}/logs/{attempt}"
        return "\n".join(json.dumps(line) for line in self.api("GET", path)["content"])

    def xcom(self, dag: str, run: str, task: str) -> Any:
        path = f"dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}/xcomEntries/return_value"
        value = self.api("GET", path)["value"]
        return json.loads(value) if isinstance(value, str) else value

    def runs(self, dag: str) -> dict[str, dict[str, Any]]:
        return {run["dag_run_id"]: run for run in self.api("GET", f"dags/{dag}/dagRuns?limit=100")["dag_runs"]}

    def wait(self, dag: str, run: str, seconds: float = 480) -> dict[str, str]:
        """Until the run is green; returns the states of its tasks."""
        end = wait_until(
            f"the end of {dag} {run}", lambda: (s := self.state(dag, run)) in ("success", "failed") and s, seconds
        )
        states = {name: task["state"] for name, task in self.tasks(dag, run).items()}
        if end != "success":
            failed = [name for name, state in states.items() if state == "failed"]
            logs = "\n".join(self.log(dag, run, name, self.tasks(dag, run)[name]["try_number"]) for name in failed)
            raise AssertionError(f"{dag} {run} {end}: {states}\n{logs[-5000:]}")
        return states
