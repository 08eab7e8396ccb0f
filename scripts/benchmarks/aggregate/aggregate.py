"""Whole-process wall time of `lakejobs aggregate` and of peers, in turns; prints ratios of medians, asserts no time."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version

from common import DAYS, LAKEJOBS, arguments, data_set, digest, machine, measure, table

HERE = pathlib.Path(__file__).parent
SAME_WORK, BARE_DUCKDB, BARE_POLARS = "DuckDB, same work", "DuckDB, bare query", "Polars, bare query"
# In an environment of its own (newest-duckdb.txt), beside the release that lakejobs embeds.
BARE_NEWEST = "newest DuckDB, bare query"
NEWEST_PYTHON = os.environ["NEWEST_DUCKDB_PYTHON"]
COLD, MORNING, WARM = "lakejobs, cold", "lakejobs, one new day", "lakejobs, warm"
NODE, HELP = "node -e 0", "lakejobs --help"
PEERS = {SAME_WORK: "duckdb_days.py", BARE_DUCKDB: "duckdb_query.py", BARE_NEWEST: "duckdb_query.py", BARE_POLARS: "polars_query.py"}


@dataclass(frozen=True)
class DataSet:
    name: str
    rows_per_day: int
    emails: int
    cold_bound: float
    # To the bare query, which keeps nothing.
    bare_bound: float
    morning_bound: float
    warm_bound: float


SETS = [DataSet("A", 2_000_000, 10, 1.15, 0.60, 0.22, 0.12), DataSet("B", 3_000_000, 1_000_000, 1.25, 0.85, 0.35, 0.35)]
HELP_BOUND = 2.5


def remove(path: pathlib.Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


def run_set(source: pathlib.Path, work: pathlib.Path, runs: int) -> dict[str, float]:
    """Medians in seconds. Every output must be the same bytes; the first round only warms the page cache."""
    work.mkdir(parents=True)
    cache, days, target = work / "cache", work / "days", work / f"{DAYS[-1]}.csv"
    ours = [*LAKEJOBS, "aggregate", str(source), str(work), DAYS[-1], "--cache", str(cache), "--log-level", "warn"]
    seconds: dict[str, list[float]] = {}
    expected: set[str] = set()

    def once(name: str, command: list[str]) -> None:
        target.unlink(missing_ok=True)
        taken = measure(command).seconds
        expected.add(digest(target))
        if len(expected) > 1:
            sys.exit(f"{name}: its result differs from the others'")
        seconds.setdefault(name, []).append(taken)

    for _ in range(runs + 1):
        remove(cache)
        once(COLD, ours)
        for name, script in PEERS.items():
            remove(days)
            days.mkdir()
            python = NEWEST_PYTHON if name == BARE_NEWEST else sys.executable
            once(name, [python, str(HERE / script), str(source), str(target), str(days), *DAYS])
        remove(cache / DAYS[-1])
        remove(cache / "windows")
        once(MORNING, ours)
        once(WARM, ours)
    return {name: statistics.median(times[1:]) for name, times in seconds.items()}


def run_help(runs: int) -> dict[str, float]:
    commands = {NODE: ["node", "-e", "0"], HELP: [*LAKEJOBS, "--help"]}
    seconds = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            seconds[name].append(measure(command).seconds)
    return {name: statistics.median(times[1:]) for name, times in seconds.items()}


def ratios(data: DataSet, medians: dict[str, float]) -> list[list[str]]:
    def row(ours: str, peer: str, bound: float | None) -> list[str]:
        ratio = medians[ours] / medians[peer]
        return [data.name, ours, peer, f"{ratio:.2f}", "" if bound is None else f"{bound:.2f}"]

    return [
        row(COLD, SAME_WORK, data.cold_bound),
        row(COLD, BARE_DUCKDB, data.bare_bound),
        row(COLD, BARE_NEWEST, data.bare_bound),
        row(COLD, BARE_POLARS, None),
        row(MORNING, BARE_DUCKDB, data.morning_bound),
        row(MORNING, BARE_NEWEST, data.morning_bound),
        row(WARM, BARE_DUCKDB, data.warm_bound),
        row(WARM, BARE_NEWEST, data.warm_bound),
    ]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each, after one that is not (default 5)")
    parser.add_argument("--rows", type=int, help="rows a day instead of 2 M and 3 M, to try the benchmark itself")
    parser.add_argument("--sets", default="AB", help="A: 10 emails, B: 1 M emails (default AB)")
    options = parser.parse_args()

    times, compared = [], []
    for data in SETS:
        if data.name not in options.sets:
            continue
        rows = options.rows or data.rows_per_day
        source = data_set(options.cache, rows, data.emails)
        medians = run_set(source, options.work / data.name, options.runs)
        times += [[f"{data.name}: 7 x {rows:,} rows, {data.emails:,} emails", name, f"{s:.2f}"] for name, s in medians.items()]
        compared += ratios(data, medians)
    started = run_help(options.runs)
    times += [["start", name, f"{seconds:.3f}"] for name, seconds in started.items()]
    compared.append(["start", HELP, NODE, f"{started[HELP] / started[NODE]:.2f}", f"{HELP_BOUND:.2f}"])

    newest = subprocess.run([NEWEST_PYTHON, "-c", "import duckdb; print(duckdb.__version__)"], check=True, capture_output=True, text=True)
    print(f"\n{machine()}, duckdb {version('duckdb')} and {newest.stdout.strip()}, polars {version('polars')}")
    print(f"Medians of {options.runs} runs each, in turns; results are byte-identical.\n")
    print(table(["data", "what", "seconds"], times, options.markdown), end="\n\n")
    print(table(["data", "ours", "to", "ratio", "bound"], compared, options.markdown))


main()
