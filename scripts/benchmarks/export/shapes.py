"""Exports of unusual shapes: seconds, data files and peak memory, beside their bounds; asserts nothing.

Files of partitions do not depend on how busy the machine is; seconds do: their bound is for an idle one."""

import shutil

from common import LAKEJOBS, arguments, machine, measure, table
from servers import postgres, psql

WIDE = """
CREATE TABLE public.wide AS
SELECT {columns} FROM generate_series(1, {rows}) AS i"""
# A row's partition says nothing about its neighbours'.
MIXED = """
CREATE TABLE public.mixed AS
SELECT i AS id, (i::bigint * 7919 % {partitions})::integer AS part, 'text ' || i % 1000 AS text, i * 0.5::float8 AS value
FROM generate_series(1, {rows}) AS i"""

LONG = """
CREATE TABLE public.long AS
SELECT i AS id, i * 7919::bigint % 1000003 AS value FROM generate_series(1, 2500000) AS i"""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--columns", type=int, default=200, help="columns of the wide table (default 200)")
    parser.add_argument("--groups", type=int, default=600, help="its row groups (default 600)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the partitioned table (default 1 M)")
    parser.add_argument("--partitions", type=int, default=5000, help="its partitions (default 5,000)")
    options = parser.parse_args()
    results: list[list[str]] = []

    with postgres(options.cache, options.work) as server:

        def export(name: str, source: str, flags: list[str], files: int, seconds: str, megabytes: str) -> None:
            place = options.cache / f"shapes-{options.work.name}"
            own = {"WAREHOUSE": str(place), "ICEBERG_CATALOG_NAME": f"shapes{len(results)}"}
            run = measure([*LAKEJOBS, "export", "--table", source, "--format", "iceberg", *flags, "--log-level", "warn"], {**server, **own})
            found = sum(1 for _ in place.rglob("*.parquet"))
            shutil.rmtree(place)
            times = [f"{run.seconds:.1f}", f"{run.cpu_seconds:.1f}", seconds]
            results.append([name, *times, str(found), str(files), f"{run.peak_bytes / 1e6:.0f}", megabytes])

        rows_of_group = 100
        columns = ", ".join(f"i % {n + 2} AS c{n}" if n % 2 else f"'text ' || i % {n + 2} AS c{n}" for n in range(options.columns))
        psql(server, WIDE.format(columns=columns, rows=rows_of_group * options.groups), "ANALYZE public.wide")
        psql(server, MIXED.format(rows=options.rows, partitions=options.partitions), "ANALYZE public.mixed", "CHECKPOINT")
        wide = f"{options.columns} columns, {options.groups} row groups"
        export(wide, "public.wide", ["--row-group-rows", str(rows_of_group)], 1, "-", "300")
        mixed = f"{options.rows:,} rows, {options.partitions:,} partitions in mixed order"
        export(mixed, "public.mixed", ["--partition-by", "part"], options.partitions, "10", "300")
        psql(server, LONG, "ANALYZE public.long")
        one_group = ["--row-group-rows", "2500000", "--row-group-size", "400MB", "--connections", "1"]
        export("2.5 M rows, one row group", "public.long", one_group, 1, "-", "300")

    print(f"\n{machine()}\n")
    header = ["table", "seconds", "CPU seconds", "bound", "files", "bound", "peak MB", "bound MB"]
    print(table(header, results, options.markdown))


main()
