"""What a rule reads of an event: a description that can be evaluated on the event without running the rule.

A subject is a chain of steps from the event. Only JSON values come out; the host program evaluates the same chain
outside Python and must agree with `margay_event`, or say that it does not know.
"""

from __future__ import annotations

from typing import Any

EVENT_KIND = "event"


class Subject:
    """One step of a chain; equal chains are the same object."""

    __slots__ = ("kind", "base", "args", "number", "many", "depth")

    def __init__(self, kind: str, base: Subject | None, args: tuple, number: int) -> None:
        self.kind = kind
        self.base = base
        self.args = args
        self.number = number
        # A subject that stands for each element of a list: its atoms say "some element".
        self.many: bool = kind == "elem" or (base is not None and base.many)
        self.depth: int = 0 if base is None else base.depth + 1

    def text(self) -> str:
        """As an author would write it."""
        base = "" if self.base is None else self.base.text()
        if self.kind == "get":
            return f"{base}.{self.args[0]}" if base else str(self.args[0])
        if self.kind == "index":
            return f"{base}[{self.args[0]}]"
        if self.kind == "walk":
            return ".".join([*([base] if base else []), *(str(key) for key in self.args[0])]) + "[*]"
        if self.kind == "elem":
            return f"{base}[*]"
        if self.kind in ("lower", "upper", "strip", "str", "len"):
            return f"{self.kind}({base})"
        return base


_subjects: dict[tuple, Subject] = {}
_MAX = 200_000


def _key_of(value: Any) -> Any:
    """Distinguishes 1, 1.0 and True, which Python takes for equal."""
    if isinstance(value, tuple):
        return tuple(_key_of(item) for item in value)
    return (type(value).__name__, value)


def subject(kind: str, base: Subject | None, *args: Any) -> Subject:
    """The one subject of this description."""
    key = (kind, None if base is None else base.number, _key_of(args))
    found = _subjects.get(key)
    if found is None:
        if len(_subjects) > _MAX:
            raise MemoryError("the index holds too many subjects")
        found = _subjects[key] = Subject(kind, base, args, len(_subjects))
    return found


EVENT = subject(EVENT_KIND, None)


def reset() -> None:
    """Frees all subjects but the event."""
    _subjects.clear()
    _subjects[(EVENT_KIND, None, ())] = EVENT
