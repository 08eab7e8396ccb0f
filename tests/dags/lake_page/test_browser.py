"""The page Lake of scripts/airflow, in Chromium. Its pictures are kept in `.cache/screenshots`."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from local_airflow import ROOT, LocalAirflow, free_port, worker_environment
from sample_reports import HOSTILE, back, page, write_month


@pytest.fixture(scope="module")
def own_airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    """One whose lake and reports no other test touches."""
    airflow = LocalAirflow(tmp_path_factory.mktemp("page") / "airflow", free_port(), worker_environment())
    airflow.start()
    yield airflow
    airflow.stop(signal.SIGTERM)
    subprocess.run([str(ROOT / "scripts/airflow"), "--clean", "--folder", str(airflow.folder)], check=True)


def scheduled(airflow: LocalAirflow, dag: str) -> dict:
    (run,) = airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
    assert airflow.finished(dag, run["dag_run_id"]) == "success"
    return airflow.call("GET", airflow.run_path(dag, run["dag_run_id"]))


@pytest.mark.parametrize("dag", ["web_logs_lake", "crud_weekly_aggregate"])
def test_scheduled_runs_are_noted_with_their_day_and_leave_its_report(own_airflow, dag):
    run = scheduled(own_airflow, dag)
    day = back(1, run["logical_date"][:10])
    assert run["note"] == f"day **{day}**"
    assert own_airflow.tasks(dag, run["dag_run_id"])["report"]["state"] == "success"
    written = own_airflow.folder / f"lake/reports/{day}.html"
    assert written.is_file() and written.with_suffix(".json").is_file()


def test_a_run_by_hand_is_noted_with_the_day_that_was_given(own_airflow):
    run = own_airflow.trigger("crud_weekly_aggregate", {"date": "2024-09-16"})
    assert own_airflow.finished("crud_weekly_aggregate", run) == "success"
    assert own_airflow.call("GET", own_airflow.run_path("crud_weekly_aggregate", run))["note"] == "day **2024-09-16**"


def test_the_page_in_a_browser(own_airflow):
    # Before 07:00 UTC not yesterday, but the day before it.
    newest = back(1, scheduled(own_airflow, "web_logs_lake")["logical_date"][:10])
    hostile = back(3, newest)
    folder = own_airflow.folder / "lake/reports"
    for report in folder.iterdir():
        report.unlink()
    write_month(folder, newest)
    (folder / f"{hostile}.html").write_text(page(hostile, HOSTILE))
    done = subprocess.run(
        ["node", str(ROOT / "tests/browser/lake-page.js")],
        env={
            **os.environ,
            "AIRFLOW_URL": own_airflow.url,
            "DAY": newest,
            "HOSTILE": hostile,
            "SCREENSHOTS": str(ROOT / ".cache/screenshots"),
        },
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
