"""Reads snapshots of tables by their metadata files, for others to compare: a request a line on stdin, answers on stdout.
PyIceberg is asked each time, Spark and DuckDB where everyone is. Rows are `day|n|text`, the columns of ids 1, 2 and 3."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Callable, Iterable

import duckdb
from pyiceberg.table import StaticTable
from pyspark.sql import SparkSession

from readers import extension

FIELDS = (1, 2, 3)
Rows = Iterable[tuple[Any, ...]]


def names_of(metadata: str, snapshot: int) -> list[str]:
    """The columns' names as of a snapshot."""
    table = StaticTable.from_metadata(metadata)
    schema = table.scan(snapshot_id=snapshot).projection()
    return [schema.find_field(field).name for field in FIELDS]


def by_pyiceberg(metadata: str, snapshot: int, names: list[str]) -> Rows:
    scan = StaticTable.from_metadata(metadata).scan(snapshot_id=snapshot, selected_fields=tuple(names))
    arrow = scan.to_arrow()
    return zip(*(arrow.column(name).to_pylist() for name in names), strict=True)


def by_duckdb(metadata: str, snapshot: int, names: list[str]) -> Rows:
    query = f"SELECT {', '.join(names)} FROM iceberg_scan('{metadata}', snapshot_from_id = {snapshot})"
    return duck().sql(query).fetchall()


def by_spark(metadata: str, snapshot: int, names: list[str]) -> Rows:
    # Its vectorized reader (1.10.1) throws a ClassCastException for a widened int that is annotated, as DuckDB's are.
    read = spark().read.format("iceberg").option("snapshot-id", snapshot).option("vectorization-enabled", "false")
    return [tuple(row) for row in read.load(metadata).select(*names).collect()]


opened: dict[str, Any] = {}


def duck() -> duckdb.DuckDBPyConnection:
    if "duckdb" not in opened:
        opened["duckdb"] = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        for name in ("avro", "iceberg"):
            opened["duckdb"].execute(f"LOAD '{extension(name)}'")
    return opened["duckdb"]


def spark() -> SparkSession:
    if "spark" not in opened:
        jars = sorted(Path(os.environ["LAKEJOBS_SPARK_JARS"]).glob("*.jar"))
        builder = SparkSession.builder.master("local[1]").config("spark.jars", ",".join(map(str, jars)))
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.catalogImplementation": "in-memory",
            "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        }
        for name, value in settings.items():
            builder = builder.config(name, value)
        opened["spark"] = builder.getOrCreate()
        opened["spark"].sparkContext.setLogLevel("ERROR")
    return opened["spark"]


def answer(name: str, read: Callable[[str, int, list[str]], Rows], metadata: str, snapshot: int) -> dict[str, Any]:
    try:
        rows = read(metadata, snapshot, names_of(metadata, snapshot))
        lines = sorted(("|".join(map(str, row)) + "\n").encode() for row in rows)
        found = {"rows": len(lines), "hash": hashlib.sha256(b"".join(lines)).hexdigest()}
    except Exception as error:  # whoever compares is told
        found = {"rows": -1, "hash": f"{type(error).__name__}: {error}"[:300]}
    return {"reader": name, "snapshot": str(snapshot), **found}


# Nothing but answers on stdout, whatever libraries and Spark's gateway print there.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    request = json.loads(line)
    readers: dict[str, Callable[[str, int, list[str]], Rows]] = {"pyiceberg": by_pyiceberg}
    if request["everyone"]:
        readers |= {"duckdb": by_duckdb, "spark": by_spark}
    print(
        json.dumps([
            answer(name, read, request["metadata"], int(snapshot))
            for name, read in readers.items() for snapshot in request["snapshots"]
        ]),
        file=answers, flush=True,
    )
if "spark" in opened:
    opened["spark"].stop()
