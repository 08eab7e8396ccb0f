"""The alert webhook, against a server that listens on this machine."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from runs import run_dag

DAY = "2024-09-16"


@pytest.fixture
def posts(monkeypatch):
    """What was posted to ALERT_WEBHOOK_URL."""
    received: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("ALERT_WEBHOOK_URL", f"http://127.0.0.1:{server.server_port}/hook?token=canary")
    yield received
    server.shutdown()
    server.server_close()


def test_a_task_that_failed_is_reported_once(lake, posts, monkeypatch):
    monkeypatch.setenv("POSTGRES_PORT", "none")
    run_dag("web_logs_lake", {"date": DAY, "demo_data": False})
    (post,) = posts
    assert (post["dag"], post["task"], post["day"]) == ("web_logs_lake", "export_to_lake", DAY)
    assert post["error"].startswith('export exited with 2: POSTGRES_PORT: "none" is not valid')
    assert post["log"].startswith("http://localhost:8080/dags/web_logs_lake/runs/")
    assert "/tasks/export_to_lake" in post["log"]
    assert post["text"].startswith(f"web_logs_lake.export_to_lake failed for {DAY}: export exited with 2")


def test_what_succeeds_or_is_tried_again_is_not_reported(lake, posts):
    lake.write_logs(DAY)
    run_dag("crud_weekly_aggregate", {"date": DAY, "demo_data": False})
    assert posts == []


def test_a_run_that_took_too_long_is_reported(posts):
    from lakejobs_dags.alert import alert

    run = SimpleNamespace(dag_id="web_logs_lake", run_id="scheduled__2024-09-17")
    alert({"dag_run": run, "reason": "timed_out"})
    alert({"dag_run": run, "reason": "task_failure"})  # its task has said so
    (post,) = posts
    assert (post["dag"], post["error"]) == ("web_logs_lake", "timed_out")
    assert post["log"] == "http://localhost:8080/dags/web_logs_lake/runs/scheduled__2024-09-17"


def test_an_address_that_does_not_answer_changes_nothing(lake, monkeypatch, caplog, capfd):
    monkeypatch.setenv("ALERT_WEBHOOK_URL", "http://127.0.0.1:1/hook?token=canary-token")
    monkeypatch.setenv("POSTGRES_PORT", "none")
    run = run_dag("web_logs_lake", {"date": DAY, "demo_data": False})
    assert run.state == "failed"
    output = caplog.text + capfd.readouterr().out
    assert "could not be posted to ALERT_WEBHOOK_URL" in output
    assert "canary-token" not in output
