"""Data sets, and processes measured from outside: wall time and peak memory of the whole process."""

import argparse
import datetime
import hashlib
import os
import pathlib
import platform
import subprocess
import sys
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAKEJOBS = ["node", str(ROOT / "dist/main.js")]
FIRST_DAY = datetime.date(2024, 9, 10)
DAYS = [str(FIRST_DAY + datetime.timedelta(n)) for n in range(7)]


# A proxy's certificates take Node.js 40 ms to read at each start, whatever it does then.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "NODE_EXTRA_CA_CERTS"}


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=description)
    parser.add_argument("--cache", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--markdown", action="store_true", help="print tables for docs/benchmarks.md")
    return parser


def measure(command: list[str], environment: dict[str, str] | None = None) -> Measured:
    """Runs `command` to its end. Exits when it fails: a time of what did not work is none."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**ENVIRONMENT, **(environment or {})})
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"failed ({process.returncode}): {' '.join(command)}")
    # Kilobytes on Linux, bytes on macOS.
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def data_set(cache: pathlib.Path, rows_per_day: int, emails: int) -> pathlib.Path:
    """The folder of a generated week, made once."""
    folder = cache / f"week-{rows_per_day}-rows-{emails}-emails"
    if not folder.exists():
        print(f"generating 7 x {rows_per_day:,} rows with {emails:,} emails in {folder}", file=sys.stderr)
        incoming = cache / f"{folder.name}.{os.getpid()}"
        measure([*LAKEJOBS, "generate", str(incoming), DAYS[0], "7", str(emails), str(rows_per_day), "--log-level", "warn"])
        incoming.rename(folder)
    return folder


def digest(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, Node.js {node}, Python {platform.python_version()}"


def table(header: list[str], rows: list[list[str]], markdown: bool) -> str:
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths)] for line in lines]
    if not markdown:
        return "\n".join("  ".join(line).rstrip() for line in padded)
    rule = ["-" * width for width in widths]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])
