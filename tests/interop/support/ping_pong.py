"""Ping-pong on one table: ours, PyIceberg and Spark append, overwrite a day, delete and evolve, in an order that a seed
decides, while a model in memory says what every reader has to find. scripts/campaign ping-pong runs it at length."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any, Callable

import pyarrow
from pyiceberg import expressions
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.types import IntegerType, LongType, StringType

from invariants import check_history, check_totals
from lake import Lake
from readers import DuckDB, PyIceberg, Reader, Spark

FIRST_DAY = date(2024, 9, 1)
DAYS = 6
MOST_COLUMNS = 12
ARROW = {
    "time": pyarrow.timestamp("us", "UTC"), "int": pyarrow.int32(), "long": pyarrow.int64(), "text": pyarrow.string()
}
POSTGRES = {"time": "timestamptz", "int": "integer", "long": "bigint", "text": "text"}
SPARK = {"int": "INT", "long": "BIGINT", "text": "STRING"}
ICEBERG = {"int": IntegerType(), "long": LongType(), "text": StringType()}

Row = dict[str, Any]


@dataclass
class State:
    """What the table has to hold: column → kind, in any order, and the rows by column; `id` tells them apart."""

    columns: dict[str, str]
    rows: list[Row] = field(default_factory=list)

    def tuples(self) -> list[tuple[Any, ...]]:
        names = sorted(self.columns)
        return sorted((tuple(row.get(name) for name in names) for row in self.rows), key=repr)


class Disagreement(AssertionError):
    """A reader found something else than the model."""


@dataclass
class PingPong:
    lake: Lake
    catalog: Catalog
    spark: Spark
    duck: DuckDB
    seed: int
    table: str
    source: str
    log: Callable[[str], None] = lambda line: None

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.numbers = iter(range(1, 1_000_000))
        self.at = "at"
        self.state = State({"at": "time", "id": "int", "name": "text"})
        # The columns of PostgreSQL's table: fewer or narrower than the lake's.
        self.source_columns = dict(self.state.columns)
        self.past: dict[int, State] = {}
        self.counts: dict[str, int] = {}
        self.steps_done = 0
        columns = ", ".join(f"{name} {POSTGRES[kind]}" for name, kind in self.source_columns.items())
        self.sql(f"DROP TABLE IF EXISTS {self.source}; CREATE TABLE {self.source} ({columns})")
        self.fill_source(self.days())
        self.export("--mode", "full", "--partition-by", f"day({self.at})")
        self.state.rows = self.source_rows()
        self.check(everyone=True)

    # What is done

    def step(self) -> None:
        """One operation of one writer, then what every reader is asked."""
        operations = [
            (3, self.ours_replaces_a_day), (1, self.ours_replaces_all), (1, self.ours_follows_a_new_column),
            (1, self.ours_follows_a_wider_column), (1, self.ours_renames), (1, self.ours_follows_a_dropped_column),
            (3, self.pyiceberg_appends), (2, self.pyiceberg_replaces_a_day), (1, self.pyiceberg_deletes),
            (1, self.pyiceberg_evolves), (3, self.spark_appends), (2, self.spark_replaces_a_day),
            (2, self.spark_deletes), (1, self.spark_evolves), (1, self.spark_changes_the_spec),
            (3, self.ours_compacts), (1, self.ours_expires), (1, self.ours_removes_orphans),
        ]
        weights, functions = zip(*operations)
        operation = self.random.choices(functions, weights)[0]
        self.steps_done += 1
        name = operation.__name__
        done = operation()
        self.log(f"{self.steps_done:4d} {name}{'' if done is not False else ' (not possible now)'}")
        if done is not False:
            self.counts[name] = self.counts.get(name, 0) + 1
        self.check(everyone=self.steps_done % 10 == 0)

    def ours_replaces_a_day(self) -> None:
        day = self.day()
        self.fill_source([day])
        self.export("--date", day.isoformat())
        self.replace_in_model(day, [row for row in self.source_rows() if row[self.at].date() == day])

    def ours_replaces_all(self) -> None:
        self.fill_source(self.days())
        self.export("--mode", "full")
        self.state.rows = self.source_rows()

    def ours_follows_a_new_column(self) -> bool | None:
        if len(self.state.columns) >= MOST_COLUMNS:
            return False
        name, kind = f"ours_{self.steps_done}", self.random.choice(["int", "long", "text"])
        self.sql(f"ALTER TABLE {self.source} ADD COLUMN {name} {POSTGRES[kind]}")
        self.source_columns[name] = self.state.columns[name] = kind
        return self.ours_replaces_a_day()

    def ours_follows_a_wider_column(self) -> bool | None:
        narrow = [name for name, kind in self.source_columns.items() if kind == "int"]
        if not narrow:
            return False
        name = self.random.choice(narrow)
        self.sql(f"ALTER TABLE {self.source} ALTER COLUMN {name} TYPE bigint")
        self.source_columns[name] = self.state.columns[name] = "long"
        return self.ours_replaces_a_day()

    def ours_renames(self) -> None:
        """Of the day's column, too: the partition's source."""
        old = self.random.choice([name for name in self.source_columns if name != "id"])
        new = f"{old.split('_r')[0]}_r{self.steps_done}"
        self.sql(f"ALTER TABLE {self.source} RENAME COLUMN {old} TO {new}")
        self.source_columns = {new if n == old else n: kind for n, kind in self.source_columns.items()}
        self.rename_in_model(old, new)
        self.at = new if old == self.at else self.at
        day = self.day()
        self.fill_source([day])
        self.export("--date", day.isoformat(), "--rename", f"{old}={new}")
        self.replace_in_model(day, [row for row in self.source_rows() if row[self.at].date() == day])

    def ours_follows_a_dropped_column(self) -> bool | None:
        droppable = [name for name in self.source_columns if name not in ("id", self.at)]
        if len(droppable) < 2:
            return False
        name = self.random.choice(droppable)
        self.sql(f"ALTER TABLE {self.source} DROP COLUMN {name}")
        del self.source_columns[name]
        return self.ours_replaces_a_day()

    def ours_compacts(self) -> None:
        self.maintain("compact", "--min-files", "2")

    def ours_expires(self) -> None:
        self.maintain("expire", "--older-than", "0", "--keep", "5", "--keep-before-shrink", "0")
        kept = {snapshot.snapshot_id for snapshot in self.load().snapshots()}
        self.past = {snapshot: state for snapshot, state in self.past.items() if snapshot in kept}

    def ours_removes_orphans(self) -> None:
        self.maintain("orphans", "--orphan-age", "0", "--allow-young-orphans", "--max-orphans", "100%", "--delete")

    def pyiceberg_appends(self) -> None:
        rows = self.make_rows([self.day() for _ in range(self.random.randint(1, 20))])
        self.load().append(self.arrow(rows))
        self.state.rows += rows

    def pyiceberg_replaces_a_day(self) -> None:
        day = self.day()
        rows = self.make_rows([day] * self.random.randint(1, 20))
        start, end = (f"{d.isoformat()}T00:00:00+00:00" for d in (day, day + timedelta(days=1)))
        within = expressions.And(
            expressions.GreaterThanOrEqual(self.at, start), expressions.LessThan(self.at, end)
        )
        self.load().overwrite(self.arrow(rows), overwrite_filter=within)
        self.replace_in_model(day, rows)

    def pyiceberg_deletes(self) -> bool | None:
        gone = self.some_ids()
        if not gone:
            return False
        self.load().delete(expressions.In("id", gone))
        self.state.rows = [row for row in self.state.rows if row["id"] not in gone]
        return None

    def pyiceberg_evolves(self) -> bool | None:
        return self.foreign_evolution("pyiceberg", self.pyiceberg_alters)

    def spark_appends(self) -> None:
        rows = self.make_rows([self.day() for _ in range(self.random.randint(1, 20))])
        self.insert(rows, "INSERT INTO {table} {columns} {values}")
        self.state.rows += rows

    def spark_replaces_a_day(self) -> None:
        day = self.day()
        rows = self.make_rows([day] * self.random.randint(1, 20))
        self.insert(rows, f"INSERT INTO {{table}} REPLACE WHERE {self.spark_day(day)} {{values}}")
        self.replace_in_model(day, rows)

    def spark_deletes(self) -> bool | None:
        """Into delete files or by writing anew, as the seed wants it."""
        gone = self.some_ids()
        if not gone:
            return False
        mode = self.random.choice(["merge-on-read", "copy-on-write"])
        self.spark_sql(f"ALTER TABLE local.{self.table} SET TBLPROPERTIES ('write.delete.mode' = '{mode}')")
        self.spark_sql(f"DELETE FROM local.{self.table} WHERE id IN ({', '.join(map(str, gone))})")
        self.state.rows = [row for row in self.state.rows if row["id"] not in gone]
        return None

    def spark_evolves(self) -> bool | None:
        return self.foreign_evolution("spark", self.spark_alters)

    def spark_changes_the_spec(self) -> None:
        """Days stay in it; the days' rows spread over two partitions each, or no longer."""
        has_bucket = len(self.load().spec().fields) > 1
        change = "DROP" if has_bucket else "ADD"
        self.spark_sql(f"ALTER TABLE local.{self.table} {change} PARTITION FIELD bucket(2, id)")

    # How it is done

    def foreign_evolution(self, writer: str, alter: Callable[[str, str, str], None]) -> bool | None:
        """Adds a column, widens one (the source keeps its narrower), or renames one that the source has not."""
        foreign = [name for name in self.state.columns if name not in self.source_columns]
        narrow = [name for name, kind in self.state.columns.items() if kind == "int"]
        kinds = ["add"] if len(self.state.columns) < MOST_COLUMNS else []
        kinds += (["rename"] if foreign else []) + (["widen"] if narrow else [])
        if not kinds:
            return False
        match self.random.choice(kinds):
            case "add":
                name, kind = f"{writer}_{self.steps_done}", self.random.choice(["int", "text"])
                alter("add", name, kind)
                self.state.columns[name] = kind
            case "rename":
                old = self.random.choice(foreign)
                new = f"{old.split('_r')[0]}_r{self.steps_done}"
                alter("rename", old, new)
                self.rename_in_model(old, new)
            case _:
                name = self.random.choice(narrow)
                alter("widen", name, "long")
                self.state.columns[name] = "long"
        return None

    def pyiceberg_alters(self, what: str, name: str, to: str) -> None:
        with self.load().update_schema() as update:
            match what:
                case "add":
                    update.add_column(name, ICEBERG[to])
                case "rename":
                    update.rename_column(name, to)
                case _:
                    update.update_column(name, ICEBERG[to])

    def spark_alters(self, what: str, name: str, to: str) -> None:
        change = {
            "add": f"ADD COLUMN {name} {SPARK.get(to)}",
            "rename": f"RENAME COLUMN {name} TO {to}",
            "widen": f"ALTER COLUMN {name} TYPE {SPARK.get(to)}",
        }[what]
        self.spark_sql(f"ALTER TABLE local.{self.table} {change}")

    def insert(self, rows: list[Row], statement: str) -> None:
        names = [f.name for f in self.load().schema().fields]
        kinds = self.state.columns
        values = ", ".join(f"({', '.join(spark_literal(row.get(n), kinds[n]) for n in names)})" for row in rows)
        filled = statement.format(
            table=f"local.{self.table}", columns=f"({', '.join(names)})", values=f"VALUES {values}"
        )
        self.spark_sql(filled)

    def spark_day(self, day: date) -> str:
        start, end = (f"TIMESTAMP '{d.isoformat()} 00:00:00Z'" for d in (day, day + timedelta(days=1)))
        return f"{self.at} >= {start} AND {self.at} < {end}"

    def spark_sql(self, statement: str) -> None:
        self.spark.session.sql(statement)

    def sql(self, statement: str) -> None:
        with self.lake.connect() as cursor:
            cursor.execute(statement)

    def export(self, *flags: str) -> None:
        self.lake.export(f"public.{self.source}", self.table, "--max-shrink", "100%", *flags)

    def maintain(self, operation: str, *flags: str) -> None:
        self.lake.job("maintain", operation, "--table", self.table, *flags)

    def load(self) -> Table:
        return self.catalog.load_table(self.table)

    def days(self) -> list[date]:
        return [FIRST_DAY + timedelta(days=n) for n in range(DAYS)]

    def day(self) -> date:
        return self.random.choice(self.days())

    def some_ids(self) -> list[int]:
        ids = [row["id"] for row in self.state.rows]
        return self.random.sample(ids, min(len(ids), self.random.randint(1, 8)))

    def make_rows(self, days: list[date], columns: dict[str, str] | None = None) -> list[Row]:
        return [
            {name: self.value(name, kind, day) for name, kind in (columns or self.state.columns).items()}
            for day in days
        ]

    def value(self, name: str, kind: str, day: date) -> Any:
        number = next(self.numbers)
        if kind == "time":
            micros = self.random.choice([0, 86_399_999_999, self.random.randrange(86_400_000_000)])
            return datetime(day.year, day.month, day.day, tzinfo=timezone.utc) + timedelta(microseconds=micros)
        if name != "id" and self.random.random() < 0.2:
            return None
        return f"text {number} ü" if kind == "text" else number

    def arrow(self, rows: list[Row]) -> pyarrow.Table:
        fields = [pyarrow.field(f.name, ARROW[self.state.columns[f.name]]) for f in self.load().schema().fields]
        return pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(fields))

    def fill_source(self, days: list[date]) -> None:
        """These days' rows in PostgreSQL, made anew; sometimes a day has none."""
        rows = self.make_rows([day for day in days for _ in range(self.random.randint(0, 20))], self.source_columns)
        with self.lake.connect() as cursor:
            cursor.execute(f"DELETE FROM {self.source} WHERE ({self.at} AT TIME ZONE 'UTC')::date = ANY(%s)", (days,))
            places = ", ".join(["%s"] * len(self.source_columns))
            statement = f"INSERT INTO {self.source} ({', '.join(self.source_columns)}) VALUES ({places})"
            cursor.executemany(statement, [tuple(row.values()) for row in rows])

    def source_rows(self) -> list[Row]:
        names = list(self.source_columns)
        return [
            dict(zip(names, row, strict=True))
            for row in self.lake.source_rows(f"SELECT {', '.join(names)} FROM {self.source}")
        ]

    def replace_in_model(self, day: date, rows: list[Row]) -> None:
        self.state.rows = [row for row in self.state.rows if row[self.at].date() != day] + rows

    def rename_in_model(self, old: str, new: str) -> None:
        self.state.columns = {new if name == old else name: kind for name, kind in self.state.columns.items()}
        self.state.rows = [{new if name == old else name: v for name, v in row.items()} for row in self.state.rows]

    # What has to hold

    def check(self, everyone: bool) -> None:
        table = self.load()
        check_history(table)
        check_totals(table)
        snapshot = table.current_snapshot().snapshot_id
        self.past.setdefault(snapshot, deepcopy(self.state))
        readers: list[Reader] = [PyIceberg(self.catalog)]
        if everyone:
            readers += [self.spark, self.duck]
        for reader in readers:
            self.compare(reader, self.state)
        if everyone:
            old = self.random.choice(list(self.past))
            self.compare(PyIceberg(self.catalog), self.past[old], old)
            self.compare(self.spark, self.past[old], old)

    def compare(self, reader: Reader, state: State, snapshot: int | None = None) -> None:
        rows = reader.rows(self.table, snapshot=snapshot)
        names = sorted(state.columns)
        if sorted(rows.schema.names) != names:
            raise Disagreement(f"{reader.name} sees the columns {sorted(rows.schema.names)}, not {names}")
        found = sorted(zip(*(rows.column(name).to_pylist() for name in names), strict=True), key=repr)
        wanted = state.tuples()
        if found != wanted:
            missing, more = set(wanted) - set(found), set(found) - set(wanted)
            raise Disagreement(
                f"{reader.name}, step {self.steps_done}, snapshot {snapshot}: {len(found)} rows of {len(wanted)};"
                f" missing {list(missing)[:3]}, more {list(more)[:3]}"
            )


def spark_literal(value: Any, kind: str) -> str:
    if value is None:
        return "NULL"
    if kind == "time":
        return f"TIMESTAMP '{value.isoformat(' ')}'"
    return f"'{value}'" if kind == "text" else f"CAST({value} AS {SPARK[kind]})"
