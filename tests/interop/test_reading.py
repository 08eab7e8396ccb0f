"""docs/reading.md, executed: every snippet as it stands there, against servers of these tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import duckdb
import pytest

from lake import ROOT, Lake
from readers import extension
from trino import trino_server

PAGE = (ROOT / "docs/reading.md").read_text()
SNIPPETS = dict(re.findall(r"^```\w+ ([\w-]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def failed(lake: Lake) -> int:
    """The rows that every snippet counts, exported as the page's first lines say: to the demo's places."""
    s = lake.servers
    with lake.connect() as cursor:
        cursor.execute("CREATE ROLE iceberg LOGIN SUPERUSER PASSWORD 'icebergpassword'")
    connection = lake.autocommit()
    connection.cursor().execute("CREATE DATABASE iceberg_db OWNER iceberg")
    connection.close()
    catalog = {"HOST": s.host, "PORT": str(s.port), "DB": "iceberg_db", "USER": "iceberg", "PASSWORD": "icebergpassword"}
    places = {"WAREHOUSE": "s3://logs-bucket/iceberg", "PARQUET_LOCATION": "s3://logs-bucket/parquet"}
    environment = {**{f"ICEBERG_POSTGRES_{name}": value for name, value in catalog.items()}, **places}
    # Twice: the hint must name the second.
    lake.job("export", "--format", "iceberg", **environment)
    lake.job("export", **environment)
    ((count,),) = lake.source_rows("SELECT count(*) FROM web_logs WHERE status_code >= 500")
    assert count > 0
    return count


def snippet(lake: Lake, name: str) -> str:
    """With our servers in the place of the demo's."""
    s = lake.servers
    text = SNIPPETS[name]
    for demo, ours in {
        "localhost:5435": f"{s.host}:{s.port}",
        "localhost:9000": s.endpoint.removeprefix("http://"),
        "minio123": s.secretAccessKey,
    }.items():
        text = text.replace(demo, ours)
    # The user's name only where it is a value: 'minio', "minio", =minio.
    return re.sub(r"""(?<=['"=])minio(?=['"\n])""", s.accessKeyId, text)


def last_line(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout.split()[-1])


@pytest.mark.parametrize("name", ["pyiceberg", "pandas", "polars", "clickhouse"])
def test_python(lake: Lake, failed: int, name: str) -> None:
    done = subprocess.run([sys.executable, "-c", snippet(lake, name)], capture_output=True, text=True, timeout=120)
    assert last_line(done) == failed


def test_spark(lake: Lake, failed: int) -> None:
    jars = ",".join(map(str, sorted(Path(os.environ["LAKEJOBS_SPARK_JARS"]).glob("*.jar"))))
    # The same jars, without Spark's own download of them.
    code = re.sub(r'"spark.jars.packages": "[^"]*"\s*"[^"]*"', f'"spark.jars": "{jars}"', snippet(lake, "spark"))
    assert jars in code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=180)
    assert last_line(done) == failed


def test_duckdb_by_the_folder(lake: Lake, failed: int) -> None:
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for statement in snippet(lake, "duckdb").split(";"):
        for install in re.findall(r"\b(?:INSTALL|LOAD) (\w+)", statement):
            connection.execute(f"LOAD '{extension(install)}'")
        if not re.search(r"\b(INSTALL|LOAD)\b", statement) and statement.strip():
            result = connection.execute(statement)
    assert result.fetchall() == [(failed,)]


def test_node(lake: Lake, failed: int) -> None:
    done = subprocess.run(
        ["node", "--input-type=module", "-e", snippet(lake, "node")], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert last_line(done) == failed


def test_trino(lake: Lake, failed: int, tmp_path: Path) -> None:
    with trino_server(tmp_path, {"local": snippet(lake, "trino")}) as trino:
        assert last_line(trino.query(snippet(lake, "trino-query"))) == failed


def test_spark_by_path_finds_no_table(lake: Lake, failed: int, spark: Any) -> None:
    """The hint is none for Hadoop tables, whose metadata is numbered: they say so, and read nothing older or wrong."""
    configuration = spark.session._jsc.hadoopConfiguration()
    folder = hinted_folder(lake)
    assert configuration is not None
    with pytest.raises(Exception, match="TABLE_OR_VIEW_NOT_FOUND|not found|does not exist"):
        spark.session.read.format("iceberg").load(folder).count()


def hinted_folder(lake: Lake) -> str:
    """A table in a folder, with a hint."""
    lake.export("public.web_logs", "default.web_logs_hinted")
    folder = lake.folder / "iceberg/default/web_logs_hinted"
    hint = (folder / "metadata/version-hint.text").read_text()
    assert (folder / "metadata" / f"{hint}.metadata.json").exists()
    return str(folder)


def test_every_snippet_is_executed() -> None:
    executed = {"pyiceberg", "pandas", "polars", "clickhouse", "spark", "duckdb", "node", "trino", "trino-query"}
    assert set(SNIPPETS) == executed


@pytest.fixture(scope="module", autouse=True)
def removed(lake: Lake) -> Iterator[None]:
    """The role and the database go with the module."""
    yield
    connection = lake.autocommit()
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS iceberg_db WITH (FORCE)")
        cursor.execute("DROP ROLE IF EXISTS iceberg")
    connection.close()
