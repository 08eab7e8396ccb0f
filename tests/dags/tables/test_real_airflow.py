"""Tables of one's own in a real Airflow: the file is edited, a browser looks. In this order."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from local_airflow import ROOT, job_environment, source, until


def test_a_browser_sees_a_table_more_a_typo_and_a_table_less(airflow):
    with source(airflow) as cursor:
        cursor.execute("CREATE SCHEMA own")
        for table, rows in (("customers", 3), ("orders", 5), ("items", 7), ("items_late", 1)):
            cursor.execute(f"CREATE TABLE own.{table} AS SELECT i AS id FROM generate_series(1, {rows}) AS i")
        cursor.connection.commit()
    # Airflow's own Python has no PyIceberg, whose SQLAlchemy is another.
    obtained = subprocess.run(
        [str(ROOT / "scripts/lib/obtain/python-venv"), str(ROOT / "tests/e2e/requirements.txt")],
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    environment = {
        **job_environment(airflow), "AIRFLOW_URL": airflow.url, "PYICEBERG_PYTHON": obtained.stdout.splitlines()[-1],
    }  # fmt: skip
    file = Path(environment["LAKEJOBS_CONFIG"])
    before = file.read_text()
    try:
        done = subprocess.run(
            ["node", str(ROOT / "tests/browser/own-tables.js")],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900,
        )  # fmt: skip
    finally:
        # Wherever it failed: a typo that stayed would fail every test after this one.
        file.write_text(before)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_that_misses_the_deadline_of_its_group_is_posted(airflow):
    """That group was in the file for a while: its run was due half an hour before there was one."""

    def posts() -> list[dict]:
        return [post for post in airflow.posts if post["dag"] == "lake_late"]

    (post,) = until("the post", posts)
    assert re.fullmatch(r"late: not done by \d\d:\d\d UTC, the run is (running|success)", post["error"])
    assert post["log"].startswith(f"{airflow.url}/dags/lake_late/runs/scheduled__")
