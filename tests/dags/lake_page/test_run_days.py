"""Which run handled which day: its note, the page's list of runs, and the link of each task, by runs of real jobs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from runs import run_dag

DAY = "2024-09-16"
CONF = {"date": DAY, "demo_data": False}


@pytest.fixture
def run(lake):
    """A finished run of the aggregate for that day."""
    lake.write_logs(DAY)
    done = run_dag("crud_weekly_aggregate", CONF)
    instance = done.instances[0]
    return SimpleNamespace(dag="crud_weekly_aggregate", id=instance.run_id)


@pytest.fixture
def session(airflow_db):
    from airflow.utils.session import create_session

    with create_session() as session:
        yield session


def dag_run(session, run):
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    return session.scalar(select(DagRun).where(DagRun.dag_id == run.dag, DagRun.run_id == run.id))


def test_the_page_lists_the_runs_of_a_day_for_who_may_see_them(api, sign_in, run):
    listed = api.get(f"/lake/api/runs/{DAY}", headers=sign_in("viewer")).json()
    (found,) = [one for one in listed if one["run"] == run.id]
    assert (found["dag"], found["type"], found["state"]) == (run.dag, "manual", "success")
    assert found["path"] == f"/dags/{run.dag}/runs/{run.id.replace(':', '%3A').replace('+', '%2B')}"
    assert run.id not in api.get("/lake/api/runs/2024-09-15", headers=sign_in("viewer")).text


def test_runs_of_a_dag_that_a_user_may_not_see_are_not_told(api, sign_in, run, monkeypatch):
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    # The simple manager has no rights by DAG.
    def may(_, *, details=None, **__):
        return details is None or details.id != run.dag

    monkeypatch.setattr(SimpleAuthManager, "is_authorized_dag", may)
    # Other tests leave runs of other DAGs.
    assert run.dag not in api.get(f"/lake/api/runs/{DAY}", headers=sign_in("viewer")).text


def test_each_task_links_to_the_report_of_its_day(api, sign_in, run, session):
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from conftest import DAGS

    sync_bag_to_db(DagBag(dag_folder=str(DAGS)), "dags-folder", None)
    for task in ("aggregate_week", "generate_demo_logs"):
        path = f"/api/v2/dags/{run.dag}/dagRuns/{run.id}/taskInstances/{task}/links"
        links = api.get(path, headers=sign_in("viewer")).json()["extra_links"]
        # Skipped before it began, that one has its run's.
        assert links == {"Report of the day": f"/plugin/lake/lake/?day={DAY}"}


def test_a_link_that_cannot_be_made_harms_no_other(monkeypatch):
    from lakejobs_page import link

    def away(*_):
        raise RuntimeError("the database is away")

    monkeypatch.setattr(link, "day_of_task", away)
    key = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1)
    assert link.ReportLink().get_link(None, ti_key=key) == ""


@pytest.mark.parametrize(
    ("conf", "noted"),
    [
        (CONF, f"day **{DAY}**"),
        ({**CONF, "from": "2024-09-14"}, f"days **2024-09-14 … {DAY}**"),
        ({**CONF, "from": DAY}, f"day **{DAY}**"),
        ({**CONF, "from": "[x](http://evil.example)"}, f"day **{DAY}**"),
    ],
)
def test_a_run_is_noted_with_its_day(run, session, conf, noted):
    from lakejobs_page.notes import add_note

    found = dag_run(session, run)
    found.note, found.conf = None, conf
    add_note(found)
    assert found.note == noted


def test_a_note_that_somebody_wrote_stays(run, session):
    from lakejobs_page.notes import DayNotes

    found = dag_run(session, run)
    found.note = "mine"
    DayNotes().on_dag_run_success(found, "")
    DayNotes().on_dag_run_failed(found, "")
    assert found.note == "mine"


def test_a_run_of_others_has_no_note_and_no_fault_reaches_the_scheduler(run, session):
    from lakejobs_page.notes import add_note

    found = dag_run(session, SimpleNamespace(dag=run.dag, id=run.id))
    found.note = None
    for instance in found.get_task_instances(session=session):
        instance.operator = "BashOperator"
    session.flush()
    add_note(found)
    assert found.note is None
    add_note(SimpleNamespace(run_id="x"))
    session.rollback()


# Of a year that nothing else here has anything of.
SEVEN = datetime(2031, 5, 10, 7, tzinfo=timezone.utc)


@pytest.fixture
def web_logs_lake(run, session):
    """The DAG's row in Airflow's database, unpaused and due at seven; whatever is changed is taken back."""
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dag import DagModel
    from conftest import DAGS

    sync_bag_to_db(DagBag(dag_folder=str(DAGS)), "dags-folder", None)
    dag = session.get(DagModel, "web_logs_lake")
    dag.is_paused, dag.is_stale, dag.next_dagrun_create_after = False, False, SEVEN
    yield dag
    session.rollback()


@pytest.mark.parametrize(
    ("hours", "values", "due"),
    [
        (-1, {}, "2031-05-08"),
        # The scheduler has not made it: that is to be seen.
        (1, {}, "2031-05-09"),
        (-7, {}, "2031-05-08"),
        (-8, {}, "2031-05-08"),
        (-1, {"is_paused": True}, "2031-05-09"),
        (-1, {"is_stale": True}, "2031-05-09"),
        (1, {"next_dagrun_create_after": SEVEN + timedelta(days=1)}, "2031-05-09"),
        (1, {"next_dagrun_create_after": None}, "2031-05-09"),
    ],
)
def test_yesterday_is_due_when_its_run_should_have_been_made(web_logs_lake, session, hours, values, due):
    from lakejobs_page.runs import last_due_day

    for name, value in values.items():
        setattr(web_logs_lake, name, value)
    session.flush()
    assert last_due_day(session, SEVEN + timedelta(hours=hours)) == due


@pytest.mark.parametrize(
    ("kind", "state", "due"),
    [
        ("scheduled", "running", "2031-05-08"),
        ("scheduled", "queued", "2031-05-08"),
        ("scheduled", "failed", "2031-05-09"),
        ("manual", "running", "2031-05-09"),
    ],
)
def test_yesterday_is_not_due_while_its_run_goes_on(web_logs_lake, run, session, kind, state, due):
    from lakejobs_page.runs import last_due_day

    web_logs_lake.next_dagrun_create_after = SEVEN + timedelta(days=1)
    found = dag_run(session, run)
    found.run_type, found.state, found.run_after = kind, state, SEVEN
    session.flush()
    assert last_due_day(session, SEVEN + timedelta(minutes=5)) == due
