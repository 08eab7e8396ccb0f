"""`lakejobs sql` sees in every snapshot of random histories what PyIceberg and, where it can, DuckDB sees."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import EqualTo, GreaterThan
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import DateType, DecimalType, DoubleType, IntegerType, ListType, LongType, NestedField, StringType, StructType

from lake import Lake
from readers import DuckDB, PyIceberg, Spark

# More of them, of any seeds: LAKEJOBS_HISTORIES=100:120
FIRST, LAST = map(int, os.environ.get("LAKEJOBS_HISTORIES", "1:1").split(":"))

SCHEMA = Schema(
    NestedField(1, "id", IntegerType()),
    NestedField(2, "day", DateType()),
    NestedField(3, "name", StringType()),
    NestedField(4, "price", DecimalType(9, 2)),
    NestedField(5, "inner", StructType(NestedField(7, "a", IntegerType()), NestedField(8, "b", StringType()))),
    NestedField(6, "list", ListType(9, IntegerType(), element_required=False)),
)


def value(random: Random, kind: pyarrow.DataType) -> Any:
    if random.random() < 0.2:
        return None
    if pyarrow.types.is_struct(kind):
        return {field.name: value(random, field.type) for field in kind}
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return [value(random, kind.value_type) for _ in range(random.randrange(3))]
    if pyarrow.types.is_decimal(kind):
        return Decimal(random.randrange(-99999, 99999)).scaleb(-kind.scale)
    if pyarrow.types.is_date(kind):
        return date(2024, 9, 14) + timedelta(days=random.randrange(4))
    if pyarrow.types.is_floating(kind):
        return random.randrange(-100, 100) / 4
    return random.choice(["", "a", "ż", 'q"\n,']) if "string" in str(kind) else random.randrange(-50, 50)


def rows(random: Random, table: Table) -> pyarrow.Table:
    schema = table.schema().as_arrow()
    count = random.randrange(1, 40)
    return pyarrow.Table.from_pylist(
        [{field.name: value(random, field.type) for field in schema} for _ in range(count)], schema=schema
    )


class History:
    def __init__(self, lake: Lake, table: Table, random: Random, spark: Spark) -> None:
        self.lake, self.table, self.random, self.spark = lake, table, random, spark
        self.names = 0

    def append(self) -> None:
        self.table.append(rows(self.random, self.table))

    def delete(self) -> None:
        first = self.table.schema().find_column_name(1)
        self.table.delete(GreaterThan(first, self.random.randrange(20, 45)))

    def overwrite_day(self) -> None:
        data = rows(self.random, self.table)
        day = self.table.schema().find_column_name(2)
        at = data.schema.get_field_index(day)
        data = data.set_column(at, data.schema.field(at), pyarrow.array([date(2024, 9, 15)] * len(data), pyarrow.date32()))
        self.table.overwrite(data, EqualTo(day, "2024-09-15"))

    def evolve(self) -> None:
        self.names += 1
        fresh = f"c{self.names}"
        with self.table.update_schema() as update:
            match self.random.randrange(6):
                case 0:
                    update.add_column(fresh, self.random.choice([StringType(), DoubleType(), LongType()]))
                case 1:
                    update.rename_column(self.table.schema().find_column_name(self.random.choice([1, 2, 3])), fresh)
                case 2:
                    update.add_column(("inner", fresh), StringType())
                case 3:
                    update.rename_column("inner." + self.table.schema().find_field("inner").field_type.fields[0].name, fresh)
                case 4:
                    update.update_column(self.table.schema().find_column_name(1), LongType())
                case _:
                    update.move_first(self.table.schema().find_column_name(4))

    def add_file_without_ids(self) -> None:
        """As Hive or Spark wrote it before it was a table: columns are known by their names alone."""
        data = rows(self.random, self.table)
        bare = pyarrow.schema([pyarrow.field(field.name, plain(field.type)) for field in data.schema])
        self.names += 1
        path = self.lake.folder / f"bare-{self.table.name()[-1]}-{self.names}.parquet"
        pyarrow.parquet.write_table(data.cast(bare), path)
        self.table.add_files([path.as_uri()])

    def delete_by_position(self) -> None:
        name = ".".join(self.table.name())
        self.spark.session.sql(
            f"ALTER TABLE local.{name} SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')"
        )
        self.spark.session.sql(f"DELETE FROM local.{name} WHERE {self.table.schema().find_column_name(1)} % 5 = 2")

    def rename(self, column: int) -> None:
        self.names += 1
        with self.table.update_schema() as update:
            update.rename_column(self.table.schema().find_column_name(column), f"c{self.names}")

    def begin(self) -> None:
        """What every history has: an older schema, and files without ids from before and after a column's other name."""
        for step in (self.append, lambda: self.rename(3), self.add_file_without_ids, lambda: self.rename(3), self.add_file_without_ids):
            self.table.refresh()
            step()

    def step(self) -> None:
        steps = [self.append] * 4 + [self.delete, self.overwrite_day, self.evolve, self.evolve, self.add_file_without_ids, self.delete_by_position]
        self.table.refresh()
        self.random.choice(steps)()


def plain(kind: pyarrow.DataType) -> pyarrow.DataType:
    """Without the field ids that Arrow keeps in its metadata."""
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([pyarrow.field(field.name, plain(field.type)) for field in kind])
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return pyarrow.list_(pyarrow.field("element", plain(kind.value_type)))
    return kind


def canonical(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: canonical(inner) for name, inner in found.items()}
    if isinstance(found, list):
        return [canonical(inner) for inner in found]
    return None if found is None else str(float(found)) if isinstance(found, float) else str(found)


def ordered(table: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(canonical(row)) for row in table)


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_every_snapshot_has_the_rows_that_others_see(
    lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB, seed: int
) -> None:
    random = Random(seed)
    name = f"histories.seed_{seed}"
    lake.export("public.web_logs", "histories.web_logs")  # makes the catalog
    table = catalog.create_table(name, SCHEMA, properties={"format-version": "2"})
    history = History(lake, table, random, spark)
    history.begin()
    for _ in range(12):
        history.step()
    table = catalog.load_table(name)
    snapshots = [snapshot.snapshot_id for snapshot in table.metadata.snapshots]
    compared = set()
    for snapshot in [None, snapshots[0], *random.sample(snapshots[1:], 2)]:
        flags = [] if snapshot is None else ["--snapshot", str(snapshot)]
        ours = ordered(lake.sql(f"select * from {name}", *flags))
        assert ours == ordered(PyIceberg(catalog).rows(name, snapshot=snapshot).to_pylist()), (seed, snapshot)
        try:
            theirs = ordered(duck.rows(name, snapshot=snapshot).to_pylist())
        except Exception:  # What it refuses, as files without field ids.
            continue
        if ours == theirs:
            compared.add(snapshot)
    print(f"seed {seed}: {len(snapshots)} snapshots, DuckDB agrees on {len(compared)}")
    # Of files without ids it makes NULLs, without an error.
    assert snapshots[0] in compared
