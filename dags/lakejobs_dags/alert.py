"""One message for each task that failed for good, and for each run that took too long."""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from http.client import HTTPException
from typing import Any

from airflow.sdk.configuration import conf

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10
_FORMATS = ("json", "slack", "teams")
# Unicode characters of a chat's message: Teams takes 28 kB, and one may be 12 bytes of JSON.
_LONGEST = 2000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Behind a redirect is a page to sign in, which takes anything."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def alert(context: Any) -> None:
    """
    Posts dag, task, day, run, error, log and text (all of it, for chat) to ALERT_WEBHOOK_URL, if it is set.

    For `on_failure_callback` of tasks and of the DAG: a run that failed because of a task was reported by the task.
    """
    if context.get("reason") != "task_failure":
        post(message_of(context))


def post(message: dict[str, str | None]) -> None:
    """To ALERT_WEBHOOK_URL, if it is set, as ALERT_WEBHOOK_FORMAT says. Raises nothing: what is told of goes on."""
    url = os.environ.get("ALERT_WEBHOOK_URL")
    if not url:
        return
    form = os.environ.get("ALERT_WEBHOOK_FORMAT") or "json"
    if form not in _FORMATS:
        log.warning('ALERT_WEBHOOK_FORMAT: "%s" is not valid, json is posted: give one of %s', form, ", ".join(_FORMATS))
        form = "json"
    try:
        body = json.dumps(body_of(message, form)).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
        _opener.open(request, timeout=_TIMEOUT_SECONDS).close()
    except (OSError, ValueError, HTTPException) as error:
        # The address may hold a token: it is not logged. What is no address is told with it.
        reason = error if isinstance(error, OSError) else type(error).__name__
        log.warning("The alert could not be posted to ALERT_WEBHOOK_URL: %s", reason)


def body_of(message: dict[str, str | None], form: str) -> dict[str, Any]:
    """
    A message as its receiver wants it: our own fields, an incoming webhook of Slack, or a workflow of Teams.

    jobs/check/alert/message.ts (`alertBody`) makes the same, for the test message of `lakejobs check --alert`.
    """
    text = message["text"] or ""
    if form == "slack":
        # Slack's three control characters.
        return {"text": _short(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
    if form == "teams":
        headline = _short(text.split("\n", 1)[0])
        link = {"type": "Action.OpenUrl", "title": "Open the log", "url": message["log"]}
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            # A text run is shown as it is; a text block would be Markdown.
            "body": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": headline}]}],
            "actions": [] if message["log"] is None else [link],
        }
        kind = "application/vnd.microsoft.card.adaptive"
        return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}
    return message


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def message_of(context: Any) -> dict[str, str | None]:
    """What went wrong, where, for which day, and where the log is."""
    run = context["dag_run"]
    instance = context.get("task_instance")
    dag, task = run.dag_id, instance.task_id if instance else None
    error = str(context.get("exception") or context.get("reason") or "the task's process ended unexpectedly")
    parts = {
        "dag": dag,
        "task": task,
        "day": getattr(context.get("task"), "day", None),
        "run": run.run_id,
        "error": error.splitlines()[0],
        "log": getattr(instance, "log_url", None) or log_url(dag, run.run_id),
    }
    where = f"{dag}.{task}" if task else dag
    day = f" for {parts['day']}" if parts["day"] else ""
    return {**parts, "text": f"{where} failed{day}: {parts['error']}\n{parts['log']}"}


def log_url(dag: str, run: str) -> str:
    """The page of a run."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{dag}/runs/{run}"
