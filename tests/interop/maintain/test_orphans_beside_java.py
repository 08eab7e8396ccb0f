"""What `maintain orphans --delete` removes, Iceberg's Java would remove, too; what Java alone would is left and named."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from uuid import uuid4

from pyiceberg.catalog import Catalog

from lake import Lake, path_of
from readers import PyIceberg, Spark

DAY = 86_400


def files_in(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if path.is_file()}


def aged(folder: Path, days: int) -> None:
    then = time.time() - days * DAY
    for path in files_in(folder):
        os.utime(path, (then, then))


def in_list_of_java(spark: Spark, table: str, days: int) -> set[str]:
    older_than = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - days * DAY))
    arguments = f"table => '{table}', older_than => TIMESTAMP '{older_than}', dry_run => true"
    rows = spark.session.sql(f"CALL local.system.remove_orphan_files({arguments})").collect()
    return {str(path_of(row.orphan_file_location)) for row in rows}


def test_all_that_we_remove_is_an_orphan_to_java(lake: Lake, catalog: Catalog, spark: Spark) -> None:
    table = "orphans.beside_java"
    with lake.connect() as cursor:
        cursor.execute("CREATE TABLE beside_java AS SELECT i AS id, 'n' || i AS name FROM generate_series(1, 1000) i")
    lake.export("public.beside_java", table)
    for _ in range(3):
        spark.session.sql(f"INSERT INTO local.{table} VALUES (5000, 'spark')")
    spark.session.sql(f"ALTER TABLE local.{table} SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')")
    spark.session.sql(f"DELETE FROM local.{table} WHERE id < 10")
    folder = path_of(catalog.load_table(table).location())
    # Hadoop's own, on disks alone, which Spark hides from itself.
    for checksum in folder.rglob(".*.crc"):
        checksum.unlink()
    needed = files_in(folder)
    rows = sorted(PyIceberg(catalog).rows(table).column("id").to_pylist())
    # What killed writers leave, by the names of ours, Spark's and PyIceberg's; and files of other programs.
    data, metadata = folder / "data", folder / "metadata"
    source = next(path for path in data.rglob("*.parquet"))
    written = [
        data / f"00000-0-{uuid4()}-00001.parquet",
        data / f"id_bucket=1/00003-7-{uuid4()}-0-00001.parquet",
        data / f"00000-0-{uuid4()}-00001-deletes.parquet",
        metadata / f"{uuid4()}-m0.avro",
        metadata / f"snap-123456789-1-{uuid4()}.avro",
    ]
    foreign = [data / "report.parquet", data / "notes.csv", metadata / "catalog.db"]
    for path in [*written, *foreign]:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)
    aged(folder, 10)
    young = data / f"00000-0-{uuid4()}-00001.parquet"
    shutil.copy(source, young)

    java = in_list_of_java(spark, table, 3)
    before = files_in(folder)
    done = lake.job("maintain", "orphans", "--table", table, "--max-orphans", "100%", "--delete")
    report = done["tables"][0]["maintained"]
    removed = before - files_in(folder)
    assert removed == {str(path) for path in written}
    assert removed <= java
    # Java takes whatever nothing refers to; each of these is named.
    left = {reason["reason"]: reason for reason in report["leftAlone"]}
    named = {str(path_of(one)) for one in left["no writer of Iceberg gives such names"]["examples"]}
    assert java - removed == named == {str(path) for path in foreign}
    assert left["younger than --orphan-age"]["files"] == 1 and young.exists()
    assert needed <= files_in(folder)
    assert sorted(PyIceberg(catalog).rows(table).column("id").to_pylist()) == rows
    assert in_list_of_java(spark, table, 3) == named
