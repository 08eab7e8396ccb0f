"""docker/airflow-part, by which the image starts Airflow's parts, around a real DAG processor."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import psutil

PART = Path(__file__).resolve().parents[3] / "docker/airflow-part"
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}


@contextmanager
def started(*command: str, stdout: int, stderr: int) -> Iterator[subprocess.Popen]:
    """In a session of its own, all of which is told, as dumb-init does it."""
    streams = {"stdout": stdout, "stderr": stderr}
    process = subprocess.Popen(["bash", PART, *command], env=ENVIRONMENT, start_new_session=True, **streams)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def waits_in_write(process: subprocess.Popen) -> bool:
    return any(
        "pipe_write" in Path(f"/proc/{child.pid}/wchan").read_text()
        for child in psutil.Process(process.pid).children()
        if "dag-processor" in child.cmdline()
    )


def age_of(file: Path) -> float:
    return time.time() - file.stat().st_mtime


def test_a_part_that_waits_for_itself_is_ended(airflow_db: None, tmp_path: Path) -> None:
    """Told to end while it writes a line of its log, whose lock its handler wants: Airflow 3.3.2 waits for ever."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    said = tmp_path / "stderr"
    with said.open("w") as stderr, started("3", "dag-processor", stdout=writing, stderr=stderr.fileno()) as process:
        os.close(writing)
        until = time.monotonic() + 120
        while not waits_in_write(process):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGTERM)
        time.sleep(1)
        # From here on somebody reads, and the line comes to its end.
        Thread(target=os.fdopen(reading, "rb").read, daemon=True).start()
        assert process.wait(timeout=60) == 143
    assert "airflow dag-processor had not ended 3 s after it was told to, and was killed\n" in said.read_text()


def test_a_part_that_ends_is_waited_for(airflow_db: None, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as log:
        with started("60", "dag-processor", stdout=log.fileno(), stderr=subprocess.STDOUT) as process:
            until = time.monotonic() + 120
            # Between two lines of its log: it has read the DAGs once and is silent for a while.
            while "setting next dagrun info" not in (tmp_path / "log").read_text() or age_of(tmp_path / "log") < 3:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGTERM)
            assert process.wait(timeout=60) == 0
    assert "was killed" not in (tmp_path / "log").read_text()


def test_its_exit_code_is_airflows(airflow_db: None) -> None:
    with started("3", "dags", "no-such-command", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert process.wait(timeout=60) == 2
