"""Each earlier snapshot reads as it was, in every reader."""

from __future__ import annotations

from typing import Any

import pytest
from pyiceberg.catalog import Catalog

from lake import Lake
from readers import Reader

TABLE = "travel.visits"


@pytest.fixture(scope="module", autouse=True)
def history(lake: Lake) -> list[tuple[int, list[tuple[Any, ...]]]]:
    """Snapshot ids and the rows that the table had then: full, a day, another day, a new column, full again."""
    steps = [
        ("CREATE TABLE visits AS SELECT n AS id, TIMESTAMPTZ '2024-09-16 12:00+00' - (n % 3) * interval '1 day' AS at"
         " FROM generate_series(1, 300) n", ("--mode", "full", "--partition-by", "day(at)")),
        ("DELETE FROM visits WHERE at >= '2024-09-16' AND id % 2 = 0", ("--date", "2024-09-16")),
        ("INSERT INTO visits SELECT n, '2024-09-17 01:00+00' FROM generate_series(301, 420) n", ("--date", "2024-09-17")),
        ("ALTER TABLE visits ADD COLUMN note TEXT; UPDATE visits SET note = 'n' || id", ("--mode", "full")),
    ]
    snapshots = []
    for sql, flags in steps:
        with lake.connect() as cursor:
            cursor.execute(sql)
        done = lake.export("public.visits", TABLE, *flags)
        columns = "id, at, note" if "note" in sql else "id, at"
        snapshots.append((int(done["snapshotId"]), sorted(lake.source_rows(f"SELECT {columns} FROM visits"))))
    return snapshots


@pytest.mark.parametrize("step", range(4))
def test_a_snapshot_reads_as_it_was(
    history: list[tuple[int, list[tuple[Any, ...]]]], reader: Reader, step: int
) -> None:
    snapshot, wanted = history[step]
    rows = reader.rows(TABLE, snapshot=snapshot)
    # Readers differ in whether an old snapshot shows a column that came later; it is NULL then.
    columns = [rows.column(name).to_pylist() for name in rows.schema.names]
    found = sorted(row[: len(wanted[0])] for row in zip(*columns, strict=True))
    assert found == wanted
    assert all(set(values) == {None} for values in columns[len(wanted[0]) :])


def test_the_history_is_a_line(catalog: Catalog, history: list[tuple[int, Any]]) -> None:
    table = catalog.load_table(TABLE)
    ids = [snapshot for snapshot, _ in history]
    assert [snapshot.snapshot_id for snapshot in table.snapshots()] == ids
    assert [snapshot.parent_snapshot_id for snapshot in table.snapshots()] == [None, *ids[:-1]]
    assert [snapshot.sequence_number for snapshot in table.snapshots()] == [1, 2, 3, 4]
    assert [int(s.summary["total-records"]) for s in table.snapshots()] == [len(rows) for _, rows in history]


def test_spark_sees_the_same_history(spark: Any, history: list[tuple[int, Any]]) -> None:
    rows = spark.session.sql(f"SELECT snapshot_id, is_current_ancestor FROM local.{TABLE}.history").collect()
    assert [tuple(row) for row in rows] == [(snapshot, True) for snapshot, _ in history]
