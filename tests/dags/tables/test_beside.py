"""The other DAGs beside a `lakejobs.yaml`: they do with it what they do without one."""

from __future__ import annotations

import pytest
from conftest import DAGS
from runs import run_dag

FILE = """
version: 1
tables:
  shop.*: {}
  shop.orders: { day-column: at, decimal: { amount: "9,2" }, partition-by: ["day(at)"] }
"""
DAY = "2024-09-16"


@pytest.fixture
def shop(lake, monkeypatch):
    lake.query(
        "CREATE SCHEMA shop; CREATE TABLE shop.orders (id int, amount numeric, at timestamptz, paid timestamptz)"
    )
    lake.query(
        "INSERT INTO shop.orders VALUES (1, 1.5, '2024-09-15 10:00Z', now()), (2, 2.5, '2024-09-16 10:00Z', now())"
    )
    (lake.folder / "lakejobs.yaml").write_text(FILE)
    monkeypatch.setenv("LAKEJOBS_CONFIG", str(lake.folder / "lakejobs.yaml"))
    monkeypatch.setenv("AIRFLOW_HOME", str(lake.folder / "airflow"))
    return lake


def test_web_logs_lake_exports_web_logs_alone(shop):
    run = run_dag("web_logs_lake", {"date": DAY})
    assert run.state == "success"
    assert [table["table"] for table in run.xcoms["export_to_lake"]["tables"]] == ["default.web_logs"]


def test_lake_backfill_offers_the_files_tables_and_they_have_its_options(shop):
    from airflow.dag_processing.dagbag import DagBag

    params = DagBag(dag_folder=str(DAGS)).dags["lake_backfill"].params
    assert params.get_param("table").schema["examples"] == ["shop.*", "shop.orders"]
    days = {"from": "2024-09-15", "to": DAY}
    summary = run_dag("lake_backfill", {"table": "shop.orders", **days}).xcoms["export_days"]
    assert (summary["tables"][0]["table"], summary["rows"], summary["from"]) == ("shop.orders", 2, "2024-09-15")
    # Without one it is the table that it is without a file.
    shop.job("seed", "--days", "1", "--date", DAY, "--rows", "10")
    summary = run_dag("lake_backfill", {"from": DAY, "to": DAY}).xcoms["export_days"]
    assert [table["table"] for table in summary["tables"]] == ["default.web_logs"]


def test_lake_backfill_of_a_whole_table_needs_no_day_and_others_do(shop):
    run = run_dag("lake_backfill", {"mode": "full", "table": "shop.orders"})
    assert (run.states["export_days"], run.xcoms["export_days"]["rows"]) == ("success", 2)
    for conf in ({"table": "shop.orders"}, {"job": "aggregate", "to": DAY}):
        run = run_dag("lake_backfill", conf)
        assert (run.state, sorted(run.states.values())) == ("failed", ["failed", "skipped"])


def test_lake_maintenance_keeps_also_tables_that_the_file_has_no_more(shop):
    shop.job("export", "--table", "shop.orders")
    (shop.folder / "lakejobs.yaml").write_text("version: 1\ntables: { public.web_logs: {} }\n")
    run = run_dag("lake_maintenance", {"dry_run": True})
    assert (run.state, list(run.xcoms["list_tables"]["managed"])) == ("success", ["shop.orders"])
