"""What Airflow takes of this package. It is imported by every process that loads plugins: what a page needs is not."""

from __future__ import annotations

import functools
import logging
from typing import Any
from urllib.parse import quote

from airflow.plugins_manager import AirflowPlugin

from lakejobs_page.link import ReportLink
from lakejobs_page.notes import DayNotes

log = logging.getLogger(__name__)

_ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" stroke-width="2"
stroke-linecap="round"><path d="M3 8c3-3 6 3 9 0s6 3 9 0M3 13c3-3 6 3 9 0s6 3 9 0M3 18c3-3 6 3 9 0s6 3 9 0"/></svg>"""


def _icon(colour: str) -> str:
    return "data:image/svg+xml;utf8," + quote(_ICON.format(colour=colour))


class LakePlugin(AirflowPlugin):
    """The page Lake, a link to it on each task of ours, and a note with its day on each run of ours."""

    name = "lakejobs"
    external_views = [
        {
            "name": "Lake",
            # With its slash: without one it would be Airflow's own page.
            "href": "lake/",
            "url_route": "lake",
            "destination": "nav",
            "nav_top_level": True,
            "icon": _icon("#2f96a3"),
            "icon_dark_mode": _icon("#7cc7cf"),
        }
    ]
    operator_extra_links = [ReportLink()]
    listeners = [DayNotes()]

    # In the API server alone: FastAPI and its models cost every other process a second and 20 MB.
    @functools.cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """The page's app; none where it cannot be built, as Airflow has to start."""
        try:
            from lakejobs_page.app import make_app

            return [{"app": make_app(), "url_prefix": "/lake", "name": "lake"}]
        except Exception:
            log.exception("The page Lake is not there: its app could not be built")
            return []
