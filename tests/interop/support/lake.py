"""The servers, the CLI and the catalog settings of these tests."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import quote, urlparse
from urllib.request import url2pathname

import psycopg2

ROOT = Path(__file__).resolve().parents[3]


class JobFailed(AssertionError):
    """The CLI ended with another exit code than 0; `summary` is its JSON line."""

    def __init__(self, summary: dict[str, Any], log: str) -> None:
        super().__init__(f"{json.dumps(summary.get('error'))}\n{log[-2000:]}")
        self.summary = summary


@dataclass(frozen=True)
class Servers:
    """What servers.js printed."""

    host: str
    port: int
    user: str
    password: str
    endpoint: str
    accessKeyId: str
    secretAccessKey: str


@dataclass(frozen=True)
class Lake:
    """`folder` holds the file:// warehouse and the plain Parquet files."""

    servers: Servers
    folder: Path

    @property
    def warehouse(self) -> str:
        return (self.folder / "iceberg").as_uri()

    def job(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """Runs `lakejobs ARGUMENTS` as a user would and returns its summary. Raises JobFailed."""
        done = self.run(*arguments, **environment)
        summary = json.loads(done.stdout or "{}")
        if done.returncode != 0:
            raise JobFailed(summary, done.stderr)
        return summary

    def sql(self, query: str, *flags: str, **environment: str) -> list[dict[str, Any]]:
        """The rows of `lakejobs sql QUERY`. Raises JobFailed."""
        done = self.run("sql", query, "--json", *flags, **environment)
        if done.returncode != 0:
            raise JobFailed({}, done.stderr)
        return json.loads(done.stdout)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["node", str(ROOT / "dist/main.js"), *arguments],
            env=self.environment(**environment), cwd=self.folder, capture_output=True, text=True, timeout=120,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """As `run`, and goes on meanwhile."""
        return subprocess.Popen(
            ["node", str(ROOT / "dist/main.js"), *arguments],
            env=self.environment(), cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )

    def environment(self, **more: str) -> dict[str, str]:
        s = self.servers
        return {
            **{f"POSTGRES_{name}": value for name, value in self.postgres("source").items()},
            **{f"ICEBERG_POSTGRES_{name}": value for name, value in self.postgres("lake").items()},
            "WAREHOUSE": self.warehouse,
            "PARQUET_LOCATION": (self.folder / "parquet").as_uri(),
            "S3_ENDPOINT": s.endpoint,
            "MINIO_ROOT_USER": s.accessKeyId,
            "MINIO_ROOT_PASSWORD": s.secretAccessKey,
            "S3_CREATE_BUCKET": "true",
            "PATH": os.environ["PATH"],
            **more,
        }

    def export(self, source: str, target: str, *flags: str, **environment: str) -> dict[str, Any]:
        """Exports one table to Iceberg alone (unless `flags` say otherwise); returns its part of the summary."""
        formats = () if "--format" in flags else ("--format", "iceberg")
        return self.job("export", "--table", f"{source}={target}", *formats, *flags, **environment)["tables"][0]

    def postgres(self, database: str) -> dict[str, str]:
        s = self.servers
        return {"HOST": s.host, "PORT": str(s.port), "DB": database, "USER": s.user, "PASSWORD": s.password}

    @contextmanager
    def connect(self, database: str = "source") -> Iterator[Any]:
        """A cursor on PostgreSQL, committed at the end."""
        s = self.servers
        connection = psycopg2.connect(
            host=s.host, port=s.port, user=s.user, password=s.password, dbname=database, options="-c timezone=UTC"
        )
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def autocommit(self) -> Any:
        """A connection for statements that no transaction may hold."""
        s = self.servers
        connection = psycopg2.connect(host=s.host, port=s.port, user=s.user, password=s.password, dbname="source")
        connection.autocommit = True
        return connection

    def source_rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def catalog_settings(self, database: str = "lake") -> dict[str, str]:
        """What PyIceberg's `load_catalog("local", …)` is given, and nothing else."""
        s = self.servers
        return {
            "type": "sql",
            "uri": f"postgresql+psycopg2://{s.user}:{quote(s.password, safe='')}@{s.host}:{s.port}/{database}",
            "warehouse": self.warehouse,
            "s3.endpoint": s.endpoint,
            "s3.access-key-id": s.accessKeyId,
            "s3.secret-access-key": s.secretAccessKey,
            "s3.region": "us-east-1",
        }


def path_of(location: str) -> Path:
    """The path of a file:// location as any of the writers spells it."""
    return Path(url2pathname(urlparse(location).path))


@contextmanager
def gone(locations: list[str]) -> Iterator[None]:
    """These files do not exist: whoever opens one fails."""
    paths = [path_of(location) for location in locations]
    for path in paths:
        path.rename(f"{path}.gone")
    try:
        yield
    finally:
        for path in paths:
            Path(f"{path}.gone").rename(path)
