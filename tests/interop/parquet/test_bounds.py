"""Files are left out by their bounds, and never one that has a row that is looked for."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow.parquet
import pytest
from pyiceberg.catalog import Catalog

from lake import Lake, gone, path_of
from readers import Condition, Reader

TABLE = "bounds.steps"
# Bounds are cut after 16 code points: these texts differ only behind, and their last kept one is U+10FFFF or 😀.
SQL = """
CREATE TABLE steps AS
SELECT n AS id,
  CASE WHEN n % 2 = 0 THEN repeat('😀', 16) ELSE repeat('z', 15) || U&'\\+10FFFF' END || lpad(n::text, 6, '0') AS name,
  CASE WHEN n < 7000 THEN lpad(n::text, 30, '0') ELSE lpad(n::text, 30, 'é') END AS long_name,
  (n - 15000) / 100.0::numeric(9, 2) AS amount,
  DATE '1969-12-01' + n / 500 AS day,
  TIMESTAMPTZ '1969-12-31 00:00+00' + n * interval '7.000001 seconds' AS moment
FROM generate_series(1, 30000) n;
ALTER TABLE steps ALTER amount TYPE numeric(12, 2);
"""


@pytest.fixture(scope="module", autouse=True)
def files(lake: Lake, catalog: Catalog) -> dict[str, pyarrow.Table]:
    """Several files with disjoint rows, by location."""
    with lake.connect() as cursor:
        cursor.execute(SQL)
    size = ("--connections", "1", "--row-group-rows", "2000", "--target-file-size", "20KB")
    lake.export("public.steps", TABLE, *size)
    locations = [task.file.file_path for task in catalog.load_table(TABLE).scan().plan_files()]
    assert len(locations) >= 10
    return {location: pyarrow.parquet.read_table(path_of(location)) for location in locations}


CONDITIONS = {
    "int": Condition("id", "=", 21_000),
    "decimal, negative": Condition("amount", "=", Decimal("-42.17")),
    "date before 1970": Condition("day", "=", date(1969, 12, 20)),
    "timestamp before 1970": Condition("moment", "<", datetime(1969, 12, 31, 1, tzinfo=timezone.utc)),
    "text": Condition("long_name", "=", "0" * 26 + "4321"),
    "text above its cut bound": Condition("long_name", "=", "é" * 25 + "29876"),
    "text whose bound cannot grow": Condition("name", "=", "z" * 15 + "\U0010ffff" + "000777"),
    "text of astral code points": Condition("name", "=", "😀" * 16 + "023456"),
}


def matches(rows: pyarrow.Table, condition: Condition) -> list[dict[str, Any]]:
    values = zip(rows.column(condition.column).to_pylist(), rows.to_pylist(), strict=True)
    compare = {"=": lambda v: v == condition.value, "<": lambda v: v < condition.value}[condition.operator]
    return [row for value, row in values if compare(value)]


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
def test_rows_are_found(files: dict[str, pyarrow.Table], reader: Reader, condition: Condition) -> None:
    wanted = [row for rows in files.values() for row in matches(rows, condition)]
    assert wanted
    found = reader.rows(TABLE, [condition]).to_pylist()
    assert sorted(found, key=lambda row: row["id"]) == sorted(wanted, key=lambda row: row["id"])


@pytest.mark.parametrize(
    "condition", [c for name, c in CONDITIONS.items() if not name.startswith("text ")],
    ids=[name for name in CONDITIONS if not name.startswith("text ")],
)
def test_other_files_are_not_opened(
    files: dict[str, pyarrow.Table], reader: Reader, condition: Condition
) -> None:
    others = [location for location, rows in files.items() if not matches(rows, condition)]
    # The 16 first code points of a text do not tell a file from its neighbours.
    if condition.column == "long_name":
        others = [location for location in others if "é" in files[location].column("long_name")[0].as_py()]
    assert others
    with gone(others):
        assert reader.rows(TABLE, [condition]).num_rows > 0


def test_pyiceberg_plans_the_files_with_the_day(catalog: Catalog, files: dict[str, pyarrow.Table]) -> None:
    condition = CONDITIONS["date before 1970"]
    planned = catalog.load_table(TABLE).scan("day = '1969-12-20'").plan_files()
    wanted = {location for location, rows in files.items() if matches(rows, condition)}
    assert {task.file.file_path for task in planned} == wanted
    assert len(wanted) < len(files)
