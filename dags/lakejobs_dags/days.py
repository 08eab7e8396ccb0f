"""Which day a run handles, as templates; the parameters that people fill in."""

from __future__ import annotations

from airflow.sdk import Param

from lakejobs_dags import settings

# The day that is given, else the day before the run's logical date, else (a run by REST or CLI may have none) the
# day before it was asked for.
_TICK = "((dag_run.logical_date or dag_run.run_after) | ds)"
DAY_BEFORE = f"macros.ds_add({_TICK}, -1)"
_DAY = f"params.date or {DAY_BEFORE}"
DAY = f"{{{{ {_DAY} }}}}"
# The first of the seven days up to it.
WINDOW_START = f"{{{{ macros.ds_add({_DAY}, -6) }}}}"


def export_day(is_oftener_than_daily: bool) -> str:
    """The last day to export, an expression: oftener than daily the day that runs, and `more_lookback` adds the one before."""
    return f"params.date or {_TICK}" if is_oftener_than_daily else _DAY


def more_lookback(is_oftener_than_daily: bool) -> str:
    """How many days more are replaced before it, an expression."""
    return "(0 if params.date else 1)" if is_oftener_than_daily else "0"


def day_param(description: str) -> Param:
    """A date picker that may stay empty."""
    return Param(None, type=["null", "string"], format="date", title="Day (UTC)", description=description)


def demo_param(description: str) -> Param:
    """The switch of a demo task; DEMO_DATA has to be true as well."""
    return Param(True, type="boolean", title="Demo data", description=description)


def engine_param() -> Param:
    """What counts and merges; unless something is chosen, what LAKEJOBS_ENGINE says."""
    return Param(
        settings.ENGINE,
        type="string",
        enum=list(settings.ENGINES),
        title="Engine",
        description="duckdb: where the task runs; spark: by the Spark at SPARK_REMOTE. Both give the same bytes.",
    )


ENGINE = "{{ params.engine }}"


def force_param() -> Param:
    """The switch of an export that writes whatever is there."""
    return Param(
        False,
        type="boolean",
        title="Write all (--force)",
        description="Write also what the lake has already, as a message of verify says.",
    )


FORCE = "{{ 'true' if params.force else '' }}"

# Turns a demo task off where the switch is off. Where it is on, the worker's own DEMO_DATA decides.
DEMO_DATA = {"DEMO_DATA": "{{ '' if params.demo_data else 'false' }}"}
