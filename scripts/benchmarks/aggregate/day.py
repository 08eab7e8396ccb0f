"""One large day by `lakejobs aggregate --memory-limit 1GB` beside DuckDB's bare query with 3 GB; asserts no time."""

import pathlib
import shutil
import statistics
import sys

from common import DAYS, LAKEJOBS, Measured, arguments, digest, machine, measure, table

DAY = DAYS[-1]
OURS, PEER = "lakejobs", "DuckDB, bare query"
RATIO_BOUND, MEMORY_BOUND_GB = 1.0, 1.6


def large_day(cache: pathlib.Path, rows: int, emails: int, times: int) -> pathlib.Path:
    """The folder of one log, made once: so many rows, again and again."""
    folder = cache / f"day-{times}-times-{rows}-rows-{emails}-emails"
    if not folder.exists():
        print(f"generating {times} x {rows:,} rows with {emails:,} emails in {folder}", file=sys.stderr)
        incoming = cache / f"{folder.name}.incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        measure([*LAKEJOBS, "generate", str(incoming), DAY, "1", str(emails), str(rows), "--log-level", "warn"])
        log = incoming / f"{DAY}.csv"
        block = log.read_bytes().rstrip(b"\n") + b"\n"
        with log.open("wb") as file:
            for _ in range(times):
                file.write(block)
        incoming.rename(folder)
    return folder


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="different rows of the log (default 5 M)")
    parser.add_argument("--times", type=int, default=22, help="how often each of them is in it (default 22: 5 GB)")
    parser.add_argument("--emails", type=int, default=5_000_000, help="that the rows' emails are drawn from (default 5 M)")
    parser.add_argument("--runs", type=int, default=3, help="measured runs of each, after one that is not (default 3)")
    options = parser.parse_args()

    source = large_day(options.cache, options.rows, options.emails, options.times)
    out = options.cache / f"large-day-{options.work.name}"
    result = out / f"{DAY}.csv"
    ours = [*LAKEJOBS, "aggregate", str(source), str(out), DAY, "--days", "1", "--memory-limit", "1GB", "--log-level", "warn"]
    ours += ["--cache", str(out / "cache"), "--scratch", str(out)]
    peer = [sys.executable, str(pathlib.Path(__file__).with_name("duckdb_query.py")), str(source), str(result), "", DAY]
    runs: dict[str, list[Measured]] = {OURS: [], PEER: []}
    expected: set[str] = set()
    for number in range(options.runs + 1):
        for name, command, made in ((OURS, ours, out / f"{DAY}.1d.csv"), (PEER, peer, result)):
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            run = measure(command, {"DUCKDB_MEMORY_LIMIT": "3GB"})
            expected.add(digest(made))
            if len(expected) > 1:
                sys.exit(f"{name}: its result differs from the others'")
            print(f"{name}: {run.seconds:.1f} s, CPU {run.cpu_seconds:.1f} s, {run.peak_bytes / 1e9:.2f} GB", file=sys.stderr)
            if number > 0:
                runs[name].append(run)
    shutil.rmtree(out)

    size = (source / f"{DAY}.csv").stat().st_size
    print(f"\n{machine()}; {size / 1e9:.1f} GB, {options.rows * options.times:,} rows")
    print(f"Medians of {options.runs} runs each, in turns; results are byte-identical.\n")
    seconds = {name: statistics.median(run.seconds for run in own) for name, own in runs.items()}
    rows = [
        [name, f"{seconds[name]:.1f}", f"{statistics.median(run.cpu_seconds for run in own):.1f}", f"{max(run.peak_bytes for run in own) / 1e9:.2f}"]
        for name, own in runs.items()
    ]
    print(table(["what", "seconds", "CPU seconds", "peak GB"], rows, options.markdown), end="\n\n")
    compared = [
        ["lakejobs, peak GB", rows[0][3], f"{MEMORY_BOUND_GB}"],
        [f"lakejobs / {PEER}", f"{seconds[OURS] / seconds[PEER]:.2f}", f"{RATIO_BOUND:.2f}"],
    ]
    print(table(["what", "measured", "bound"], compared, options.markdown))


main()
