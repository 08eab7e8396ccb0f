"""Which tables of a job's summary an alias gets events of."""

from __future__ import annotations

from airflow.sdk import AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors
from lakejobs_dags.assets import announce


def test_an_alias_gets_the_tables_that_are_there_now():
    alias = AssetAlias("lake")
    events = OutletEventAccessors()
    tables = [
        {"table": "a.written", "status": "ok", "metadataLocation": "m"},
        {"table": "a.same", "status": "unchanged"},
        {"table": "a.failed", "status": "failed"},
        {"table": "a.files", "status": "ok", "parquetLocation": "p"},
        {"table": "a.planned", "status": "ok", "plan": {"columns": []}},
    ]
    announce([alias], events, {"runId": "one", "tables": tables}, "local")
    assert [event.dest_asset_key.name for event in events[alias].asset_alias_events] == [
        "local.a.written",
        "local.a.same",
    ]
