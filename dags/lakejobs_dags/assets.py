"""The assets of tables: the ones that were written, whatever a DAG was about to write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow.sdk import Asset, AssetAlias

from lakejobs_dags import settings
from lakejobs_dags.outcome import Summary


def table_asset(table: str, catalog: str = settings.CATALOG) -> Asset:
    """`namespace.table` of a catalog."""
    return Asset(name=f"{catalog}.{table}", uri=f"lakejobs://{catalog}/{table.replace('.', '/')}")


def announce(outlets: Iterable[Any], events: Any, summary: Summary, catalog: str) -> None:
    """An event for each asset that a job was for; of an alias one for each table of the summary that it exported."""
    days = {name: summary[name] for name in ("from", "to") if name in summary}
    for outlet in outlets:
        if not isinstance(outlet, AssetAlias):
            events[outlet].extra.update({"runId": summary["runId"], **days})
            continue
        for table in summary.get("tables") or []:
            # With a plan it was a dry run's.
            is_there = table.get("status") in ("ok", "unchanged") and "plan" not in table
            if is_there and not _is_plain_only(table):
                events[outlet].add(table_asset(table["table"], catalog), extra={**days, **_told(table, summary)})


def _is_plain_only(table: Summary) -> bool:
    return "parquetLocation" in table and "metadataLocation" not in table


def _told(table: Summary, summary: Summary) -> dict[str, Any]:
    return {
        "rows": table.get("rows", 0),
        "snapshot": table.get("snapshotId"),
        # Whether the table has other rows, or another schema, than before.
        "changed": table["status"] == "ok",
        **({"schemaChanges": table["changes"]} if table.get("changes") else {}),
        "runId": summary["runId"],
    }
