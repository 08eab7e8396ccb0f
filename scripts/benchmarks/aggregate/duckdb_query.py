"""The bare query in DuckDB: all seven logs, typed, into one sorted CSV; nothing kept for the next morning."""

import os
import sys

import duckdb

source, target, _, *days = sys.argv[1:]
counts = ", ".join(f"count(*) FILTER (action = '{a.upper()}') AS {a}_count" for a in ("create", "read", "update", "delete"))
columns = "{'email': 'VARCHAR', 'action': 'VARCHAR', 'timestamp': 'TIMESTAMP'}"
files = ", ".join(f"'{source}/{day}.csv'" for day in days)

if limit := os.environ.get("DUCKDB_MEMORY_LIMIT"):
    duckdb.sql(f"SET memory_limit = '{limit}'; SET temp_directory = '{target}.tmp'")
# The condition makes DuckDB parse the timestamp; it leaves out what no query looks at.
duckdb.sql(f"""
    COPY (SELECT email, {counts}
          FROM read_csv([{files}], header = false, auto_detect = false, columns = {columns})
          WHERE timestamp IS NOT NULL GROUP BY email ORDER BY email)
    TO '{target}' (HEADER, DELIMITER ',')""")
