"""DuckDB's postgres scanner: each of the tables to a Parquet file of its own in the folder (snappy, parallel connections)."""

import sys

import duckdb
import duckdb_extensions

source, folder, *tables = sys.argv[1:]
duckdb_extensions.import_extension("postgres_scanner")
duckdb.sql("LOAD postgres_scanner")
duckdb.sql(f"ATTACH '{source}' AS source (TYPE postgres, READ_ONLY)")
for name in tables:
    duckdb.sql(f"COPY (FROM source.{name}) TO '{folder}/{name.split('.')[1]}.parquet' (FORMAT parquet)")
