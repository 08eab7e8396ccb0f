"""DuckDB's postgres scanner to one Parquet file (its defaults: snappy, parallel connections)."""

import sys

import duckdb
import duckdb_extensions

source, target = sys.argv[1:]
duckdb_extensions.import_extension("postgres_scanner")
duckdb.sql("LOAD postgres_scanner")
duckdb.sql(f"ATTACH '{source}' AS source (TYPE postgres, READ_ONLY)")
duckdb.sql(f"COPY (FROM source.public.web_logs) TO '{target}' (FORMAT parquet)")
