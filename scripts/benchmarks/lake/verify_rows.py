"""The rows of `lakejobs verify`."""

import argparse
import pathlib
import shutil
import subprocess
import sys

from common import LAKEJOBS, Measured, measure
from export.servers import minio, psql, url
from measured import Command, side_by_side

HERE = pathlib.Path(__file__).parent
START = "import duckdb; duckdb.connect(config={'threads': 2}).execute('SELECT 1').fetchone()"
ROWS = """
CREATE TABLE public.verified AS
SELECT i AS id, timestamptz '2024-09-01 00:00Z' + i * interval '1 second' AS timestamp, 1 + i::bigint * 7919 % 50000 AS user_id,
       '/category/' || i % 40 || '/page/' || i::bigint * 31 % 5000 AS url, i::bigint * 13 % 900 AS response_time, (i::bigint * 17 % 99999 / 100.0)::numeric(9, 2) AS price
FROM generate_series(1, {rows}) AS i"""
LINEITEM = """
CREATE TABLE public.lineitem (
  l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity numeric(15, 2),
  l_extendedprice numeric(15, 2), l_discount numeric(15, 2), l_tax numeric(15, 2), l_returnflag text, l_linestatus text,
  l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct text, l_shipmode text, l_comment text,
  PRIMARY KEY (l_orderkey, l_linenumber))"""


def load_lineitem(server: dict[str, str], scale: float) -> None:
    """TPC-H's by its generator (the package tpchgen-cli)."""
    psql(server, LINEITEM)
    generate = [str(pathlib.Path(sys.executable).parent / "tpchgen-cli"), "csv", "-s", str(scale), "--tables=lineitem", "--stdout"]
    generated = subprocess.Popen(generate, stdout=subprocess.PIPE)
    copy = ["psql", "--no-psqlrc", "-q", "-c", "COPY public.lineitem FROM STDIN (FORMAT csv, HEADER)", url(server)]
    subprocess.run(copy, stdin=generated.stdout, check=True)
    if generated.wait() != 0:
        sys.exit(f"failed: {' '.join(generate)}")


def rows_of_verify(server: dict[str, str], options: argparse.Namespace) -> list[list[str]]:
    """Name, seconds, CPU seconds, beside what, ratio of seconds and of CPU seconds, bound, the same two of the limit, peak memory."""
    place = options.cache / f"verify-{options.work.name}"
    environment = {**server, "WAREHOUSE": str(place), "ICEBERG_CATALOG_NAME": "verify", "LAKEJOBS_LOG_LEVEL": "warn"}
    try:
        psql(server, ROWS.format(rows=options.rows), "ALTER TABLE public.verified ADD PRIMARY KEY (id)", "ANALYZE public.verified")
        load_lineitem(server, options.scale)
        psql(server, "CREATE TABLE public.nothing AS SELECT * FROM public.verified LIMIT 0", "ANALYZE public.nothing", "ANALYZE public.lineitem")
        export(environment, "public.nothing")
        return [
            *table_rows(environment, options.rounds, "verified", "UPDATE public.verified SET price = price + 0.01 WHERE id = 7"),
            *table_rows(environment, options.rounds, "lineitem", "UPDATE public.lineitem SET l_tax = l_tax + 0.01 WHERE l_orderkey = 7 AND l_linenumber = 2"),
            *counts_rows(environment, options),
        ]
    finally:
        shutil.rmtree(place, ignore_errors=True)


def export(environment: dict[str, str], source: str, *flags: str) -> None:
    measure([*LAKEJOBS, "export", "--table", source, "--format", "iceberg", *flags, "--log-level", "warn"], environment)


def verify(environment: dict[str, str], name: str, *flags: str) -> Command:
    return Command([*LAKEJOBS, "verify", "--format", "iceberg", "--log-level", "error", "--table", f"default.{name}", *flags], environment)


def table_rows(environment: dict[str, str], rounds: int, name: str, change: str) -> list[list[str]]:
    """Of one table; `change` changes a row of it at the source."""
    export(environment, f"public.{name}")
    files = [str(path) for path in pathlib.Path(environment["WAREHOUSE"], "default", name).rglob("*.parquet")]
    copy = ["psql", "--no-psqlrc", "-q", "-c", f"COPY public.{name} TO STDOUT (FORMAT binary)", url(environment)]
    commands = {
        "duckdb": Command([sys.executable, str(HERE / "read_all.py"), *files], environment),
        "copy": Command(copy, environment),
        "empty": Command([sys.executable, "-c", START], environment),
        "written": verify(environment, name, "--against", "written"),
        "start": verify(environment, "nothing", "--against", "written"),
        "source": verify(environment, name),
    }
    runs = side_by_side(commands, rounds)
    if psql(environment, change, f"SELECT count(*) FROM public.{name} WHERE xmin::text::bigint = (SELECT max(xmin::text::bigint) FROM public.{name})") != "1":
        sys.exit(f"not one row changed: {change}")
    deep = side_by_side({"default": verify(environment, name), "deep": verify(environment, name, "--deep")}, rounds)
    both = [runs["duckdb"], runs["copy"]]
    return [
        row(f"{name}: DuckDB reads all columns", runs["duckdb"], "-", [], "-"),
        row(f"{name}: DuckDB reads nothing", runs["empty"], "-", [], "-"),
        row(f"{name}: COPY, thrown away", runs["copy"], "-", [], "-"),
        row(f"{name}: verify of a table without rows", runs["start"], "-", [], "-"),
        row(f"{name}: verify --against written", runs["written"], "DuckDB", [runs["duckdb"]], "1.5", of_the_limit(runs)),
        row(f"{name}: verify --against source", runs["source"], "DuckDB and COPY", both, "2.0"),
        row(f"{name}: verify --deep, one row changed", deep["deep"], "without --deep", [deep["default"]], "1.5"),
    ]


def counts_rows(environment: dict[str, str], options: argparse.Namespace) -> list[list[str]]:
    """Of a table of 1,000 files, in a folder and in MinIO."""
    psql(environment, "CREATE TABLE public.parts AS SELECT i AS id FROM generate_series(1, 1000) AS i", "ANALYZE public.parts")
    with minio(options.work) as store:
        stored = {**environment, **store, "WAREHOUSE": "s3://verify/lake", "ICEBERG_CATALOG_NAME": "stored"}
        places = {"local": environment, "MinIO": stored}
        for one in places.values():
            export(one, "public.parts", "--partition-by", "id")
        flags = ("--counts", "--against", "written")
        runs = side_by_side({name: verify(one, "parts", *flags) for name, one in places.items()}, options.rounds)
    bounds = {"local": "1.2 s", "MinIO": "4 s"}
    return [row(f"verify --counts, 1,000 files, {name}", run, "-", [], bounds[name]) for name, run in runs.items()]


def of_the_limit(runs: dict[str, Measured]) -> tuple[str, str]:
    """Of 1.5 times what DuckDB takes to read the files, and our own start: seconds, CPU seconds."""
    found = []
    for one in ("seconds", "cpu_seconds"):
        of = {name: getattr(run, one) for name, run in runs.items()}
        found.append(f"{of['written'] / (1.5 * (of['duckdb'] - of['empty']) + of['start']):.2f}")
    return found[0], found[1]


def row(name: str, run: Measured, beside: str, others: list[Measured], bound: str, limit: tuple[str, str] = ("-", "-")) -> list[str]:
    ratios = [
        f"{run.seconds / sum(other.seconds for other in others):.2f}" if others else "-",
        f"{run.cpu_seconds / sum(other.cpu_seconds for other in others):.2f}" if others else "-",
    ]
    return [name, f"{run.seconds:.2f}", f"{run.cpu_seconds:.2f}", beside, *ratios, bound, *limit, f"{run.peak_bytes / 1e6:.0f}"]
