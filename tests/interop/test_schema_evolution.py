"""The lake follows its source's columns, one change after the other: every reader finds every snapshot as it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from pyiceberg.catalog import Catalog

from lake import JobFailed, Lake
from readers import Reader, Spark

TABLE = "evolving.things"
SOURCE = "things"
DAYS = ("2024-09-14", "2024-09-15", "2024-09-16")
CREATE = (
    f"CREATE TABLE {SOURCE} (id INTEGER NOT NULL, weight REAL, price NUMERIC(9,2), gone TEXT, code INTEGER,"
    f" at TIMESTAMPTZ); INSERT INTO {SOURCE} SELECT n, n / 4.0, n + 0.25, 'gone ' || n, n * 10,"
    " TIMESTAMPTZ '2024-09-14 12:00+00' + (n % 3) * interval '1 day' FROM generate_series(1, 30) n"
)


@dataclass(frozen=True)
class Change:
    name: str
    sql: str
    # What `changes` of the plan says.
    said: list[str]
    flags: tuple[str, ...] = ()
    # Names of the lake's columns, old → new.
    renamed: dict[str, str] = field(default_factory=dict)


REORDERED = (
    f"CREATE TABLE reordered AS SELECT at, note, code, price, weight, id FROM {SOURCE}; DROP TABLE {SOURCE};"
    f" ALTER TABLE reordered RENAME TO {SOURCE}; ALTER TABLE {SOURCE} ALTER COLUMN id SET NOT NULL"
)
CHANGES = [
    Change("add", f"ALTER TABLE {SOURCE} ADD COLUMN note TEXT; UPDATE {SOURCE} SET note = 'n' || id",
           ["add column note string"]),
    Change("widen", f"ALTER TABLE {SOURCE} ALTER COLUMN id TYPE BIGINT, ALTER COLUMN weight TYPE DOUBLE PRECISION,"
           f" ALTER COLUMN price TYPE NUMERIC(20,2); UPDATE {SOURCE} SET id = id + 5000000000, price = 12345678901.25,"
           " weight = 0.1",
           ["change id from int to long", "change weight from float to double",
            "change price from decimal(9, 2) to decimal(20, 2)"]),
    Change("drop", f"ALTER TABLE {SOURCE} DROP COLUMN gone", []),
    Change("reorder", REORDERED, []),
    Change("rename, the id kept", f"ALTER TABLE {SOURCE} RENAME COLUMN price TO cost", ["rename price to cost"],
           ("--rename", "price=cost"), {"price": "cost"}),
    Change("rename, as drop and add", f"ALTER TABLE {SOURCE} RENAME COLUMN note TO remark",
           ["add column remark string"]),
    Change("NOT NULL relaxed", f"ALTER TABLE {SOURCE} ALTER COLUMN id DROP NOT NULL; UPDATE {SOURCE} SET id = NULL"
           " WHERE id = 5000000003", ["make id optional"]),
    Change("rename the partition's source", f"ALTER TABLE {SOURCE} RENAME COLUMN at TO happened",
           ["rename at to happened"], ("--rename", "at=happened"), {"at": "happened"}),
]

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Step:
    snapshot: int
    columns: list[str]
    rows: Rows


def source_rows(lake: Lake) -> Rows:
    with lake.connect() as cursor:
        cursor.execute(f"SELECT * FROM {SOURCE}")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def is_day(row: dict[str, Any], day: str) -> bool:
    return (row.get("at") or row["happened"]).date().isoformat() == day


@pytest.fixture(scope="module")
def steps(lake: Lake, spark: Spark) -> list[Step]:
    """Each change replaces one day; the other days' files stay as older schemas wrote them."""
    with lake.connect() as cursor:
        cursor.execute(CREATE)
    done = lake.export(f"public.{SOURCE}", TABLE, "--mode", "full", "--partition-by", "day(at)", "--required")
    rows = source_rows(lake)
    steps = [Step(int(done["snapshotId"]), list(rows[0]), rows)]
    for number, change in enumerate(CHANGES):
        with lake.connect() as cursor:
            cursor.execute(change.sql)
        day = DAYS[number % len(DAYS)]
        flags = ("--date", day, *change.flags)
        plan = lake.export(f"public.{SOURCE}", TABLE, "--dry-run", *flags)["plan"]
        assert plan["changes"] == change.said, change.name
        done = lake.export(f"public.{SOURCE}", TABLE, *flags)
        columns = [change.renamed.get(name, name) for name in steps[-1].columns]
        kept = [
            {change.renamed.get(name, name): value for name, value in row.items()}
            for row in steps[-1].rows if not is_day(row, day)
        ]
        fresh = [row for row in source_rows(lake) if is_day(row, day)]
        columns += [name for name in fresh[0] if name not in columns]
        steps.append(Step(int(done["snapshotId"]), columns, kept + fresh))
    return steps


def tuples(rows: Rows, columns: list[str]) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.get(name) for name in columns) for row in rows), key=repr)


@pytest.mark.parametrize("number", range(len(CHANGES) + 1), ids=["created", *(change.name for change in CHANGES)])
def test_every_snapshot_reads_as_it_was(steps: list[Step], reader: Reader, number: int) -> None:
    step = steps[number]
    latest = number == len(CHANGES)
    found = reader.rows(TABLE, snapshot=None if latest else step.snapshot)
    names = found.schema.names
    columns = step.columns
    if names != columns:
        # Some readers show an old snapshot under today's names; columns that came later are NULL then.
        renamed = {old: new for change in CHANGES[number:] for old, new in change.renamed.items()}
        columns = [renamed.get(name, name) for name in step.columns]
        assert names[: len(columns)] == columns
        assert all(set(found.column(name).to_pylist()) == {None} for name in names[len(columns) :])
    rows = list(zip(*(found.column(name).to_pylist() for name in columns), strict=True))
    assert sorted(rows, key=repr) == tuples(step.rows, step.columns)


def test_ids_tell_the_columns_apart(steps: list[Step], catalog: Catalog) -> None:
    assert [str(field) for field in catalog.load_table(TABLE).schema().fields] == [
        "1: id: optional long",
        "2: weight: optional double",
        "3: cost: optional decimal(20, 2)",
        "4: gone: optional string",
        "5: code: optional int",
        "6: happened: optional timestamptz",
        "7: note: optional string",
        "8: remark: optional string",
    ]


def test_the_name_mapping_keeps_older_names(steps: list[Step], catalog: Catalog) -> None:
    mapping = catalog.load_table(TABLE).name_mapping()
    assert {tuple(field.names): field.field_id for field in mapping.root} == {
        ("id",): 1, ("weight",): 2, ("price", "cost"): 3, ("gone",): 4, ("code",): 5, ("at", "happened"): 6,
        ("note",): 7, ("remark",): 8,
    }


def test_a_rename_may_be_said_again(steps: list[Step], lake: Lake) -> None:
    again = ("--date", DAYS[0], "--rename", "at=happened")
    assert lake.export(f"public.{SOURCE}", TABLE, *again, "--dry-run")["plan"]["changes"] == []


def test_a_wrong_rename_changes_nothing(steps: list[Step], lake: Lake) -> None:
    for wrong in ("nothing=cost2", "gone=id"):
        with pytest.raises(JobFailed) as failed:
            lake.export(f"public.{SOURCE}", TABLE, "--date", DAYS[0], "--rename", wrong)
        assert (failed.value.summary["exit"], failed.value.summary["error"]["field"]) == (2, "--rename")


def test_a_partition_source_under_another_name_needs_a_rename(lake: Lake) -> None:
    with lake.connect() as cursor:
        cursor.execute("CREATE TABLE moved AS SELECT 1 AS id, TIMESTAMPTZ '2024-09-14 12:00+00' AS at")
    lake.export("public.moved", "evolving.moved", "--mode", "full", "--partition-by", "day(at)")
    with lake.connect() as cursor:
        cursor.execute("ALTER TABLE moved RENAME COLUMN at TO happened")
    with pytest.raises(JobFailed) as failed:
        lake.export("public.moved", "evolving.moved", "--mode", "full")
    assert failed.value.summary["exit"] == 2
    assert "--rename at=new" in failed.value.summary["error"]["fix"]
    lake.export("public.moved", "evolving.moved", "--mode", "full", "--rename", "at=happened")


@pytest.fixture(scope="module")
def wide(lake: Lake, spark: Spark) -> str:
    name = "evolving.wide"
    with lake.connect() as cursor:
        cursor.execute("CREATE TABLE narrow (a SMALLINT, b INTEGER, c REAL, d NUMERIC(5,2))")
        cursor.execute("INSERT INTO narrow VALUES (-32768, 2147483647, 0.1, -999.99), (NULL, NULL, NULL, NULL)")
    spark.session.sql("CREATE NAMESPACE IF NOT EXISTS local.evolving")
    spark.session.sql(f"CREATE TABLE local.{name} (a BIGINT, b BIGINT, c DOUBLE, d DECIMAL(20, 2)) USING iceberg")
    assert lake.export("public.narrow", name, "--dry-run")["plan"]["changes"] == []
    lake.export("public.narrow", name)
    return name


def test_columns_that_are_wider_in_the_lake(lake: Lake, wide: str, reader: Reader) -> None:
    rows = reader.rows(wide)
    found = sorted(zip(*(rows.column(column).to_pylist() for column in "abcd"), strict=True), key=repr)
    wanted = lake.source_rows("SELECT a, b, c::float8, d FROM narrow")
    assert found == sorted(wanted, key=repr)
