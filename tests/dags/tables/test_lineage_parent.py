"""The run that a job is told of as its parent's: of the OpenLineage provider, where there is one."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from lakejobs_dags.docker_job import job_settings
from lakejobs_dags.surroundings import lineage_parent

PROVIDER = "airflow.providers.openlineage"
TASK = SimpleNamespace(task_id="t")


@pytest.fixture
def provider(monkeypatch):
    """The provider's interface, as of 2.20: it is no requirement of the DAGs."""
    names = ["", ".conf", ".plugins", ".plugins.macros"]
    modules = {name: ModuleType(PROVIDER + name) for name in names}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, PROVIDER + name, module)
    macros = modules[".plugins.macros"]
    modules[".plugins"].macros = macros
    modules[".conf"].is_disabled = lambda: False
    macros.lineage_parent_id = lambda task: f"ns/dag.{task.task_id}/1"
    macros.lineage_root_parent_id = lambda task: "ns/dag/0"
    return SimpleNamespace(conf=modules[".conf"], macros=macros)


def test_without_the_provider_there_is_none():
    assert lineage_parent(TASK) == {}


def test_with_the_provider_it_is_the_tasks_run(provider):
    assert lineage_parent(TASK) == {
        "OPENLINEAGE_CONTEXT": "",
        "OPENLINEAGE_PARENT_ID": "ns/dag.t/1",
        "OPENLINEAGE_ROOT_PARENT_ID": "ns/dag/0",
    }


def test_without_a_transport_there_is_none(provider):
    provider.conf.is_disabled = lambda: True
    assert lineage_parent(TASK) == {}


def test_a_provider_of_another_kind_is_a_warning(provider, caplog):
    del provider.macros.lineage_root_parent_id
    assert lineage_parent(TASK) == {}
    assert "not told to OpenLineage" in caplog.text


def test_a_container_has_the_names_that_the_filter_knows_and_no_other():
    example = (Path(__file__).parents[3] / ".env.example").read_text()
    part = example.split("# --- OpenLineage")[1].split("# ---")[0]
    names = {line[1:].split("=")[0] for line in part.splitlines() if line.startswith("#OPEN")}
    assert "OPENLINEAGE_URL" in names
    others = {"OPENLINEAGE_CONFIG": "x", "OPENLINEAGE__TRANSPORT__TIMEOUT": "1"}
    assert set(job_settings({**dict.fromkeys(names, "x"), **others})) == names
