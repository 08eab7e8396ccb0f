"""Whatever is wrong with the page, Airflow starts; and what it costs the parts of Airflow that do not show it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

SERVES = """
from starlette.testclient import TestClient
from airflow.api_fastapi.app import create_app
api = TestClient(create_app())
print("VERSION", api.get("/api/v2/version").status_code)
print("PAGE", api.get("/lake/api/days").status_code)
"""


def python(code: str, plugins=ROOT / "plugins", **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins), "PYTHONPATH": "", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "environment",
    [
        {"LAKEJOBS_REPORTS": "ftp://nowhere", "WAREHOUSE": "nonsense://"},
        {"LAKEJOBS_REPORTS": "s3://bucket", "S3_ENDPOINT": "http://127.0.0.1:1", "AWS_REGION": ""},
    ],
    ids=["broken settings", "the store is away"],
)
def test_airflow_starts_whatever_the_settings_say(airflow_db, environment):
    said = python(SERVES, **environment)
    assert "VERSION 200" in said
    # The page is there, behind its login.
    assert "PAGE 401" in said


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("app.py", "raise RuntimeError('broken')"),
        ("app.py", "def make_app(): raise SystemError('broken')"),
        ("plugin.py", "import a_package_that_is_not_there"),
        ("page.py", "this is no Python"),
    ],
)
def test_airflow_starts_with_a_plugin_that_is_broken(airflow_db, tmp_path, file, text):
    plugins = tmp_path / "plugins"
    shutil.copytree(ROOT / "plugins", plugins)
    (plugins / "lakejobs_page" / file).write_text(text)
    said = python(SERVES, plugins)
    assert "VERSION 200" in said
    assert "PAGE 401" not in said


def test_the_app_is_built_in_the_api_server_alone(measured):
    """Scheduler, workers and the rest load plugins, too: they take listeners and links of it, and no FastAPI."""
    code = (
        "import sys, time, airflow.listeners.listener, airflow.sdk, airflow.plugins_manager as plugins\n"
        "start, before = time.process_time(), set(sys.modules)\n"
        "names = [plugin.name for plugin in plugins._get_plugins()[0]]\n"
        "plugins.get_operator_extra_links(); plugins.integrate_listener_plugins\n"
        "print('SECONDS', time.process_time() - start)\n"
        "print('LOADED', names, sorted({'fastapi', 'boto3', 'lakejobs_page.app'} & (set(sys.modules) - before)))"
    )
    said = python(code)
    assert "LOADED ['lakejobs'] []" in said
    measured(f"the plugin, loaded by a process that shows no page: {said.split('SECONDS ')[1].split()[0]} CPU seconds")
