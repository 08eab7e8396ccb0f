"""web_logs as every reader sees it: unpartitioned and by day, in a folder and in MinIO."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pyarrow
import pytest
from pyiceberg.catalog import Catalog

from lake import Lake, gone
from readers import Condition, Reader

COLUMNS = ["timestamp", "user_id", "url", "response_time", "status_code"]
TABLES = ["default.web_logs", "default.web_logs_by_day", "minio.web_logs", "minio.web_logs_by_day"]


@pytest.fixture(scope="module", autouse=True)
def exported(lake: Lake) -> None:
    for namespace in ("default", "minio"):
        store = {"WAREHOUSE": "s3://lake/iceberg"} if namespace == "minio" else {}
        lake.export("public.web_logs", f"{namespace}.web_logs", **store)
        by_day = ("--mode", "full", "--partition-by", "day(timestamp)")
        lake.export("public.web_logs", f"{namespace}.web_logs_by_day", *by_day, **store)


def tuples(table: pyarrow.Table) -> list[tuple[Any, ...]]:
    return sorted(zip(*(table.column(name).to_pylist() for name in COLUMNS), strict=True))


def expected(lake: Lake, where: str = "true") -> list[tuple[Any, ...]]:
    return sorted(lake.source_rows(f"SELECT {', '.join(COLUMNS)} FROM web_logs WHERE {where}"))


@pytest.mark.parametrize("table", TABLES)
def test_every_value_is_postgresqls(lake: Lake, reader: Reader, table: str) -> None:
    rows = reader.rows(table)

    assert rows.schema.names == COLUMNS
    assert rows.schema.field("timestamp").type == pyarrow.timestamp("us", "UTC")
    assert tuples(rows) == expected(lake)


@pytest.mark.parametrize("table", TABLES)
def test_schema_is_the_contracts(catalog: Catalog, table: str) -> None:
    assert [str(field) for field in catalog.load_table(table).schema().fields] == [
        "1: timestamp: optional timestamptz",
        "2: user_id: optional int",
        "3: url: optional string",
        "4: response_time: optional int",
        "5: status_code: optional int",
    ]


@pytest.mark.parametrize("table", TABLES)
def test_sparks_schema_is_the_contracts(spark: Any, table: str) -> None:
    schema = spark.session.table(f"local.{table}").schema
    assert [(f.name, f.dataType.simpleString(), f.nullable) for f in schema] == [
        ("timestamp", "timestamp", True),
        ("user_id", "int", True),
        ("url", "string", True),
        ("response_time", "int", True),
        ("status_code", "int", True),
    ]


FILTERS = {
    "one day": ([Condition("timestamp", ">=", datetime(2024, 9, 14, tzinfo=timezone.utc)),
                 Condition("timestamp", "<", datetime(2024, 9, 15, tzinfo=timezone.utc))]),
    "one user": [Condition("user_id", "=", 500)],
    "a text": [Condition("url", "=", "/api/products")],
    "nobody": [Condition("user_id", "=", 1001)],
}


@pytest.mark.parametrize("table", ["default.web_logs", "default.web_logs_by_day"])
@pytest.mark.parametrize("conditions", FILTERS.values(), ids=FILTERS)
def test_filters_find_what_postgresql_finds(
    lake: Lake, reader: Reader, table: str, conditions: list[Condition]
) -> None:
    wanted = expected(lake, " AND ".join(condition.sql for condition in conditions))
    assert tuples(reader.rows(table, conditions)) == wanted


def data_files(catalog: Catalog, table: str) -> list[str]:
    return [task.file.file_path for task in catalog.load_table(table).scan().plan_files()]


def test_a_day_is_read_from_its_files_alone(lake: Lake, catalog: Catalog, reader: Reader) -> None:
    others = [file for file in data_files(catalog, "default.web_logs_by_day") if "2024-09-14" not in file]
    assert len(others) == 6
    with gone(others):
        rows = reader.rows("default.web_logs_by_day", FILTERS["one day"])
        with pytest.raises(Exception):
            reader.rows("default.web_logs_by_day")
    assert tuples(rows) == expected(lake, "timestamp >= '2024-09-14' AND timestamp < '2024-09-15'")


@pytest.mark.parametrize("table", ["default.web_logs", "default.web_logs_by_day"])
def test_rows_are_counted_from_metadata(catalog: Catalog, reader: Reader, table: str) -> None:
    with gone(data_files(catalog, table)):
        assert reader.count(table) == 10_000


def test_spark_answers_minimum_and_maximum_from_metadata(lake: Lake, catalog: Catalog, spark: Any) -> None:
    columns = "min(timestamp), max(timestamp), min(user_id), max(status_code), count(url)"
    with gone(data_files(catalog, "default.web_logs")):
        (row,) = spark.session.sql(f"SELECT {columns} FROM local.default.web_logs").collect()
    ((first, last, *rest),) = lake.source_rows(f"SELECT {columns} FROM web_logs")
    assert tuple(row) == (first.replace(tzinfo=None), last.replace(tzinfo=None), *rest)
