"""`lakejobs verify` on tables whose files PyIceberg has written anew: the same rows match, others are told."""

from __future__ import annotations

from typing import Any

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import EqualTo

from lake import Lake
from readers import Spark


def intervals(lake: Lake, name: str, *flags: str) -> dict[str, str]:
    """Interval → result; the run has to end with 0."""
    table = lake.job("verify", "--table", name, "--format", "iceberg", *flags)["tables"][0]
    return {one["interval"]: one["result"] for one in table["verified"]["intervals"]}


def results(lake: Lake, name: str, *flags: str) -> set[str]:
    return set(intervals(lake, name, *flags).values())


@pytest.fixture
def days(lake: Lake, request: pytest.FixtureRequest) -> str:
    name = f"verified.{request.node.name.removeprefix('test_')}"
    lake.export("public.web_logs", name, "--mode", "full", "--partition-by", "day(timestamp)")
    assert results(lake, name) == {"match"}
    return name


def test_pyiceberg_writes_the_same_rows_anew(lake: Lake, catalog: Catalog, days: str) -> None:
    table = catalog.load_table(days)
    table.overwrite(table.scan().to_arrow())
    assert results(lake, days) == {"match"}
    # Without the source nothing tells what an overwrite by others should have left.
    assert results(lake, days, "--against", "written") == {"unverified"}


def test_pyiceberg_deletes_a_row(lake: Lake, catalog: Catalog, days: str) -> None:
    table = catalog.load_table(days)
    day = str(table.scan(EqualTo("user_id", 500)).to_arrow()["timestamp"][0].as_py().date())
    lost = table.scan(EqualTo("user_id", 500)).to_arrow().num_rows
    assert lost > 0
    table.delete(EqualTo("user_id", 500))
    found = intervals(lake, days)
    assert found[day] == "unverified" and set(found.values()) <= {"match", "unverified"}
    lake.export("public.web_logs", days, "--mode", "full")
    assert results(lake, days) == {"match"}


def test_pyiceberg_appends_and_changes_the_schema(lake: Lake, catalog: Catalog, days: str) -> None:
    table = catalog.load_table(days)
    with table.update_schema() as update:
        update.rename_column("url", "page")
    assert results(lake, days, "--against", "written") == {"match"}
    first: Any = table.refresh().scan(limit=1).to_arrow()
    table.append(first)
    assert results(lake, days, "--against", "written") == {"match", "unverified"}


def call(spark: Spark, procedure: str, table: str, **options: str) -> None:
    settings = ", ".join(f"'{name}', '{value}'" for name, value in options.items())
    given = f", options => map({settings})" if settings else ""
    spark.session.sql(f"CALL local.system.{procedure}(table => '{table}'{given})")


def files(catalog: Catalog, name: str) -> set[str]:
    return {task.file.file_path for task in catalog.load_table(name).scan().plan_files()}


def test_spark_rewrites_data_files(lake: Lake, catalog: Catalog, spark: Spark, days: str) -> None:
    before = files(catalog, days)
    call(spark, "rewrite_data_files", days, **{"rewrite-all": "true"})
    assert not before & files(catalog, days)
    spark.session.sql(
        f"CALL local.system.rewrite_data_files(table => '{days}', strategy => 'sort', sort_order => 'url DESC, user_id',"
        " options => map('rewrite-all', 'true'))"
    )
    call(spark, "rewrite_manifests", days)
    assert catalog.load_table(days).current_snapshot().summary.operation.value == "replace"
    # A replace has the same rows: what was written still tells of them.
    assert results(lake, days) == {"match"}
    assert results(lake, days, "--against", "written", "--strict") == {"match"}
    # It finds what is wrong in files that Spark has written, too.
    spark.session.sql(f"UPDATE local.{days} SET response_time = response_time + 1 WHERE user_id = 500")
    assert "unverified" in results(lake, days)


def test_small_files_of_spark_are_put_together_by_us_and_expire(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    name = "verified.small_files"
    lake.export("public.web_logs", name, "--mode", "full")
    call(spark, "rewrite_data_files", name, **{"rewrite-all": "true", "target-file-size-bytes": "4096"})
    small = files(catalog, name)
    assert len(small) >= 5
    assert results(lake, name) == results(lake, name, "--against", "written", "--strict") == {"match"}
    lake.job("maintain", "compact", "--table", name)
    assert len(files(catalog, name)) < len(small)
    assert results(lake, name) == results(lake, name, "--against", "written", "--strict") == {"match"}
    lake.job("maintain", "expire", "--table", name, "--older-than", "0", "--keep", "1")
    assert len(catalog.load_table(name).metadata.snapshots) == 1
    assert results(lake, name) == results(lake, name, "--against", "written", "--strict") == {"match"}
