"""Exit codes of real jobs: what is tried again, what is not, what is left behind."""

from __future__ import annotations

import json
import os
import re
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
    assert told(capfd.readouterr().out) == [
        'POSTGRES_PORT: "none" is not valid',
        "What to do: give a port number from 1 to 65535",
        "export exited with 2: not tried again. When it is corrected, Clear this task",
    ]


def test_exit_3_fails_at_once(lake, capfd):
    lake.write_logs(DAY, text="not,a,log\n" * 1000)
    run = run_dag("crud_weekly_aggregate", CONF)
    assert (run.states["aggregate_week"], run.tries["aggregate_week"]) == ("failed", 1)
    assert run.state == "failed"
    first, *rest, last = told(capfd.readouterr().out)
    assert first == "the log of 2024-09-10 is probably none: no row and 1000 rejects"
    assert any(line.startswith("What to do: ") for line in rest)
    assert last == "aggregate exited with 3: not tried again. When it is corrected, Clear this task"
    assert not (lake.results / f"{DAY}.csv").exists()


def test_a_job_that_is_terminated_cleans_up_and_is_tried_again(lake, capfd):
    write_much(lake)
    stopper = threading.Thread(target=lambda: os.kill(job_at_work(lake), signal.SIGTERM))
    stopper.start()
    run = run_dag("crud_weekly_aggregate", CONF)
    stopper.join()
    assert (run.states["aggregate_week"], run.tries["aggregate_week"]) == ("success", 2)
    assert told(capfd.readouterr().out) == [
        "stopped by SIGTERM",
        "aggregate exited with 143: try 1 of 3, the next follows by itself",
    ]
    assert [path.name for path in lake.results.iterdir() if path.is_file()] == [f"{DAY}.csv"]


def test_a_job_that_takes_too_long_is_stopped_and_cleans_up(lake, monkeypatch, capfd):
    from datetime import timedelta

    from lakejobs_dags import defaults

    write_much(lake)
    # The DAG is read again; its defaults are these.
    monkeypatch.setitem(defaults.TASK_DEFAULTS, "execution_timeout", timedelta(seconds=4))
    monkeypatch.setitem(defaults.TASK_DEFAULTS, "retries", 0)
    holder = threading.Thread(target=hold_job, args=(lake, 6))
    holder.start()
    run = run_dag("crud_weekly_aggregate", CONF)
    holder.join()
    assert run.states["aggregate_week"] == "failed"
    output = capfd.readouterr().out
    assert "AirflowTaskTimeout" in output
    # The task has waited for its job and has shown its last words.
    assert "stopped by SIGTERM" in output
    assert jobs_with(str(lake.logs)) == []
    assert not any(lake.results.glob("*.csv"))


def told(output: str) -> list[str]:
    """The errors in the log, without their decoration; none of them is a traceback."""
    assert "Traceback" not in output
    found = re.findall(r"\[error *\] (.*?) +\[[a-z][\w.]*\] loc=", re.sub(r"\x1b\[[\d;]*m", "", output))
    assert max(map(len, found)) <= 120
    return found


def test_what_a_job_did_is_the_last_line_and_its_summary_is_none(lake, capfd):
    lake.write_logs(DAY)
    run = run_dag("crud_weekly_aggregate", CONF)
    assert run.states["aggregate_week"] == "success"
    output = capfd.readouterr().out
    assert re.search(rf"aggregate, 2024-09-10 .+ {DAY}: 21 rows, 1 file, 0 rejects, .* s, file://.*/{DAY}\.csv", output)
    assert '"runId"' not in output.replace(json.dumps(run.xcoms["aggregate_week"]), "")


@pytest.mark.parametrize(
    ("dag_id", "conf", "key"),
    [
        ("web_logs_lake", {"dat": DAY}, "'dat' in the run's conf (did you mean date?)"),
        ("crud_weekly_aggregate", {"date": DAY, "lookback": 1}, "'lookback'"),
    ],
)
def test_an_unknown_key_in_the_conf_fails_at_once(lake, capfd, dag_id, conf, key):
    run = run_dag(dag_id, conf)
    assert run.state == "failed"
    assert set(run.states.values()) <= {"failed", "upstream_failed"}
    assert max(run.tries.values()) <= 1
    assert f"unknown parameter {key}" in told(capfd.readouterr().out)[0]


def test_a_future_day_is_refused(lake, capfd):
    run = run_dag("crud_weekly_aggregate", {**CONF, "date": "2999-01-01"})
    assert run.states == {"generate_demo_logs": "failed", "aggregate_week": "upstream_failed", "report": "failed"}
    assert run.tries["generate_demo_logs"] == 1
    assert "the day 2999-01-01 is in the future" in capfd.readouterr().out


def test_a_future_logical_date_is_refused(lake, capfd):
    from datetime import datetime, timezone

    run = run_dag("web_logs_lake", {}, logical_date=datetime(2999, 1, 1, 7, tzinfo=timezone.utc))
    assert run.states["export_to_lake"] == "upstream_failed"
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
    ],
)
def test_parameters_that_are_none_start_nothing(lake, dag_id, conf):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        run_dag(dag_id, conf)


def write_much(lake) -> None:
    """Logs that take a second or more to count."""
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


def job_at_work(lake) -> int:
    """The first job that has a log open: it listens to signals by then, and has not ended on a quick machine."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for job in jobs_with(str(lake.logs)):
            if any(path.startswith(str(lake.logs)) for path in open_files(job)):
                return job
        time.sleep(0.005)
    raise TimeoutError("no job has opened a log")


def open_files(process: int) -> list[str]:
    try:
        return [os.readlink(file) for file in Path(f"/proc/{process}/fd").iterdir()]
    except OSError:
        return []


def hold_job(lake, seconds: float) -> None:
    """Lets the first job stand still, so that how long it takes is not a matter of the machine."""
    job = job_at_work(lake)
    os.kill(job, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(job, signal.SIGCONT)
