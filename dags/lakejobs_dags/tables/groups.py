"""What a `lakejobs.yaml` says of its groups: all that a DAG needs. Which tables there are, the task `plan` asks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.sdk import CronTriggerTimetable
from croniter import croniter

from lakejobs_dags import settings
from lakejobs_dags.tables.document import Faults, compose, entries, known_entries, text_of

DEFAULT_GROUP = "daily"
_ALIASES = ("@once", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly", "@continuous")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_SCHEMA = Path(__file__).with_name("lakejobs.schema.json")


@dataclass(frozen=True)
class Group:
    """As its DAG is built of it; None: not said."""

    name: str
    schedule: str | None = None
    timezone: str | None = None
    owner: str | None = None
    deadline: str | None = None
    pool: str | None = None
    max_active_tasks: int | None = None

    @property
    def dag_id(self) -> str:
        return settings.DAG_PREFIX + self.name


@dataclass(frozen=True)
class Groups:
    """The groups of a file that are sound, the names of those that are not, and whether the file can be read at all."""

    sound: dict[str, Group]
    faulty: set[str]
    is_readable: bool
    # What the environment names of its sources begin with: `CRM`.
    prefixes: frozenset[str] = frozenset()
    # Its keys of tables, as they are written.
    tables: tuple[str, ...] = ()


@cache
def _keys() -> dict[str, dict]:
    """The keys of each place, as `lakejobs config` knows them: its JSON Schema, of which this is a copy."""
    top = json.loads(_SCHEMA.read_text())["properties"]
    return {
        "": top,
        "sources": top["sources"]["additionalProperties"]["properties"],
        "defaults": top["defaults"]["properties"],
        "groups": top["groups"]["additionalProperties"]["properties"],
        "tables": top["tables"]["additionalProperties"]["properties"],
    }


def read_groups(text: str, faults: Faults) -> Groups:
    """The groups of a file's text. Raises nothing: what is wrong goes to `faults`."""
    top = compose(text, faults)
    if faults.found:
        return Groups({}, set(), False)
    keys = known_entries(top, "", _keys()[""], faults)

    def below(name: str):
        return entries(keys[name][1], name, faults) if name in keys else ()

    version = keys.get("version")
    if version is None or getattr(version[1], "value", None) != "1":
        faults.add(version and version[1], "version", "version 1 is not what it says", "begin the file with version: 1")
    if "defaults" in keys:
        known_entries(keys["defaults"][1], "defaults", _keys()["defaults"], faults)
    prefixes = set()
    for name, _, value in below("sources"):
        env = known_entries(value, f"sources.{name}", _keys()["sources"], faults).get("env")
        prefix = env and text_of(env[1], f"sources.{name}.env", faults)
        if prefix:
            prefixes.add(prefix)
    sound: dict[str, Group] = {}
    faulty: set[str] = set()
    for name, at, value in below("groups"):
        of_group = Faults()
        group = _group(name, at, value, of_group)
        faults.found.extend(of_group.found)
        if of_group.found:
            faulty.add(name)
        else:
            sound[name] = group
    described = {*sound, *faulty}
    is_daily = False
    tables = []
    for name, _, value in below("tables"):
        path = f"tables.{name}"
        tables.append(name)
        said = known_entries(value, path, _keys()["tables"], faults).get("group")
        group = said and text_of(said[1], f"{path}.group", faults)
        is_daily = is_daily or said is None or group == DEFAULT_GROUP
        if group and group != DEFAULT_GROUP and group not in described:
            names = ", ".join(sorted({DEFAULT_GROUP, *described}))
            faults.add(said[1], f"{path}.group", f'there is no group "{group}"', f"give one of {names}, or describe it")
    if is_daily and DEFAULT_GROUP not in described:
        sound[DEFAULT_GROUP] = _with_defaults(Group(DEFAULT_GROUP))
    return Groups(sound, faulty, True, frozenset(prefixes), tuple(tables))


def _group(name: str, at, value, faults: Faults) -> Group:
    path = f"groups.{name}"
    dag_id = settings.DAG_PREFIX + name
    if not _NAME.fullmatch(name):
        faults.add(at, path, f'"{name}" cannot be a group\'s name', "use letters, digits, _, . and -")
    elif dag_id in (*settings.DAG_IDS, "lake_tables_faults"):
        faults.add(at, path, f'"{name}" would be the DAG {dag_id}, which there is', "give the group another name")
    said = known_entries(value, path, _keys()["groups"], faults)

    def text(key: str, holds: Callable[[str], bool] = bool, fix: str = "give one value") -> str | None:
        if key not in said:
            return None
        found = text_of(said[key][1], f"{path}.{key}", faults)
        if found is not None and not holds(found):
            faults.add(said[key][1], f"{path}.{key}", f'"{found}" is not valid', fix)
        return found

    schedule = text("schedule", _is_schedule, 'give cron with five fields, such as "0 7 * * *", or @hourly, @daily …')
    timezone = text("timezone", _is_timezone, "give a name of the IANA's list, such as Europe/Berlin")
    deadline = text("deadline", re.compile(r"([01]\d|2[0-3]):[0-5]\d").fullmatch, "give a time of day such as 09:00")
    runs = _with_defaults(Group(name, schedule, timezone)).schedule
    if deadline and not faults.found and time_of_day(runs) is None:
        why = f'"{deadline}" needs a schedule with one time of day, and the group has {runs or "none"}'
        fix = 'give schedule such as "0 7 * * *", or leave deadline out'
        faults.add(said["deadline"][1], f"{path}.deadline", why, fix)
    most = text("max-active-tasks", re.compile(r"[1-9]\d*").fullmatch, "give a whole number, 1 or more")
    return _with_defaults(
        Group(
            name,
            schedule,
            timezone,
            text("owner"),
            deadline,
            text("pool"),
            int(most) if most and most.isdecimal() else None,
        )
    )


def _with_defaults(group: Group) -> Group:
    """The group daily runs when the two daily DAGs do, unless it says otherwise; others without a schedule by hand."""
    if group.name != DEFAULT_GROUP or group.schedule:
        return group
    own = {**group.__dict__, "schedule": settings.CRON, "timezone": group.timezone or settings.TIMEZONE}
    return Group(**own)


def _is_schedule(text: str) -> bool:
    return text in _ALIASES or (len(text.split()) == 5 and croniter.is_valid(text))


def time_of_day(schedule: str | None) -> time | None:
    """When a schedule has its tick of a day; None where it has several, or none."""
    if schedule is None or schedule in ("@once", "@continuous"):
        return None
    timetable = CronTriggerTimetable(schedule, timezone="UTC")
    if settings.is_oftener_than_daily(timetable):
        return None
    ((minute, *_), (hour, *_), *_), _ = croniter.expand(timetable.expression)
    return time(hour, minute)


def _is_timezone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        return False
