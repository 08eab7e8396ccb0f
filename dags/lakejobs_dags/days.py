"""Which day a run handles, as templates; the parameters that people fill in."""

from __future__ import annotations

from airflow.sdk import Param

# The day that is given, else the day before the run's logical date, else (a run by REST or CLI may have none) the
# day before it was asked for.
_DAY = "params.date or macros.ds_add((dag_run.logical_date or dag_run.run_after) | ds, -1)"
DAY = f"{{{{ {_DAY} }}}}"
# The first of the seven days up to it.
WINDOW_START = f"{{{{ macros.ds_add({_DAY}, -6) }}}}"


def day_param(description: str) -> Param:
    """A date picker that may stay empty."""
    return Param(None, type=["null", "string"], format="date", title="Day (UTC)", description=description)


def demo_param(description: str) -> Param:
    """The switch of a demo task; DEMO_DATA has to be true as well."""
    return Param(True, type="boolean", title="Demo data", description=description)


# Turns a demo task off where the switch is off. Where it is on, the worker's own DEMO_DATA decides.
DEMO_DATA = {"DEMO_DATA": "{{ '' if params.demo_data else 'false' }}"}
