"""Tables that PyIceberg and Spark write too: they append to ours, we replace and read theirs."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pandas
import pyarrow
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.schema import Schema
from pyiceberg.types import IntegerType, NestedField, StringType, TimestamptzType

from lake import JobFailed, Lake
from readers import PyIceberg, Reader, Spark

DAY = datetime(2024, 9, 14, 12, tzinfo=timezone.utc)
# As the reference declares it.
SCHEMA = Schema(
    NestedField(1, "timestamp", TimestamptzType(), required=False),
    NestedField(2, "user_id", IntegerType(), required=False),
    NestedField(3, "url", StringType(), required=False),
    NestedField(4, "response_time", IntegerType(), required=False),
    NestedField(5, "status_code", IntegerType(), required=False),
)


def frame(day: datetime, rows: int) -> pandas.DataFrame:
    """Rows as SQLAlchemy's fetchall gives them to the reference's script."""
    values = [(day, n, f"/foreign/{n}", 10, 200) for n in range(1, rows + 1)]
    data = pandas.DataFrame(values, columns=[field.name for field in SCHEMA.fields])
    return data.astype({"user_id": "int32", "response_time": "int32", "status_code": "int32"})


def logs(lake: Lake, where: str = "true") -> list[tuple[Any, ...]]:
    columns = ", ".join(field.name for field in SCHEMA.fields)
    return sorted(lake.source_rows(f"SELECT {columns} FROM web_logs WHERE {where}"))


def tuples(table: pyarrow.Table) -> list[tuple[Any, ...]]:
    return sorted(zip(*(table.column(field.name).to_pylist() for field in SCHEMA.fields), strict=True))


def foreign(day: datetime, rows: int) -> list[tuple[Any, ...]]:
    return [(day, n, f"/foreign/{n}", 10, 200) for n in range(1, rows + 1)]


def test_the_references_flow_appends_to_ours(lake: Lake, catalog: Catalog, reader: Reader) -> None:
    name = f"ours.reference_{reader.name}"
    lake.export("public.web_logs", name)
    catalog.load_table(name).append(pa_table(frame(DAY, 50)))
    assert tuples(reader.rows(name)) == sorted(logs(lake) + foreign(DAY, 50))

    lake.export("public.web_logs", name)
    assert tuples(reader.rows(name)) == logs(lake)


def pa_table(data: pandas.DataFrame) -> pyarrow.Table:
    return pyarrow.Table.from_pandas(data, preserve_index=False)


def test_pyiceberg_appends_to_days_of_ours(lake: Lake, catalog: Catalog, reader: Reader) -> None:
    name = f"ours.days_{reader.name}"
    lake.export("public.web_logs", name, "--mode", "full", "--partition-by", "day(timestamp)")
    later = datetime(2024, 9, 20, 23, 59, 59, 999999, tzinfo=timezone.utc)
    catalog.load_table(name).append(pa_table(pandas.concat([frame(DAY, 20), frame(later, 30)])))
    assert tuples(reader.rows(name)) == sorted(logs(lake) + foreign(DAY, 20) + foreign(later, 30))

    # Of the days, ours replaces the one it is asked for: PyIceberg's rows of that day go, the others stay.
    lake.export("public.web_logs", name, "--date", "2024-09-14")
    assert tuples(reader.rows(name)) == sorted(logs(lake) + foreign(later, 30))


def test_spark_appends_to_and_overwrites_ours(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    name = "ours.spark"
    lake.export("public.web_logs", name, "--mode", "full", "--partition-by", "day(timestamp)")
    sql = spark.session.sql
    sql(f"INSERT INTO local.{name} VALUES (TIMESTAMP '2024-09-14 12:00:00Z', 1, '/foreign/1', 10, 200)")
    for reader in (PyIceberg(catalog), spark):
        assert tuples(reader.rows(name)) == sorted(logs(lake) + foreign(DAY, 1))

    lake.export("public.web_logs", name, "--date", "2024-09-14")
    assert tuples(spark.rows(name)) == logs(lake)

    sql("SET spark.sql.sources.partitionOverwriteMode=dynamic")
    sql(f"INSERT OVERWRITE local.{name} VALUES (TIMESTAMP '2024-09-14 12:00:00Z', 1, '/foreign/1', 10, 200)")
    others = logs(lake, "timestamp < '2024-09-14' OR timestamp >= '2024-09-15'")
    assert tuples(spark.rows(name)) == sorted(others + foreign(DAY, 1))
    lake.export("public.web_logs", name, "--date", "2024-09-14")
    assert tuples(PyIceberg(catalog).rows(name)) == logs(lake)

    # Spark's row-level DELETE rewrites files (copy-on-write); its delete files (merge-on-read) go with a full export.
    sql(f"DELETE FROM local.{name} WHERE user_id = 500")
    assert tuples(spark.rows(name)) == logs(lake, "user_id <> 500")
    sql(f"ALTER TABLE local.{name} SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')")
    sql(f"DELETE FROM local.{name} WHERE user_id = 501")
    assert tuples(spark.rows(name)) == logs(lake, "user_id NOT IN (500, 501)")
    lake.export("public.web_logs", name, "--mode", "full")
    for reader in (PyIceberg(catalog), spark):
        assert tuples(reader.rows(name)) == logs(lake)
    summary = catalog.load_table(name).current_snapshot().summary
    assert (summary["total-records"], summary["total-delete-files"]) == ("10000", "0")


def test_we_replace_a_table_that_pyiceberg_made(lake: Lake, catalog: Catalog, reader: Reader) -> None:
    catalog.create_namespace_if_not_exists("theirs")
    name = f"theirs.pyiceberg_{reader.name}"
    catalog.create_table(name, SCHEMA).append(pa_table(frame(DAY, 50)))
    lake.export("public.web_logs", name, "--max-shrink", "100%")
    assert tuples(reader.rows(name)) == logs(lake)
    loaded = catalog.load_table(name)
    assert loaded.schema().as_struct() == SCHEMA.as_struct()
    assert len(loaded.snapshots()) == 2


def test_we_replace_days_of_a_table_that_spark_made(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    name = "theirs.spark"
    spark.session.sql(
        f"CREATE TABLE local.{name} (timestamp TIMESTAMP, user_id INT, url STRING, response_time INT, status_code INT)"
        " USING iceberg PARTITIONED BY (days(timestamp))"
    )
    spark.session.sql(
        f"INSERT INTO local.{name} VALUES (TIMESTAMP '2024-09-14 12:00:00Z', 1, '/foreign/1', 10, 200),"
        " (TIMESTAMP '2024-09-20 12:00:00Z', 1, '/foreign/1', 10, 200)"
    )
    lake.export("public.web_logs", name, "--from", "2024-09-10", "--to", "2024-09-16")
    kept = foreign(datetime(2024, 9, 20, 12, tzinfo=timezone.utc), 1)
    for reader in (PyIceberg(catalog), spark):
        assert tuples(reader.rows(name)) == sorted(logs(lake) + kept)


@pytest.fixture
def legacy(lake: Lake, spark: Spark) -> tuple[dict[str, str], Catalog]:
    """Settings of the job for a catalog whose tables Spark made as V0, and the same catalog in PyIceberg."""
    settings = {"ICEBERG_POSTGRES_DB": "legacy", "ICEBERG_CATALOG_NAME": "legacy"}
    spark.session.sql("CREATE NAMESPACE IF NOT EXISTS legacy.old")
    spark.session.sql(
        "CREATE TABLE IF NOT EXISTS legacy.old.logs"
        " (timestamp TIMESTAMP, user_id INT, url STRING, response_time INT, status_code INT) USING iceberg"
    )
    return settings, load_catalog("legacy", **lake.catalog_settings("legacy"))


def catalog_columns(lake: Lake, database: str) -> set[str]:
    with lake.connect(database) as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'iceberg_tables'")
        return {name for (name,) in cursor.fetchall()}


def test_a_catalog_of_version_0_stays_so(lake: Lake, spark: Spark, legacy: tuple[dict[str, str], Catalog]) -> None:
    settings, catalog = legacy
    assert "iceberg_type" not in catalog_columns(lake, "legacy")
    for table in ("old.logs", "old.ours"):
        lake.export("public.web_logs", table, **settings)
        lake.export("public.web_logs", table, **settings)
        assert tuples(catalog.load_table(table).scan().to_arrow()) == logs(lake)
        assert tuples(spark.session.sql(f"SELECT * FROM legacy.{table}").toArrow()) == logs(lake)
    assert "iceberg_type" not in catalog_columns(lake, "legacy")


def test_a_table_without_iceberg_type_is_a_table(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    lake.export("public.web_logs", "ours.untyped")
    with lake.connect("lake") as cursor:
        cursor.execute("UPDATE iceberg_tables SET iceberg_type = NULL WHERE table_name = 'untyped'")
        assert cursor.rowcount == 1
    lake.export("public.web_logs", "ours.untyped")
    assert len(catalog.load_table("ours.untyped").snapshots()) == 2
    assert tuples(spark.rows("ours.untyped")) == logs(lake)


def test_a_view_of_that_name_is_not_replaced(lake: Lake, spark: Spark) -> None:
    lake.export("public.web_logs", "ours.below")
    spark.session.sql("CREATE VIEW local.ours.above AS SELECT user_id FROM local.ours.below")
    with pytest.raises(JobFailed) as failed:
        lake.export("public.web_logs", "ours.above")
    assert "view" in failed.value.summary["error"]["message"].lower()
    assert spark.session.sql("SELECT count(*) FROM local.ours.above").collect()[0][0] == 10_000
