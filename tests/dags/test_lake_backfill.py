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


def test_an_export_that_is_run_again_writes_nothing_unless_it_has_to(lake):
    lake.job("seed", "--days", "5", "--date", "2024-09-16", "--rows", "5000")
    rows = run_dag("lake_backfill", {"job": "export", **DAYS}).xcoms["export_days"]["rows"]
    again = run_dag("lake_backfill", {"job": "export", **DAYS}).xcoms["export_days"]["tables"][0]
    assert (again["status"], again["rows"], again["unchangedRows"]) == ("unchanged", 0, rows)
    assert lake.snapshots() == 1
    forced = run_dag("lake_backfill", {"job": "export", "force": True, **DAYS}).xcoms["export_days"]["tables"][0]
    assert (forced["status"], forced["rows"]) == ("ok", rows)
    assert lake.snapshots() == 2


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


def test_the_asset_event_tells_what_became_of_the_table(lake):
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    lake.job("seed", "--days", "5", "--date", "2024-09-16", "--rows", "5000")
    told = []
    for _ in range(2):
        run_dag("lake_backfill", {"job": "export", **DAYS})
        with create_session() as session:
            event = session.query(AssetEvent).order_by(AssetEvent.id.desc()).first()
            told.append((event.extra, event.asset.name))
    (first, name), (second, _) = told
    assert (first["from"], first["to"], name) == (DAYS["from"], DAYS["to"], "local.default.web_logs")
    days = "timestamp >= '2024-09-14' AND timestamp < '2024-09-17'"
    assert (first["changed"], first["rows"]) == (True, lake.query(f"SELECT count(*) FROM web_logs WHERE {days}")[0][0])
    assert first["snapshot"] == str(lake.metadata()["current-snapshot-id"])
    assert (second["changed"], second["rows"], second["snapshot"]) == (False, 0, None)
