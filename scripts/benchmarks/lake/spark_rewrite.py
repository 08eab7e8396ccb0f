"""Spark's rewrite_data_files of default.web_logs: prints its seconds, and the files before and after. WAREHOUSE as its argument."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

jars = sorted(Path(os.environ["LAKEJOBS_SPARK_JARS"]).glob("*.jar"))
prefix = "spark.sql.catalog.local"
name = {key: os.environ[f"ICEBERG_POSTGRES_{key}"] for key in ("HOST", "PORT", "DB", "USER", "PASSWORD")}
settings = {
    "spark.jars": ",".join(map(str, jars)),
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    prefix: "org.apache.iceberg.spark.SparkCatalog",
    f"{prefix}.type": "jdbc",
    f"{prefix}.uri": f"jdbc:postgresql://{name['HOST']}:{name['PORT']}/{name['DB']}",
    f"{prefix}.jdbc.user": name["USER"],
    f"{prefix}.jdbc.password": name["PASSWORD"],
    f"{prefix}.jdbc.schema-version": "V1",
    f"{prefix}.warehouse": Path(sys.argv[1]).as_uri(),
}
builder = SparkSession.builder.master("local[*]")
for key, value in settings.items():
    builder = builder.config(key, value)
session = builder.getOrCreate()
session.sparkContext.setLogLevel("ERROR")
session.sql("SELECT count(*) FROM local.default.web_logs").collect()
started = time.monotonic()
(done,) = session.sql("CALL local.system.rewrite_data_files(table => 'default.web_logs')").collect()
took = time.monotonic() - started
print(f"{took:.2f} s ({done.rewritten_data_files_count} files to {done.added_data_files_count})")
session.stop()
