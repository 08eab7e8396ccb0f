"""scripts/airflow as a user runs it, its REST API and its source database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
from webhook import webhook

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 900
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what: str, look: Callable[[], T], seconds: float = 300) -> T:
    """The first result of `look` that is true."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.5)
    return found


def processes_of(folder: Path, command: bytes = b"", run: str = "") -> list[int]:
    """Processes with the folder in their environment and `command` in their command line; of one DAG run: its jobs."""
    wanted = [str(folder).encode(), *([f"AIRFLOW_CTX_DAG_RUN_ID={run}\0".encode()] if run else [])]
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            if all(part in environment for part in wanted) and command in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@dataclass
class LocalAirflow:
    folder: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen | None = None
    token: str = ""
    # Where its jobs look for a Spark.
    spark_port: int = 0
    # What was posted to its webhook.
    posts: list[dict] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> str:
        """Returns what it has printed when it is ready."""
        output = self.folder.with_suffix(".out")
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [str(ROOT / "scripts/airflow"), "--folder", str(self.folder)],
                env={**self.environment, "AIRFLOW_PORT": str(self.port)},
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                # Where the tests run in the background, Ctrl-C is ignored, and a shell cannot take that back.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

        def is_ready() -> bool:
            assert self.process.poll() is None, output.read_text()
            return "Ctrl-C stops everything" in output.read_text()

        until("scripts/airflow is ready", is_ready, START_SECONDS)
        self.token = self.call("POST", "/auth/token", {"username": "admin", "password": "admin"})["access_token"]
        return output.read_text()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """As Ctrl-C in a terminal: the signal goes to the script and to its children. Returns the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.process.wait(120)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    def trigger(self, dag: str, conf: dict[str, Any]) -> str:
        run = self.call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})
        return run["dag_run_id"]

    def run_path(self, dag: str, run: str) -> str:
        return f"/api/v2/dags/{dag}/dagRuns/{urllib.request.quote(run)}"

    def state(self, dag: str, run: str) -> str:
        return self.call("GET", self.run_path(dag, run))["state"]

    def finished(self, dag: str, run: str) -> str:
        """The state in which the run ends."""
        return until(f"{dag} {run}", lambda: (s := self.state(dag, run)) in ("success", "failed") and s)

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        instances = self.call("GET", f"{self.run_path(dag, run)}/taskInstances")["task_instances"]
        return {instance["task_id"]: instance for instance in instances}

    def xcom(self, dag: str, run: str, task: str) -> Any:
        path = f"{self.run_path(dag, run)}/taskInstances/{task}/xcomEntries/return_value"
        return self.call("GET", path)["value"]


# Groups that nothing starts but a hand. Formats as without a file: other tests of this Airflow count files.
TABLES = """version: 1
defaults: { format: [parquet, iceberg] }
groups:
  shop: {}
  other: {}
tables:
  own.customers: { group: shop }
  own.items: { group: other }
"""


@contextmanager
def running(folder: Path) -> Iterator[LocalAirflow]:
    """One with a `lakejobs.yaml` in the folder and a webhook, until the end."""
    (folder / "lakejobs.yaml").write_text(TABLES)
    spark_port = free_port()
    with webhook() as (url, posts):
        environment = {
            **worker_environment(),
            "LAKEJOBS_RETRY_SECONDS": "1",
            # A task's supervisor may end five seconds after it; Airflow takes one that runs again by then for lost.
            "LAKEJOBS_NOT_YET_SECONDS": "15",
            "LAKEJOBS_LOCK_TIMEOUT": "600",
            "LAKEJOBS_CONFIG": str(folder / "lakejobs.yaml"),
            "LAKEJOBS_PAUSED": "false",
            "ALERT_WEBHOOK_URL": url,
            "SPARK_REMOTE": f"sc://127.0.0.1:{spark_port}",
        }
        airflow = LocalAirflow(folder / "airflow", free_port(), environment, spark_port=spark_port, posts=posts)
        airflow.start()
        yield airflow
        airflow.stop(signal.SIGTERM)
        subprocess.run([str(ROOT / "scripts/airflow"), "--clean", "--folder", str(airflow.folder)], check=True)


def job_environment(airflow: LocalAirflow) -> dict[str, str]:
    """What its jobs find in theirs."""
    pid = processes_of(airflow.folder, b"scheduler")[0]
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


@contextmanager
def source(airflow: LocalAirflow) -> Iterator[psycopg2.extensions.cursor]:
    """The source database, with the settings that its processes have."""
    values = job_environment(airflow)
    connection = psycopg2.connect(
        host=values["POSTGRES_HOST"],
        port=values["POSTGRES_PORT"],
        user=values["POSTGRES_USER"],
        password=values["POSTGRES_PASSWORD"],
        dbname=values["POSTGRES_DB"],
    )
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def worker_environment() -> dict[str, str]:
    """The environment of a user's terminal: without what conftest.py has set for this process."""
    drop = ("AIRFLOW", "LAKEJOBS_HOME", "LAKEJOBS_RETRY", "LAKEJOBS_NOT_YET")
    return {name: value for name, value in os.environ.items() if not name.startswith(drop)}
