"""`lakejobs sql` reads tables in an object store: in place by DuckDB's httpfs, or by bringing their files here."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from lake import JobFailed, Lake
from readers import Spark, extension

TABLE = "stored.web_logs"


@pytest.fixture(scope="module")
def store(lake: Lake) -> dict[str, str]:
    environment = {"WAREHOUSE": "s3://sql-lake/wh"}
    lake.export("public.web_logs", TABLE, "--partition-by", "day(timestamp)", **environment)
    return environment


@pytest.fixture(params=["httpfs", "brought"])
def reads(request: pytest.FixtureRequest, store: dict[str, str]) -> dict[str, str]:
    """With the extension nothing is brought: it would be too much."""
    if request.param == "brought":
        return store
    folder = str(extension("httpfs").parent)
    return {**store, "LAKEJOBS_DUCKDB_EXTENSIONS": folder, "LAKEJOBS_MAX_DOWNLOAD": "1KB"}


def test_the_rows_are_those_of_the_source(lake: Lake, reads: dict[str, str]) -> None:
    query = "SELECT count(*), sum(user_id), max(url), min(timestamp)::text FROM {} WHERE timestamp >= '2024-09-12 00:00:00+00'"
    ((count, total, url, first),) = lake.source_rows(query.format("web_logs"))
    row = lake.sql(query.format(TABLE), **reads)[0]
    assert list(row.values()) == [str(count), str(total), url, first]


def test_deletes_are_applied(lake: Lake, spark: Spark, reads: dict[str, str]) -> None:
    table = f"stored.deletes_{len(reads)}"
    location = f"s3a://sql-lake/wh/{table}"
    spark.session.sql("CREATE NAMESPACE IF NOT EXISTS local.stored")
    spark.session.sql(
        f"CREATE TABLE local.{table} (id INT, name STRING) USING iceberg LOCATION '{location}'"
        " TBLPROPERTIES ('format-version' = '3', 'write.delete.mode' = 'merge-on-read')"
    )
    spark.session.sql(f"INSERT INTO local.{table} SELECT CAST(id AS INT), 'x' FROM range(100)")
    spark.session.sql(f"DELETE FROM local.{table} WHERE id % 2 = 0")
    assert lake.sql(f"select count(*) as n, min(id) as first from {table}", **reads) == [{"n": "50", "first": 1}]


def test_too_much_is_refused_with_the_sizes(lake: Lake, store: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match=r"files of \d+ bytes must be brought here, --max-download allows 1024.*largest: s3://sql-lake/"):
        lake.sql(f"select * from {TABLE}", "--max-download", "1KB", "--scratch", str(tmp_path), **store)
    assert os.listdir(tmp_path) == []


def test_a_key_that_is_wrong_and_a_folder_without_the_extension(
    lake: Lake, store: dict[str, str], tmp_path: Path
) -> None:
    folder = str(extension("httpfs").parent)
    wrong = {**store, "LAKEJOBS_DUCKDB_EXTENSIONS": folder}
    with pytest.raises(JobFailed, match="no httpfs.duckdb_extension in") as missing:
        lake.sql(f"select * from {TABLE}", "--duckdb-extensions", str(tmp_path), **store)
    shutil.copy(__file__, tmp_path / "httpfs.duckdb_extension")
    with pytest.raises(JobFailed, match="cannot be loaded") as broken:
        lake.sql(f"select * from {TABLE}", "--duckdb-extensions", str(tmp_path), **store)
    with pytest.raises(JobFailed) as refused:
        lake.sql("select * from duckdb_secrets()", **wrong)
    for failure in (missing, broken, refused):
        assert lake.servers.secretAccessKey not in str(failure.value)


def test_a_snapshot_that_is_not_there(lake: Lake, store: dict[str, str], reads: dict[str, str]) -> None:
    with pytest.raises(JobFailed, match="has no snapshot 1"):
        lake.sql(f"select * from {TABLE}", "--snapshot", "1", **reads)
