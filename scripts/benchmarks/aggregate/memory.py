"""Peak resident memory of `lakejobs aggregate --memory-limit 1GB` with more data than that; asserts nothing."""

import shutil

from common import DAYS, LAKEJOBS, arguments, data_set, machine, measure, table

BOUND_GB = 1.6


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000, help="rows of the week (default 100 M)")
    parser.add_argument("--emails", type=int, default=10_000_000, help="different emails (default 10 M)")
    parser.add_argument("--memory-limit", default="1GB", help="passed on (default 1GB)")
    options = parser.parse_args()

    source = data_set(options.cache, -(-options.rows // len(DAYS)), options.emails)
    # Scratch and results are on the disk of the data sets: the system's temporary folder may be memory.
    out = options.cache / f"memory-{options.work.name}"
    places = ["--cache", str(out / "cache"), "--scratch", str(out)]
    out.mkdir()
    try:
        limit = ["--memory-limit", options.memory_limit, "--log-level", "warn"]
        run = measure([*LAKEJOBS, "aggregate", str(source), str(out / "result"), DAYS[-1], *places, *limit])
        lines = sum(chunk.count(b"\n") for chunk in chunks(out / "result" / f"{DAYS[-1]}.csv"))
    finally:
        shutil.rmtree(out)
    print(f"\n{machine()}\n")
    header = ["rows", "emails", "emails in the result", "--memory-limit", "seconds", "peak GB", "bound"]
    row = [f"{options.rows:,}", f"{options.emails:,}", f"{lines - 1:,}", options.memory_limit]
    row += [f"{run.seconds:.0f}", f"{run.peak_bytes / 1e9:.2f}", f"{BOUND_GB:.2f}"]
    print(table(header, [row], options.markdown))


def chunks(path):
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


main()
