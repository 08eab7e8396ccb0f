"""The environment comes first: Airflow and the DAGs read it when they are imported."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
FOLDER = Path(tempfile.mkdtemp(prefix="lakejobs-dags-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

# Where jobs run: the compiled ones, without the clone's .env and data.
HOME = FOLDER / "home"
HOME.mkdir()
(HOME / "dist").symlink_to(ROOT / "dist")

for name in list(os.environ):
    if name.startswith(("AIRFLOW", "LAKEJOBS_", "POSTGRES_", "ICEBERG_", "S3_", "AWS_", "MINIO_", "CRUD_")):
        del os.environ[name]
os.environ.update(
    AIRFLOW_HOME=str(FOLDER / "airflow"),
    AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{FOLDER}/airflow.db",
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
    LAKEJOBS_HOME=str(HOME),
    LAKEJOBS_RETRY_SECONDS="0.1",
    LAKEJOBS_NOT_YET_SECONDS="1",
)

from lake import Lake, Servers, start_servers  # noqa: E402
from local_airflow import LocalAirflow, running  # noqa: E402
from webhook import webhook  # noqa: E402


@pytest.fixture(scope="session")
def dagbag():
    """The DAGs of the folder, as Airflow's DAG processor parses them; needs no database."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(DAGS))


@pytest.fixture(scope="session")
def airflow_db() -> None:
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with start_servers() as servers:
        yield servers


@pytest.fixture
def lake(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_db: None) -> Lake:
    """A source database, a catalog and folders of this test alone, which its tasks find in the environment."""
    lake = Lake.create(servers, tmp_path)
    for name, value in lake.environment().items():
        monkeypatch.setenv(name, value)
    return lake


@pytest.fixture(scope="session")
def api(airflow_db: None):
    """Airflow's own API server, in this process, with the plugin of the clone."""
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    return TestClient(create_app(), base_url="http://localhost:8080", follow_redirects=False)


@pytest.fixture(scope="session")
def sign_in(api):
    """Headers of a user with that role."""

    def headers(role: str) -> dict[str, str]:
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role, role=role))
        return {"Authorization": f"Bearer {token}"}

    return headers


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of reports, empty."""
    folder = tmp_path / "reports"
    folder.mkdir()
    monkeypatch.setenv("LAKEJOBS_REPORTS", str(folder))
    return folder


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict]]:
    """What was posted to ALERT_WEBHOOK_URL."""
    with webhook() as (url, received):
        monkeypatch.setenv("ALERT_WEBHOOK_URL", url)
        yield received


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    """scripts/airflow with a `lakejobs.yaml`, started once: who uses it leaves the file as it was."""
    with running(tmp_path_factory.mktemp("local")) as airflow:
        yield airflow


@pytest.fixture
def measured(request: pytest.FixtureRequest):
    """Takes a line that is printed at the end of the session."""
    lines = request.config.stash.setdefault(MEASURED, [])
    return lines.append


MEASURED = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of a whole Airflow come last: a quarter of a processor is its own for as long as it runs."""
    items.sort(key=lambda item: "airflow" in item.fixturenames)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    for line in config.stash.get(MEASURED, []):
        terminalreporter.write_line(line)
