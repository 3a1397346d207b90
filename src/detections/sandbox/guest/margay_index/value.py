"""What the interpreter knows of a Python value while it reads a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from margay_index import formula
from margay_index.formula import FALSE, TRUE, Formula, conj, disj
from margay_index.subject import Subject
from margay_index.subject import subject as subject_of

ALTERNATIVES_MAX = 12
PLAIN = (str, int, float, bool, type(None), bytes, tuple, list, dict, set, frozenset, range)


class Value:
    """Anything: the value of which nothing is known."""

    def truthy(self) -> Formula:
        """Holds whenever the value may be taken for true."""
        return TRUE

    def falsy(self) -> Formula:
        """Holds whenever the value may be taken for false."""
        return TRUE

    def is_true(self) -> Formula:
        """Holds whenever the value may be exactly True."""
        return TRUE

    def not_false(self) -> Formula:
        """Holds whenever the value may be anything but exactly False."""
        return TRUE

    def is_false(self) -> Formula:
        """Holds whenever the value may be exactly False."""
        return TRUE

    def not_true(self) -> Formula:
        """Holds whenever the value may be anything but exactly True."""
        return TRUE


class Opaque(Value):
    """Anything at all, also an object of the content whose methods have effects."""


# Some data made from the event: nothing is known of it, but none of its methods reaches beyond it.
UNKNOWN = Value()
OPAQUE = Opaque()


class NoBool(Value):
    """Something that is neither True nor False."""

    def is_true(self) -> Formula:
        return FALSE

    def is_false(self) -> Formula:
        return FALSE


class Found(NoBool):
    """The result of a search that found something."""

    def falsy(self) -> Formula:
        return FALSE


FOUND = Found()


class Text(NoBool):
    """A text of unknown content."""


TEXT = Text()


class Const(Value):
    """An object of the loaded modules, or a literal."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def _truth(self) -> bool | None:
        return bool(self.value) if isinstance(self.value, PLAIN) or callable(self.value) else None

    def truthy(self) -> Formula:
        return FALSE if self._truth() is False else TRUE

    def falsy(self) -> Formula:
        return FALSE if self._truth() is True else TRUE

    def is_true(self) -> Formula:
        return TRUE if self.value is True else FALSE

    def not_false(self) -> Formula:
        return FALSE if self.value is False else TRUE

    def is_false(self) -> Formula:
        return TRUE if self.value is False else FALSE

    def not_true(self) -> Formula:
        return FALSE if self.value is True else TRUE


NONE = Const(None)


class Read(Value):
    """A value of the event."""

    __slots__ = ("subject",)

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def truthy(self) -> Formula:
        return formula.of(self.subject, "truthy")

    def falsy(self) -> Formula:
        return formula.of(self.subject, "truthy", wanted=False)

    def is_true(self) -> Formula:
        return formula.of(self.subject, "is", True)

    def not_false(self) -> Formula:
        return formula.of(self.subject, "is", False, wanted=False)

    def is_false(self) -> Formula:
        return formula.of(self.subject, "is", False)

    def not_true(self) -> Formula:
        return formula.of(self.subject, "is", True, wanted=False)


class Truth(Value):
    """A bool, with what makes it True and what makes it False. Both may hold where that is not known."""

    __slots__ = ("when_true", "when_false")

    def __init__(self, when_true: Formula, when_false: Formula) -> None:
        self.when_true = when_true
        self.when_false = when_false

    def truthy(self) -> Formula:
        return self.when_true

    def falsy(self) -> Formula:
        return self.when_false

    def is_true(self) -> Formula:
        return self.when_true

    def not_false(self) -> Formula:
        return self.when_true

    def is_false(self) -> Formula:
        return self.when_false

    def not_true(self) -> Formula:
        return self.when_false


ANY_BOOL = Truth(TRUE, TRUE)


def negated(value: Value) -> Truth:
    return Truth(value.falsy(), value.truthy())


class Choice(Value):
    """One of several values, each possible only under its condition."""

    __slots__ = ("options",)

    def __init__(self, options: list[tuple[Formula, Value]]) -> None:
        self.options = options

    def truthy(self) -> Formula:
        return disj(*(conj(when, value.truthy()) for when, value in self.options))

    def falsy(self) -> Formula:
        return disj(*(conj(when, value.falsy()) for when, value in self.options))

    def is_true(self) -> Formula:
        return disj(*(conj(when, value.is_true()) for when, value in self.options))

    def not_false(self) -> Formula:
        return disj(*(conj(when, value.not_false()) for when, value in self.options))

    def is_false(self) -> Formula:
        return disj(*(conj(when, value.is_false()) for when, value in self.options))

    def not_true(self) -> Formula:
        return disj(*(conj(when, value.not_true()) for when, value in self.options))


class Items(NoBool):
    """A list, tuple or set that the rule builds, with its elements."""

    __slots__ = ("elements", "kind", "is_changed")

    def __init__(self, elements: list[Value], kind: str) -> None:
        self.elements = elements
        self.kind = kind
        self.is_changed = False

    def truthy(self) -> Formula:
        return TRUE if self.is_changed or self.elements else FALSE

    def falsy(self) -> Formula:
        return TRUE if self.is_changed or not self.elements else FALSE


class Pairs(NoBool):
    """A dict that the rule builds, its keys known."""

    __slots__ = ("entries", "is_changed")

    def __init__(self, entries: dict[Any, Value]) -> None:
        self.entries = entries
        self.is_changed = False

    def truthy(self) -> Formula:
        return TRUE if self.is_changed or self.entries else FALSE

    def falsy(self) -> Formula:
        return TRUE if self.is_changed or not self.entries else FALSE


class Closure(NoBool):
    """A lambda or a function defined inside a function."""

    __slots__ = ("node", "scope")

    def __init__(self, node: Any, scope: Any) -> None:
        self.node = node
        self.scope = scope

    def falsy(self) -> Formula:
        return FALSE


class Instance(NoBool):
    """An object of a class of the content, with the attributes that its methods set."""

    __slots__ = ("cls", "attributes", "born")

    def __init__(self, cls: type, born: Formula) -> None:
        self.cls = cls
        self.attributes: dict[str, Value] = {}
        self.born = born


class Bound(NoBool):
    """A method with its object."""

    __slots__ = ("owner", "name")

    def __init__(self, owner: Value, name: str) -> None:
        self.owner = owner
        self.name = name

    def falsy(self) -> Formula:
        return FALSE


class Iterated(NoBool):
    """A list or generator of unknown length whose elements are all alike; `element` is one of them, when there is one."""

    __slots__ = ("element", "when", "is_lazy")

    def __init__(self, element: Value, when: Formula, is_lazy: bool = False) -> None:
        self.element = element
        self.when = when
        # A generator is true even when nothing comes out of it.
        self.is_lazy = is_lazy

    def truthy(self) -> Formula:
        return TRUE if self.is_lazy else self.when

    def falsy(self) -> Formula:
        return FALSE if self.is_lazy else TRUE


def choice(options: list[tuple[Formula, Value]]) -> Value:
    """One value for several possible ones; forgets what they are when there are too many."""
    flat: list[tuple[Formula, Value]] = []
    for when, value in options:
        inner = value.options if isinstance(value, Choice) else [(TRUE, value)]
        for condition, item in inner:
            both = conj(when, condition)
            if both is not FALSE:
                flat.append((both, item))
    merged = _merge(flat)
    if len(merged) > ALTERNATIVES_MAX:
        return UNKNOWN if all(is_data(value) for _, value in merged) else OPAQUE
    if len(merged) == 1:
        return merged[0][1]
    if merged and all(isinstance(value, Truth) or (isinstance(value, Const) and isinstance(value.value, bool)) for _, value in merged):
        return Truth(disj(*(conj(when, value.truthy()) for when, value in merged)), disj(*(conj(when, value.falsy()) for when, value in merged)))
    return _read_with_default(merged) or (Choice(merged) if merged else UNKNOWN)


def is_data(value: Value) -> bool:
    """Whether no method of the value can have an effect beyond the value itself."""
    if isinstance(value, Const):
        return is_plain(value.value)
    return value is UNKNOWN or isinstance(value, (Read, Truth, Found, Text)) or (isinstance(value, Iterated) and is_data(value.element))


def is_plain(value: Any, depth: int = 0) -> bool:
    """Literals and collections of literals."""
    if isinstance(value, (str, int, float, bool, bytes, type(None))) or type(value).__module__ in ("re", "ipaddress", "datetime"):
        return True
    if depth > 6 or type(value) not in (tuple, list, set, frozenset, dict):
        return False
    items = [*value, *value.values()] if isinstance(value, dict) else value
    return all(is_plain(item, depth + 1) for item in items)


def is_same(left: Value, right: Value) -> bool:
    """Whether two values are sure to be the same one."""
    if left is right:
        return True
    if isinstance(left, Read) and isinstance(right, Read):
        return left.subject is right.subject
    if isinstance(left, Const) and isinstance(right, Const):
        return left.value is right.value or (
            type(left.value) is type(right.value) and isinstance(left.value, (str, int, float, bool)) and left.value == right.value
        )
    return False


def _merge(options: list[tuple[Formula, Value]]) -> list[tuple[Formula, Value]]:
    merged: list[tuple[Formula, Value]] = []
    for when, value in options:
        for index, (other, known) in enumerate(merged):
            if is_same(known, value):
                merged[index] = (disj(other, when), known)
                break
        else:
            merged.append((when, value))
    return merged


def map_choice(value: Value, change: Callable[[Formula, Value], Value]) -> Value:
    """Applies a change to each possible value."""
    if not isinstance(value, Choice):
        return change(TRUE, value)
    return choice([(when, change(when, item)) for when, item in value.options])


def default_of(value: Value) -> tuple | None:
    """A constant that may stand in a subject as its default: scalars and empty collections. None: it may not."""
    if isinstance(value, Const):
        if value.value is None or type(value.value) in (str, int, float, bool):
            return (value.value,)
        if type(value.value) in (dict, list, tuple) and not value.value:
            return ("{}" if type(value.value) is dict else "[]", "empty")
    if isinstance(value, Items) and value.kind != "set" and not value.elements and not value.is_changed:
        return ("[]", "empty")
    if isinstance(value, Pairs) and not value.entries and not value.is_changed:
        return ("{}", "empty")
    return None


def _read_with_default(options: list[tuple[Formula, Value]]) -> Value | None:
    """Recognises `x if x is not None else d`, `x or d` and `x.get(k, d) if isinstance(x, Mapping) else d`."""
    if len(options) != 2:
        return None
    for (when, value), (other_when, other) in (options, options[::-1]):
        default = default_of(other)
        if not isinstance(value, Read) or default is None:
            continue
        subject = value.subject
        if other_when is formula.of(subject, "in", None):
            return value if default == (None,) else Read(subject_of("ifnone", subject, default))
        if other_when is formula.of(subject, "truthy", wanted=False) and when is formula.of(subject, "truthy"):
            return Read(subject_of("or", subject, default))
        base = subject.base
        if subject.kind == "get" and base is not None and subject.args[1] == default and other_when is formula.of(base, "type", "map", wanted=False):
            return value
    return None


