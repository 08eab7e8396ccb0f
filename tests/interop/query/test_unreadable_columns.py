"""A table of Spark's with a type that is not read here: its other columns can be asked for."""

from __future__ import annotations

import pytest

from lake import JobFailed, Lake
from readers import Spark


def test_a_variant_of_spark_is_named_and_the_others_are_read(lake: Lake, spark: Spark) -> None:
    table = "unreadable.variants"
    for statement in (
        "CREATE NAMESPACE IF NOT EXISTS local.unreadable",
        f"CREATE TABLE local.{table} (id INT, v VARIANT, name STRING) USING iceberg"
        " TBLPROPERTIES ('format-version' = '3', 'write.delete.mode' = 'merge-on-read',"
        " 'read.parquet.vectorization.enabled' = 'false')",
        f"INSERT INTO local.{table} SELECT id, parse_json('{{\"a\": 1}}'), concat('n', id) FROM range(10)",
        f"DELETE FROM local.{table} WHERE id = 3",
    ):
        spark.session.sql(statement)
    rows = [{"id": id, "name": f"n{id}"} for id in range(10) if id != 3]
    assert lake.sql(f"select id, name from {table} order by id") == rows
    assert lake.sql(f"select * exclude (v) from {table} where id > 7 order by id") == rows[-2:]
    assert lake.sql(f"select count(*) as n from {table}") == [{"n": "9"}]
    for query in (f"select * from {table}", f"select v from {table}", f"select id from {table} where v is null"):
        done = lake.run("sql", query)
        assert (done.returncode, done.stdout) == (3, "")
        assert f"table {table}: column v has type variant, which cannot be read" in done.stderr
    with pytest.raises(JobFailed):
        lake.job("verify", "--table", table, "--format", "iceberg", "--against", "written", "--strict")
