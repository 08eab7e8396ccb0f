"""crud_weekly_aggregate by a real Spark, in a real Airflow, seen by a browser."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_airflow import ROOT, free_port, until


@pytest.fixture
def spark_page(airflow, tmp_path: Path) -> Iterator[str]:
    """scripts/spark where the jobs of that Airflow look for it; the address of its master's page."""
    output, page = tmp_path / "spark.out", free_port()
    ports = {"--port": airflow.spark_port, "--master-port": free_port(), "--ui-port": page}
    with output.open("w") as file:
        process = subprocess.Popen(
            [str(ROOT / "scripts/spark"), *(str(word) for option in ports.items() for word in option)],
            stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def is_ready() -> bool:
        assert process.poll() is None, output.read_text()
        return "Ctrl-C ends them" in output.read_text()

    try:
        until("scripts/spark is ready", is_ready, 600)
        yield f"http://localhost:{page}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def test_both_engines_are_green_with_the_same_bytes_and_sparks_page_shows_the_application(airflow, spark_page):
    # It has the folders that the browser's script empties.
    dag = "crud_weekly_aggregate"
    (run,) = until("the scheduled run", lambda: airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"])
    assert airflow.finished(dag, run["dag_run_id"]) == "success"
    environment = {
        **os.environ, "AIRFLOW_URL": airflow.url, "AIRFLOW_FOLDER": str(airflow.folder), "SPARK_UI": spark_page,
    }  # fmt: skip
    done = subprocess.run(
        ["node", str(ROOT / "tests/browser/engine-spark.js")],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
