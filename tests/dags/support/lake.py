"""The database, the folders and the settings of one test, and what a test looks up in them."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg2

ROOT = Path(__file__).resolve().parents[3]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Servers:
    """What servers.js printed."""

    host: str
    port: int
    user: str
    password: str


@contextmanager
def start_servers() -> Iterator[Servers]:
    child = subprocess.Popen(
        ["node", str(ROOT / "tests/dags/support/servers.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        line = child.stdout.readline()
        assert line, "servers.js did not start PostgreSQL"
        yield Servers(**json.loads(line))
    finally:
        child.stdin.close()  # stops it
        child.wait(timeout=60)


@dataclass(frozen=True)
class Lake:
    servers: Servers
    folder: Path
    source: str
    catalog: str

    @classmethod
    def create(cls, servers: Servers, folder: Path) -> Lake:
        number = next(_numbers)
        lake = cls(servers, folder, f"source_{number}", f"lake_{number}")
        for database in (lake.source, lake.catalog):
            lake.query(f"CREATE DATABASE {database}", "postgres")
        lake.logs.mkdir()
        return lake

    @property
    def logs(self) -> Path:
        return self.folder / "input"

    @property
    def results(self) -> Path:
        return self.folder / "output"

    def environment(self) -> dict[str, str]:
        """The settings of lakejobs, as .env would have them."""
        server = {
            "HOST": self.servers.host,
            "PORT": str(self.servers.port),
            "USER": self.servers.user,
            "PASSWORD": self.servers.password,
        }
        return {
            **{f"POSTGRES_{name}": value for name, value in server.items()},
            **{f"ICEBERG_POSTGRES_{name}": value for name, value in server.items()},
            "POSTGRES_DB": self.source,
            "ICEBERG_POSTGRES_DB": self.catalog,
            "WAREHOUSE": (self.folder / "iceberg").as_uri(),
            "PARQUET_LOCATION": (self.folder / "parquet").as_uri(),
            "CRUD_INPUT": str(self.logs),
            "CRUD_OUTPUT": str(self.results),
            "CRUD_CACHE": str(self.folder / "cache"),
            "EXPORT_PARTITION_BY": "day(timestamp)",
            "DEMO_DATA": "true",
        }

    def query(self, sql: str, database: str | None = None) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(
            host=self.servers.host,
            port=self.servers.port,
            user=self.servers.user,
            password=self.servers.password,
            dbname=database or self.source,
            options="-c timezone=UTC",
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def job(self, *arguments: str) -> dict[str, Any]:
        """Runs `lakejobs ARGUMENTS` by hand; returns its summary."""
        done = subprocess.run(
            ["node", str(ROOT / "dist/main.js"), *arguments],
            env={"PATH": os.environ["PATH"], **self.environment()},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def write_logs(self, last: str, days: int = 7, text: str | None = None) -> None:
        """A log for each of the days up to `last`."""
        for back in range(days):
            day = (date.fromisoformat(last) - timedelta(days=back)).isoformat()
            lines = text or "".join(f"{user}@x.org,READ,{day} 08:00:00\n" for user in "abc")
            (self.logs / f"{day}.csv").write_text(lines)

    def metadata(self) -> dict[str, Any]:
        """The Iceberg table's current metadata."""
        ((location,),) = self.query(
            "SELECT metadata_location FROM iceberg_tables WHERE table_name = 'web_logs'", self.catalog
        )
        raw = Path(location.removeprefix("file://")).read_bytes()
        return json.loads(gzip.decompress(raw) if location.endswith(".gz.metadata.json") else raw)

    def files(self) -> list[Path]:
        """What is in the warehouse."""
        return sorted(path for path in (self.folder / "iceberg").rglob("*") if path.is_file())

    def snapshots(self) -> int:
        return len(self.metadata().get("snapshots", []))
