"""Of which groups there are DAGs, and in which form: sound groups as the file has them, others as they last were."""

from __future__ import annotations

import json
import os
from pathlib import Path

from lakejobs_dags import settings
from lakejobs_dags.tables.document import Faults
from lakejobs_dags.tables.groups import Group, Groups, read_groups


def config_file() -> Path | None:
    """As jobs find it: LAKEJOBS_CONFIG, else lakejobs.yaml where they run. None: there is none, and none is named."""
    named = os.environ.get("LAKEJOBS_CONFIG")
    file = Path(settings.HOME, named or "lakejobs.yaml")
    return file if named or file.exists() else None


def read(faults: Faults) -> Groups:
    """The file's groups, none without a file. Raises nothing."""
    file = config_file()
    if file is None:
        return Groups({}, set(), True)
    try:
        return read_groups(file.read_text(encoding="utf-8"), faults)
    except (OSError, UnicodeDecodeError) as error:
        fix = "correct LAKEJOBS_CONFIG, or what may be read there"
        faults.add(None, "", f"the file cannot be read: {error}", fix)
        return Groups({}, set(), False)


def source_prefixes() -> frozenset[str]:
    """What the environment names of the file's sources begin with, beside POSTGRES: `CRM`."""
    return read(Faults()).prefixes


def forms(faults: Faults) -> list[Group]:
    """The groups to build DAGs of. What they come to is kept for the next time. Raises nothing."""
    groups = read(faults)
    before = _last_good()
    stays = {name: group for name, group in before.items() if name in groups.faulty or not groups.is_readable}
    found = {**stays, **groups.sound}
    if found != before:
        _keep(found)
    return list(found.values())


def _state() -> Path:
    return Path(os.environ.get("AIRFLOW_HOME") or Path.home() / "airflow", "lakejobs", "groups.json")


def _last_good() -> dict[str, Group]:
    try:
        return {name: Group(**said) for name, said in json.loads(_state().read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(found: dict[str, Group]) -> None:
    """Whoever reads it meanwhile sees the one or the other. Where it cannot be kept, faults take DAGs away: no more."""
    state = _state()
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        new = state.with_name(f"{state.name}.{os.getpid()}")
        new.write_text(json.dumps({name: group.__dict__ for name, group in found.items()}))
        new.replace(state)
    except OSError:
        pass
