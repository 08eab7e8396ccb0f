"""TPC-H's eight tables, and tables of one type, to Parquet beside DuckDB's postgres scanner; asserts no time, but equal rows."""

import os
import pathlib
import shutil
import statistics
import sys
from dataclasses import dataclass
from importlib.metadata import version

import duckdb
from common import LAKEJOBS, Measured, arguments, machine, measure, table
from export.servers import psql, url
from load import TABLES, TYPES, loaded, of_type

HERE = pathlib.Path(__file__).parent
OURS, DUCKDB = "lakejobs", "DuckDB scanner"
ALL = "TPC-H, eight tables"
CASES = {ALL: [f"tpch.{name}" for name in TABLES], **{name: [of_type(name)] for name in TYPES}}
START = "nothing"
SECONDS_BOUND, ROWS_BOUND, TYPE_BOUND = 0.95, 1.1e6, 1.1


@dataclass(frozen=True)
class Run:
    client: Measured
    server_seconds: float
    bytes: int


class Turns:
    """Runs, each to a place and a catalog of its own."""

    def __init__(self, work: pathlib.Path, server: dict[str, str], folder: pathlib.Path) -> None:
        self.work, self.server, self.count = work, server, 0
        self.postmaster = (folder / "data/postmaster.pid").read_text().split()[0]

    def server_seconds(self) -> float:
        """Processor time of the server's processes that have ended: each connection has one. NaN where there is no /proc."""
        stat = pathlib.Path("/proc", self.postmaster, "stat")
        if not stat.exists():
            return float("nan")
        return sum(map(int, stat.read_text().rpartition(")")[2].split()[13:15])) / os.sysconf("SC_CLK_TCK")

    def run(self, who: str, tables: list[str]) -> tuple[Run, list[tuple]]:
        """What it took, and the sums of what it wrote."""
        self.count += 1
        place = self.work / f"run-{self.count}"
        place.mkdir()
        before = self.server_seconds()
        if who == OURS:
            own = {"WAREHOUSE": str(place), "ICEBERG_CATALOG_NAME": f"{self.work.name}-{self.count}"}
            flags = ["--table", ",".join(tables), "--format", "iceberg", "--log-level", "warn"]
            client = measure([*LAKEJOBS, "export", *flags], {**self.server, **own})
        else:
            client = measure([sys.executable, str(HERE / "duckdb_tables.py"), url(self.server), str(place), *tables])
        taken = self.server_seconds() - before
        size = sum(path.stat().st_size for path in place.rglob("*.parquet"))
        sums = [self.sums(who, place, name.split(".")[1]) for name in tables]
        shutil.rmtree(place)
        return Run(client, taken, size), sums

    def sums(self, who: str, place: pathlib.Path, name: str) -> tuple:
        """Rows, and each column's values that are there and sum of hashes of their text. The scanner takes the blanks that pad a char(n)
        away: they do not count."""
        files = [str(path) for path in place.rglob("*.parquet") if who == DUCKDB or name in path.parts]
        files = files if who == OURS else [str(place / f"{name}.parquet")]
        if not files:
            return (0,)
        with duckdb.connect(config={"threads": 1}) as connection:
            what = "count(*), count(COLUMNS(*)), sum(hash(rtrim(COLUMNS(*)::varchar))::hugeint)"
            sums = connection.execute(f"SELECT {what} FROM read_parquet(?)", [files]).fetchone()
        return sums if sums[0] > 0 else (0,)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--scale", type=float, default=1, help="TPC-H's scale factor (default 1: 8.66 M rows); each is loaded once and kept")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each, after one that is not (default 5)")
    options = parser.parse_args()
    if shutil.which("psql") is None:
        sys.exit("No psql on the PATH: install PostgreSQL's client (postgresql-client, or brew install libpq).")
    results: dict[tuple[str, str], list[Run]] = {}
    rows: dict[str, int] = {}
    with loaded(options.cache, options.work, options.scale) as (server, folder):
        turns = Turns(options.work, server, folder)
        for turn in range(options.runs + 1):
            for case, tables in CASES.items():
                expected = [int(psql(server, f"SELECT count(*) FROM {name}")) for name in tables] if turn == 0 else None
                wrote = {}
                for who in (OURS, DUCKDB):
                    run, wrote[who] = turns.run(who, tables)
                    if turn > 0:
                        results.setdefault((case, who), []).append(run)
                for name, ours, theirs in zip(tables, wrote[OURS], wrote[DUCKDB]):
                    if ours != theirs:
                        sys.exit(f"{name}: lakejobs wrote {ours}, DuckDB {theirs}")
                if expected is not None:
                    if expected != [sums[0] for sums in wrote[OURS]]:
                        sys.exit(f"{case}: there are {expected} rows, and {[sums[0] for sums in wrote[OURS]]} were written")
                    rows[case] = sum(expected)
    report(results, rows, options)


def report(results: dict[tuple[str, str], list[Run]], rows: dict[str, int], options) -> None:
    def median(case: str, who: str, value) -> float:
        return statistics.median(value(run) for run in results[case, who])

    def cpu(case: str, who: str) -> float:
        return median(case, who, lambda run: run.client.cpu_seconds)

    def seconds(case: str, who: str) -> float:
        return median(case, who, lambda run: run.client.seconds)

    def beyond_start(case: str, who: str) -> float:
        return cpu(case, who) - cpu(START, who)

    measured = [
        [
            *(case, who, f"{seconds(case, who):.2f}", f"{cpu(case, who):.2f}"),
            f"{median(case, who, lambda run: run.server_seconds):.2f}",
            f"{median(case, who, lambda run: run.client.peak_bytes) / 1e6:.0f}",
            f"{median(case, who, lambda run: run.bytes) / 1e6:.1f}",
            f"{rows[case] / cpu(case, who) / 1e6:.2f}",
        ]
        for case in CASES
        for who in (OURS, DUCKDB)
    ]
    compared = [
        [f"{ALL}: seconds", DUCKDB, f"{seconds(ALL, OURS) / seconds(ALL, DUCKDB):.2f}", f"{SECONDS_BOUND}"],
        [f"{ALL}: rows a CPU second", "1.1 M", f"{rows[ALL] / cpu(ALL, OURS) / ROWS_BOUND:.2f}", "at least 1"],
        *(
            [f"{case}: CPU beyond the start", DUCKDB, f"{beyond_start(case, OURS) / beyond_start(case, DUCKDB):.2f}", f"{TYPE_BOUND}"]
            for case in CASES
            if case != START
        ),
    ]
    print(f"\n{machine()}, duckdb {version('duckdb')}, tpchgen-cli {version('tpchgen-cli')}, load {os.getloadavg()[0]:.0f}")
    print(f"scale {options.scale:g}, medians of {options.runs} runs each, in turns\n")
    header = ["what", "who", "seconds", "CPU seconds", "server's CPU", "peak MB", "Parquet MB", "M rows a CPU second"]
    print(table(header, measured, options.markdown), end="\n\n")
    print(table(["ours", "to", "ratio", "bound"], compared, options.markdown))


main()
