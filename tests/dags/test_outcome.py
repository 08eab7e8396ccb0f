"""Summaries in what a job printed, and the meaning of its exit codes."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta, timezone

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, AirflowSkipException
from lakejobs_dags.job_process import readable
from lakejobs_dags.outcome import JobFailed, brief, conclude, summary_of
from lakejobs_dags.task_run import end_of_waiting

SUMMARY = '{"job":"export","status":"ok","exit":0,"runId":"1"}'
NOW = datetime(2024, 9, 17, 9, 50, tzinfo=timezone.utc)
NOON = datetime(2024, 9, 17, 12, tzinfo=timezone.utc)
WAIT = timedelta(minutes=30)


@pytest.mark.parametrize(
    "lines",
    [
        [SUMMARY],
        ['{"level":"info","msg":"x"}', SUMMARY, "(node:7) Warning: late", ""],
        ['{"job":"seed","status":"ok","exit":0,"runId":"0"}', SUMMARY],
        [SUMMARY, '{"runId":"2"'],
        [SUMMARY, '{"runId":"2"}', '["runId"]'],
    ],
)
def test_the_last_summary_counts(lines):
    assert summary_of(lines) == {"job": "export", "status": "ok", "exit": 0, "runId": "1"}


def test_no_summary():
    assert summary_of(["Killed", '{"job":"export"}']) is None


def concluded(code, summary=None, now=NOW):
    return conclude(code, summary, wait=WAIT, until=NOON, now=now)


def test_success_is_the_summary():
    assert concluded(0, {"rows": 1}) == {"rows": 1}
    assert concluded(0) is None


@pytest.mark.parametrize(
    ("code", "error"),
    [(99, AirflowSkipException), (2, AirflowFailException), (3, AirflowFailException)]
    + [(code, JobFailed) for code in (1, 4, 130, 137, 143, 255)],
)
def test_exits(code, error):
    with pytest.raises(error) as raised:
        concluded(code, {"job": "export", "error": {"message": "wrong", "fix": "mend it"}})
    assert str(raised.value) == f"export exited with {code}: wrong: mend it"


def test_a_job_without_summary_is_named_by_its_code():
    with pytest.raises(JobFailed, match="the job exited with 137: no summary: see the log above"):
        concluded(137)


@pytest.mark.parametrize(("now", "next_time"), [(NOW, NOW + WAIT), (NOON - timedelta(minutes=5), NOON)])
def test_not_yet_is_looked_at_again_until_the_deadline(now, next_time):
    with pytest.raises(AirflowRescheduleException) as raised:
        concluded(5, now=now)
    assert raised.value.reschedule_date == next_time


def test_not_yet_after_the_deadline():
    with pytest.raises(AirflowFailException, match=r"\(waited until 2024-09-17 12:00 UTC\)"):
        concluded(5, now=NOON)


def test_the_deadline_is_on_the_morning_after():
    assert end_of_waiting("2024-09-16", time(12)) == NOON


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"level":"warn","time":"t","msg":"slow","table":"a","rows":3}', (logging.WARNING, "slow table=a rows=3")),
        ('{"level":"error","time":"t","msg":"broken"}', (logging.ERROR, "broken")),
        (SUMMARY, (logging.INFO, SUMMARY)),
        ("plain", (logging.INFO, "plain")),
        ("17", (logging.INFO, "17")),
    ],
)
def test_log_lines_are_made_readable(line, expected):
    assert readable(line) == expected


def test_a_summary_in_brief():
    days = {"from": "2024-09-13", "to": "2024-09-16"}
    summary = {"job": "export", "status": "ok", **days, "rows": 10000, "files": 5, "seconds": 0.6}
    assert brief(summary) == "export: ok, 2024-09-13 … 2024-09-16, rows 10000, files 5, 0.6 s"
    assert brief({"job": "seed", "status": "skipped"}) == "seed: skipped"
