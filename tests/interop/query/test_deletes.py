"""Rows that Spark and Iceberg's Java library have deleted are gone to `lakejobs sql` and `verify`, too."""

from __future__ import annotations

from typing import Any

import pytest
from pyiceberg.catalog import Catalog

from lake import Lake
from readers import PyIceberg, Spark

# Position deletes of a whole partition in one file, of each data file in its own, and deletion vectors.
KINDS = {
    "partition": {"format-version": "2", "write.delete.granularity": "partition"},
    "file": {"format-version": "2", "write.delete.granularity": "file"},
    "vectors": {"format-version": "3"},
}


def properties(kind: str) -> str:
    settings = {
        **KINDS[kind],
        **{f"write.{operation}.mode": "merge-on-read" for operation in ("delete", "update", "merge")},
        "write.distribution-mode": "none",
    }
    return ", ".join(f"'{name}' = '{value}'" for name, value in settings.items())


def run(spark: Spark, *statements: str) -> None:
    for statement in statements:
        spark.session.sql(statement)


def spark_rows(spark: Spark, table: str, snapshot: int | None = None) -> list[tuple[Any, ...]]:
    return ordered(spark.rows(table, snapshot=snapshot).to_pylist())


def ours(lake: Lake, table: str, *flags: str) -> list[tuple[Any, ...]]:
    return ordered(lake.sql(f"select * from {table}", *flags))


def ordered(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """As texts: whole numbers of 64 bits are texts in our JSON."""
    return sorted(tuple("NULL" if value is None else str(value) for value in row.values()) for row in rows)


def delete_files(spark: Spark, table: str) -> list[tuple[int, str]]:
    rows = spark.session.sql(f"SELECT content, file_format FROM local.{table}.delete_files").collect()
    return sorted({(row.content, row.file_format) for row in rows})


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_spark_deleted_are_gone(lake: Lake, catalog: Catalog, spark: Spark, kind: str) -> None:
    table = f"deletes.{kind}"
    run(
        spark,
        "CREATE NAMESPACE IF NOT EXISTS local.deletes",
        f"CREATE TABLE local.{table} (id BIGINT, day DATE, name STRING, n INT) USING iceberg"
        f" PARTITIONED BY (day) TBLPROPERTIES ({properties(kind)})",
        *(
            f"INSERT INTO local.{table} SELECT id + {at * 1000}, date_add(DATE '2024-09-14', CAST(id % 3 AS INT)),"
            f" CASE WHEN id % 7 = 0 THEN NULL ELSE concat('n', id) END, CAST(id AS INT) FROM range(1000)"
            for at in range(2)
        ),
        f"DELETE FROM local.{table} WHERE id % 10 = 3",
        f"UPDATE local.{table} SET n = -n WHERE name IS NULL AND id % 2 = 0",
        f"DELETE FROM local.{table} WHERE id BETWEEN 1100 AND 1200 AND n % 3 = 1",
        f"INSERT INTO local.{table} VALUES (3, DATE '2024-09-14', 'again', 3)",
        f"ALTER TABLE local.{table} RENAME COLUMN n TO number",
        f"ALTER TABLE local.{table} ALTER COLUMN number TYPE BIGINT",
        f"DELETE FROM local.{table} WHERE number < 0 AND id > 1500",
    )
    assert delete_files(spark, table) == [(1, "PUFFIN" if kind == "vectors" else "PARQUET")]
    expected = spark_rows(spark, table)
    assert 1500 < len(expected) < 1900
    assert ours(lake, table) == expected
    assert ordered(PyIceberg(catalog).rows(table).to_pylist()) == expected
    # A condition that leaves files out, deletes of those that are read included; and numbers alone.
    few = [row for row in expected if row[1] == "2024-09-15"]
    assert ordered(lake.sql(f"select * from {table} where day = '2024-09-15'")) == few
    assert lake.sql(f"select count(*) as n from {table}") == [{"n": str(len(expected))}]
    for snapshot in catalog.load_table(table).metadata.snapshots[2:-1:2]:
        assert ours(lake, table, "--snapshot", str(snapshot.snapshot_id)) == spark_rows(
            spark, table, snapshot.snapshot_id
        )


@pytest.mark.parametrize("kind", ["partition", "vectors"])
def test_verify_sees_the_rows_that_are_left(lake: Lake, spark: Spark, kind: str) -> None:
    """The same rows are deleted from the source: there is nothing wrong with the lake. One more in the lake is."""
    table = f"deletes.verified_{kind}"
    source = f"verified_{kind}"
    with lake.connect() as cursor:
        cursor.execute(f"CREATE TABLE {source} AS SELECT i AS id, 'n' || i AS name FROM generate_series(1, 500) i")
    lake.export(f"public.{source}", table)
    settings = ", ".join([properties(kind), "'lakejobs.test' = 'true'"])
    run(
        spark,
        f"ALTER TABLE local.{table} SET TBLPROPERTIES ({settings})",
        f"DELETE FROM local.{table} WHERE id % 9 = 4",
    )
    assert delete_files(spark, table) == [(1, "PUFFIN" if kind == "vectors" else "PARQUET")]
    with lake.connect() as cursor:
        cursor.execute(f"DELETE FROM {source} WHERE id % 9 = 4")
    verified = lake.job("verify", "--table", f"public.{source}={table}")["tables"][0]
    assert (verified["verified"]["match"], verified["rows"]) == (1, 444)
    run(spark, f"DELETE FROM local.{table} WHERE id = 5")
    (interval,) = lake.job("verify", "--table", f"public.{source}={table}")["tables"][0]["verified"]["intervals"]
    assert (interval["result"], interval["rows"], interval["sourceRows"]) == ("unverified", 443, 444)


def test_rows_that_are_deleted_by_equality(lake: Lake, spark: Spark) -> None:
    """By Iceberg's own writer in Java, as Flink has it: Spark itself writes none."""
    table = "deletes.equality"
    run(
        spark,
        "CREATE NAMESPACE IF NOT EXISTS local.deletes",
        f"CREATE TABLE local.{table} (id INT, k STRING, d DECIMAL(9,2), t TIMESTAMP, p INT) USING iceberg"
        " TBLPROPERTIES ('format-version' = '2')",
        f"INSERT INTO local.{table} VALUES (1, 'a', 1.50, TIMESTAMP '2024-09-14 00:00:01', 1),"
        " (2, NULL, 2.50, TIMESTAMP '2024-09-14 00:00:02', 1), (3, 'b', NULL, NULL, 2), (4, 'c', 1.50, NULL, 2)",
    )
    delete_equal(spark, table, [2], [("a",), (None,)])
    run(spark, f"INSERT INTO local.{table} VALUES (5, 'a', 1.5, NULL, 1), (6, NULL, 1.5, NULL, 2)")
    assert [row[0] for row in ours(lake, table)] == ["3", "4", "5", "6"]
    # Of two columns, one of which is renamed since; then of a partition alone, and of all.
    delete_equal(spark, table, [1, 3], [(3, None), (5, None)])
    run(
        spark,
        f"ALTER TABLE local.{table} RENAME COLUMN k TO renamed",
        f"ALTER TABLE local.{table} ADD PARTITION FIELD p",
        f"INSERT INTO local.{table} VALUES (7, 'c', 1.5, NULL, 1), (8, 'c', 1.5, NULL, 2), (9, 'd', 1.5, NULL, 2)",
    )
    assert ours(lake, table) == spark_rows(spark, table)
    delete_equal(spark, table, [2], [("c",)], partition=2)
    assert ours(lake, table) == spark_rows(spark, table)
    # The partition's delete leaves the older file without a partition alone.
    assert [row[0] for row in ours(lake, table)] == ["4", "5", "6", "7", "9"]
    # Iceberg's Java itself (1.10.1) throws a NullPointerException for deletes by a column that is gone.
    kept = [(row[0], *row[2:]) for row in ours(lake, table)]
    run(spark, f"ALTER TABLE local.{table} DROP COLUMN renamed")
    assert ours(lake, table) == kept
    assert delete_files(spark, table) == [(2, "PARQUET")]


def delete_equal(
    spark: Spark, table: str, ids: list[int], rows: list[tuple[Any, ...]], partition: int | None = None
) -> None:
    """Commits one equality delete file, of the table's current spec (or the unpartitioned one)."""
    session = spark.session
    jvm, gateway = session.sparkContext._jvm, session.sparkContext._gateway
    loaded = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(session._jsparkSession, f"local.{table}")
    columns = jvm.java.util.ArrayList()
    for field_id in ids:
        columns.add(loaded.schema().findField(field_id))
    schema = jvm.org.apache.iceberg.Schema(columns)
    field_ids = gateway.new_array(jvm.int, len(ids))
    for at, field_id in enumerate(ids):
        field_ids[at] = field_id
    spec = loaded.spec()
    appenders = jvm.org.apache.iceberg.data.GenericAppenderFactory(loaded.schema(), spec, field_ids, schema, None)
    key = None
    if partition is not None:
        key = jvm.org.apache.iceberg.PartitionKey(spec, loaded.schema())
        row = jvm.org.apache.iceberg.data.GenericRecord.create(loaded.schema())
        row.setField("p", partition)
        key.partition(row)
    files = (
        jvm.org.apache.iceberg.io.OutputFileFactory.builderFor(loaded, 1, 1)
        .format(jvm.org.apache.iceberg.FileFormat.PARQUET)
        .build()
    )
    output = files.newOutputFile() if key is None else files.newOutputFile(spec, key)
    writer = appenders.newEqDeleteWriter(output, jvm.org.apache.iceberg.FileFormat.PARQUET, key)
    for values in rows:
        record = jvm.org.apache.iceberg.data.GenericRecord.create(schema)
        for at, value in enumerate(values):
            record.set(at, value)
        writer.write(record)
    writer.close()
    loaded.newRowDelta().addDeletes(writer.toDeleteFile()).commit()
