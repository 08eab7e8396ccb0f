"""What the DAG files are, without running them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from conftest import DAGS

FILES = sorted(path.name for path in DAGS.glob("*.py"))
DAILY = ["web_logs_lake", "crud_weekly_aggregate"]
ALL = [*DAILY, "lake_backfill", "lake_maintenance"]


def test_every_dag_is_read_without_error_or_warning(dagbag):
    assert dagbag.import_errors == {}
    assert dagbag.captured_warnings == {}
    assert sorted(dagbag.dags) == sorted(ALL)


@pytest.mark.parametrize("file", FILES)
def test_a_file_uses_nothing_deprecated_and_no_docker(file):
    code = (
        "import runpy, sys; import airflow.sdk; import airflow.providers.standard.operators.bash\n"
        "import warnings; warnings.simplefilter('error', DeprecationWarning)\n"
        "warnings.simplefilter('error', FutureWarning)\n"
        f"runpy.run_path({str(DAGS / file)!r}); assert 'docker' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(DAGS)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_parsing_is_quick(tmp_path, measured):
    """Each file alone, Airflow imported before: the median of five, next to an empty DAG's."""
    empty = tmp_path / "empty.py"
    empty.write_text("from airflow.sdk import DAG\nwith DAG('empty', schedule=None): pass\n")
    code = (
        "import runpy, statistics, sys, time; import airflow.sdk, airflow.providers.standard.operators.bash\n"
        "own = lambda: [name for name in sys.modules if name.startswith('lakejobs_dags')]\n"
        "def once(path):\n"
        "    for name in own(): del sys.modules[name]\n"
        "    start = time.process_time(); runpy.run_path(path); return time.process_time() - start\n"
        "for path in sys.argv[1:]: print(statistics.median(once(path) for _ in range(5)))"
    )
    paths = [str(empty), *(str(DAGS / file) for file in FILES)]
    done = subprocess.run(
        [sys.executable, "-c", code, *paths],
        env={**os.environ, "PYTHONPATH": str(DAGS)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = dict(zip(["an empty DAG", *FILES], map(float, done.stdout.split()), strict=True))
    measured("parsed, CPU seconds: " + ", ".join(f"{name} {value:.3f}" for name, value in seconds.items()))
    assert max(seconds.values()) < 0.3


@pytest.mark.parametrize("dag_id", DAILY)
def test_daily_dags_run_at_seven(dagbag, dag_id):
    from airflow.sdk import CronTriggerTimetable

    dag = dagbag.dags[dag_id]
    assert dag.timetable == CronTriggerTimetable("0 7 * * *", timezone="UTC")
    assert not dag.catchup
    # Airflow would run nothing for a logical date before it.
    assert dag.start_date.year <= 2000


def test_the_backfill_runs_by_hand_alone(dagbag):
    assert dagbag.dags["lake_backfill"].schedule is None


@pytest.mark.parametrize("dag_id", ALL)
def test_every_dag_is_bounded_and_explained(dagbag, dag_id):
    dag = dagbag.dags[dag_id]
    assert dag.max_active_runs == 1
    assert dag.dagrun_timeout >= timedelta(hours=1)
    assert dag.on_failure_callback is not None
    assert dag.tags
    for heading in (f"# {dag_id}", "## Run it again", "fails"):
        assert heading in dag.doc_md
    for task in dag.tasks:
        assert task.owner == "lakejobs"
        assert task.doc_md
        assert task.execution_timeout <= dag.dagrun_timeout
        assert (task.retries, task.retry_exponential_backoff) == (2, 2.0)
        assert task.on_failure_callback


@pytest.mark.parametrize(
    ("dag_id", "optional", "following", "asset"),
    [
        ("web_logs_lake", "seed_demo_rows", "export_to_lake", "web_logs_lake"),
        ("crud_weekly_aggregate", "generate_demo_logs", "aggregate_week", "crud_weekly_counts"),
    ],
)
def test_demo_data_comes_first_and_may_be_skipped(dagbag, dag_id, optional, following, asset):
    dag = dagbag.dags[dag_id]
    task = dag.get_task(following)
    assert task.upstream_task_ids == {optional}
    assert task.trigger_rule == "none_failed"
    assert [outlet.name for outlet in task.outlets] == [asset]


def test_what_was_written_is_verified(dagbag):
    task = dagbag.dags["web_logs_lake"].get_task("verify_lake")
    assert task.upstream_task_ids == {"export_to_lake"}
    assert task.trigger_rule == "none_failed"


def test_params_are_typed_forms(dagbag):
    schemas = {
        dag_id: {name: dag.params.get_param(name).schema for name in dag.params} for dag_id, dag in dagbag.dags.items()
    }
    day = {"type": ["null", "string"], "format": "date"}
    for dag_id in DAILY:
        assert schemas[dag_id]["date"].items() >= day.items()
        assert schemas[dag_id]["demo_data"]["type"] == "boolean"
    assert schemas["crud_weekly_aggregate"]["engine"]["enum"] == ["duckdb", "spark"]
    assert dagbag.dags["crud_weekly_aggregate"].params["engine"] == "duckdb"
    assert schemas["web_logs_lake"]["lookback"]["type"] == "integer"
    assert dagbag.dags["web_logs_lake"].params["lookback"] == 3
    backfill = schemas["lake_backfill"]
    assert backfill["job"]["enum"] == ["export", "aggregate"]
    assert backfill["mode"]["enum"] == ["day", "full"]
    assert backfill["from"]["format"] == backfill["to"]["format"] == "date"
    for dag in dagbag.dags.values():
        for name in dag.params:
            parameter = dag.params.get_param(name)
            assert parameter.schema["title"] and parameter.description


@pytest.mark.parametrize(
    ("table", "is_taken"),
    [
        ("public.web_logs,crm/shop.*=lake.orders", True),
        ('shop."Order Items",crm/"A, b"."say ""hi"""=lake.x', True),
        ("shop.Order Items", False),
        ('shop."Order Items', False),
        ("public.web_logs; touch x", False),
        ("public.web_logs\n", False),
    ],
)
def test_a_backfill_takes_names_as_the_file_has_them(dagbag, table, is_taken):
    pattern = dagbag.dags["lake_backfill"].params.get_param("table").schema["pattern"]
    assert (re.search(pattern, table) is not None) == is_taken


def test_commands_hold_no_template(dagbag):
    """Values of parameters reach the shell as variables in quotes, never as its text."""
    for dag in dagbag.dags.values():
        # Others are Python alone.
        for task in (task for task in dag.tasks if hasattr(task, "bash_command")):
            assert "{{" not in task.bash_command
            assert task.bash_command.startswith('exec node "$LAKEJOBS_HOME/dist/main.js" ')
            assert task.append_env


def test_an_unknown_runner_is_refused():
    done = subprocess.run(
        [sys.executable, str(DAGS / "web_logs_lake.py")],
        env={**os.environ, "PYTHONPATH": str(DAGS), "LAKEJOBS_RUNNER": "kubernetes"},
        capture_output=True,
        text=True,
    )
    assert 'LAKEJOBS_RUNNER: "kubernetes" is not valid: give bash or docker' in done.stderr
