"""What the task `plan` hands to the tasks that are mapped over it: an item for each table."""

from __future__ import annotations

import json
from typing import Any


def is_plan(line: str) -> bool:
    """Whether it is what `lakejobs config --json` prints; too long for a log."""
    return line.startswith('{"file":') and line.endswith("}")


def items_of(lines: list[str]) -> list[dict[str, Any]]:
    """
    Of each table of the group: `table` and `exclude` as the export takes them, `catalog`, whether it goes `by_day`, how
    many days `lookback` are replaced before it, and whether it leaves alone what is unchanged.
    """
    report = next(json.loads(line) for line in reversed(lines) if is_plan(line))
    return [_item(table, report["catalog"]) for group in report["groups"] for table in group["tables"]]


def _item(table: dict[str, Any], catalog: str) -> dict[str, Any]:
    options = table["options"]

    def said(name: str, otherwise: str = "") -> str:
        return str(options.get(name, {}).get("value", otherwise))

    return {
        "table": table["table"],
        "exclude": ",".join(table.get("exclude", [])),
        "catalog": catalog,
        # Without a mode of its own a table is replaced as a whole.
        "by_day": said("mode") == "day",
        "lookback": int(said("lookback", "0")),
        # The file may say that every run writes.
        "skip_unchanged": "skip-unchanged" not in options,
    }
