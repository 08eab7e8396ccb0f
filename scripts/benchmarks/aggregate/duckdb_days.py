"""The same useful work as `lakejobs aggregate` without a cache, by hand: seven sorted day files, merged, sorted CSV."""

import sys

import duckdb

source, target, days_folder, *days = sys.argv[1:]
counts = ", ".join(f"count(*) FILTER (action = '{a.upper()}') AS {a}_count" for a in ("create", "read", "update", "delete"))
sums = ", ".join(f"sum({a}_count)::BIGINT AS {a}_count" for a in ("create", "read", "update", "delete"))
columns = "{'email': 'VARCHAR', 'action': 'VARCHAR', 'timestamp': 'TIMESTAMP'}"

for day in days:
    # The condition makes DuckDB parse the timestamp; it leaves out what no query looks at.
    duckdb.sql(f"""
        COPY (SELECT email, {counts}
              FROM read_csv('{source}/{day}.csv', header = false, auto_detect = false, columns = {columns})
              WHERE timestamp IS NOT NULL GROUP BY email ORDER BY email)
        TO '{days_folder}/{day}.parquet' (FORMAT parquet, COMPRESSION zstd)""")
duckdb.sql(f"""
    COPY (SELECT email, {sums} FROM read_parquet('{days_folder}/*.parquet') GROUP BY email ORDER BY email)
    TO '{target}' (HEADER, DELIMITER ',')""")
