"""Parts of a JSONPath and how each leads from a match to the next.

A match knows its value, the match it was found in, and its path as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any


class JSONPathError(Exception):
    """The text is no JSONPath, or uses a part of it that is not supported."""


class Match:
    """A value that was found, `context` being the match it lies in."""

    __slots__ = ("value", "context", "step")

    def __init__(self, value: Any, context: "Match | None" = None, step: str = "$") -> None:
        self.value, self.context, self.step = value, context, step

    @property
    def full_path(self) -> str:
        steps: list[str] = []
        match: Match | None = self
        while match is not None and match.context is not None:
            if match.step:
                steps.append(match.step)
            match = match.context
        return ".".join(reversed(steps)) or "$"

    @property
    def path(self) -> str:
        return self.step

    def __repr__(self) -> str:
        return f"Match({self.full_path}={self.value!r})"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _child_of(match: Match, name: str) -> Iterable[Match]:
    if isinstance(match.value, Mapping) and name in match.value:
        yield Match(match.value[name], match, name)


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_@][\w@-]*", name) else f"'{name}'"


class Path:
    """A part of an expression: from one match to those it leads to."""

    def __init__(self, text: str, follow: Callable[[Match], Iterable[Match]]) -> None:
        self._text, self._follow = text, follow

    def follow(self, match: Match) -> list[Match]:
        return list(self._follow(match))

    def find(self, value: Any) -> list[Match]:
        """Every match below a value (or below a match)."""
        return self.follow(value if isinstance(value, Match) else Match(value))

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Path({self._text!r})"


def root(match: Match) -> Iterable[Match]:
    while match.context is not None:
        match = match.context
    yield match


def _parent(match: Match) -> Iterable[Match]:
    if match.context is not None:
        yield match.context


def _everything(match: Match) -> Iterable[Match]:
    if isinstance(match.value, Mapping):
        for name in match.value:
            yield Match(match.value[name], match, str(name))
    elif _is_list(match.value):
        for index, item in enumerate(match.value):
            yield Match(item, match, f"[{index}]")


def fields(names: list[str]) -> Path:
    if names == ["*"]:
        return Path("*", _everything)
    return Path(",".join(map(_quoted, names)), lambda match: [found for name in names for found in _child_of(match, name)])


def index(number: int) -> Path:
    def follow(match: Match) -> Iterable[Match]:
        if _is_list(match.value) and -len(match.value) <= number < len(match.value):
            yield Match(match.value[number], match, f"[{number}]")

    return Path(f"[{number}]", follow)


def slice_path(start: int | None, end: int | None, step: int | None) -> Path:
    is_all = start is None and end is None and step is None

    def follow(match: Match) -> Iterable[Match]:
        value = match.value
        if not _is_list(value):
            # A single value counts as a list of one, so that "[*]" reads both.
            return [match] if value is not None else []
        return [Match(value[at], match, f"[{at}]") for at in range(len(value))[slice(start, end, step)]]

    shown = [("" if part is None else str(part)) for part in (start, end, step)]
    return Path("[*]" if is_all else f"[{':'.join(shown if step is not None else shown[:2])}]", follow)


def child(left: Path, right: Path) -> Path:
    return Path(f"{left}.{right}", lambda match: [found for middle in left.follow(match) for found in right.follow(middle)])


def descendants(left: Path, right: Path) -> Path:
    def below(match: Match) -> Iterable[Match]:
        yield from right.follow(match)
        for inner in _everything(match):
            yield from below(inner)

    return Path(f"{left}..{right}", lambda match: [found for middle in left.follow(match) for found in below(middle)])


def where(left: Path, right: Path) -> Path:
    return Path(f"{left} where {right}", lambda match: [found for found in left.follow(match) if right.follow(found)])


def union(left: Path, right: Path) -> Path:
    return Path(f"{left}|{right}", lambda match: left.follow(match) + right.follow(match))


def _length(match: Match) -> Iterable[Match]:
    if isinstance(match.value, (Mapping, str)) or _is_list(match.value):
        yield Match(len(match.value), match, "`len`")


def _keys(match: Match) -> Iterable[Match]:
    if isinstance(match.value, Mapping):
        yield Match(list(match.value), match, "`keys`")


def _sorted(match: Match) -> Iterable[Match]:
    if isinstance(match.value, Mapping) or _is_list(match.value):
        yield Match(sorted(match.value), match, "")


def _replaced(pattern: str, replacement: str) -> Path:
    compiled = re.compile(pattern)
    return Path(f"`sub(/{pattern}/, {replacement})`", lambda match: [
        Match(compiled.sub(replacement, match.value), match, "`sub`")] if isinstance(match.value, str) else [])


def _split(separator: str, segment: int, limit: int) -> Path:
    def follow(match: Match) -> Iterable[Match]:
        if isinstance(match.value, str):
            parts = match.value.split(separator, limit)
            if -len(parts) <= segment < len(parts):
                yield Match(parts[segment], match, "`split`")

    return Path(f"`split({separator}, {segment}, {limit})`", follow)


_NAMED = {
    "this": lambda match: [match],
    "parent": _parent,
    "len": _length,
    "keys": _keys,
    "sorted": _sorted,
    "str()": lambda match: [Match(str(match.value), match, "`str()`")],
}


def named(name: str) -> Path:
    """A name in backticks: a place or a function."""
    if name in _NAMED:
        return Path(f"`{name}`", _NAMED[name])
    found = re.fullmatch(r"sub\(/(.*)/,\s*(.*)\)", name)
    if found:
        return _replaced(found[1], found[2])
    found = re.fullmatch(r"split\((.),\s*(-?\d+),\s*(-?\d+)\)", name)
    if found:
        return _split(found[1], int(found[2]), int(found[3]))
    raise JSONPathError(f"`{name}` is not known")


def _compared(value: Any, wanted: Any) -> Any:
    """The value in the type of what it is compared with."""
    if isinstance(wanted, bool) or isinstance(value, bool) or wanted is None or value is None:
        return value
    try:
        return type(wanted)(value) if type(wanted) is not type(value) else value
    except (TypeError, ValueError):
        return value


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=~": lambda a, b: isinstance(a, str) and re.search(b, a) is not None,
}


class Condition:
    """One test in a filter: a path that must exist, or whose value must compare."""

    def __init__(self, path: Path, operator: str | None, wanted: Any) -> None:
        self.path, self.operator, self.wanted = path, operator, wanted

    def holds(self, match: Match) -> bool:
        found = self.path.follow(match)
        if self.operator is None:
            return bool(found)
        for item in found:
            try:
                if _TESTS[self.operator](_compared(item.value, self.wanted), self.wanted):
                    return True
            except TypeError:
                continue
        return False

    def __str__(self) -> str:
        return str(self.path) if self.operator is None else f"{self.path} {self.operator} {self.wanted!r}"


def filter_path(alternatives: list[list[Condition]]) -> Path:
    def follow(match: Match) -> Iterable[Match]:
        for inner in _everything(match):
            if any(all(condition.holds(inner) for condition in conditions) for conditions in alternatives):
                yield inner

    text = " | ".join(" & ".join(map(str, conditions)) for conditions in alternatives)
    return Path(f"[?({text})]", follow)


def ordered(keys: list[tuple[Path, bool]]) -> Path:
    def follow(match: Match) -> Iterable[Match]:
        if not _is_list(match.value):
            return []
        items = list(match.value)
        for path, is_descending in reversed(keys):
            items.sort(key=lambda item: [found.value for found in path.find(item)], reverse=is_descending)
        return [Match(items, match, "")]

    return Path(f"[{','.join(('-' if down else '/') + str(path) for path, down in keys)}]", follow)
