"""A copy of the repository with a `.env` of its own, and Docker Compose in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable
from urllib.parse import quote
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
# Whatever the caller's environment says: .env alone decides.
OUTER = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT") if name in os.environ}


class Failed(AssertionError):
    """A command ended with another exit code than 0."""


@dataclass(frozen=True)
class Stack:
    """`secrets` are the passwords in `.env`, by name; each is found nowhere else."""

    folder: Path
    name: str
    secrets: dict[str, str]

    def run(self, *command: str, check: bool = True, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env={**OUTER, "PWD": str(self.folder)}, capture_output=True, text=True,
            timeout=timeout, stdin=subprocess.DEVNULL,
        )
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(command)}: exit {done.returncode}\n{(done.stdout + done.stderr)[-6000:]}")
        return done

    def compose(self, *arguments: str, check: bool = True) -> str:
        return self.run("docker", "compose", "--progress", "quiet", *arguments, check=check).stdout

    def up(self) -> float:
        """Until all are healthy; returns the seconds that it took."""
        start = time.monotonic()
        try:
            self.compose("up", "--detach", "--wait", "--wait-timeout", "600")
        except Failed as failure:
            raise Failed(f"{failure}\n{self.compose('ps', '--all')}\n{self.compose('logs', '--tail', '30')}") from None
        return time.monotonic() - start

    def job(self, *arguments: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
        """`docker compose run --rm jobs ARGUMENTS`; returns its summary."""
        return json.loads(self.compose("run", "--rm", "--no-TTY", *options, "jobs", *arguments))

    def container(self, service: str) -> str:
        return self.compose("ps", "--all", "--quiet", service).strip()

    def env(self, name: str) -> str:
        """A value of `.env` that needs no quotes."""
        (value,) = re.findall(rf"^{name}=(.*)$", (self.folder / ".env").read_text(), re.MULTILINE)
        return value

    def set_env(self, **values: str) -> None:
        """In place of the lines of `.env` with these names, also of those that are commented out."""
        path = self.folder / ".env"
        text = path.read_text()
        for name, value in values.items():
            text, count = re.subn(rf"^#?{name}=.*$", lambda _: f"{name}={value}", text, flags=re.MULTILINE)
            assert count == 1, name
        path.write_text(text)

    def postgres_uri(self, prefix: str = "") -> str:
        """Of the source, or of the catalog (`ICEBERG_`), from the host."""
        user, port, database = (self.env(f"{prefix}POSTGRES_{name}") for name in ("USER", "PORT", "DB"))
        password = quote(self.secrets[f"{prefix}POSTGRES_PASSWORD"], safe="")
        return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"

    def left(self) -> list[str]:
        """What the engine still has of this project."""
        found = []
        for kind in (("ps", "--all"), ("volume", "ls"), ("network", "ls")):
            listing = self.run("docker", *kind, "--filter", f"label=com.docker.compose.project={self.name}", "--quiet")
            found += [f"{kind[0]} {line}" for line in listing.stdout.split()]
        return found


def copy_of_repository(folder: Path) -> Stack:
    """What a clone would have (and what is not committed yet), with free ports, images and passwords of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    shutil.copy2(folder / ".env.example", folder / ".env")
    name = f"lakejobs-e2e-{uuid4().hex[:8]}"
    # What breaks where a value is not quoted, or quoted twice.
    secrets = {
        f"{prefix}_PASSWORD": f"""{word}-{uuid4().hex}{special}"""
        for prefix, word, special in (
            ("POSTGRES", "source", " $a${b}#%/@:\"="),
            ("ICEBERG_POSTGRES", "catalog", "%2F$$ &?"),
            ("AIRFLOW_POSTGRES", "metadata", "@/:%40"),
            ("MINIO_ROOT", "store", "/+= $x"),
            ("EXPORTER", "exporter", " $a & \\: \""),
            ("READER", "reader", "/%2F$$ {x}"),
            ("MAINTAINER", "maintainer", "+=\" $b"),
            ("DEMO", "demo", "@:/ #%"),
        )
    }
    stack = Stack(folder, name, secrets)
    ports = free_ports("POSTGRES_PORT", "ICEBERG_POSTGRES_PORT", "S3_PORT", "S3_CONSOLE_PORT", "AIRFLOW_PORT")
    stack.set_env(
        **{name: f"'{secret}'" for name, secret in secrets.items()},
        **ports,
        S3_ENDPOINT=f"http://localhost:{ports['S3_PORT']}",
        LAKEJOBS_IMAGE=f"{name}/jobs:latest",
        LAKEJOBS_AIRFLOW_IMAGE=f"{name}/airflow:latest",
        LAKEJOBS_FILTER_IMAGE=f"{name}/docker-filter:latest",
    )
    with (folder / ".env").open("a") as file:
        file.write(f"COMPOSE_PROJECT_NAME={name}\nLAKEJOBS_RETRY_SECONDS=5\n")
    return stack


def free_ports(*names: str) -> dict[str, str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    try:
        return {name: str(server.getsockname()[1]) for name, server in zip(names, sockets, strict=True)}
    finally:
        for server in sockets:
            server.close()


def wait_until(what: str, condition: Callable[[], Any], seconds: float, every: float = 1) -> Any:
    """Returns what the condition returned once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(every)
    return value
