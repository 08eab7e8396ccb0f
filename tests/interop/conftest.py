from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest
from pyiceberg.catalog import Catalog, load_catalog

from lake import ROOT, Lake, Servers
from readers import DuckDB, Polars, PyIceberg, Reader, Spark, open_duckdb, open_spark

# Before Spark and Arrow look: Python's local time is UTC.
os.environ["TZ"] = "UTC"
time.tzset()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    child = subprocess.Popen(
        ["node", str(ROOT / "tests/interop/support/servers.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        line = child.stdout.readline()
        assert line, "servers.js did not start PostgreSQL and MinIO"
        yield Servers(**json.loads(line))
    finally:
        child.stdin.close()  # stops both
        child.wait(timeout=60)


@pytest.fixture(scope="session")
def lake(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """10,000 web logs in PostgreSQL."""
    lake = Lake(servers, tmp_path_factory.mktemp("lake"))
    lake.job("seed", "--rows", "10000", "--date", "2024-09-16")
    return lake


@pytest.fixture(scope="session")
def catalog(lake: Lake) -> Catalog:
    """Made by our exports; PyIceberg knows its settings alone."""
    return load_catalog("local", **lake.catalog_settings(), init_catalog_tables="false")


@pytest.fixture(scope="session")
def spark(lake: Lake) -> Iterator[Spark]:
    jars = sorted(Path(os.environ["LAKEJOBS_SPARK_JARS"]).glob("*.jar"))
    session = open_spark(lake, ",".join(map(str, jars)))
    yield Spark(session)
    session.stop()


@pytest.fixture(scope="session")
def duck(lake: Lake, catalog: Catalog) -> DuckDB:
    return DuckDB(open_duckdb(lake), catalog)


@pytest.fixture(params=["pyiceberg", "polars", "duckdb", "spark"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Each test that takes it runs once with each reader."""
    match request.param:
        case "pyiceberg":
            return PyIceberg(request.getfixturevalue("catalog"))
        case "polars":
            return Polars(request.getfixturevalue("catalog"))
        case "duckdb":
            return request.getfixturevalue("duck")
        case _:
            return request.getfixturevalue("spark")
