"""Page indexes as Java, C++ and parquet-cli read them, and rows that are found by them."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import chdb
import pyarrow
import pyarrow.compute
import pyarrow.parquet
import pyspark
import pytest
from lake import Lake, path_of
from readers import Condition, Reader, Spark, where

ROWS, PAGE = 100_000, 20_000
SQL = f"""
    CREATE TABLE paged AS
    SELECT i AS id, -i::bigint * 1000000007 AS falling, timestamp '2024-09-01' + i * interval '1 second' AS moment,
           CASE WHEN i BETWEEN {PAGE} AND {2 * PAGE - 1} THEN NULL ELSE date '2024-01-01' + i % 1000 END AS day,
           (i % 777)::numeric(9, 2) AS price, 'text ' || i % 50 AS text, ARRAY[i, i + 1] AS pair
    FROM generate_series(0, {ROWS - 1}) i ORDER BY i;
    ANALYZE paged
"""
# Rows in their order, in two row groups.
IN_ORDER = ["--connections", "1", "--row-group-rows", "60000"]
# What has bounds of its pages, and how parquet.thrift writes them.
FORMATS = {"id": "<i", "falling": "<q", "moment": "<q", "day": "<i", "price": "<i"}


@pytest.fixture(scope="module")
def location(lake: Lake) -> str:
    with lake.connect() as cursor:
        for statement in SQL.split(";"):
            cursor.execute(statement)
    return str(path_of(lake.export("public.paged", "plain.paged", "--format", "parquet", *IN_ORDER)["parquetLocation"]))


def stored(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Values as the physical type has them."""
    if pyarrow.types.is_decimal(column.type):
        return pyarrow.compute.multiply(column, 100).cast(pyarrow.int64())
    width = pyarrow.int32() if pyarrow.types.is_date(column.type) else pyarrow.int64()
    return column.cast(width)


def test_pyarrow_sees_an_index_of_each_column(location: str) -> None:
    metadata = pyarrow.parquet.read_metadata(location)
    for group in range(metadata.num_row_groups):
        for at, name in enumerate([*FORMATS, "text", "pair"]):
            chunk = metadata.row_group(group).column(at)
            assert (name, chunk.has_offset_index, chunk.has_column_index) == (name, True, name in FORMATS)


def open_by_java(spark: Spark, location: str, condition: Any = None) -> Any:
    """parquet-mr's own reader."""
    jvm = spark.session._jvm
    hadoop = jvm.org.apache.parquet.hadoop
    path = jvm.org.apache.hadoop.fs.Path(location)
    configuration = spark.session._jsc.hadoopConfiguration()
    options = jvm.org.apache.parquet.HadoopReadOptions.builder(configuration)
    if condition is not None:
        options = options.withRecordFilter(jvm.org.apache.parquet.filter2.compat.FilterCompat.get(condition))
    file = hadoop.util.HadoopInputFile.fromPath(path, configuration)
    return hadoop.ParquetFileReader.open(file, options.build())


def test_javas_index_has_the_bounds_of_each_page(spark: Spark, location: str) -> None:
    rows = pyarrow.parquet.read_table(location)
    reader = open_by_java(spark, location)
    seen = dict.fromkeys(FORMATS, 0)
    begin = 0
    for block in reader.getRowGroups():
        for chunk in block.getColumns():
            name = chunk.getPath().toArray()[0]
            offsets, index = reader.readOffsetIndex(chunk), reader.readColumnIndex(chunk)
            first = [offsets.getFirstRowIndex(page) for page in range(offsets.getPageCount())]
            assert first[0] == 0 and all(b - a <= PAGE for a, b in zip(first, [*first[1:], block.getRowCount()]))
            if name not in FORMATS:
                assert index is None
                continue
            column = stored(rows[name])
            for page, (start, end) in enumerate(zip(first, [*first[1:], block.getRowCount()])):
                values = column.slice(begin + start, end - start)
                bounds = pyarrow.compute.min_max(values).as_py()
                nulls = values.null_count
                assert index.getNullCounts()[page] == nulls
                assert index.getNullPages()[page] == (nulls == len(values))
                if nulls < len(values):
                    found = [
                        struct.unpack(FORMATS[name], bytes(side[page].array()))[0]
                        for side in (index.getMinValues(), index.getMaxValues())
                    ]
                    assert found == [bounds["min"], bounds["max"]]
                seen[name] += 1
        begin += block.getRowCount()
    reader.close()
    assert begin == ROWS and all(pages >= ROWS / PAGE for pages in seen.values())


def test_java_leaves_out_the_pages_of_other_rows(spark: Spark, location: str) -> None:
    api = spark.session._jvm.org.apache.parquet.filter2.predicate.FilterApi
    reader = open_by_java(spark, location, api.eq(api.intColumn("id"), 54_321))
    assert reader.getFilteredRecordCount() <= PAGE
    reader.close()
    frame = spark.session.read.parquet(location)
    for condition, ids in {
        "id = 54321": [54_321],
        "id BETWEEN 39999 AND 40001": [39_999, 40_000, 40_001],
        f"falling < -{ROWS - 2}::bigint * 1000000007": [ROWS - 1],
        "moment = timestamp_ntz '2024-09-01 05:33:20'": [PAGE],
        f"day IS NULL AND id % {PAGE} = 7": [PAGE + 7],
        "day = date '2024-01-08' AND id < 2000": [7, 1007],
        "price = 776.00 AND id > 99000": [i for i in range(99_001, ROWS) if i % 777 == 776],
        "text = 'text 7' AND id < 100": [7, 57],
    }.items():
        found = frame.where(condition).orderBy("id").select("id", "pair").collect()
        assert [(row.id, list(row.pair)) for row in found] == [(i, [i, i + 1]) for i in ids], condition


CONDITIONS: list[tuple[list[Condition], list[int]]] = [
    ([Condition("id", "=", 54_321)], [54_321]),
    ([Condition("id", ">=", 39_999), Condition("id", "<", 40_002)], [39_999, 40_000, 40_001]),
    ([Condition("falling", "<", -(ROWS - 2) * 1_000_000_007)], [ROWS - 1]),
    ([Condition("day", "=", date(2024, 1, 8)), Condition("id", "<", 2000)], [7, 1007]),
    ([Condition("text", "=", "text 7"), Condition("id", "<", 100)], [7, 57]),
]


@pytest.fixture(scope="module")
def table(lake: Lake, location: str) -> str:
    lake.export("public.paged", "lake.paged", *IN_ORDER)
    return "lake.paged"


@pytest.mark.parametrize("conditions, ids", CONDITIONS)
def test_every_reader_finds_the_rows(reader: Reader, table: str, conditions: list[Condition], ids: list[int]) -> None:
    found = reader.rows(table, conditions).select(["id", "pair"]).sort_by("id")
    assert [(row["id"], list(row["pair"])) for row in found.to_pylist()] == [(i, [i, i + 1]) for i in ids]


def test_clickhouse_finds_the_rows(location: str) -> None:
    for conditions, ids in CONDITIONS:
        query = f"SELECT id FROM file('{location}', Parquet){where(conditions)} ORDER BY id"
        found = json.loads(str(chdb.query(query.replace("DATE '", "date '"), "JSONCompact")))["data"]
        assert [row[0] for row in found] == ids, query


def test_parquet_cli_prints_them(location: str) -> None:
    jars = [os.environ["LAKEJOBS_PARQUET_CLI"], str(Path(pyspark.__file__).parent / "jars")]
    # It prints by its logger.
    command = ["java", "-Dorg.apache.logging.log4j.level=INFO", "-cp", ":".join(f"{folder}/*" for folder in jars)]
    done = subprocess.run(
        [*command, "org.apache.parquet.cli.Main", "column-index", location], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    text = done.stdout[done.stdout.index("row-group 0:") :]
    assert re.search(r"column index for column id:\n.*Boundary order: ASCENDING\n", text) is not None, text[:2000]
    # page, NULLs, least, greatest
    assert re.search(r"\npage-0 .*", text)[0].split() == ["page-0", "0", "0", str(PAGE - 1)]
