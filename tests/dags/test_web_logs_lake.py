"""web_logs_lake, run on the compiled jobs and a real PostgreSQL."""

from __future__ import annotations

import json
from urllib.parse import quote

from runs import run_dag

DAY = "2024-09-16"
SUCCESS = {"seed_demo_rows": "success", "export_to_lake": "success", "verify_lake": "success", "report": "success"}
SKIPPED = {"seed_demo_rows": "skipped", "export_to_lake": "success", "verify_lake": "success", "report": "success"}


def test_an_empty_day_is_filled_and_exported(lake):
    run = run_dag("web_logs_lake", {"date": DAY})
    assert run.states == SUCCESS
    assert run.xcoms["seed_demo_rows"]["rows"] == 10_000
    summary = run.xcoms["export_to_lake"]
    assert (summary["job"], summary["status"], summary["rows"]) == ("export", "ok", 10_000)
    assert summary["tables"][0]["snapshotId"] == str(lake.metadata()["current-snapshot-id"])
    verified = run.xcoms["verify_lake"]
    assert (verified["job"], verified["from"], verified["to"]) == ("verify", "2024-09-13", DAY)
    iceberg, parquet = verified["tables"]
    assert (iceberg["table"], iceberg["rows"], iceberg["verified"]["match"]) == ("default.web_logs", 10_000, 1)
    assert (parquet["rows"], parquet["verified"]["mismatch"]) == (10_000, 0)


def test_each_task_leaves_its_run_with_the_log_that_airflow_has_of_it(lake):
    run = run_dag("web_logs_lake", {"date": DAY})
    left = [json.loads(path.read_text()) for path in (lake.folder / "runs").rglob("*.json")]
    # A report is what reads them.
    jobs = {xcom["job"]: xcom["runId"] for xcom in run.xcoms.values() if xcom["job"] != "report"}
    assert {one["job"]: one["runId"] for one in left} == jobs
    (export,) = (one["airflow"] for one in left if one["job"] == "export")
    (instance,) = (one for one in run.instances if one.task_id == "export_to_lake")
    assert export == {
        **{"dag": "web_logs_lake", "task": "export_to_lake", "run": instance.run_id, "try": 1},
        "log": f"http://localhost:8080/dags/web_logs_lake/runs/{quote(instance.run_id)}/tasks/export_to_lake?try_number=1",
    }


def test_rows_that_are_there_skip_the_seed_and_the_export_runs(lake):
    run_dag("web_logs_lake", {"date": DAY})
    before = lake.snapshots()
    # A row of the day changed since.
    lake.query("UPDATE web_logs SET status_code = 999 WHERE timestamp = (SELECT min(timestamp) FROM web_logs)")
    run = run_dag("web_logs_lake", {"date": DAY})
    assert run.states == SKIPPED
    assert run.state == "success"
    assert lake.snapshots() == before + 1


def test_demo_data_off_in_the_form(lake):
    lake.job("seed", "--days", "1", "--date", DAY, "--rows", "500")
    run = run_dag("web_logs_lake", {"date": DAY, "demo_data": False})
    assert run.states == SKIPPED
    assert run.xcoms["export_to_lake"]["rows"] == 500
    assert lake.snapshots() == 1


def test_demo_data_off_in_the_environment(lake, monkeypatch):
    lake.job("seed", "--days", "1", "--date", DAY, "--rows", "500")
    monkeypatch.delenv("DEMO_DATA")
    run = run_dag("web_logs_lake", {"date": DAY})
    assert run.states == SKIPPED
    assert run.xcoms["export_to_lake"]["rows"] == 500


def test_the_seed_leaves_a_table_alone_that_is_not_ours(lake):
    lake.job("seed", "--days", "1", "--date", "2024-09-01", "--rows", "10")
    lake.query("COMMENT ON TABLE web_logs IS 'production'")
    run = run_dag("web_logs_lake", {"date": DAY})
    assert run.states == {
        "seed_demo_rows": "failed",
        "export_to_lake": "upstream_failed",
        "verify_lake": "upstream_failed",
        "report": "success",
    }
    assert run.tries["seed_demo_rows"] == 1
    assert lake.query("SELECT count(*) FROM web_logs") == [(10,)]


def test_a_bare_export_by_hand_comes_first(lake):
    """The table is then made in full mode, partitioned as EXPORT_PARTITION_BY says."""
    lake.job("seed", "--days", "7", "--date", DAY)
    lake.job("export")
    run = run_dag("web_logs_lake", {"date": DAY})
    assert run.states == SKIPPED


def test_days_before_it_are_exported_too(lake):
    lake.job("seed", "--days", "5", "--date", DAY, "--rows", "5000")
    run = run_dag("web_logs_lake", {"date": DAY})
    summary = run.xcoms["export_to_lake"]
    assert (summary["from"], summary["to"]) == ("2024-09-13", DAY)
    run = run_dag("web_logs_lake", {"date": DAY, "lookback": 0})
    assert run.xcoms["export_to_lake"]["from"] == DAY
    assert run.xcoms["export_to_lake"]["tables"][0]["status"] == "unchanged"
    assert run.states == SKIPPED


def test_a_file_that_is_damaged_turns_the_verification_red(lake):
    run_dag("web_logs_lake", {"date": DAY})
    (file,) = (lake.folder / "iceberg").rglob("*.parquet")
    bytes_of = bytearray(file.read_bytes())
    bytes_of[len(bytes_of) // 2] ^= 0xFF
    file.write_bytes(bytes_of)
    run = run_dag("web_logs_lake", {"date": DAY})
    assert run.states == {**SKIPPED, "verify_lake": "failed"}
    assert run.tries["verify_lake"] == 1
