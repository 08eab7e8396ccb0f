"""The deadline of a group: what Airflow is told, and what it posts. That it keeps it, test_real_airflow.py shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import DAGS


@pytest.mark.parametrize(
    ("group", "wait"),
    [
        ('{ schedule: "0 7 * * *", deadline: "09:30" }', timedelta(hours=2, minutes=30)),
        ('{ schedule: "@weekly", deadline: "00:10" }', timedelta(minutes=10)),
        # On the next day, and never at the tick itself.
        ('{ schedule: "30 22 * * *", timezone: Europe/Berlin, deadline: "06:00" }', timedelta(hours=7, minutes=30)),
        ('{ schedule: "0 7 * * *", deadline: "07:00" }', timedelta(days=1)),
        ('{ schedule: "0 7 * * *" }', None),
    ],
)
def test_airflow_is_told_how_long_after_the_tick_it_is(tmp_path, monkeypatch, group, wait):
    from airflow.dag_processing.dagbag import DagBag

    (tmp_path / "lakejobs.yaml").write_text(f"version: 1\ngroups: {{ a: {group} }}\n")
    monkeypatch.setenv("LAKEJOBS_CONFIG", str(tmp_path / "lakejobs.yaml"))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    bag = DagBag(dag_folder=str(DAGS))
    assert bag.import_errors == {}
    assert [alert.interval for alert in bag.dags["lake_a"].deadline or []] == ([wait] if wait else [])


def test_who_is_late_is_posted_and_a_run_by_hand_has_no_time_to_be_late_for(posts):
    from lakejobs_dags.tables.deadline import late

    run = {"dag_id": "lake_a", "dag_run_id": "scheduled__1", "state": "running", "run_type": "scheduled"}
    late({"dag_run": {**run, "run_type": "manual"}}, "09:00 UTC", "data")
    late({"dag_run": run}, "09:00 UTC", "data")
    (post,) = posts
    said = "late: not done by 09:00 UTC, the run is running; owner data"
    assert (post["dag"], post["run"], post["error"]) == ("lake_a", "scheduled__1", said)
    assert post["log"] == "http://localhost:8080/dags/lake_a/runs/scheduled__1"
    assert post["text"] == f"lake_a is {said}\n{post['log']}"
