"""Where the reports are, by the settings of the jobs, and what is there: a folder, or an s3:// place."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from lakejobs_page.faults import Missing, Unreadable

# A report has a tenth of it.
LARGEST = 16_000_000
_FIX = "give a folder, a file:/// URI or an s3://bucket/prefix URI"


def reports_place(env: Mapping[str, str] = os.environ) -> str:
    """
    An absolute folder, or `s3://bucket/prefix`: LAKEJOBS_REPORTS, else `reports` beside the warehouse, as jobs have it.
    Raises Unreadable for a setting that is wrong, or where none says it.
    """
    if given := env.get("LAKEJOBS_REPORTS"):
        return _location(given, "LAKEJOBS_REPORTS", env)
    if not (warehouse := env.get("WAREHOUSE")):
        raise Unreadable("LAKEJOBS_REPORTS and WAREHOUSE are not set for Airflow's API server: set LAKEJOBS_REPORTS")
    found = re.fullmatch(r"(.+[^/])/[^/]+", location := _location(warehouse, "WAREHOUSE", env))
    return f"{found[1] if found else location}/reports"


def names(place: str) -> list[str]:
    """Of the files that are directly there. None where there is no such folder yet."""
    if place.startswith("s3://"):
        from lakejobs_page import s3

        return s3.names(place)
    try:
        return os.listdir(place)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unreadable(f"{place} cannot be read: {error.strerror}") from None


def read(place: str, name: str) -> bytes:
    """Raises Missing, Unreadable. `name` is a plain one."""
    if place.startswith("s3://"):
        from lakejobs_page import s3

        data = s3.read(place, name, LARGEST + 1)
    else:
        data = _read_file(Path(place, name))
    if len(data) > LARGEST:
        raise Unreadable(f"{name} has more than {LARGEST:,} bytes: it is no report")
    return data


def _read_file(path: Path) -> bytes:
    try:
        # A pipe that somebody put there would be waited for.
        if not stat.S_ISREG(path.stat().st_mode):
            raise Missing(path.name)
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        raise Missing(path.name) from None
    except NotADirectoryError as error:
        raise Unreadable(f"{path.parent} cannot be read: {error.strerror}") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from None


def _location(text: str, setting: str, env: Mapping[str, str]) -> str:
    """As parsePlace of the jobs, without a slash at its end."""
    scheme, colon, rest = text.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        # Jobs run in LAKEJOBS_HOME.
        folder = Path(env.get("LAKEJOBS_HOME") or "/opt/lakejobs", Path(text).expanduser())
        return os.path.normpath(folder)
    if scheme.lower() == "file" and re.match(r"(//(localhost)?)?/(?!/)", rest):
        return os.path.normpath(unquote(re.sub(r"^//(localhost)?", "", rest)))
    if scheme.lower() in ("s3", "s3a", "s3n") and re.match(r"//[^/]+", rest):
        return f"s3:{rest.rstrip('/')}"
    raise Unreadable(f'{setting}: "{text}" is not valid: {_FIX}')
