"""DuckDB reads all columns of Parquet files once."""

import sys

import duckdb

connection = duckdb.connect(config={"threads": 2})
columns = [name for name, *_ in connection.execute("DESCRIBE SELECT * FROM read_parquet($1, hive_partitioning = false)", [sys.argv[1:]]).fetchall()]
maxima = ", ".join(f'max("{name}")' for name in columns)
print(connection.execute(f"SELECT hash(count(*), {maxima}) FROM read_parquet($1, hive_partitioning = false)", [sys.argv[1:]]).fetchone())
