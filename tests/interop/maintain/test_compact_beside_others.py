"""A compaction whose commit others come before: no row comes back, none is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Iterator

import pyarrow
from pyiceberg.catalog import Catalog

from lake import Lake
from readers import DuckDB, PyIceberg, Spark

Row = tuple[Any, ...]
Rows = dict[int, list[Row]]


@dataclass(frozen=True)
class Small:
    """A table of many small files that Spark has made, of format 2, whose deletes go into files of their own."""

    lake: Lake
    catalog: Catalog
    spark: Spark
    duck: DuckDB
    name: str

    def make(self, files: int = 6) -> Small:
        settings = "'format-version' = '2', 'write.delete.mode' = 'merge-on-read', 'write.distribution-mode' = 'none'"
        self.sql(
            "CREATE NAMESPACE IF NOT EXISTS local.compacted",
            f"CREATE TABLE local.{self.name} (id BIGINT, day DATE, name STRING) USING iceberg PARTITIONED BY (day)"
            f" TBLPROPERTIES ({settings})",
            *(
                f"INSERT INTO local.{self.name} SELECT id + {at * 100},"
                f" date_add(DATE '2024-09-14', CAST(id % 2 AS INT)), concat('n', id) FROM range(100)"
                for at in range(files)
            ),
        )
        return self

    def sql(self, *statements: str) -> None:
        for statement in statements:
            self.spark.session.sql(statement)

    def append(self, first: int, count: int) -> None:
        """By PyIceberg."""
        table = self.catalog.load_table(self.name)
        columns = {"id": range(first, first + count), "name": ["late"] * count}
        arrow = pyarrow.table({"id": pyarrow.array(columns["id"], pyarrow.int64())})
        arrow = arrow.append_column("day", pyarrow.array([19980 + (first % 2)] * count, pyarrow.int32()).cast("date32"))
        table.append(arrow.append_column("name", pyarrow.array(columns["name"], pyarrow.string())))

    def ids(self, snapshot: int | None = None) -> list[int]:
        return [row[0] for row in self.rows(PyIceberg(self.catalog), snapshot)]

    def rows(self, reader: PyIceberg | Spark | DuckDB, snapshot: int | None = None) -> list[Row]:
        table = reader.rows(self.name, snapshot=snapshot)
        return sorted(zip(*(table.column(name).to_pylist() for name in ("id", "day", "name")), strict=True))

    def history(self, *others: Spark | DuckDB) -> Rows:
        """Every snapshot's rows, by PyIceberg, and by others, who must have the same."""
        read: Rows = {}
        for snapshot in self.catalog.load_table(self.name).snapshots():
            at = snapshot.snapshot_id
            read[at] = self.rows(PyIceberg(self.catalog), at)
            for reader in others:
                assert self.rows(reader, at) == read[at], f"{reader.name} and PyIceberg differ in snapshot {at}"
        return read

    def maintain(self, operation: str, *flags: str) -> dict[str, Any]:
        return self.lake.job("maintain", operation, "--table", self.name, *flags)["tables"][0]["maintained"]


@contextmanager
def turn_taken(lake: Lake, table: str) -> Iterator[Any]:
    """Whoever commits to the table waits until the end. A cursor on the catalog's database."""
    with lake.connect("lake") as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"lakejobs commit {table}",))
        yield cursor


def compact_beside(small: Small, work: Callable[[], None]) -> dict[str, Any]:
    """Lets a compaction go until it waits for its turn to commit, does the work, and lets it go on."""
    with turn_taken(small.lake, small.name) as cursor:
        process = small.lake.start("maintain", "compact", "--table", small.name)
        wait_for_writer(cursor, process)
        # The queue is a courtesy that is waited for 10 s: stopped, it comes later all the same.
        process.send_signal(signal.SIGSTOP)
        work()
    process.send_signal(signal.SIGCONT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr[-2000:]
    return json.loads(stdout)["tables"][0]["maintained"]["rewritten"]


def wait_for_writer(cursor: Any, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        if cursor.fetchone()[0] > 0:
            return
        time.sleep(0.05)
    ended = process.stderr.read() if process.poll() is not None else "it still runs"
    raise AssertionError(f"it did not come to its commit: {ended}")


def test_an_append_of_pyiceberg_is_kept(lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB) -> None:
    small = Small(lake, catalog, spark, duck, "compacted.beside_append").make()
    done = compact_beside(small, lambda: small.append(9000, 7))
    assert done["from"]["files"] >= 12 and done["to"]["files"] == 2 and "replanned" not in done
    expected = [*range(600), *range(9000, 9007)]
    assert small.ids() == expected
    assert [row[0] for row in small.rows(spark)] == expected
    small.history(spark)


def test_rows_that_spark_deletes_do_not_come_back(lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB) -> None:
    small = Small(lake, catalog, spark, duck, "compacted.beside_delete").make()
    done = compact_beside(small, lambda: small.sql(f"DELETE FROM local.{small.name} WHERE id % 10 = 3"))
    assert done["replanned"] == 1
    expected = [n for n in range(600) if n % 10 != 3]
    assert small.ids() == expected
    assert [row[0] for row in small.rows(spark)] == expected
    assert done["deletedRows"] == 60
    small.history(spark)


def test_a_day_that_spark_replaces_stays_replaced(lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB) -> None:
    small = Small(lake, catalog, spark, duck, "compacted.beside_overwrite").make()
    day = "DATE '2024-09-15'"
    replace = f"INSERT INTO local.{small.name} REPLACE WHERE day = {day} VALUES (7000, {day}, 'new')"
    done = compact_beside(small, lambda: small.sql(replace))
    assert done["replanned"] == 1
    expected = [*range(0, 600, 2), 7000]
    assert small.ids() == expected
    assert [row[0] for row in small.rows(spark)] == expected


def test_every_snapshot_reads_the_same_after_it(lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB) -> None:
    """Deletes of Spark's are applied, whatever was kept reads as it did, and nothing of it is an orphan."""
    small = Small(lake, catalog, spark, duck, "compacted.history").make()
    small.sql(f"DELETE FROM local.{small.name} WHERE id BETWEEN 100 AND 150")
    small.append(9000, 5)
    third = catalog.load_table(small.name).snapshots()[2].snapshot_id
    small.sql(
        f"ALTER TABLE local.{small.name} ADD PARTITION FIELD bucket(2, id)",
        f"INSERT INTO local.{small.name} SELECT id + 20000, DATE '2024-09-14', 'spec' FROM range(50)",
        f"DELETE FROM local.{small.name} WHERE id % 7 = 2",
        f"ALTER TABLE local.{small.name} CREATE TAG early AS OF VERSION {third}",
    )
    before = small.history(spark, duck)
    current = catalog.load_table(small.name).current_snapshot().snapshot_id
    rewritten = small.maintain("compact", "--min-files", "2")["rewritten"]
    assert rewritten["deletedRows"] > 0
    assert spark.session.sql(f"SELECT count(*) FROM local.{small.name}.delete_files").collect()[0][0] == 0
    compacted = small.history(spark, duck)
    assert {at: compacted[at] for at in before} == before
    (new,) = compacted.keys() - before.keys()
    assert compacted[new] == before[current]
    small.maintain("expire", "--older-than", "0", "--keep", "2", "--keep-before-shrink", "0")
    expired = small.history(spark, duck)
    assert len(expired) == 3
    assert expired == {at: compacted[at] for at in expired}
    small.maintain("orphans", "--orphan-age", "0", "--allow-young-orphans", "--max-orphans", "100%", "--delete")
    assert small.history(spark, duck) == expired
