"""Exit codes of real jobs: what is tried again, what is not, what is left behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from runs import run_dag

DAY = "2024-09-16"
CONF = {"date": DAY, "demo_data": False}


def test_exit_1_uses_all_tries(lake, monkeypatch):
    monkeypatch.setenv("POSTGRES_PORT", "1")
    run = run_dag("web_logs_lake", CONF)
    assert run.states["export_to_lake"] == "failed"
    assert run.tries["export_to_lake"] == 3


def test_exit_2_fails_at_once(lake, monkeypatch, capfd):
    monkeypatch.setenv("POSTGRES_PORT", "none")
    run = run_dag("web_logs_lake", CONF)
    assert (run.states["export_to_lake"], run.tries["export_to_lake"]) == ("failed", 1)
    assert 'export exited with 2: POSTGRES_PORT: "none" is not valid' in capfd.readouterr().out


def test_exit_3_fails_at_once(lake, capfd):
    lake.write_logs(DAY, text="not,a,log\n" * 1000)
    run = run_dag("crud_weekly_aggregate", CONF)
    assert (run.states["aggregate_week"], run.tries["aggregate_week"]) == ("failed", 1)
    assert run.state == "failed"
    assert "aggregate exited with 3: " in capfd.readouterr().out
    assert not (lake.results / f"{DAY}.csv").exists()


def test_a_job_that_is_terminated_cleans_up_and_is_tried_again(lake, capfd):
    write_much(lake)
    stopper = threading.Thread(target=terminate_first_job, args=(str(lake.logs),))
    stopper.start()
    run = run_dag("crud_weekly_aggregate", CONF)
    stopper.join()
    assert (run.states["aggregate_week"], run.tries["aggregate_week"]) == ("success", 2)
    assert "aggregate exited with 143: stopped by SIGTERM" in capfd.readouterr().out
    assert [path.name for path in lake.results.iterdir() if path.is_file()] == [f"{DAY}.csv"]


def test_a_job_that_takes_too_long_is_stopped_and_cleans_up(lake, monkeypatch, capfd):
    from datetime import timedelta

    from lakejobs_dags import defaults

    write_much(lake)
    # The DAG is read again; its defaults are these.
    monkeypatch.setitem(defaults.TASK_DEFAULTS, "execution_timeout", timedelta(seconds=1.5))
    monkeypatch.setitem(defaults.TASK_DEFAULTS, "retries", 0)
    run = run_dag("crud_weekly_aggregate", CONF)
    assert run.states["aggregate_week"] == "failed"
    output = capfd.readouterr().out
    assert "AirflowTaskTimeout" in output
    # The task has waited for its job and has shown its last words.
    assert '"status":"failed","exit":143' in output
    assert jobs_with(str(lake.logs)) == []
    assert not any(lake.results.glob("*.csv"))


def test_a_future_day_is_refused(lake, capfd):
    run = run_dag("crud_weekly_aggregate", {**CONF, "date": "2999-01-01"})
    assert run.states == {"generate_demo_logs": "failed", "aggregate_week": "upstream_failed"}
    assert run.tries["generate_demo_logs"] == 1
    assert "the day 2999-01-01 is in the future" in capfd.readouterr().out


def test_a_future_logical_date_is_refused(lake, capfd):
    from datetime import datetime, timezone

    run = run_dag("web_logs_lake", {}, logical_date=datetime(2999, 1, 1, 7, tzinfo=timezone.utc))
    assert run.states == {"seed_demo_rows": "failed", "export_to_lake": "upstream_failed"}
    assert "the logical date 2999-01-01T07:00:00+00:00 is in the future" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("dag_id", "conf"),
    [
        ("web_logs_lake", {"date": "$(touch /tmp/x)"}),
        ("web_logs_lake", {"date": "2024-13-01"}),
        ("web_logs_lake", {"date": ""}),
        ("web_logs_lake", {"lookback": "3; touch /tmp/x"}),
        ("web_logs_lake", {"demo_data": "`touch /tmp/x`"}),
        ("crud_weekly_aggregate", {"date": "2024-09-16\n--output=/tmp/x"}),
        ("lake_backfill", {"from": DAY, "to": "--help"}),
        ("lake_backfill", {"from": DAY, "to": DAY, "job": "sql"}),
        ("lake_backfill", {"from": DAY, "to": DAY, "mode": "full --max-shrink=100%"}),
        ("lake_backfill", {"from": DAY, "to": DAY, "table": "web_logs; DROP TABLE web_logs"}),
        ("lake_backfill", {"from": DAY, "to": DAY, "table": "public.web_logs --max-shrink=100%"}),
        ("lake_backfill", {"from": DAY, "to": DAY, "table": "web_logs\n"}),
        ("lake_backfill", {"from": DAY}),
    ],
)
def test_parameters_that_are_none_start_nothing(lake, dag_id, conf):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        run_dag(dag_id, conf)


def write_much(lake) -> None:
    """Logs that take a few seconds to count."""
    lake.job("generate", str(lake.logs), "2024-09-10", "7", "100000", "1500000")


def jobs_with(text: str) -> list[int]:
    """The processes of jobs whose environment holds the text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_job = b"main.js\0aggregate" in (folder / "cmdline").read_bytes()
            if is_job and text.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def terminate_first_job(text: str) -> None:
    while not (jobs := jobs_with(text)):
        time.sleep(0.05)
    # It listens to signals by then.
    time.sleep(1)
    os.kill(jobs[0], signal.SIGTERM)
