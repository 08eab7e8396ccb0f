"""The daily DAGs end with the report of the day, whatever became of the run, which stays what it is."""

from __future__ import annotations

import json

import pytest
from runs import run_dag

DAY = "2024-09-16"
CONF = {"date": DAY, "demo_data": False}


def verdict(lake):
    return json.loads((lake.folder / f"reports/{DAY}.json").read_text())["verdict"]


@pytest.mark.parametrize("dag_id", ["web_logs_lake", "crud_weekly_aggregate"])
def test_it_is_a_teardown_behind_all_other_tasks(dagbag, dag_id):
    dag = dagbag.dags[dag_id]
    task = dag.get_task("report")
    assert task.is_teardown and not task.on_failure_fail_dagrun
    assert task.downstream_task_ids == set()
    assert task.get_flat_relative_ids(upstream=True) == set(dag.task_ids) - {"report"}


def test_a_run_that_succeeds_leaves_the_report_of_its_day(lake):
    run = run_dag("web_logs_lake", {"date": DAY})
    assert (run.state, run.states["report"]) == ("success", "success")
    assert (lake.folder / f"reports/{DAY}.html").is_file()
    assert run.xcoms["report"]["to"] == DAY
    assert verdict(lake)["word"] in ("fresh", "late")


def test_a_run_that_failed_stays_failed_and_its_report_is_made(lake):
    run_dag("web_logs_lake", {"date": DAY})
    (file,) = (lake.folder / "iceberg").rglob("*.parquet")
    before = (lake.folder / f"reports/{DAY}.html").stat().st_mtime_ns
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    run = run_dag("web_logs_lake", CONF)
    assert (run.states["verify_lake"], run.states["report"], run.state) == ("failed", "success", "failed")
    assert (lake.folder / f"reports/{DAY}.html").stat().st_mtime_ns > before


def test_a_report_that_fails_is_red_and_the_run_is_what_it_was(lake, monkeypatch):
    (lake.folder / "file").write_text("")
    monkeypatch.setenv("LAKEJOBS_REPORTS", str(lake.folder / "file/reports"))
    lake.write_logs(DAY)
    run = run_dag("crud_weekly_aggregate", CONF)
    assert (run.states["aggregate_week"], run.states["report"], run.state) == ("success", "failed", "success")
    for log in lake.logs.iterdir():
        log.unlink()
    run = run_dag("crud_weekly_aggregate", {**CONF, "date": "2024-09-01"})
    assert (run.states["aggregate_week"], run.states["report"], run.state) == ("failed", "failed", "failed")
