"""The alert webhook, against a server that listens on this machine."""

from __future__ import annotations

import json
import os
import subprocess
from types import SimpleNamespace

import pytest
from conftest import ROOT
from runs import run_dag

DAY = "2024-09-16"
URL = "http://localhost:8080/dags/a/runs/b/tasks/c?try_number=3&x=<1>"
TEXTS = [
    f"a.b failed for {DAY}: export exited with 1: <script>&amp; *bold* _x_ [a](javascript:b)\n{URL}",
    "ä😀" * 1500 + f"\n{URL}",
    "&" * 2000,
    "",
]


def message(text: str, log: str | None = URL) -> dict[str, str | None]:
    return {"dag": "a", "task": "b", "day": DAY, "run": "r", "error": text.split("\n")[0], "log": log, "text": text}


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


def test_slack_and_teams_get_what_their_webhooks_take(posts, monkeypatch):
    from lakejobs_dags.alert import post

    for form in ("slack", "teams", "", "json"):
        monkeypatch.setenv("ALERT_WEBHOOK_FORMAT", form)
        post(message(f"a & b <c>\n{URL}"))
    slack, teams, *ours = posts
    assert slack == {"text": "a &amp; b &lt;c&gt;\nhttp://localhost:8080/dags/a/runs/b/tasks/c?try_number=3&amp;x=&lt;1&gt;"}
    (card,) = teams["attachments"]
    assert (teams["type"], card["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert card["content"]["body"][0]["inlines"] == [{"type": "TextRun", "text": "a & b <c>"}]
    assert card["content"]["actions"] == [{"type": "Action.OpenUrl", "title": "Open the log", "url": URL}]
    assert ours == [message(f"a & b <c>\n{URL}")] * 2


def test_a_format_that_is_none_is_a_warning_and_the_alert_arrives(posts, monkeypatch, caplog):
    from lakejobs_dags.alert import post

    monkeypatch.setenv("ALERT_WEBHOOK_FORMAT", "slak")
    post(message("x"))
    assert posts == [message("x")]
    assert 'ALERT_WEBHOOK_FORMAT: "slak" is not valid, json is posted: give one of json, slack, teams' in caplog.text


def test_what_is_no_address_changes_nothing(monkeypatch, caplog):
    from lakejobs_dags.alert import post

    monkeypatch.setenv("ALERT_WEBHOOK_URL", "hooks/canary-token")
    post(message("x"))
    assert "could not be posted to ALERT_WEBHOOK_URL: ValueError" in caplog.text
    assert "canary-token" not in caplog.text


def test_a_redirect_is_no_success(caplog, monkeypatch):
    from lakejobs_dags.alert import post
    from webhook import webhook

    with webhook(302) as (url, received):
        monkeypatch.setenv("ALERT_WEBHOOK_URL", url)
        post(message("x"))
    assert len(received) == 1
    assert "could not be posted to ALERT_WEBHOOK_URL: HTTP Error 302" in caplog.text


@pytest.mark.parametrize("form", ["json", "slack", "teams"])
def test_the_jobs_make_the_same_of_a_message(form):
    from lakejobs_dags.alert import body_of

    messages = [message(text, log) for text in TEXTS for log in (URL, None)]
    script = """
      import { alertBody } from './dist/modules/check/alert/message.js'
      const { messages, form } = JSON.parse(process.argv[1])
      console.log(JSON.stringify(messages.map((one) => alertBody(one, form))))
    """
    command = ["node", "--input-type=module", "-e", script, json.dumps({"messages": messages, "form": form})]
    made = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout)
    assert made == [body_of(one, form) for one in messages]
    # As it is posted; Teams takes 28 kB.
    assert form == "json" or max(len(json.dumps(one)) for one in made) < 28_000


def test_check_sends_a_test_in_that_format(posts, tmp_path):
    environment = {**os.environ, "ALERT_WEBHOOK_FORMAT": "slack"}
    command = ["node", str(ROOT / "dist/main.js"), "check", "--alert"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=60, capture_output=True)
    assert posts == [{"text": "lakejobs check --alert: a test: nothing has failed"}]
