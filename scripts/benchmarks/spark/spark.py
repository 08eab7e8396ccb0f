"""`lakejobs aggregate --engine spark` beside the same work as Spark SQL by hand, on a Spark of this machine; asserts no time."""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from common import DAYS, LAKEJOBS, ROOT, Measured, arguments, data_set, digest, machine, measure, table

START, BY_HAND, OURS, MORNING = "select 1", "Spark SQL by hand", "lakejobs", "lakejobs, one new day"
PEER = ["node", str(pathlib.Path(__file__).with_name("by-hand.js"))]
BOUND, CORES_BOUND, MEMORY_BOUND_MB = 1.25, 1.5, 300


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(frozen=True)
class Spark:
    remote: str
    # Of its application, where its stages are told.
    api: str
    group: int

    def cpu_seconds(self) -> float:
        """That its processes have had so far, those that have ended left out."""
        ticks = 0
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self.group:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def call(self, path: str) -> list:
        with urllib.request.urlopen(f"{self.api}/{path}", timeout=60) as response:
            return json.load(response)

    def stages(self) -> dict[tuple[int, int], tuple[float, float]]:
        """All stages so far: from the first task's launch to the end, in seconds of the clock."""
        (application,) = self.call("applications")
        stages = self.call(f"applications/{application['id']}/stages?status=complete")
        at = lambda text: datetime.strptime(text.replace("GMT", "+0000"), "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()  # noqa: E731
        return {
            (stage["stageId"], stage["attemptId"]): (at(stage["firstTaskLaunchedTime"]), at(stage["completionTime"])) for stage in stages
        }


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds in which one of them goes on: two that share the processors count once."""
    total, end = 0.0, float("-inf")
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total


@contextmanager
def spark(cores: int, log: pathlib.Path) -> Iterator[Spark]:
    """scripts/spark, until the end."""
    port, master, page, own_page = (free_port() for _ in range(4))
    command = [str(ROOT / "scripts/spark"), "--cores", str(cores), "--port", str(port), "--master-port", str(master)]
    command += ["--ui-port", str(page), "--conf", "spark.ui.enabled=true", "--conf", f"spark.ui.port={own_page}"]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        while "SPARK_REMOTE" not in log.read_text():
            if process.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.2)
        yield Spark(f"sc://127.0.0.1:{port}", f"http://127.0.0.1:{own_page}/api/v1", process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


@dataclass(frozen=True)
class Run:
    node: Measured
    spark_cpu_seconds: float
    stage_seconds: float


def remove(path: pathlib.Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


def rounds_of(server: Spark, source: pathlib.Path, work: pathlib.Path, rounds: int) -> dict[str, list[Run]]:
    """In turns; every output must be the same bytes. The first round only warms Spark and the page cache."""
    work.mkdir(parents=True)
    cache, days, target = work / "cache", work / "days", work / f"{DAYS[-1]}.csv"
    ours = [*LAKEJOBS, "aggregate", str(source), str(work), DAYS[-1], "--engine", "spark", "--cache", str(cache)]
    ours += ["--log-level", "warn"]
    by_hand = [*PEER, server.remote, str(source), str(target), str(days), *DAYS]
    runs: dict[str, list[Run]] = {}
    expected: set[str] = set()

    def once(name: str, command: list[str]) -> None:
        target.unlink(missing_ok=True)
        cpu, before = server.cpu_seconds(), server.stages()
        node = measure(command, {"SPARK_REMOTE": server.remote})
        if target.exists():
            expected.add(digest(target))
        if len(expected) > 1:
            sys.exit(f"{name}: its result differs from the others'")
        stages = covered(span for stage, span in server.stages().items() if stage not in before)
        run = Run(node, server.cpu_seconds() - cpu, stages)
        print(f"{name}: {run.node.seconds:.1f} s, CPU {run.spark_cpu_seconds:.1f} s", file=sys.stderr)
        runs.setdefault(name, []).append(run)

    for _ in range(rounds + 1):
        once(START, [*PEER, server.remote])
        remove(days)
        once(BY_HAND, by_hand)
        remove(cache)
        once(OURS, ours)
        remove(cache / DAYS[-1])
        remove(cache / "windows")
        once(MORNING, ours)
    return {name: own[1:] for name, own in runs.items()}


def write_users(folder: pathlib.Path, users: int) -> None:
    """A week in which each user reads once."""
    folder.mkdir(parents=True)
    share = -(-users // len(DAYS))
    for number, day in enumerate(DAYS):
        with (folder / f"{day}.csv").open("w") as log:
            log.writelines(f"user{one}@example.com,READ,{day} 12:00:00\n" for one in range(number, share * 7, 7) if one < users)


def result_memory(server: Spark, work: pathlib.Path, users: int) -> Measured:
    """Days that the embedded engine has counted, merged by Spark: the whole result goes through the job's process."""
    target = work / f"{DAYS[-1]}.csv"
    write_users(work / "logs", users)
    command = [*LAKEJOBS, "aggregate", str(work / "logs"), str(work), DAYS[-1], "--cache", str(work / "cache"), "--log-level", "warn"]
    measure(command)
    expected = digest(target)
    target.unlink()
    remove(work / "cache/windows")
    run = measure([*command, "--engine", "spark"], {"SPARK_REMOTE": server.remote})
    if digest(target) != expected:
        sys.exit("the result differs from the embedded engine's")
    return run


def options_of(arguments_of: argparse.ArgumentParser) -> argparse.Namespace:
    arguments_of.add_argument("--rows", type=int, default=5_000_000, help="rows of the week (default 5 M)")
    arguments_of.add_argument("--emails", type=int, default=100_000, help="different emails (default 100,000)")
    arguments_of.add_argument("--runs", type=int, default=3, help="measured runs of each, after one that is not (default 3)")
    arguments_of.add_argument("--cores", default="1,2", help="of Spark's worker, one after the other (default 1,2)")
    arguments_of.add_argument("--users", type=int, help="measure only the peak memory of the job with a result of so many users")
    return arguments_of.parse_args()


def memory(options: argparse.Namespace) -> None:
    work = options.cache / f"spark-{options.work.name}"
    try:
        with spark(2, options.work / "spark.log") as server:
            run = result_memory(server, work, options.users)
    finally:
        remove(work)
    header = ["users in the result", "peak of the job's process, MB", "bound", "seconds", "its CPU seconds"]
    row = [f"{options.users:,}", f"{run.peak_bytes / 2**20:.0f}", str(MEMORY_BOUND_MB), f"{run.seconds:.1f}", f"{run.cpu_seconds:.1f}"]
    print(machine())
    print(table(header, [row], options.markdown))


def main() -> None:
    options = options_of(arguments(__doc__))
    if options.users is not None:
        return memory(options)
    source = data_set(options.cache, -(-options.rows // len(DAYS)), options.emails)
    rows, medians = [], {}
    for cores in map(int, options.cores.split(",")):
        work = options.cache / f"spark-{options.work.name}"
        try:
            with spark(cores, options.work / f"spark-{cores}.log") as server:
                runs = rounds_of(server, source, work, options.runs)
        finally:
            remove(work)
        for name, own in runs.items():
            middle = lambda value: statistics.median(map(value, own))  # noqa: B023, E731
            wall, stages = middle(lambda run: run.node.seconds), middle(lambda run: run.stage_seconds)
            cpu, node = middle(lambda run: run.spark_cpu_seconds), middle(lambda run: run.node.cpu_seconds)
            peak = max(run.node.peak_bytes for run in own) / 2**20
            medians[cores, name] = (wall, stages, cpu)
            rows.append([str(cores), name, f"{wall:.2f}", f"{stages:.2f}", f"{cpu:.2f}", f"{node:.2f}", f"{peak:.0f}"])

    print(f"\n{machine()}; {options.rows:,} rows, {options.emails:,} emails")
    print(f"Medians of {options.runs} runs each, in turns; results are byte-identical.\n")
    header = ["cores", "what", "seconds", "its stages, seconds", "CPU of Spark, seconds", "CPU of Node.js, seconds", "peak of Node.js, MB"]
    print(table(header, rows, options.markdown), end="\n\n")
    compared = []
    for cores in sorted({cores for cores, _ in medians}):
        start, hand, ours = (medians[cores, name] for name in (START, BY_HAND, OURS))
        compared.append([f"lakejobs to by hand, each without select 1, {cores} cores, wall", f"{(ours[0] - start[0]) / (hand[0] - start[0]):.2f}", f"{BOUND:.2f}"])
        compared.append([f"the same, CPU of Spark, {cores} cores", f"{(ours[2] - start[2]) / (hand[2] - start[2]):.2f}", f"{BOUND:.2f}"])
    if {(1, OURS), (2, OURS)} <= medians.keys():
        compared.append(["stages of one core to those of two, at least", f"{medians[1, OURS][1] / medians[2, OURS][1]:.2f}", f"{CORES_BOUND:.2f}"])
    print(table(["ratio", "measured", "bound"], compared, options.markdown))


main()
