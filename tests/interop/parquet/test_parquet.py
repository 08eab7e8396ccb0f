"""The plain Parquet file, and the files below a table, as strict readers see them."""

from __future__ import annotations

from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from pyiceberg.catalog import Catalog

from all_types import COLUMNS, SQL, exact, reader_rows, source_rows
from lake import JobFailed, Lake, path_of
from readers import Reader

ARROW_TYPES = {
    "id": "int32", "bool": "bool", "int2": "int32", "int4": "int32", "int8": "int64",
    "float4": "float", "float8": "double",
    "dec9": "decimal128(9, 2)", "dec18": "decimal128(18, 6)", "dec38": "decimal128(38, 10)",
    "dec_integer": "decimal128(38, 0)", "dec_fraction": "decimal128(3, 3)",
    "text": "string", "varchar": "string", "char": "string", "mood": "string", "json": "string", "jsonb": "string",
    "bytea": "binary", "uuid": "extension<arrow.uuid>",
    "date": "date32[day]", "time": "time64[us]", "timestamp": "timestamp[us]", "timestamptz": "timestamp[us, tz=UTC]",
    "ints": "list<element: int32>", "texts": "list<element: string>", "decs": "list<element: decimal128(20, 2)>",
    "dates": "list<element: date32[day]>",
}
PHYSICAL_TYPES = {
    "int2": "INT32", "int8": "INT64", "dec9": "INT32", "dec18": "INT64", "dec38": "FIXED_LEN_BYTE_ARRAY",
    "uuid": "FIXED_LEN_BYTE_ARRAY", "timestamptz": "INT64", "text": "BYTE_ARRAY", "date": "INT32",
}
DUCKDB_TYPES = {
    "id": "INTEGER", "bool": "BOOLEAN", "int2": "INTEGER", "int4": "INTEGER", "int8": "BIGINT",
    "float4": "FLOAT", "float8": "DOUBLE",
    "dec9": "DECIMAL(9,2)", "dec18": "DECIMAL(18,6)", "dec38": "DECIMAL(38,10)",
    "dec_integer": "DECIMAL(38,0)", "dec_fraction": "DECIMAL(3,3)",
    "text": "VARCHAR", "varchar": "VARCHAR", "char": "VARCHAR", "mood": "VARCHAR", "json": "VARCHAR",
    "jsonb": "VARCHAR", "bytea": "BLOB", "uuid": "UUID",
    "date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "ints": "INTEGER[]", "texts": "VARCHAR[]", "decs": "DECIMAL(20,2)[]", "dates": "DATE[]",
}
SPARK_TYPES = {
    "id": "int", "bool": "boolean", "int2": "int", "int4": "int", "int8": "bigint",
    "float4": "float", "float8": "double",
    "dec9": "decimal(9,2)", "dec18": "decimal(18,6)", "dec38": "decimal(38,10)",
    "dec_integer": "decimal(38,0)", "dec_fraction": "decimal(3,3)",
    "text": "string", "varchar": "string", "char": "string", "mood": "string", "json": "string", "jsonb": "string",
    "bytea": "binary", "date": "date", "timestamp": "timestamp_ntz", "timestamptz": "timestamp",
}


@pytest.fixture(scope="module")
def location(lake: Lake) -> str:
    with lake.connect() as cursor:
        cursor.execute("SELECT to_regclass('all_types')")
        if cursor.fetchone() == (None,):
            cursor.execute(SQL)
    done = lake.export("public.all_types", "plain.all_types", "--format", "parquet")
    return str(path_of(done["parquetLocation"]))


def test_every_value_is_postgresqls(lake: Lake, reader: Reader, location: str) -> None:
    if reader.name == "spark":
        return spark_reads_what_it_has_types_for(lake, reader, location)
    assert reader_rows(reader.parquet(location)) == source_rows(lake, list(COLUMNS))


def spark_reads_what_it_has_types_for(lake: Lake, spark: Any, location: str) -> None:
    """Spark has neither uuid nor time: it refuses the whole file unless its schema leaves them out."""
    with pytest.raises(Exception, match="PARQUET_TYPE_ILLEGAL|PARQUET_TYPE_NOT_SUPPORTED"):
        spark.parquet(location)
    schema = ", ".join(f"`{name}` {kind}" for name, kind in SPARK_TYPES.items())
    rows = spark.session.read.schema(schema).parquet(location).toArrow().sort_by("id")
    found = [{name: exact(value) for name, value in row.items()} for row in rows.to_pylist()]
    assert found == source_rows(lake, list(SPARK_TYPES))


def test_pyarrow_sees_the_exact_types(location: str) -> None:
    schema = pyarrow.parquet.read_schema(location)
    assert {field.name: str(field.type) for field in schema} == ARROW_TYPES
    assert [int(field.metadata[b"PARQUET:field_id"]) for field in schema] == list(range(1, len(COLUMNS) + 1))


def test_duckdb_sees_the_exact_types(duck: Any, location: str) -> None:
    described = duck.connection.sql(f"DESCRIBE SELECT * FROM '{location}'").fetchall()
    assert {name: kind for name, kind, *_ in described} == DUCKDB_TYPES


def test_physical_types_are_the_narrowest(location: str) -> None:
    schema = pyarrow.parquet.ParquetFile(location).schema
    physical = {schema.column(i).name: schema.column(i).physical_type for i in range(len(schema))}
    assert {name: physical[name] for name in PHYSICAL_TYPES} == PHYSICAL_TYPES
    assert schema.column(schema.names.index("dec38")).length == 16


def test_spark_sees_the_exact_types_of_web_logs(lake: Lake, spark: Any) -> None:
    done = lake.export("public.web_logs", "plain.web_logs", "--format", "parquet")
    frame = spark.session.read.parquet(done["parquetLocation"])
    assert [(field.name, field.dataType.simpleString()) for field in frame.schema] == [
        ("timestamp", "timestamp"), ("user_id", "int"), ("url", "string"),
        ("response_time", "int"), ("status_code", "int"),
    ]
    assert frame.count() == 10_000


def test_statistics_are_kept_and_true(location: str) -> None:
    """pyarrow shows statistics only where the column's order is known (ColumnOrder)."""
    file = pyarrow.parquet.ParquetFile(location)
    rows = file.read()
    group = file.metadata.row_group(0)
    for index in range(group.num_columns):
        chunk = group.column(index)
        name, *nested = chunk.path_in_schema.split(".")
        column = rows.column(name)
        # Of a list, each entry without a value counts: a NULL or empty list has one, too.
        nulls = sum(entry is None for row in column.to_pylist() for entry in row or [None]) if nested else column.null_count
        assert chunk.statistics.null_count == nulls, name
        if name in ("id", "int8", "date", "timestamptz", "dec9", "dec18", "dec38"):
            values = [value for value in rows.column(name).to_pylist() if value is not None]
            assert (chunk.statistics.min, chunk.statistics.max) == (min(values), max(values)), name


CODECS = {"snappy": "SNAPPY", "gzip": "GZIP", "none": "UNCOMPRESSED", "zstd": "ZSTD"}


@pytest.fixture(scope="module", params=CODECS)
def codec(request: pytest.FixtureRequest, lake: Lake) -> str:
    """A codec, and a table codecs.<codec> written with it."""
    try:
        lake.export("public.web_logs", f"codecs.{request.param}", "--codec", request.param)
    except JobFailed as failed:
        message = failed.summary["error"]["message"]
        if request.param == "zstd" and "needs Node 22.15 or newer" in message:
            pytest.xfail(message)  # this runtime has none, and says so
        raise
    return request.param


def test_each_codec_is_read(lake: Lake, catalog: Catalog, codec: str, reader: Reader) -> None:
    (task,) = catalog.load_table(f"codecs.{codec}").scan().plan_files()
    group = pyarrow.parquet.ParquetFile(path_of(task.file.file_path)).metadata.row_group(0)
    assert {group.column(i).compression for i in range(group.num_columns)} == {CODECS[codec]}
    assert group.num_rows == task.file.record_count == 10_000

    rows = reader.rows(f"codecs.{codec}")
    ((count, total),) = lake.source_rows("SELECT count(*), sum(response_time) FROM web_logs")
    assert (rows.num_rows, sum(rows.column("response_time").to_pylist())) == (count, total)


def test_row_groups_are_the_size_asked_for(lake: Lake) -> None:
    done = lake.export("public.web_logs", "plain.groups", "--format", "parquet", "--row-group-rows", "3000",
                       "--connections", "1")
    metadata = pyarrow.parquet.ParquetFile(path_of(done["parquetLocation"])).metadata
    sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert sum(sizes) == 10_000
    assert len(sizes) > 3 and max(sizes) <= 3000
