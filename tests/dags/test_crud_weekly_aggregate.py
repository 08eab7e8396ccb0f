"""crud_weekly_aggregate, run on the compiled jobs and real folders of logs."""

from __future__ import annotations

import threading
import time

from runs import run_dag

DAY = "2024-09-16"
WEEK = [f"2024-09-{number}" for number in range(10, 17)]


def test_missing_days_of_the_window_are_generated_and_counted(lake):
    run = run_dag("crud_weekly_aggregate", {"date": DAY})
    assert run.states == {"generate_demo_logs": "success", "aggregate_week": "success", "report": "success"}
    assert sorted(path.stem for path in lake.logs.glob("*.csv")) == WEEK
    summary = run.xcoms["aggregate_week"]
    assert (summary["status"], summary["rows"], summary.get("missingDays", [])) == ("ok", 14_000, [])
    assert len((lake.results / f"{DAY}.csv").read_text().splitlines()) == 11


def test_demo_data_off_skips_it_and_the_counting_runs(lake):
    lake.write_logs(DAY)
    run = run_dag("crud_weekly_aggregate", {"date": DAY, "demo_data": False})
    assert run.states == {"generate_demo_logs": "skipped", "aggregate_week": "success", "report": "success"}
    assert run.state == "success"
    assert (lake.results / f"{DAY}.csv").exists()


def test_demo_logs_never_mix_with_others(lake):
    lake.write_logs(DAY, days=1)
    run = run_dag("crud_weekly_aggregate", {"date": DAY})
    assert run.states == {"generate_demo_logs": "failed", "aggregate_week": "upstream_failed", "report": "success"}
    assert run.tries["generate_demo_logs"] == 1


def test_older_gaps_are_named_and_do_not_fail(lake):
    lake.write_logs(DAY, days=2)
    run = run_dag("crud_weekly_aggregate", {"date": DAY, "demo_data": False})
    assert run.states["aggregate_week"] == "success"
    assert run.xcoms["aggregate_week"]["missingDays"] == WEEK[:5]


def test_a_log_that_is_late_is_waited_for(lake, monkeypatch):
    from lakejobs_dags import settings, task_run

    lake.write_logs("2024-09-15", days=6)
    # On that morning, that is before the deadline.
    monkeypatch.setattr(task_run, "end_of_waiting", lambda *_: task_run._now() + settings.NOT_YET_DELAY * 60)

    def deliver() -> None:
        time.sleep(3)
        lake.write_logs(DAY, days=1)

    courier = threading.Thread(target=deliver)
    courier.start()
    run = run_dag("crud_weekly_aggregate", {"date": DAY, "demo_data": False})
    courier.join()
    assert run.states["aggregate_week"] == "success"
    # Waiting uses up no try.
    assert run.tries["aggregate_week"] == 1
    assert run.xcoms["aggregate_week"].get("missingDays", []) == []


def test_after_the_deadline_a_missing_log_is_a_failure(lake, capfd):
    lake.write_logs("2024-09-15", days=6)
    run = run_dag("crud_weekly_aggregate", {"date": DAY, "demo_data": False})
    assert run.states["aggregate_week"] == "failed"
    assert run.tries["aggregate_week"] == 1
    out = capfd.readouterr().out
    assert "exited with 5: not tried again" in out
    # Of so old a day nobody has waited for anything.
    assert "waited until" not in out
