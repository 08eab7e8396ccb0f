"""
A YAML text as nodes with their lines. All scalars are texts, as `lakejobs config` has them: `yes`, `12:00`.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import yaml

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NOTHING = ("", "~", "null", "Null", "NULL")
_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(frozen=True)
class Fault:
    """What is wrong, where, and what to do; lines and columns count from 1."""

    line: int
    column: int
    # Keys from the top, `groups.hourly.schedule`.
    field: str
    message: str
    fix: str

    def text(self, file: str) -> str:
        return f"{file}:{self.line}:{self.column} {self.field}: {self.message} ({self.fix})".replace(" : ", " ")


@dataclass
class Faults:
    """Takes faults as they are found."""

    found: list[Fault] = field(default_factory=list)

    def add(self, node: yaml.Node | None, name: str, message: str, fix: str) -> None:
        mark = node.start_mark if node else None
        self.found.append(Fault(mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, name, message, fix))


def compose(text: str, faults: Faults) -> yaml.Node | None:
    """None where it is no YAML, or nothing."""
    try:
        return yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        faults.found.append(Fault(line, column, "", str(error.problem), "correct the YAML there"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        faults.found.append(Fault(1, 1, "", str(error).splitlines()[0], "correct the YAML"))
    return None


def entries(node: yaml.Node | None, path: str, faults: Faults) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Key, its node, its value's node: each key once; nothing at all is an empty map."""
    if node is None or isinstance(node, yaml.ScalarNode) and node.value in _NOTHING:
        return
    if not isinstance(node, yaml.MappingNode):
        faults.add(node, path, f"a {node.id} stands where keys belong", "write key: value, or {} for nothing")
        return
    seen: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            faults.add(key, path, "a key is no text", "write key: value")
        elif key.value in seen:
            twice = f'"{key.value}" is there twice, in line {seen[key.value].start_mark.line + 1} too'
            faults.add(key, _path(path, key.value), twice, "keep one of them")
        else:
            seen[key.value] = key
            yield key.value, key, value


def known_entries(
    node: yaml.Node | None, path: str, known: Collection[str], faults: Faults
) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """Entries by their names, with `-` for `_`; others than the known are faults."""
    found = {}
    for key, at, value in entries(node, path, faults):
        name = key.replace("_", "-")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            where = f"of {path}" if path else "of the file"
            fix = f"did you mean {near[0]}?" if near else f"give one of {', '.join(known)}"
            faults.add(at, _path(path, key), f'"{key}" is no key {where}', fix)
        elif name in found:
            faults.add(at, _path(path, key), f'"{key}" is there twice', "keep one of them")
        else:
            found[name] = (at, value)
    return found


def text_of(value: yaml.Node, path: str, faults: Faults) -> str | None:
    """A scalar, with `${NAME}` and `${NAME:-x}` as the environment has them."""
    if not isinstance(value, yaml.ScalarNode):
        faults.add(value, path, f"a {value.id} stands where one value belongs", "give one value")
        return None
    missing: list[str] = []

    def look(match: re.Match[str]) -> str:
        name, otherwise = match.groups()
        if name is None:
            return "${"
        if not (said := os.environ.get(name) or otherwise):
            missing.append(name)
        return said or ""

    text = _VARIABLE.sub(look, value.value)
    if missing:
        faults.add(value, path, f"{missing[0]} is not set", f"set it, or write ${{{missing[0]}:-…}}")
        return None
    return text


def _path(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
