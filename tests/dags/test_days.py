"""Which day a run handles: a test for each row of the table in docs/operations.md, by what the real job then did."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from runs import run_dag


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


NOW = datetime.now(timezone.utc).replace(microsecond=0)
YESTERDAY = (NOW - timedelta(days=1)).date().isoformat()

ROWS = [
    ("scheduled", {"logical_date": at("2025-11-21 07:00"), "run_after": at("2025-11-21 07:00")}, None, "2025-11-20"),
    ("catching up", {"logical_date": at("2025-11-18 07:00"), "run_after": at("2025-11-18 07:00")}, None, "2025-11-17"),
    ("backfill", {"logical_date": at("2025-11-01 07:00"), "run_after": at("2025-11-01 07:00")}, None, "2025-10-31"),
    ("by hand, without a logical date", {"logical_date": None}, None, YESTERDAY),
    ("by hand, for later", {"logical_date": None, "run_after": at("2025-11-05 07:00")}, None, "2025-11-04"),
    ("by hand, the form untouched", {"logical_date": NOW}, {"date": None}, YESTERDAY),
    ("by hand, a logical date", {"logical_date": at("2025-11-10 15:00")}, None, "2025-11-09"),
    ("by hand, a logical date at night", {"logical_date": at("2025-11-10 03:00")}, None, "2025-11-09"),
    ("a day, no logical date", {"logical_date": None}, {"date": "2025-03-01"}, "2025-03-01"),
    ("a day wins", {"logical_date": at("2025-11-12 07:00")}, {"date": "2025-03-01"}, "2025-03-01"),
]


@pytest.mark.parametrize(("times", "conf", "day"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_run_handles(lake, times, conf, day):
    lake.write_logs(day, days=1)
    run = run_dag("crud_weekly_aggregate", {"demo_data": False, **(conf or {})}, **times)
    assert run.state == "success"
    assert run.xcoms["aggregate_week"]["to"] == day
    assert (lake.results / f"{day}.csv").exists()
