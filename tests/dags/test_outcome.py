"""Summaries in what a job printed, and the meaning of its exit codes."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta, timezone

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, AirflowSkipException
from lakejobs_dags.job_log import WIDTH, JobLog, readable, tell
from lakejobs_dags.outcome import JobFailed, Moment, Refused, brief, conclude, summary_of
from lakejobs_dags.task_run import end_of_waiting, refuse_other_rows, refuse_unknown

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


def concluded(code, summary=None, now=NOW, since=NOW, attempt=1):
    return conclude(code, summary, Moment(now, WAIT, NOON, since, attempt, attempts=3))


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


def test_nobody_has_waited_for_an_old_day():
    with pytest.raises(AirflowFailException) as raised:
        concluded(5, now=NOON + WAIT, since=NOON)
    assert "waited" not in str(raised.value) + raised.value.last_line


@pytest.mark.parametrize(
    ("code", "attempt", "last_line"),
    [
        (2, 1, "export exited with 2: not tried again. When it is corrected, Clear this task"),
        (1, 2, "export exited with 1: try 2 of 3, the next follows by itself"),
        (143, 3, "export exited with 143: try 3 of 3, the last. When it is mended, Clear this task"),
    ],
)
def test_the_last_line_of_a_failure_says_what_comes_of_it(code, attempt, last_line):
    with pytest.raises((AirflowFailException, JobFailed)) as raised:
        concluded(code, {"job": "export", "error": {"message": "wrong"}}, attempt=attempt)
    assert raised.value.last_line == last_line


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


ICEBERG = {
    "table": "default.web_logs",
    "status": "ok",
    "rows": 10000,
    "files": 5,
    "metadataLocation": "s3://lake/iceberg/default/web_logs/metadata/00001-x.metadata.json",
    "parquetLocation": "s3://lake/parquet/web_logs",
}
ORDERS = {"table": "shop.orders", "status": "superseded", "parquetLocation": "s3://lake/parquet/orders"}


def test_a_summary_in_brief():
    days = {"from": "2024-09-13", "to": "2024-09-16"}
    export = {"job": "export", "status": "ok", **days, "rows": 10000, "files": 5, "seconds": 0.623}
    counts = "10000 rows, 5 files"
    assert brief({**export, "tables": [ICEBERG]}) == [
        f"default.web_logs, 2024-09-13 … 2024-09-16: {counts}, 0.6 s, s3://lake/iceberg/default/web_logs"
    ]
    assert brief({**export, "tables": [ICEBERG, ORDERS]}) == [
        f"default.web_logs: {counts}, s3://lake/iceberg/default/web_logs",
        "shop.orders: superseded, s3://lake/parquet/orders",
        f"export of 2 tables, 2024-09-13 … 2024-09-16: {counts}, 0.6 s",
    ]
    same = {**ICEBERG, "status": "unchanged", "rows": 0, "files": 0, "unchangedRows": 10000}
    assert brief({**export, "rows": 0, "files": 0, "tables": [same]}) == [
        "default.web_logs, 2024-09-13 … 2024-09-16: unchanged, 0 rows, 0 files, 10000 rows as they were, 0.6 s, "
        "s3://lake/iceberg/default/web_logs"
    ]
    assert brief({"job": "seed", "status": "skipped"}) == ["seed: skipped"]
    outputs = {"outputs": ["/out/2024-09-16.csv", "/out/2024-09-17.csv"], "outputsMore": 3}
    assert brief({"job": "aggregate", "status": "ok", "rows": 1, **outputs}) == [
        "aggregate: 1 row, /out/2024-09-16.csv and 4 more"
    ]
    assert brief({"job": "aggregate", "status": "ok", "rows": 1, **outputs, "tables": [ICEBERG]}) == [
        f"default.web_logs: {counts}, s3://lake/iceberg/default/web_logs",
        "aggregate: 1 row, /out/2024-09-16.csv and 4 more",
    ]


def test_other_rows_than_before_are_refused():
    counted = {"rows": 7, "tables": [{"table": "default.web_logs"}]}
    refuse_other_rows(counted, {**counted})
    for before, now in [(counted, {**counted, "rows": 6}), (None, counted), (counted, None), ({}, {})]:
        with pytest.raises(Refused, match="has other rows than before this step"):
            refuse_other_rows(before, now)


class Said:
    """A logger that keeps what it is told."""

    def __init__(self):
        self.lines = []

    def log(self, level, form, *values):
        self.lines.append((logging.getLevelName(level), form % values))


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["plain", SUMMARY], [("INFO", "plain")]),
        # The error is what the summary says: the reason follows on lines of its own.
        (['{"level":"error","msg":"wrong: mend it","code":"usage"}', SUMMARY], []),
        (['{"level":"error","msg":"another"}', SUMMARY], [("ERROR", "another")]),
        (['{"level":"error","msg":"wrong"}', "more"], [("ERROR", "wrong"), ("INFO", "more")]),
    ],
)
def test_the_summary_and_what_it_says_are_left_out(lines, shown):
    job = JobLog(said := Said())
    for line in lines:
        job.line(line)
    job.end("wrong")
    assert (said.lines, job.lines) == (shown, lines)


def test_a_reason_has_lines_that_the_log_view_shows_whole():
    tell(said := Said(), logging.ERROR, "no " * 60 + "x" * 300, "mend it")
    lines = [text for _, text in said.lines]
    assert max(map(len, lines)) <= WIDTH == 120
    assert "".join(lines).replace(" ", "") == "no" * 60 + "x" * 300 + "Whattodo:mendit"
    assert lines[-1] == "What to do: mend it"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["dat"], "unknown parameter 'dat' in the run's conf (did you mean date?): give one of date, lookback"),
        (["zzz", "date", "aaa"], "unknown parameter 'aaa', 'zzz' in the run's conf: give one of date, lookback"),
    ],
)
def test_unknown_parameters_are_named(given, message):
    refuse_unknown(["date"], ["date", "lookback"])
    refuse_unknown([], [])
    with pytest.raises(AirflowFailException) as raised:
        refuse_unknown(given, ["lookback", "date"])
    assert str(raised.value) == message
