"""LAKEJOBS_DAGS, LAKEJOBS_SCHEDULE and LAKEJOBS_TIMEZONE, as Airflow's DAG processor meets them."""

from __future__ import annotations

import pytest
from conftest import DAGS
from parsed import parsed as parsed_in

FILES = sorted(path.stem for path in DAGS.glob("*.py"))
# Those whose DAG has their name; of a lakejobs.yaml there is none here.
OWN = [file for file in FILES if not file.startswith("lake_tables")]
# One that has nothing to say of its own.
FAULTS = "lake_tables_faults"
NAMES = "web_logs_lake, crud_weekly_aggregate, lake_backfill, lake_maintenance, lake_tables"


def parsed(environment):
    return parsed_in(environment, DAGS)


def test_all_dags_are_there_unless_some_are_named():
    for value in ("", " , "):
        found = parsed({"LAKEJOBS_DAGS": value})
        assert (sorted(found["dags"]), found["errors"]) == (OWN, {})


def test_dags_that_are_not_named_are_not_there():
    found = parsed({"LAKEJOBS_DAGS": " lake_backfill, web_logs_lake"})
    assert (sorted(found["dags"]), found["errors"]) == (["lake_backfill", "web_logs_lake"], {})


def test_every_dag_file_can_be_named():
    found = parsed({"LAKEJOBS_DAGS": NAMES})
    assert (sorted(found["dags"]), found["errors"]) == (OWN, {})
    assert sorted(NAMES.split(", ")) == [file for file in FILES if file != FAULTS]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"LAKEJOBS_DAGS": "web_logs_lake,crud_weekly"},
            f'LAKEJOBS_DAGS: "crud_weekly" is not valid: give some of {NAMES}',
        ),
        *(
            (
                {"LAKEJOBS_SCHEDULE": cron},
                f'LAKEJOBS_SCHEDULE: "{cron}" is not valid: give a cron expression, as 30 6 * * *',
            )
            for cron in ("07:00", "0 25 * * *", "0 7 * * * *", "@once")
        ),
        (
            {"LAKEJOBS_TIMEZONE": "Europe/Berlinn"},
            'LAKEJOBS_TIMEZONE: "Europe/Berlinn" is not valid: give UTC, Europe/Berlin, …',
        ),
        ({"LAKEJOBS_TIMEZONE": "../UTC"}, 'LAKEJOBS_TIMEZONE: "../UTC" is not valid'),
    ],
)
def test_what_is_wrong_stands_on_the_home_page(environment, said):
    found = parsed(environment)
    assert found["dags"] == {}
    assert sorted(found["errors"]) == [f"{file}.py" for file in FILES]
    for text in found["errors"].values():
        assert said in text


def test_the_two_daily_dags_run_when_the_schedule_says():
    at = ["30 6 * * 1-5", "Europe/Berlin"]
    found = parsed({"LAKEJOBS_SCHEDULE": at[0], "LAKEJOBS_TIMEZONE": at[1]})
    assert (found["dags"]["web_logs_lake"], found["dags"]["crud_weekly_aggregate"]) == (at, at)
    assert parsed({})["dags"]["web_logs_lake"] == ["0 7 * * *", "UTC"]


@pytest.mark.parametrize(
    ("cron", "oftener"), [("5 * * * *", True), ("0 7,19 * * *", True), ("@hourly", True), ("@daily", False)]
)
def test_oftener_than_daily_the_day_that_runs_is_exported_too(cron, oftener):
    flags = parsed({"LAKEJOBS_SCHEDULE": cron})["flags"]["export_to_lake"]
    assert ("ds_add" in flags["JOB_DATE"], "+ (0 if params.date else 1)" in flags["JOB_LOOKBACK"]) == (
        not oftener,
        oftener,
    )


def test_an_hourly_run_exports_today_and_the_days_before(lake, monkeypatch):
    """As a worker does that has this schedule."""
    import importlib
    from datetime import datetime, timezone

    from lakejobs_dags import days, settings
    from runs import run_dag

    lake.job("seed", "--days", "3", "--date", "2024-09-16", "--rows", "300")
    monkeypatch.setenv("LAKEJOBS_SCHEDULE", "5 * * * *")
    try:
        importlib.reload(settings)
        importlib.reload(days)
        tick = datetime(2024, 9, 16, 13, 5, tzinfo=timezone.utc)
        run = run_dag("web_logs_lake", {"lookback": 1, "demo_data": False}, logical_date=tick, run_after=tick)
        summary = run.xcoms["export_to_lake"]
        assert (summary["from"], summary["to"], summary["rows"]) == ("2024-09-14", "2024-09-16", 300)
        assert run.states["verify_lake"] == "success"
        run = run_dag("web_logs_lake", {"date": "2024-09-15", "lookback": 0, "demo_data": False})
        summary = run.xcoms["export_to_lake"]
        assert (summary["from"], summary["to"]) == ("2024-09-15", "2024-09-15")
    finally:
        monkeypatch.delenv("LAKEJOBS_SCHEDULE")
        importlib.reload(settings)
        importlib.reload(days)
