"""lake_backfill, run on the compiled jobs."""

from __future__ import annotations

from runs import run_dag

DAYS = {"from": "2024-09-14", "to": "2024-09-16"}


def test_export_of_days(lake):
    lake.job("seed", "--days", "5", "--date", "2024-09-16", "--rows", "5000")
    run = run_dag("lake_backfill", {"job": "export", **DAYS})
    assert run.states == {"export_days": "success", "aggregate_days": "skipped"}
    summary = run.xcoms["export_days"]
    assert (summary["from"], summary["to"], summary["tables"][0]["mode"]) == ("2024-09-14", "2024-09-16", "day")
    assert lake.snapshots() == 1


def test_export_of_the_whole_table(lake):
    lake.job("seed", "--days", "5", "--date", "2024-09-16", "--rows", "5000")
    run = run_dag("lake_backfill", {"job": "export", "mode": "full", **DAYS})
    summary = run.xcoms["export_days"]
    assert (summary["rows"], summary["tables"][0]["mode"]) == (5000, "full")


def test_export_of_another_table(lake):
    lake.query("CREATE SCHEMA shop")
    lake.query("CREATE TABLE shop.orders AS SELECT 1 AS id, timestamptz '2024-09-15 10:00+00' AS timestamp")
    run = run_dag("lake_backfill", {"job": "export", "table": "shop.orders", **DAYS})
    summary = run.xcoms["export_days"]
    assert (summary["tables"][0]["table"], summary["rows"]) == ("shop.orders", 1)


def test_aggregate_of_days(lake):
    lake.write_logs("2024-09-16", days=9)
    run = run_dag("lake_backfill", {"job": "aggregate", **DAYS})
    assert run.states == {"export_days": "skipped", "aggregate_days": "success"}
    assert sorted(path.stem for path in lake.results.glob("*.csv")) == ["2024-09-14", "2024-09-15", "2024-09-16"]
