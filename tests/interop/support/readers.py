"""Foreign readers behind one interface: rows, conditions and snapshots in, Arrow out."""

from __future__ import annotations

import importlib.util
import operator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import polars
import pyarrow
import pyarrow.parquet
from pyiceberg import expressions
from pyiceberg.catalog import Catalog
from pyspark.sql import SparkSession

from lake import Lake


@dataclass(frozen=True)
class Condition:
    """`column operator value`; a list of them is a conjunction."""

    column: str
    operator: str
    value: Any

    @property
    def sql(self) -> str:
        return f"{self.column} {self.operator} {literal(self.value)}"

    @property
    def iceberg(self) -> expressions.BooleanExpression:
        value = self.value.isoformat() if isinstance(self.value, date) else self.value
        return {
            "=": expressions.EqualTo,
            ">=": expressions.GreaterThanOrEqual,
            "<": expressions.LessThan,
        }[self.operator](self.column, value)

    @property
    def polars(self) -> polars.Expr:
        compare = {"=": operator.eq, ">=": operator.ge, "<": operator.lt}[self.operator]
        return compare(polars.col(self.column), polars.lit(self.value))


def literal(value: Any) -> str:
    if isinstance(value, datetime):
        return f"TIMESTAMP WITH TIME ZONE '{value.isoformat(' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def where(conditions: list[Condition]) -> str:
    return "".join(f" {'AND' if i else 'WHERE'} {c.sql}" for i, c in enumerate(conditions))


class Reader(Protocol):
    name: str

    def rows(self, table: str, conditions: list[Condition] = [], snapshot: int | None = None) -> pyarrow.Table:
        """All columns of the rows that meet the conditions, as of a snapshot."""

    def count(self, table: str) -> int:
        """The number of rows, in the way that needs no data file."""

    def parquet(self, location: str) -> pyarrow.Table:
        """A plain Parquet file."""


@dataclass(frozen=True)
class PyIceberg:
    catalog: Catalog
    name: str = "pyiceberg"

    def rows(self, table: str, conditions: list[Condition] = [], snapshot: int | None = None) -> pyarrow.Table:
        expression: expressions.BooleanExpression = expressions.AlwaysTrue()
        for condition in conditions:
            expression = expressions.And(expression, condition.iceberg)
        return self.catalog.load_table(table).scan(expression, snapshot_id=snapshot).to_arrow()

    def count(self, table: str) -> int:
        return self.catalog.load_table(table).scan().count()

    def parquet(self, location: str) -> pyarrow.Table:
        return pyarrow.parquet.ParquetFile(location).read()


@dataclass(frozen=True)
class Polars:
    catalog: Catalog
    name: str = "polars"

    def scan(self, table: str, snapshot: int | None = None) -> polars.LazyFrame:
        loaded = self.catalog.load_table(table)
        return polars.scan_iceberg(loaded, snapshot_id=snapshot, storage_options=dict(loaded.io.properties))

    def rows(self, table: str, conditions: list[Condition] = [], snapshot: int | None = None) -> pyarrow.Table:
        scan = self.scan(table, snapshot)
        for condition in conditions:
            scan = scan.filter(condition.polars)
        return scan.collect().to_arrow()

    def count(self, table: str) -> int:
        return self.scan(table).select(polars.len()).collect().item()

    def parquet(self, location: str) -> pyarrow.Table:
        return polars.scan_parquet(location).collect().to_arrow()


@dataclass(frozen=True)
class DuckDB:
    connection: duckdb.DuckDBPyConnection
    catalog: Catalog
    name: str = "duckdb"

    def scan(self, table: str, snapshot: int | None = None) -> str:
        # DuckDB has no SQL catalog: it is given the place of the metadata.
        version = f", snapshot_from_id = {snapshot}" if snapshot is not None else ""
        return f"iceberg_scan('{self.catalog.load_table(table).metadata_location}'{version})"

    def rows(self, table: str, conditions: list[Condition] = [], snapshot: int | None = None) -> pyarrow.Table:
        query = f"SELECT * FROM {self.scan(table, snapshot)}{where(conditions)}"
        return self.connection.sql(query).to_arrow_table()

    def count(self, table: str) -> int:
        return self.connection.sql(f"SELECT count(*) FROM {self.scan(table)}").fetchall()[0][0]

    def parquet(self, location: str) -> pyarrow.Table:
        return self.connection.sql(f"SELECT * FROM read_parquet('{location}')").to_arrow_table()


@dataclass(frozen=True)
class Spark:
    session: SparkSession
    name: str = "spark"

    def rows(self, table: str, conditions: list[Condition] = [], snapshot: int | None = None) -> pyarrow.Table:
        version = f" VERSION AS OF {snapshot}" if snapshot is not None else ""
        text = where(conditions).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMP")
        return self.session.sql(f"SELECT * FROM local.{table}{version}{text}").toArrow()

    def count(self, table: str) -> int:
        return self.session.sql(f"SELECT count(*) FROM local.{table}").collect()[0][0]

    def parquet(self, location: str) -> pyarrow.Table:
        return self.session.read.parquet(location).toArrow()


def extension(name: str) -> Path:
    """The file of a DuckDB extension that PyPI has."""
    package = importlib.util.find_spec(f"duckdb_extension_{name}")
    (file,) = Path(package.submodule_search_locations[0]).rglob("*.duckdb_extension")
    return file


def open_duckdb(lake: Lake) -> duckdb.DuckDBPyConnection:
    """DuckDB with the extensions that PyPI has; it fetches none by itself."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    # iceberg loads avro, which would otherwise be looked for in the home folder.
    for name in ("avro", "httpfs", "iceberg"):
        connection.execute(f"LOAD '{extension(name)}'")
    connection.execute("SET TimeZone = 'UTC'")
    s = lake.servers
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{s.accessKeyId}', SECRET '{s.secretAccessKey}', REGION 'us-east-1',"
        f" ENDPOINT '{s.endpoint.removeprefix('http://')}', USE_SSL false, URL_STYLE 'path')"
    )
    return connection


def open_spark(lake: Lake, jars: str) -> SparkSession:
    """One session for all tests, with the catalog `local` and, made by Spark alone, the catalog `legacy`."""
    s = lake.servers
    builder = SparkSession.builder.master("local[2]").config("spark.jars", jars)
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(lake.folder / "spark-warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        **jdbc_catalog(lake, "local", "lake"),
        "spark.sql.catalog.local.jdbc.schema-version": "V1",
        # Without a schema-version Spark makes the catalog's tables as V0.
        **jdbc_catalog(lake, "legacy", "legacy"),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def jdbc_catalog(lake: Lake, name: str, database: str) -> dict[str, str]:
    s = lake.servers
    prefix = f"spark.sql.catalog.{name}"
    return {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.type": "jdbc",
        f"{prefix}.uri": f"jdbc:postgresql://{s.host}:{s.port}/{database}",
        f"{prefix}.jdbc.user": s.user,
        f"{prefix}.jdbc.password": s.password,
        f"{prefix}.warehouse": lake.warehouse,
        f"{prefix}.cache-enabled": "false",
        # file:// and s3:// tables in one catalog.
        f"{prefix}.io-impl": "org.apache.iceberg.io.ResolvingFileIO",
        f"{prefix}.s3.endpoint": s.endpoint,
        f"{prefix}.s3.path-style-access": "true",
        f"{prefix}.s3.access-key-id": s.accessKeyId,
        f"{prefix}.s3.secret-access-key": s.secretAccessKey,
        f"{prefix}.client.region": "us-east-1",
    }
