"""Whole-process wall time of `lakejobs export` and of peers, in turns, and file sizes; asserts no time."""

import contextlib
import pathlib
import shutil
import statistics
import subprocess
import sys
from importlib.metadata import version

from common import LAKEJOBS, Measured, arguments, machine, measure, table
from servers import minio, over_tls, postgres, url

HERE = pathlib.Path(__file__).parent
PSQL, DUCKDB, ADBC, REFERENCE = "psql COPY", "DuckDB scanner", "ADBC, PyIceberg", "reference's way"
ONE, PARALLEL, TLS, BY_DAY, BOTH, S3 = "one connection", "parallel", "over TLS", "by day", "both formats", "to MinIO"
ICEBERG = ["--format", "iceberg"]
OURS = {
    ONE: [*ICEBERG, "--connections", "1"],
    PARALLEL: ICEBERG,
    TLS: ICEBERG,
    BY_DAY: [*ICEBERG, "--partition-by", "day(timestamp)"],
    BOTH: [],
}
COPY = "COPY (SELECT user_id, url, response_time, status_code, timestamp FROM public.web_logs) TO STDOUT (FORMAT binary)"
# (ours, to, bound): the issue's, which are for 5 M rows on an idle machine.
TIMES = [
    (ONE, PSQL, 1.4),
    (PARALLEL, DUCKDB, 1.0),
    (TLS, PARALLEL, 1.35),
    (BY_DAY, PARALLEL, 1.15),
    (BOTH, PARALLEL, 1.3),
    (PARALLEL, ADBC, 0.5),
    (PARALLEL, REFERENCE, 0.04),
    (S3, PARALLEL, 1.5),
]
PEAK_BOUND, SEED_BOUND = 300e6, 0.5e6


def lakejobs(*words: str) -> list[str]:
    return [*LAKEJOBS, *words, "--log-level", "warn"]


def parquet_bytes(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


class Round:
    """The commands, each with its environment; every run of one writes to a place of its own."""

    def __init__(self, work: pathlib.Path, server: dict[str, str], s3: dict[str, str] | None) -> None:
        self.work, self.server, self.s3, self.count = work, server, s3, 0
        self.peers = [PSQL, DUCKDB, ADBC]
        self.ours = [*OURS, *([S3] if s3 else [])]

    def run(self, name: str) -> tuple[Measured, int]:
        """What the process took, and the bytes of the Parquet files it left."""
        self.count += 1
        place = self.work / f"run-{self.count}"
        if name in self.ours:
            measured = measure(lakejobs("export", *OURS.get(name, ICEBERG)), self.environment(name, place))
        elif name == PSQL:
            measured = measure(["psql", "--no-psqlrc", "--command", COPY, url(self.server)])
        else:
            script = {DUCKDB: "duckdb_scanner.py", ADBC: "adbc_append.py", REFERENCE: "reference_way.py"}[name]
            target = place.with_suffix(".parquet") if name == DUCKDB else place
            measured = measure([sys.executable, str(HERE / script), url(self.server), str(target)])
        written = place.with_suffix(".parquet")
        size = written.stat().st_size if written.exists() else parquet_bytes(place)
        written.unlink(missing_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        return measured, size

    def environment(self, name: str, place: pathlib.Path) -> dict[str, str]:
        warehouse = f"s3://run-{self.count}/lake" if name == S3 else str(place / "iceberg")
        own = {"WAREHOUSE": warehouse, "PARQUET_LOCATION": str(place / "parquet"), "ICEBERG_CATALOG_NAME": f"run{self.count}"}
        server = over_tls(self.server) if name == TLS else self.server
        return {**server, **own, **((self.s3 or {}) if name == S3 else {})}

    def zstd_bytes(self) -> int:
        self.count += 1
        place = self.work / f"run-{self.count}"
        measure(lakejobs("export", *ICEBERG, "--codec", "zstd"), self.environment(PARALLEL, place))
        return parquet_bytes(place)


def seed(server: dict[str, str], rows: int) -> float:
    """Rows a second, of the whole process. Afterwards the table is as the server would leave it in the long run."""
    taken = measure(lakejobs("seed", "--rows", str(rows)), server)
    subprocess.run(["psql", "-qc", "VACUUM ANALYZE", "-c", "CHECKPOINT", url(server)], check=True)
    return rows / taken.seconds


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of web_logs (default 5 M)")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each, after one that is not (default 5)")
    parser.add_argument("--quick", action="store_true", help="500,000 rows, 2 runs, no MinIO: shows that the benchmark works")
    parser.add_argument("--no-minio", action="store_true", help="without the export to MinIO")
    options = parser.parse_args()
    rows, runs = (500_000, 2) if options.quick else (options.rows, options.runs)
    if shutil.which("psql") is None:
        sys.exit("No psql on the PATH: install PostgreSQL's client (postgresql-client, or brew install libpq).")

    with contextlib.ExitStack() as servers:
        server = servers.enter_context(postgres(options.cache, options.work, tls=True))
        s3 = None if options.no_minio or options.quick else servers.enter_context(minio(options.work))
        seeded = seed(server, rows)
        turn = Round(options.work, server, s3)
        results: dict[str, list[tuple[Measured, int]]] = {}
        for _ in range(runs + 1):
            for name in [*turn.peers, *turn.ours]:
                results.setdefault(name, []).append(turn.run(name))
        results = {name: measured[1:] for name, measured in results.items()}
        if not options.quick:
            results[REFERENCE] = [turn.run(REFERENCE)]
        zstd = turn.zstd_bytes()
    report(results, zstd, seeded, f"{rows:,} rows, medians of {runs} runs each, in turns", options.markdown)


def report(results: dict[str, list[tuple[Measured, int]]], zstd: int, seeded: float, header: str, markdown: bool) -> None:
    def median(name: str, value) -> float:
        return statistics.median(value(measured, size) for measured, size in results[name])

    seconds = {name: median(name, lambda measured, _: measured.seconds) for name in results}
    cpu = {name: median(name, lambda measured, _: measured.cpu_seconds) for name in results}
    peak = {name: median(name, lambda measured, _: measured.peak_bytes) for name in results}
    size = {name: median(name, lambda _, size: size) for name in results}
    times = [
        [name, f"{seconds[name]:.2f}", f"{cpu[name]:.2f}", f"{peak[name] / 1e6:.0f}", f"{size[name] / 1e6:.1f}" if size[name] else ""]
        for name in results
    ]
    compared = [
        # A hundredth is a quarter of the smallest bound.
        [f"time: {ours}", to, *(f"{ratio:.{3 if bound < 0.1 else 2}f}" for ratio in (seconds[ours] / seconds[to], bound))]
        for ours, to, bound in TIMES
        if ours in results and to in results
    ]
    compared.append([f"size: {PARALLEL}", DUCKDB, f"{size[PARALLEL] / size[DUCKDB]:.2f}", "1.15"])
    compared.append(["size: zstd", ADBC, f"{zstd / size[ADBC]:.2f}", "1.10"])
    compared += [[f"peak: {name}", "300 MB", f"{peak[name] / PEAK_BOUND:.2f}", "1.00"] for name in (ONE, PARALLEL)]
    compared.append(["rows/s: seed", "0.5 M/s", f"{seeded / SEED_BOUND:.2f}", "at least 1"])

    peers = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "adbc-driver-postgresql", "pyiceberg", "pyarrow"))
    print(f"\n{machine()}, {peers}\n{header}\n")
    print(table(["what", "seconds", "CPU seconds", "peak MB", "Parquet MB"], times, markdown), end="\n\n")
    print(table(["ours", "to", "ratio", "bound"], compared, markdown))


main()
