"""The Python package as a team installs it into an Airflow that exists: in a fresh environment, without the clone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig

import pytest
from conftest import DAGS, ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A fresh environment with Airflow and the wheel, and a folder with the DAG files alone."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run([ROOT / "scripts/wheel", folder / "wheel"], check=True, capture_output=True, text=True)
    wheel, page = built.stdout.split()
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv/bin/python"
    # Airflow from where this test has it, in the place of a download.
    (site,) = folder.glob("venv/lib/python*/site-packages")
    (site / "airflow.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ["--quiet", "--no-index", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *options, f"{wheel}[docker]", page], check=True)
    (folder / "dags").mkdir()
    for file in DAGS.glob("*.py"):
        shutil.copy(file, folder / "dags")
    return str(python), folder / "dags", site


def test_every_dag_is_read_by_the_installed_package(installed, tmp_path):
    python, dags, site = installed
    (tmp_path / "lakejobs.yaml").write_text("version: 1\ntables: { shop.*: {} }\n")
    code = (
        "import json, sys; from pathlib import Path; from parsed import parsed\n"
        "for runner in ('bash', 'docker'):\n"
        "    environment = {'LAKEJOBS_RUNNER': runner, 'LAKEJOBS_CONFIG': sys.argv[2]}\n"
        "    print('PARSED' + json.dumps(parsed(environment, Path(sys.argv[1])), default=str))"
    )
    done = subprocess.run(
        [python, "-c", code, str(dags), str(tmp_path / "lakejobs.yaml")],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "tests/dags/support"),
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
        },
        capture_output=True,
        text=True,
    )
    runners = [
        json.loads(line.removeprefix("PARSED")) for line in done.stdout.splitlines() if line.startswith("PARSED")
    ]
    assert len(runners) == 2, done.stderr
    for found in runners:
        assert found["errors"] == {}
        own = sorted(path.stem for path in dags.glob("*.py") if not path.stem.startswith("lake_tables"))
        assert sorted(found["dags"]) == sorted(["lake_daily", *own])
        assert found["package"] == str(site / "lakejobs_dags/__init__.py")


def test_the_page_is_a_plugin_that_airflow_finds_by_itself(installed, tmp_path):
    """Without a file in the folder of plugins; with one, too, there is one of it."""
    python, _, site = installed
    code = (
        "from airflow import plugins_manager as plugins\n"
        "print('FOUND', [(plugin.name, len(plugin.fastapi_apps)) for plugin in plugins._get_plugins()[0]])"
    )
    (tmp_path / "none").mkdir()
    for folder in (tmp_path / "none", ROOT / "plugins"):
        environment = {**os.environ, "AIRFLOW__CORE__PLUGINS_FOLDER": str(folder), "PYTHONPATH": ""}
        done = subprocess.run([python, "-c", code], env=environment, capture_output=True, text=True)
        assert "FOUND [('lakejobs', 1)]" in done.stdout, done.stderr
    assert (site / "lakejobs_page/assets/page.js").is_file()


def test_the_package_has_all_modules_and_nothing_else(installed):
    _, _, site = installed

    def files(folder):
        return sorted(
            str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in (".py", ".json", ".md")
        )

    assert files(site / "lakejobs_dags") == files(DAGS / "lakejobs_dags")
