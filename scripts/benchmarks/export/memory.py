"""Peak resident memory of `lakejobs export` with 5 M rows, ten times as many, and 1 GB of long texts; asserts nothing."""

import shutil

from common import LAKEJOBS, arguments, machine, measure, table
from servers import postgres, psql

BOUND_MB, ROWS_OF_LARGEST = 300, 4
# Texts of up to 2 MB that neither PostgreSQL nor Parquet can compress away; 1,000 rows are 1 GB.
WIDE = """
CREATE TABLE public.wide AS
SELECT id, (SELECT string_agg(md5(id::text || i::text), '') FROM generate_series(1, 1 + id * 7919 % 65536) AS i) AS text
FROM generate_series(1, {rows}) AS id"""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of the smaller table (default 5 M)")
    parser.add_argument("--factor", type=int, default=10, help="how many times as many the larger one has (default 10)")
    parser.add_argument("--wide-rows", type=int, default=1000, help="rows of long texts, 1 MB each on average (default 1000)")
    options = parser.parse_args()
    results: list[list[str]] = []

    with postgres(options.cache, options.work) as server:

        def export(name: str, source: str, largest: int) -> None:
            for connections in (1, 2):
                place = options.cache / f"memory-{options.work.name}"
                own = {"WAREHOUSE": str(place), "ICEBERG_CATALOG_NAME": f"memory{len(results)}"}
                flags = ["--table", source, "--format", "iceberg", "--connections", str(connections), "--log-level", "warn"]
                run = measure([*LAKEJOBS, "export", *flags], {**server, **own})
                shutil.rmtree(place)
                bound = BOUND_MB + ROWS_OF_LARGEST * largest / 1e6
                results.append([name, str(connections), f"{run.seconds:.1f}", f"{run.peak_bytes / 1e6:.0f}", f"{bound:.0f}"])

        def seed(rows: int, *flags: str) -> None:
            measure([*LAKEJOBS, "seed", "--rows", str(rows), *flags, "--log-level", "warn"], server)
            psql(server, "VACUUM ANALYZE public.web_logs", "CHECKPOINT")

        seed(options.rows)
        export(f"{options.rows:,} rows", "public.web_logs", 0)
        seed(options.rows * (options.factor - 1), "--append")
        export(f"{options.rows * options.factor:,} rows", "public.web_logs", 0)
        psql(server, WIDE.format(rows=options.wide_rows), "ANALYZE public.wide", "CHECKPOINT")
        size, largest = psql(server, "SELECT sum(length(text)), max(length(text)) FROM public.wide").split("|")
        export(f"{int(size) / 1e9:.2f} GB of texts", "public.wide", int(largest))

    print(f"\n{machine()}\n")
    print(table(["table", "connections", "seconds", "peak MB", "bound MB"], results, options.markdown))


main()
