"""Every type of the contract, value by value."""

from __future__ import annotations

import pytest
from pyiceberg.catalog import Catalog

from all_types import COLUMNS, ICEBERG_TYPES, SQL, WITHOUT_TIME, reader_rows, source_rows
from lake import Lake
from readers import Reader


@pytest.fixture(scope="module", autouse=True)
def exported(lake: Lake) -> None:
    with lake.connect() as cursor:
        cursor.execute(SQL)
    lake.export("public.all_types", "types.everything")
    lake.export("public.all_types", "types.without_time", "--columns", ",".join(WITHOUT_TIME))
    lake.export("public.all_types", "types.time_as_text", "--cast", "time=text")


def test_types_are_the_contracts(catalog: Catalog) -> None:
    fields = catalog.load_table("types.everything").schema().fields
    assert {field.name: str(field.field_type) for field in fields} == ICEBERG_TYPES
    assert not any(field.required for field in fields)


def test_every_value_is_postgresqls(lake: Lake, reader: Reader) -> None:
    columns = WITHOUT_TIME if reader.name == "spark" else list(COLUMNS)
    table = "types.without_time" if reader.name == "spark" else "types.everything"
    wanted = source_rows(lake, columns)
    assert len(wanted) == 7
    assert reader_rows(reader.rows(table)) == wanted


def test_spark_refuses_a_time_column(spark: Reader) -> None:
    with pytest.raises(Exception, match="Spark does not support time fields"):
        spark.rows("types.everything")


def test_spark_reads_a_time_that_was_cast_to_text(lake: Lake, spark: Reader) -> None:
    times = {row["id"]: row["time"] for row in spark.rows("types.time_as_text").to_pylist()}
    assert times == dict(lake.source_rows("SELECT id, time::text FROM all_types"))
