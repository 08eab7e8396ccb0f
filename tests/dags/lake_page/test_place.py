"""Where the reports are looked for, and what a folder or a file that is not as it should be comes to."""

from __future__ import annotations

import os

import pytest
from lakejobs_page import place
from lakejobs_page.faults import Missing, Unreadable
from lakejobs_page.place import names, read, reports_place
from lakejobs_page.reports import days, is_day, report, summary
from sample_reports import page, write


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"LAKEJOBS_REPORTS": "/srv/reports/"}, "/srv/reports"),
        ({"LAKEJOBS_REPORTS": "file:///srv/a%20b"}, "/srv/a b"),
        ({"LAKEJOBS_REPORTS": "file://localhost/srv/r"}, "/srv/r"),
        ({"LAKEJOBS_REPORTS": "./data/reports", "LAKEJOBS_HOME": "/opt/x"}, "/opt/x/data/reports"),
        ({"LAKEJOBS_REPORTS": "data/reports"}, "/opt/lakejobs/data/reports"),
        ({"LAKEJOBS_REPORTS": "S3A://bucket/a/b/"}, "s3://bucket/a/b"),
        ({"LAKEJOBS_REPORTS": "s3://bucket", "WAREHOUSE": "/x/y"}, "s3://bucket"),
        # Beside the warehouse, as runs are (jobs/settings/settings.ts).
        ({"WAREHOUSE": "s3://logs-bucket/iceberg"}, "s3://logs-bucket/reports"),
        ({"WAREHOUSE": "s3://logs-bucket/a/iceberg/"}, "s3://logs-bucket/a/reports"),
        ({"WAREHOUSE": "s3://logs-bucket"}, "s3://logs-bucket/reports"),
        ({"WAREHOUSE": "file:///srv/lake/iceberg", "LAKEJOBS_REPORTS": ""}, "/srv/lake/reports"),
    ],
)
def test_the_place_is_that_of_the_jobs(env, expected):
    assert reports_place(env) == expected


@pytest.mark.parametrize("text", ["ftp://x/y", "s3:bucket", "s3:///x", "file:x", "file://host/x", "http://x"])
def test_a_place_that_is_none_is_named_with_its_fix(text):
    with pytest.raises(Unreadable) as refused:
        reports_place({"LAKEJOBS_REPORTS": text})
    assert str(refused.value).startswith(f'LAKEJOBS_REPORTS: "{text}" is not valid: give a folder')


def test_without_a_setting_there_is_no_place():
    with pytest.raises(Unreadable, match="LAKEJOBS_REPORTS and WAREHOUSE are not set"):
        reports_place({})


def test_days_are_those_with_a_report(tmp_path):
    for name in (
        "2026-11-27.html",
        "2026-11-26.html",
        "2026-02-30.html",
        "2026-11-25.json",
        "2026-11-24.html.tmp",
        "x",
    ):
        (tmp_path / name).write_text("")
    assert days(str(tmp_path)) == ["2026-11-26", "2026-11-27"]
    assert days(str(tmp_path / "none")) == []
    assert [is_day(text) for text in ("2026-11-27", "2026-1-27", "20261127", "2026-11-27 ", "../x")] == [
        True,
        *[False] * 4,
    ]


def test_a_report_and_the_styles_that_it_names(tmp_path):
    write(tmp_path, "2026-11-27", {"2026-11-26": "missing", "2026-11-27": "verified"}, text="Fine.")
    # A style that data has brought into it is none of its own.
    other = f"<meta http-equiv=Content-Security-Policy content=\"'sha256-{'A' * 43}='\">"
    body = f"<style>body{{display:none}}</style>{other}"
    (tmp_path / "2026-11-27.html").write_text(page("2026-11-27", body))
    content, styles = report(str(tmp_path), "2026-11-27")
    assert content.startswith(b"<!doctype html>")
    assert len(styles) == 1 and styles[0] in page("2026-11-27")
    for theme, root in (("dark", b'<html data-theme="dark" lang'), ("x>", b"<html lang"), ("", b"<html lang")):
        assert root in report(str(tmp_path), "2026-11-27", theme)[0]
    said = summary(str(tmp_path), "2026-11-27")
    assert said["verdict"] == {"word": "fresh", "text": "Fine."}
    assert said["days"] == {
        "2026-11-26": [{"table": "default.web_logs", "state": "missing"}],
        "2026-11-27": [{"table": "default.web_logs", "state": "verified"}],
    }


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nonsense", "[" * 5000, '{"verdict": 1}', '{"verdict": {"word": "x", "text": "y"}, "tables": 3}'],
)
def test_numbers_that_are_none_are_none(tmp_path, text):
    (tmp_path / "2026-11-27.json").write_text(text)
    assert summary(str(tmp_path), "2026-11-27") is None
    assert summary(str(tmp_path), "2026-11-26") is None


def test_what_cannot_be_read_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unreadable, match="file cannot be read: Not a directory"):
        names(str(tmp_path / "file"))
    with pytest.raises(Missing):
        read(str(tmp_path), "2026-11-27.html")
    # Opened, it would wait for somebody to write.
    os.mkfifo(tmp_path / "2026-11-27.html")
    with pytest.raises(Missing):
        read(str(tmp_path), "2026-11-27.html")
    monkeypatch.setattr(place, "LARGEST", 10)
    (tmp_path / "2026-11-28.html").write_text("x" * 11)
    with pytest.raises(Unreadable, match="it is no report"):
        read(str(tmp_path), "2026-11-28.html")
