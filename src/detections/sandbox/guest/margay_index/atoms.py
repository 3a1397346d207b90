"""Tests on subjects: the smallest statements about an event."""

from __future__ import annotations

from typing import Any

from margay_index.subject import Subject, _key_of

SCALARS = (str, int, float, bool, type(None))


class Atom:
    """A test of one subject, or its opposite. Equal atoms are the same object."""

    __slots__ = ("subject", "test", "args", "wanted", "number", "opposite")

    def __init__(self, subject: Subject, test: str, args: tuple, wanted: bool, number: int) -> None:
        self.subject = subject
        self.test = test
        self.args = args
        self.wanted = wanted
        self.number = number
        self.opposite: Atom | None = None

    def text(self) -> str:
        """One clause of a witness."""
        name = self.subject.text() or "event"
        values = ", ".join(_short(item) for item in self.args[:12]) + (", …" if len(self.args) > 12 else "")
        if self.test == "in":
            return _in_text(name, self.args, values, self.wanted)
        positive, negative = {
            "truthy": ("is not empty", "is empty or missing"),
            "is": (f"is {values}", f"is not {values}"),
            "type": (f"is a {self.args[0] if self.args else ''}", f"is not a {self.args[0] if self.args else ''}"),
            "starts": (f"starts with {values}", f"does not start with {values}"),
            "ends": (f"ends with {values}", f"does not end with {values}"),
            "has": (f"contains {values}", f"does not contain {values}"),
            "within": (f"is part of {values}", f"is no part of {values}"),
        }.get(self.test, (f"{self.test} {values}", f"not {self.test} {values}"))
        return f"{name} {positive if self.wanted else negative}"


def _in_text(name: str, args: tuple, values: str, wanted: bool) -> str:
    if args == (None,):
        return f"{name} is missing" if wanted else f"{name} is present"
    if len(args) == 1:
        return f"{name} is {values}" if wanted else f"{name} is not {values}"
    return f"{name} is one of {values}" if wanted else f"{name} is none of {values}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…'"


_atoms: dict[tuple, Atom] = {}


def _intern(subject: Subject, test: str, args: tuple, wanted: bool) -> Atom:
    key = (subject.number, test, _key_of(args), wanted)
    found = _atoms.get(key)
    if found is None:
        found = _atoms[key] = Atom(subject, test, args, wanted, len(_atoms))
    return found


def atom(subject: Subject, test: str, args: tuple, wanted: bool) -> Atom:
    """The one atom of this description."""
    if test == "in":
        args = tuple(sorted(set_of(args), key=lambda item: (type(item).__name__, item is None or item)))
    found = _intern(subject, test, args, wanted)
    if found.opposite is None:
        found.opposite = _intern(subject, test, args, not wanted)
        found.opposite.opposite = found
    return found


def reset() -> None:
    """Frees all atoms."""
    _atoms.clear()


def set_of(values: tuple) -> list:
    """Values that Python tells apart: 1, 1.0 and True count as one."""
    kept: dict = {}
    for value in values:
        kept.setdefault(value, value)
    return list(kept.values())


def holds(test: str, args: tuple, value: Any) -> bool | None:
    """Whether a scalar passes a test; None when that is not known."""
    if test == "in":
        return value in args
    if test == "truthy":
        return bool(value)
    if test == "is":
        return value is args[0]
    if test == "type":
        return _has_type(args[0], value)
    if not isinstance(value, str):
        return None
    if test == "starts":
        return value.startswith(args)
    if test == "ends":
        return value.endswith(args)
    if test == "has":
        return args[0] in value if isinstance(args[0], str) else None
    if test == "within":
        return value in args[0]
    return None


def _has_type(name: str, value: Any) -> bool:
    if name == "str":
        return isinstance(value, str)
    if name == "number":
        return isinstance(value, (int, float))
    if name == "bool":
        return isinstance(value, bool)
    return False
