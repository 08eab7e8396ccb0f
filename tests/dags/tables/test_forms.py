"""Which DAGs a `lakejobs.yaml` makes, sound or not; what is wrong in it stands on the home page and takes none away."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from conftest import DAGS, ROOT
from parsed import parsed as parsed_in

SOUND = """
version: 1
groups:
  hourly: { schedule: "5 * * * *", timezone: Europe/Berlin, max-active-tasks: 2, pool: small, owner: data }
  by_hand: {}
tables:
  shop.*: {}
  shop.orders: { group: hourly }
"""
OWN = ["crud_weekly_aggregate", "lake_backfill", "lake_maintenance", "web_logs_lake"]


@pytest.fixture
def parse(tmp_path):
    """Parses the DAGs with a file of that text, each time in the same Airflow."""

    def parse_with(text: str | None, **environment: str):
        file = tmp_path / "lakejobs.yaml"
        if text is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(text)
        home = {"LAKEJOBS_HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path / "airflow")}
        return parsed_in({**home, **environment}, DAGS)

    return parse_with


def test_without_a_file_there_is_nothing(parse):
    found = parse(None)
    assert (sorted(found["dags"]), found["errors"]) == (OWN, {})


def test_each_group_is_a_dag(parse):
    found = parse(SOUND)
    assert found["errors"] == {}
    assert {name: at for name, at in found["dags"].items() if name not in OWN} == {
        "lake_daily": ["0 7 * * *", "UTC"],
        "lake_hourly": ["5 * * * *", "Europe/Berlin"],
        "lake_by_hand": ["", ""],
    }
    assert set(found["dags"]) == {*OWN, "lake_daily", "lake_hourly", "lake_by_hand"}


def test_the_group_daily_runs_when_the_setting_says_unless_it_says_so_itself(parse):
    at = {"LAKEJOBS_SCHEDULE": "30 6 * * *", "LAKEJOBS_TIMEZONE": "Europe/Berlin"}
    assert parse(SOUND, **at)["dags"]["lake_daily"] == ["30 6 * * *", "Europe/Berlin"]
    own = 'version: 1\ngroups: { daily: { schedule: "0 5 * * *" } }\n'
    assert parse(own, **at)["dags"]["lake_daily"] == ["0 5 * * *", "UTC"]
    assert parse(own.replace("0 5", "${HOUR:-0 9}"), **at)["dags"]["lake_daily"] == ["0 9 * * *", "UTC"]


def test_what_a_group_says_of_its_dag(parse, tmp_path, monkeypatch):
    from airflow.dag_processing.dagbag import DagBag

    (tmp_path / "lakejobs.yaml").write_text(SOUND)
    monkeypatch.setenv("LAKEJOBS_CONFIG", str(tmp_path / "lakejobs.yaml"))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    dags = DagBag(dag_folder=str(DAGS)).dags
    hourly, daily = dags["lake_hourly"], dags["lake_daily"]
    export = hourly.get_task("export")
    assert (hourly.max_active_tasks, hourly.owner, hourly.is_paused_upon_creation) == (2, "data", True)
    assert (export.partial_kwargs["pool"], export.partial_kwargs["map_index_template"]) == (
        "small",
        "{{ task.item.table }}",
    )
    assert [outlet.name for outlet in export.outlets] == ["lake_hourly"]
    assert daily.get_task("plan").pool == "default_pool"
    assert daily.catchup is False and daily.max_active_runs == 1
    for heading in ("# lake_daily", "## Run it again", "fails"):
        assert heading in daily.doc_md


def test_prefix_paused_and_dags_are_settings(parse):
    assert "t.daily" in parse(SOUND, LAKEJOBS_DAG_PREFIX="t.")["dags"]
    assert sorted(parse(SOUND, LAKEJOBS_DAGS="lake_backfill")["dags"]) == ["lake_backfill"]
    assert sorted(parse(SOUND, LAKEJOBS_DAGS="lake_tables")["dags"]) == ["lake_by_hand", "lake_daily", "lake_hourly"]
    wrong = parse(SOUND, LAKEJOBS_PAUSED="maybe")["errors"]["lake_tables.py"]
    assert 'LAKEJOBS_PAUSED: "maybe" is not valid: give true or false' in wrong
    taken = parse("version: 1\ngroups: { lake_backfill: {}, x: {} }\n", LAKEJOBS_DAG_PREFIX="_")
    assert taken["errors"] == {} and "_lake_backfill" in taken["dags"]
    taken = parse("version: 1\ngroups: { backfill: {} }\n")
    assert "lakejobs.yaml:2:11 groups.backfill" in taken["errors"]["lake_tables_faults.py"]
    assert sorted(taken["dags"]) == OWN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 1\ntables: { shop.orders: { lookbak: 3 } }\n", ":2:26 tables.shop.orders.lookbak: "),
        ("version: 1\ntables: { x: { group: hourli } }\n", ':2:23 tables.x.group: there is no group "hourli"'),
        ("version: 2\n", ":1:10 version: "),
        ("tables: {}\n", " version: "),
        ("version: 1\ntables:\n  a.b: {}\n  a.b: {}\n", ':4:3 tables.a.b: "a.b" is there twice, in line 3 too'),
        ("version: 1\ntables: [a.b]\n", ":2:9 tables: a sequence stands where keys belong"),
        ("version: 1\ntables:\n  a.b: { x\n", ":4:1 "),
        ("version: 1\nsources: { crm: { password: x } }\n", ":2:19 sources.crm.password: "),
        ("version: 1\ngroups: { hourly: { schedule: '${NOT_SET}' } }\n", "NOT_SET is not set"),
        ("version: 1\ngroups: { hourly: { timezone: Europe/Berlinn } }\n", ":2:31 groups.hourly.timezone: "),
        ("version: 1\ngroups: { hourly: { deadline: 9 } }\n", ":2:31 groups.hourly.deadline: "),
        ("version: 1\ngroups: { hourly: { max-active-tasks: many } }\n", ":2:39 groups.hourly.max-active-tasks: "),
        ("[" * 3000, "lakejobs.yaml:"),
        ("\x00", "lakejobs.yaml:1:"),
    ],
)  # fmt: skip
def test_a_fault_has_its_line_on_the_home_page_and_takes_no_dag_away(parse, text, said):
    before = set(parse(SOUND)["dags"])
    found = parse(text)
    assert list(found["errors"]) == ["lake_tables_faults.py"]
    last = found["errors"]["lake_tables_faults.py"]
    assert said in last
    assert {"web_logs_lake", "lake_backfill"} <= set(found["dags"])
    if "groups.hourly" in last:
        assert found["dags"]["lake_hourly"] == ["5 * * * *", "Europe/Berlin"]
    if re.search(r":\d+:\d+ [a-z]", last) is None:
        assert set(found["dags"]) == before


def test_what_was_never_good_is_not_there_and_what_is_taken_out_goes(parse):
    found = parse("version: 1\ngroups: { hourly: { schedule: x }, other: {} }\n")
    assert sorted(set(found["dags"]) - set(OWN)) == ["lake_other"]
    parse(SOUND)
    assert sorted(set(parse("version: 1\ngroups: { other: {} }\n")["dags"]) - set(OWN)) == ["lake_other"]


def test_a_file_that_is_named_and_gone_is_a_fault_and_the_dags_stay(parse, tmp_path):
    named = {"LAKEJOBS_CONFIG": str(tmp_path / "lakejobs.yaml")}
    before = parse(SOUND, **named)["dags"]
    found = parse(None, **named)
    assert found["dags"] == before
    assert "the file cannot be read" in found["errors"]["lake_tables_faults.py"]


def test_a_task_finds_its_dag_whatever_became_of_the_file(tmp_path):
    """As a worker parses: for one DAG, with nothing kept from before."""
    (tmp_path / "lakejobs.yaml").write_text("version: 1\n{")
    code = (
        "import runpy, sys; from airflow.sdk.definitions._internal import dag_parsing_context as c\n"
        "with c._airflow_parsing_context_manager(dag_id='lake_hourly'):\n"
        f"    found = runpy.run_path({str(DAGS / 'lake_tables.py')!r})\n"
        "print([dag.dag_id for dag in found['_dags']])"
    )
    home = {"LAKEJOBS_HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path / "airflow"), "PYTHONPATH": str(DAGS)}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **home}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "['lake_hourly']"


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\ntables: { shop.orders: { lookbak: 3 } }\n",
        "version: 1\ngroups: { a: { schedul: x } }\ntables: { x: { group: b } }\n",
        'version: 1\ngroups: { a: { schedule: "0 7 * *", deadline: "24:00", timezone: nowhere } }\n',
        'version: 1\ngroups: { a: { schedule: "5 * * * *", deadline: "09:00" }, b: { deadline: "09:00" } }\n',
        "version: 1\nsources: { crm: { envv: CRM } }\ndefaults: { codek: zstd }\nmore: {}\n",
    ],
)
def test_jobs_say_the_same_lines(parse, text, tmp_path):
    """What is told on the home page, `lakejobs config` tells of the same places."""
    places = r"lakejobs\.yaml(:\d+:\d+ [^ ]+): "
    told = parse(text)["errors"]["lake_tables_faults.py"]
    done = subprocess.run(
        ["node", str(ROOT / "dist/main.js"), "config"],
        cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert sorted(re.findall(places, done.stderr)) == sorted(re.findall(places, told))


def test_the_parse_of_500_tables(tmp_path, measured):
    """Airflow imported before, the file read anew: the median of five."""
    tables = "".join(
        f'  shop.table_{number}: {{ mode: day, partition-by: ["day(at)"], lookback: 3, group: g{number % 20} }}\n'
        for number in range(500)
    )
    groups = "".join(f'  g{number}: {{ schedule: "{number} * * * *", owner: data }}\n' for number in range(20))
    (tmp_path / "lakejobs.yaml").write_text(f"version: 1\ngroups:\n{groups}tables:\n{tables}")
    code = (
        "import runpy, statistics, sys, time; import airflow.sdk, airflow.providers.standard.operators.bash, yaml\n"
        "own = lambda: [name for name in sys.modules if name.startswith('lakejobs_dags')]\n"
        "def once(path):\n"
        "    for name in own(): del sys.modules[name]\n"
        "    start = time.process_time(); found = runpy.run_path(path); seconds = time.process_time() - start\n"
        "    assert len(found.get('_dags', range(20))) == 20; return seconds\n"
        "for path in sys.argv[1:]: print(statistics.median(once(path) for _ in range(5)))"
    )
    files = [str(DAGS / name) for name in ("lake_tables.py", "lake_tables_faults.py")]
    home = {"LAKEJOBS_HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path / "airflow"), "PYTHONPATH": str(DAGS)}
    done = subprocess.run(
        [sys.executable, "-c", code, *files], env={**os.environ, **home}, capture_output=True, text=True, check=True
    )
    both = ", ".join(f"{float(seconds):.3f}" for seconds in done.stdout.split()[-2:])
    measured(f"500 tables in 20 groups, CPU seconds of lake_tables.py, lake_tables_faults.py: {both}")
