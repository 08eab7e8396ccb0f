"""A Trino server of this test alone, on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from lake import ROOT

VERSION = "476"
OBTAIN = ROOT / "scripts/lib/obtain/trino"


def printed(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Trino:
    def __init__(self, java: str, command_line: str, port: int) -> None:
        self.java, self.command_line, self.port = java, command_line, port

    def query(self, sql: str) -> subprocess.CompletedProcess[str]:
        """What Trino's command line prints for a statement, as CSV without quotes."""
        command = [self.java, "-jar", self.command_line, "--server", f"http://127.0.0.1:{self.port}"]
        deadline = time.monotonic() + 60
        while True:
            done = subprocess.run(
                [*command, "--output-format", "CSV_UNQUOTED", "--execute", sql],
                capture_output=True, text=True, timeout=120,
            )
            # A server that has started takes statements before it has found itself as a node.
            if "No nodes available" not in done.stderr or time.monotonic() > deadline:
                return done
            time.sleep(0.5)


@contextmanager
def trino_server(folder: Path, catalogs: dict[str, str]) -> Iterator[Trino]:
    """Starts a server with these catalogs (name → properties), whose data and logs are in `folder`."""
    home = printed(str(OBTAIN), VERSION)
    java = printed(str(OBTAIN), "--java")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    etc = folder / "etc"
    (etc / "catalog").mkdir(parents=True)
    (etc / "node.properties").write_text(
        f"node.environment=test\nnode.data-dir={folder}/data\nnode.bind-ip=127.0.0.1\n"
        f"node.internal-address=127.0.0.1\nplugin.dir={home}/plugin\n"
    )
    (etc / "config.properties").write_text(
        f"coordinator=true\nnode-scheduler.include-coordinator=true\nhttp-server.http.port={port}\n"
        f"discovery.uri=http://127.0.0.1:{port}\ncatalog.management=static\n"
    )
    (etc / "jvm.config").write_text("-Xmx1G\n-XX:+UseSerialGC\n-Djdk.attach.allowAttachSelf=true\n")
    for name, properties in catalogs.items():
        (etc / "catalog" / f"{name}.properties").write_text(properties)
    environment = {**os.environ, "JAVA_HOME": java, "PATH": f"{java}/bin:{os.environ['PATH']}"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [f"{home}/bin/launcher", "--etc-dir", str(etc), "run"], env=environment, stdout=log, stderr=log,
            start_new_session=True,
        )
    try:
        trino = Trino(f"{java}/bin/java", f"{home}/trino.jar", port)
        for line in follow(folder / "log", server):
            if "SERVER STARTED" in line:
                break
        yield trino
    finally:
        server.terminate()
        server.wait(timeout=60)


def follow(path: Path, process: subprocess.Popen[bytes]) -> Iterator[str]:
    """The lines that a running process writes to a file; fails with them when it ends."""
    with path.open() as file:
        while True:
            line = file.readline()
            if line:
                yield line
            elif process.poll() is not None:
                raise AssertionError(f"Trino ended:\n{path.read_text()[-4000:]}")
            else:
                time.sleep(0.1)
