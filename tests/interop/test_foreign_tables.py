"""Tables that others made, with settings of theirs: what they say is honoured or kept, what we cannot do is refused."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.locations import load_location_provider
from pyiceberg.transforms import DayTransform
from pyiceberg.types import LongType, NestedField, StringType, TimestamptzType

from lake import JobFailed, Lake, path_of
from readers import DuckDB, PyIceberg, Reader, Spark

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "at", TimestamptzType(), required=False),
    NestedField(3, "name", StringType(), required=False),
)
BY_DAY = PartitionSpec(PartitionField(source_id=2, field_id=1000, transform=DayTransform(), name="the_day"))
ARROW = pyarrow.schema(
    [("id", pyarrow.int64()), ("at", pyarrow.timestamp("us", "UTC")), ("name", pyarrow.string())]
)
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module", autouse=True)
def source(lake: Lake) -> None:
    """90 rows of three days in PostgreSQL, whose ids are narrower than the lake's; the namespace and a bucket."""
    with lake.connect() as cursor:
        cursor.execute(
            "CREATE TABLE others AS SELECT n AS id, TIMESTAMPTZ '2024-09-14 12:00+00' + (n % 3) * interval '1 day' AS at,"
            " 'ours ' || n AS name FROM generate_series(1, 90) n"
        )
    lake.export("public.others", "others.bucket", WAREHOUSE="s3://lake/iceberg")


def ours(lake: Lake, where: str = "true") -> Rows:
    return sorted(lake.source_rows(f"SELECT id, at, name FROM others WHERE {where}"))


def theirs(*days: int) -> Rows:
    return [(1000 + day, datetime(2024, 9, day, 12, tzinfo=timezone.utc), f"theirs {day}") for day in days]


def arrow(rows: Rows) -> pyarrow.Table:
    return pyarrow.Table.from_pylist([dict(zip(ARROW.names, row, strict=True)) for row in rows], schema=ARROW)


def found(reader: Reader, table: str) -> Rows:
    rows = reader.rows(table)
    return sorted(zip(*(rows.column(name).to_pylist() for name in ARROW.names), strict=True))


def create(catalog: Catalog, name: str, properties: dict[str, str] = {}, **more: Any) -> None:
    """By day, with a row each of theirs on 14 and 20 September."""
    table = catalog.create_table(name, SCHEMA, partition_spec=BY_DAY, properties=properties, **more)
    table.append(arrow(theirs(14, 20)))


def export(lake: Lake, name: str, *flags: str) -> dict[str, Any]:
    return lake.export("public.others", name, "--max-shrink", "100%", *flags)


def export_day(lake: Lake, name: str) -> Rows:
    """Our 14 September; what the table then holds."""
    export(lake, name, "--date", "2024-09-14")
    return sorted(ours(lake, "at < '2024-09-15'") + theirs(20))


def refused(lake: Lake, catalog: Catalog, name: str, *flags: str) -> dict[str, Any]:
    """The error of an export that changes nothing."""
    before = catalog.load_table(name).metadata_location
    with pytest.raises(JobFailed) as failed:
        export(lake, name, *flags)
    assert catalog.load_table(name).metadata_location == before
    return {"exit": failed.value.summary["exit"], **failed.value.summary["error"]}


# Properties


def test_write_properties_are_honoured(
    lake: Lake, catalog: Catalog, spark: Spark, tmp_path: Path
) -> None:
    name = "others.properties"
    create(catalog, name, {
        "write.metadata.compression-codec": "gzip",
        "write.metadata.previous-versions-max": "2",
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.path": f"{tmp_path}/meta/",
        "write.data.path": f"{tmp_path}/rows",
        "write.parquet.compression-codec": "zstd",
        "write.parquet.compression-level": "19",
        "write.metadata.metrics.default": "none",
        "write.metadata.metrics.column.id": "full",
        "write.metadata.metrics.column.name": "truncate(2)",
    })
    for _ in range(3):
        wanted = export_day(lake, name)
    table = catalog.load_table(name)
    files = sorted(path.name for path in (tmp_path / "meta").glob("*metadata.json"))
    assert len(files) == 3 and all(file.endswith(".gz.metadata.json") for file in files)
    assert path_of(table.metadata_location).name == files[-1]
    assert path_of(table.metadata_location).read_bytes()[:2] == b"\x1f\x8b"
    assert [path_of(entry.metadata_file).name for entry in table.metadata.metadata_log] == files[:-1]
    (file,) = (t.file for t in table.scan().plan_files() if "2024-09-14" in t.file.file_path)
    assert file.file_path.startswith(f"{tmp_path}/rows/the_day=2024-09-14/")
    assert set(file.value_counts) == {1, 3} and file.lower_bounds[3] == b"ou"
    footer = pyarrow.parquet.ParquetFile(path_of(file.file_path)).metadata
    assert footer.row_group(0).column(0).compression == "ZSTD"
    for reader in (PyIceberg(catalog), spark):
        assert found(reader, name) == wanted


def test_duckdb_reads_gzipped_metadata(lake: Lake, catalog: Catalog, duck: DuckDB) -> None:
    name = "others.gzip"
    create(catalog, name, {"write.metadata.compression-codec": "gzip"})
    wanted = export_day(lake, name)
    scan = f"iceberg_scan('{catalog.load_table(name).metadata_location}', metadata_compression_codec = 'gzip')"
    rows = duck.connection.sql(f"SELECT * FROM {scan}").to_arrow_table()
    assert sorted(zip(*(rows.column(column).to_pylist() for column in ARROW.names), strict=True)) == wanted


@pytest.mark.parametrize("partitioned", ["true", "false"])
def test_object_storage_paths_are_those_of_pyiceberg(lake: Lake, catalog: Catalog, partitioned: str) -> None:
    name = f"others.object_storage_{partitioned}"
    create(catalog, name, {
        "write.object-storage.enabled": "true", "write.object-storage.partitioned-paths": partitioned
    })
    export(lake, name, "--mode", "full")
    table = catalog.load_table(name)
    provider = load_location_provider(table.location(), table.properties)
    paths = [task.file.file_path for task in table.scan().plan_files()]
    assert len(paths) == 3
    for path in paths:
        *_, folder, last = path.split("/")
        hashed = f"{folder}/{last}" if partitioned == "true" else last.partition("-")[2]
        assert path == provider.new_data_location(hashed)
    assert found(PyIceberg(catalog), name) == ours(lake)


@pytest.mark.parametrize("codec", ["null"])
def test_manifests_of_other_codecs_are_read(lake: Lake, catalog: Catalog, codec: str) -> None:
    name = f"others.avro_{codec}"
    create(catalog, name, {"write.avro.compression-codec": codec})
    wanted = export_day(lake, name)
    assert found(PyIceberg(catalog), name) == wanted


def test_a_property_that_cannot_be_honoured_is_said_before_anything_is_read(lake: Lake, catalog: Catalog) -> None:
    create(catalog, "others.metrics")
    with catalog.load_table("others.metrics").transaction() as transaction:
        transaction.set_properties({"write.metadata.metrics.column.id": "some"})
    error = refused(lake, catalog, "others.metrics", "--date", "2024-09-14")
    assert (error["exit"], error["field"]) == (2, "write.metadata.metrics.column.id")


def test_a_sort_order_stays_and_is_not_claimed(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    name = "others.sorted"
    create(catalog, name)
    spark.session.sql(f"ALTER TABLE local.{name} WRITE DISTRIBUTED BY PARTITION LOCALLY ORDERED BY id")
    wanted = export_day(lake, name)
    table = catalog.load_table(name)
    assert table.sort_order().order_id == 1
    (file,) = (t.file for t in table.scan().plan_files() if "2024-09-14" in t.file.file_path)
    assert file.sort_order_id == 0
    for reader in (PyIceberg(catalog), spark):
        assert found(reader, name) == wanted


# Places


@pytest.mark.parametrize("scheme", ["", "file:", "file://", "s3a:/"])
def test_places_are_the_same_however_spelled(
    lake: Lake, catalog: Catalog, spark: Spark, tmp_path: Path, scheme: str
) -> None:
    name = f"others.place_{scheme.rstrip(':/') or 'none'}_{scheme.count('/')}"
    folder = f"{scheme}/lake/places/{tmp_path.name}" if scheme.startswith("s3") else f"{scheme}{tmp_path}/table"
    create(catalog, name, location=folder)
    wanted = export_day(lake, name)
    for reader in (PyIceberg(catalog), spark):
        assert found(reader, name) == wanted
    table = catalog.load_table(name)
    assert table.metadata_location.startswith(f"{folder}/metadata/")
    assert all(task.file.file_path.startswith(f"{folder}/data/") for task in table.scan().plan_files())


def test_data_may_lie_in_another_store_than_metadata(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    name = "others.two_stores"
    create(catalog, name, {"write.data.path": "s3a://lake/two_stores"})
    wanted = export_day(lake, name)
    for reader in (PyIceberg(catalog), spark):
        assert found(reader, name) == wanted


def test_a_table_that_was_moved_grows_at_its_new_place(
    lake: Lake, catalog: Catalog, spark: Spark, tmp_path: Path
) -> None:
    name = "others.moved"
    create(catalog, name)
    spark.session.sql(f"ALTER TABLE local.{name} SET LOCATION '{tmp_path}/new'")
    wanted = export_day(lake, name)
    table = catalog.load_table(name)
    assert table.metadata_location.startswith(f"{tmp_path}/new/metadata/")
    assert sum(task.file.file_path.startswith(f"{tmp_path}/new/data/") for task in table.scan().plan_files()) == 1
    for reader in (PyIceberg(catalog), spark):
        assert found(reader, name) == wanted


def test_a_namespaces_location_is_where_new_tables_go(lake: Lake, catalog: Catalog, spark: Spark, tmp_path: Path) -> None:
    catalog.create_namespace("moved", {"location": f"{tmp_path}/moved/"})
    export(lake, "moved.table")
    assert catalog.load_table("moved.table").location() == f"{tmp_path}/moved/table"
    assert found(spark, "moved.table") == ours(lake)


# Format versions


@pytest.mark.parametrize("writer", ["pyiceberg", "spark"])
def test_version_1_becomes_2_on_request_only(lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB, writer: str) -> None:
    name = f"others.v1_{writer}"
    if writer == "pyiceberg":
        create(catalog, name, {"format-version": "1"})
    else:
        spark.session.sql(
            f"CREATE TABLE local.{name} (id BIGINT, at TIMESTAMP, name STRING) USING iceberg PARTITIONED BY (days(at))"
            " TBLPROPERTIES ('format-version' = '1')"
        )
        catalog.load_table(name).append(arrow(theirs(14, 20)))
    assert catalog.load_table(name).format_version == 1
    first = catalog.load_table(name).current_snapshot().snapshot_id
    error = refused(lake, catalog, name, "--date", "2024-09-14")
    assert error["exit"] == 3 and "--upgrade" in error["fix"]
    changes = export(lake, name, "--date", "2024-09-14", "--upgrade", "--dry-run")["plan"]["changes"]
    assert changes == ["upgrade format version 1 to 2"]
    export(lake, name, "--date", "2024-09-14", "--upgrade")
    assert catalog.load_table(name).format_version == 2
    wanted = sorted(ours(lake, "at < '2024-09-15'") + theirs(20))
    for reader in (PyIceberg(catalog), spark, duck):
        assert found(reader, name) == wanted
        # DuckDB reads no manifest list of version 1 once the table is version 2.
        assert reader is duck or reader.rows(name, snapshot=first).num_rows == 2
    spark.session.sql(f"INSERT INTO local.{name} VALUES (1014, TIMESTAMP '2024-09-14 12:00:00Z', 'theirs 14')")
    assert found(PyIceberg(catalog), name) == sorted([*wanted, *theirs(14)])


def test_version_3_is_refused(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    name = "others.v3"
    spark.session.sql(
        f"CREATE TABLE local.{name} (id BIGINT, at TIMESTAMP, name STRING) USING iceberg"
        " TBLPROPERTIES ('format-version' = '3')"
    )
    error = refused(lake, catalog, name)
    assert error["exit"] == 3 and "format version 3" in error["message"] and "row lineage" in error["fix"]
    assert refused(lake, catalog, name, "--upgrade")["exit"] == 3


# Delete files


def test_delete_files_of_a_replaced_day_go_with_it(lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB) -> None:
    name = "others.deletes"
    create(catalog, name, {"write.delete.mode": "merge-on-read"})
    export(lake, name, "--mode", "full")
    spark.session.sql(f"DELETE FROM local.{name} WHERE id IN (3, 4, 6)")  # of the 14th, the 15th and the 14th
    summary = catalog.load_table(name).current_snapshot().summary
    assert (summary["total-delete-files"], summary["total-position-deletes"]) == ("2", "3")
    export(lake, name, "--date", "2024-09-14")
    wanted = ours(lake, "id <> 4")
    for reader in (PyIceberg(catalog), spark, duck):
        assert found(reader, name) == wanted
    summary = catalog.load_table(name).current_snapshot().summary
    assert (summary["total-delete-files"], summary["total-position-deletes"]) == ("1", "1")


def test_delete_files_without_a_partition_may_dangle(lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB) -> None:
    name = "others.dangling"
    spark.session.sql(
        f"CREATE TABLE local.{name} (id BIGINT, at TIMESTAMP, name STRING) USING iceberg"
        " TBLPROPERTIES ('write.delete.mode' = 'merge-on-read', 'write.delete.granularity' = 'partition')"
    )
    for day in (14, 20):
        rows = [(n * 100 + day, at, text) for n in range(1, 4) for (_, at, text) in theirs(day)]
        catalog.load_table(name).append(arrow(rows))
    spark.session.sql(f"DELETE FROM local.{name} WHERE id IN (114, 120)")
    spark.session.sql(f"ALTER TABLE local.{name} ADD PARTITION FIELD days(at)")
    export(lake, name, "--date", "2024-09-14")
    kept = [(n * 100 + 20, at, text) for n in (2, 3) for (_, at, text) in theirs(20)]
    wanted = sorted(ours(lake, "at < '2024-09-15'") + kept)
    for reader in (PyIceberg(catalog), spark, duck):
        assert found(reader, name) == wanted
    assert int(catalog.load_table(name).current_snapshot().summary["total-delete-files"]) > 0


def test_a_file_on_both_sides_of_the_days_is_refused(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    name = "others.months"
    spark.session.sql(
        f"CREATE TABLE local.{name} (id BIGINT, at TIMESTAMP, name STRING) USING iceberg PARTITIONED BY (months(at))"
    )
    catalog.load_table(name).append(arrow(theirs(14, 20)))
    spark.session.sql(f"ALTER TABLE local.{name} REPLACE PARTITION FIELD months(at) WITH days(at)")
    error = refused(lake, catalog, name, "--date", "2024-09-14")
    assert error["exit"] == 3 and "--mode full" in error["fix"]
    export(lake, name, "--mode", "full")
    assert found(spark, name) == ours(lake)


# What is kept


def test_branches_tags_and_statistics_are_kept(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    name = "others.refs"
    create(catalog, name)
    sql = spark.session.sql
    sql(f"ALTER TABLE local.{name} CREATE TAG before RETAIN 30 DAYS")
    sql(f"ALTER TABLE local.{name} CREATE BRANCH audit WITH SNAPSHOT RETENTION 2 SNAPSHOTS")
    sql(f"INSERT INTO local.{name}.branch_audit VALUES (1014, TIMESTAMP '2024-09-14 12:00:00Z', 'theirs 14')")
    sql(f"CALL local.system.compute_table_stats('{name}')")
    sql(f"CALL local.system.compute_partition_stats('{name}')")
    before = catalog.load_table(name).metadata
    assert len(before.statistics) == 1 and len(before.partition_statistics) == 1
    wanted = export_day(lake, name)
    after = catalog.load_table(name).metadata
    for ref in ("before", "audit"):
        assert after.refs[ref] == before.refs[ref]
    assert (after.statistics, after.partition_statistics) == (before.statistics, before.partition_statistics)
    assert found(spark, name) == wanted
    rows = {ref: sql(f"SELECT id FROM local.{name} VERSION AS OF '{ref}'").collect() for ref in ("before", "audit")}
    assert sorted(row.id for row in rows["before"]) == [1014, 1020]
    assert sorted(row.id for row in rows["audit"]) == [1014, 1014, 1020]
    assert any(file["file_path"] for file in sql(f"SELECT * FROM local.{name}.files").collect())


def rewrite(lake: Lake, catalog: Catalog, name: str, change: Any) -> None:
    """The table's current metadata file, changed by other hands."""
    location = catalog.load_table(name).metadata_location
    text = path_of(location).read_text()
    rewritten = location.replace(".metadata.json", "-rewritten.metadata.json")
    path_of(rewritten).write_text(change(text))
    with lake.connect("lake") as cursor:
        cursor.execute(
            "UPDATE iceberg_tables SET metadata_location = %s WHERE metadata_location = %s", (rewritten, location)
        )
        assert cursor.rowcount == 1


def test_fields_that_nobody_knows_are_kept(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    name = "others.unknown"
    create(catalog, name)
    exact = '"future":{"n":12345678901234567890123,"f":1.50,"e":-1E400,"z":-0,"list":[9007199254740993,"\\u00fc"]}'
    rewrite(lake, catalog, name, lambda text: "{" + exact + "," + text.lstrip()[1:].replace(
        '"snapshot-id":', '"secret":9007199254740995,"snapshot-id":', 1))
    wanted = export_day(lake, name)
    text = path_of(catalog.load_table(name).metadata_location).read_text()
    assert exact.replace("\\u00fc", "ü") in text and '"secret":9007199254740995' in text
    for reader in (PyIceberg(catalog), spark):
        assert found(reader, name) == wanted


HOUR = 3_600_000


@pytest.mark.parametrize("skew", [HOUR, -HOUR])
def test_clocks_an_hour_apart(lake: Lake, catalog: Catalog, spark: Spark, duck: DuckDB, skew: int) -> None:
    """Times in the logs never fall by more than a minute, or Spark could not load the table."""
    name = f"others.skew_{'ahead' if skew > 0 else 'behind'}"
    create(catalog, name)

    def foreign_commit(text: str) -> str:
        metadata = json.loads(text)
        metadata["metadata-log"].append(
            {"timestamp-ms": metadata["last-updated-ms"], "metadata-file": catalog.load_table(name).metadata_location}
        )
        metadata["last-updated-ms"] += skew
        return json.dumps(metadata)

    rewrite(lake, catalog, name, foreign_commit)
    wanted = export_day(lake, name)
    for reader in (PyIceberg(catalog), spark, duck):
        assert found(reader, name) == wanted
    metadata = catalog.load_table(name).metadata
    for times in (
        [entry.timestamp_ms for entry in metadata.metadata_log] + [metadata.last_updated_ms],
        [entry.timestamp_ms for entry in metadata.snapshot_log] + [metadata.last_updated_ms],
    ):
        assert times == sorted(times)
