"""The link of each task of ours to the report of its day."""

from __future__ import annotations

import logging
from typing import Any

from airflow.configuration import conf
from airflow.sdk import BaseOperatorLink

from lakejobs_page.runs import OPERATORS, day_of_task

log = logging.getLogger(__name__)


class ReportLink(BaseOperatorLink):
    """For the API server, which looks for operators by name and module: it need not have the DAGs' own package."""

    name = "Report of the day"
    operators = [type(name, (), {"__module__": module}) for name, module in OPERATORS.items()]

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Nothing before the task has begun, or where its day cannot be looked up: other links are shown then, too."""
        try:
            from airflow.utils.session import create_session

            with create_session() as session:
                day = day_of_task(session, ti_key.dag_id, ti_key.run_id, ti_key.task_id, ti_key.map_index)
        except Exception:
            log.exception("The day of %s could not be looked up", ti_key)
            return ""
        base = conf.get("api", "base_url", fallback="").rstrip("/")
        return f"{base}/plugin/lake/lake/?day={day}" if day else ""
