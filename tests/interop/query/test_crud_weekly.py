"""The results of the aggregate in a table of the lake, as others read them."""

from __future__ import annotations

import csv
from pathlib import Path

from lake import Lake
from readers import Reader

DAYS = ("2024-09-15", "2024-09-16")
LOGS = {
    "2024-09-15": 'ann@x.org,CREATE\nann@x.org,READ\n"a,""b""@x.org",DELETE\n',
    "2024-09-16": "zoë@x.org,UPDATE\nann@x.org,READ\n",
}


def test_readers_see_each_result_under_its_day(lake: Lake, reader: Reader, tmp_path: Path) -> None:
    table = f"crud.{reader.name}"
    for day in DAYS:
        lines = LOGS[day].splitlines()
        (tmp_path / f"{day}.csv").write_text("".join(f"{line},{day} 12:00:00\n" for line in lines))
        lake.job("aggregate", str(tmp_path), str(tmp_path / "out"), day, "--missing-days", "ignore",
                 "--cache", str(tmp_path / "cache"), "--iceberg", table)
    rows = reader.rows(table).to_pylist()
    assert {row["days"] for row in rows} == {7}
    for day in DAYS:
        found = [row for row in rows if str(row["window_end"]) == day]
        with (tmp_path / "out" / f"{day}.csv").open(newline="") as results:
            wanted = list(csv.DictReader(results))
        names = list(wanted[0])
        assert sorted(tuple(str(row[name]) for name in names) for row in found) == sorted(
            tuple(row.values()) for row in wanted
        )
