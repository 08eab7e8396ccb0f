"""The reports of a place: `<day>.html`, what is shown, and `<day>.json`, the same numbers for the calendar."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from lakejobs_page.faults import Missing
from lakejobs_page.place import names, read

_HTML = re.compile(r"(\d{4}-\d\d-\d\d)\.html")
_POLICY = re.compile(rb"""<meta http-equiv=["']?Content-Security-Policy["']? content="([^"]*)\"""", re.IGNORECASE)
_ROOT = re.compile(rb"\A(\s*<!doctype html>\s*)<html\b", re.IGNORECASE)
_STYLE = re.compile(r"'sha256-[A-Za-z0-9+/]{43}='")
STATES = ("verified", "exported", "unchanged", "missing", "failed")


def is_day(text: str) -> bool:
    """Whether it is a day of the calendar, as `2026-11-27`."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def days(place: str) -> list[str]:
    """Those that have a report, the oldest first."""
    return sorted(found[1] for name in names(place) if (found := _HTML.fullmatch(name)) and is_day(found[1]))


def report(place: str, day: str, theme: str = "") -> tuple[bytes, list[str]]:
    """
    A report as its job has written it, and the hashes of styles that it says are its own. `dark` or `light` goes to its
    root, as a frame inside Airflow's knows the system's theme alone.
    """
    page = read(place, f"{day}.html")
    if theme in ("dark", "light"):
        page = _ROOT.sub(b'\\1<html data-theme="%s"' % theme.encode(), page, count=1)
    # Before any text that comes of data.
    policy = _POLICY.search(page[:4096])
    return page, _STYLE.findall(policy[1].decode(errors="replace")) if policy else []


def summary(place: str, day: str) -> dict[str, Any] | None:
    """
    `verdict` (word and text), `writtenAt`, and `days`: of each day the states of its tables. None where the JSON is not
    there, or is none: the report itself is shown all the same.
    """
    try:
        said = json.loads(read(place, f"{day}.json"))
        verdict = said["verdict"]
        return {
            "verdict": {"word": str(verdict["word"]), "text": str(verdict["text"])},
            "writtenAt": str(said["writtenAt"]),
            "days": _states(said["tables"]),
        }
    except (Missing, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _states(tables: list[dict[str, Any]]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for table in tables:
        for entry in table["days"]:
            if entry["state"] in STATES and is_day(entry["day"]):
                found.setdefault(entry["day"], []).append({"table": str(table["name"]), "state": entry["state"]})
    return found
