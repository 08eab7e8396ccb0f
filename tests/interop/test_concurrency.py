"""Eight exporters of different days, two of one day and PyIceberg, all at one table at once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException

from lake import JobFailed, Lake

DAYS = [dt.date(2024, 9, day) for day in range(1, 10)]
SHARED = DAYS[8]  # two exporters and nobody else
APPENDED = dt.datetime(2024, 10, 1, tzinfo=dt.timezone.utc)  # no exporter's day
APPENDS = 12
ROWS = 200


def append_all(catalog: Catalog) -> int:
    """PyIceberg's appends, each tried until it lands; the times that one of them came too late."""
    lost = 0
    for number in range(APPENDS):
        rows = pa.table({"id": pa.array([-1 - number], pa.int32()), "at": pa.array([APPENDED], pa.timestamp("us", "UTC"))})
        while True:
            try:
                catalog.load_table("default.crowd").append(rows)
                break
            except CommitFailedException:
                lost += 1
    return lost


def export(lake: Lake, day: dt.date) -> dict:
    try:
        return lake.export("crowd", "default.crowd", "--date", day.isoformat(), "--connections", "1")
    except JobFailed as failed:
        return {"status": failed.summary["exit"], "error": failed.summary["error"]["message"]}


def test_all_land_or_say_why(lake: Lake, catalog: Catalog) -> None:
    with lake.connect() as cursor:
        cursor.execute(
            "CREATE TABLE crowd AS SELECT day * 1000 + i AS id, timestamptz '2024-08-31' + day * interval '1 day' + i * interval '1 second' AS at "
            f"FROM generate_series(1, {len(DAYS)}) day, generate_series(1, {ROWS}) i"
        )
        cursor.execute("CREATE INDEX ON crowd (at); ANALYZE crowd")
    lake.export("crowd", "default.crowd", "--mode", "full", "--partition-by", "day(at)")
    with lake.connect() as cursor:
        cursor.execute("UPDATE crowd SET id = id + 100000")

    with ThreadPoolExecutor(max_workers=11) as pool:
        appending = pool.submit(append_all, catalog)
        exports = list(pool.map(lambda day: export(lake, day), [*DAYS, SHARED]))
        lost = appending.result()

    # Of the two with the same day the earlier read may give way to the later one; nobody else may.
    statuses = [one["status"] for one in exports]
    assert statuses[:8] == ["ok"] * 8, exports
    assert sorted(statuses[8:]) in (["ok", "ok"], ["ok", "superseded"]), exports
    print(f"PyIceberg lost {lost} races for {APPENDS} appends; the two of one day: {statuses[8:]}")

    table = catalog.load_table("default.crowd")
    found = sorted(table.scan().to_arrow().column("id").to_pylist())
    wanted = sorted([row[0] for row in lake.source_rows("SELECT id FROM crowd")] + [-1 - n for n in range(APPENDS)])
    assert found == wanted

    # One line of snapshots, sequence numbers without gaps, totals that add up.
    snapshots = sorted(table.metadata.snapshots, key=lambda snapshot: snapshot.sequence_number)
    assert [s.sequence_number for s in snapshots] == list(range(1, len(snapshots) + 1))
    assert [s.parent_snapshot_id for s in snapshots] == [None, *(s.snapshot_id for s in snapshots[:-1])]
    assert int(table.current_snapshot().summary["total-records"]) == len(wanted)
    assert len(snapshots) == 1 + APPENDS + statuses.count("ok")
