"""The page that is ours, made of its parts, and what browsers may do with it and with reports."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

_PARTS = Path(__file__).with_name("assets")
_FRAME = "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"


def own_page() -> tuple[str, str]:
    """The page, one file, and its policy: its own script and style, data and frames of this Airflow, nothing else."""
    style, script = (_PARTS.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    page = _PARTS.joinpath("page.html").read_text(encoding="utf-8")
    for name, text in (("page.css", style), ("page.js", script)):
        page = re.sub(rf"\s*/\* {name} \*/\s*", lambda _, text=text: text, page)
    sources = f"script-src {_hash(script)}; style-src {_hash(style)}; connect-src 'self'; frame-src 'self'"
    return page, f"default-src 'none'; {sources}; {_FRAME}"


def policy(styles: list[str]) -> str:
    """
    For whatever a job wrote: no script, no request, an origin of its own. Scripts of Airflow's origin can read its
    session cookie.
    """
    allowed = " ".join(styles) or "'none'"
    return f"default-src 'none'; img-src data:; style-src {allowed}; sandbox; {_FRAME}"


def refusal_page(text: str) -> str:
    """A line for people."""
    return f'<!doctype html><html lang="en"><title>Lake</title><p>{html.escape(text)}</p></html>'


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
