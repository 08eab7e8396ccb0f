"""lake_maintenance, run on the compiled jobs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from runs import run_dag

DAY = "2024-09-16"
STEPS = [
    *["count_before", "compact", "count_compacted", "expire", "count_expired"],
    *["find_orphans", "count_orphans", "verify"],
]
NOTHING_LEFT = {"older_than": "0", "keep": 1, "keep_before_shrink": "0"}


def of_tables(table_run):
    """By table's index and step: the state of each mapped task."""
    return {
        (ti.map_index, ti.task_id.removeprefix("maintain_table.")): str(ti.state)
        for ti in table_run.instances
        if ti.map_index >= 0
    }


def summary(table_run, step, index=0):
    (ti,) = (
        ti for ti in table_run.instances if (ti.task_id, ti.map_index) == (f"maintain_table.{step}", index)
    )
    return ti.xcom_pull(task_ids=ti.task_id, map_indexes=index)


def test_each_table_is_made_small_by_itself_and_one_failure_never_stops_the_rest(lake):
    lake.job("seed", "--days", "1", "--date", DAY, "--rows", "500")
    lake.query("CREATE TABLE other AS SELECT i AS id FROM generate_series(1, 100) i")
    lake.job("export", "--format", "iceberg", "--table", "public.web_logs,public.other")
    lake.job("export", "--format", "iceberg", "--table", "public.web_logs,public.other", "--force")
    # What the newest snapshot of the first table needs is gone.
    of_other = (lake.folder / "iceberg").rglob("other/data/*.parquet")
    *_, newest = sorted(of_other, key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    before = lake.files()
    run = run_dag("lake_maintenance", NOTHING_LEFT)
    assert run.state == "failed"
    states = of_tables(run)
    assert (states[0, "count_before"], states[0, "compact"], states[0, "verify"]) == (
        "failed",
        "upstream_failed",
        "upstream_failed",
    )
    assert {step: states[1, step] for step in STEPS} == dict.fromkeys(STEPS, "success")

    expired = summary(run, "expire", 1)["tables"][0]
    assert expired["table"] == "default.web_logs"
    assert expired["maintained"]["snapshots"] == {"before": 2, "after": 1}
    assert not summary(run, "find_orphans", 1)["tables"][0]["maintained"].get("notRemoved")
    assert summary(run, "verify", 1)["rows"] == 500
    # Of the table that is damaged nothing was removed.
    of_the_damaged = [[path for path in files if "other" in path.parts] for files in (before, lake.files())]
    assert of_the_damaged[0] == of_the_damaged[1]
    assert len(lake.files()) < len(before)


def test_there_is_no_run_for_the_past(dagbag):
    from airflow.sdk import CronTriggerTimetable
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.trigger import CronTriggerTimetable as Scheduled

    dag = dagbag.dags["lake_maintenance"]
    assert dag.is_paused_upon_creation
    assert dag.start_date is None
    assert dag.timetable == CronTriggerTimetable("0 3 * * 0", timezone="UTC", run_immediately=timedelta(0))
    first = Scheduled("0 3 * * 0", timezone="UTC", run_immediately=timedelta(0)).next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(earliest=None, latest=None, catchup=False)
    )
    now = datetime.now(timezone.utc)
    assert now < first.run_after <= now + timedelta(days=7)
    assert (first.run_after.isoweekday(), first.run_after.hour) == (7, 3)
