"""Attributes and methods of what is known: the event, texts, collections, objects of the content."""

from __future__ import annotations

import re
import types
from typing import Any

from margay_index import formula, operators
from margay_index.arguments import Arguments
from margay_index.event_methods import event_method
from margay_index.formula import TRUE, Formula, conj, disj
from margay_index.purity import is_pure_function
from margay_index.run import Run, Scope
from margay_index.statements import changed
from margay_index.value import (
    ALTERNATIVES_MAX, ANY_BOOL, OPAQUE, FOUND, TEXT, UNKNOWN, Bound, Const, Instance, Items, Iterated, Pairs, Read, Value, choice, is_data, is_plain, is_same,
)  # fmt: skip

_CHANGING = {"append", "add", "update", "pop", "clear", "extend", "setdefault", "remove", "insert", "discard", "popitem", "sort", "reverse"}
_READING = {
    "get", "items", "keys", "values", "copy", "index", "count", "union", "intersection", "difference", "issubset", "issuperset", "isdisjoint",
    "symmetric_difference", "startswith", "endswith", "lower", "upper", "strip", "split", "join", "format", "replace", "find", "isdigit",
}  # fmt: skip
_SCALARS = (str, int, float, bool, bytes, type(None))


def attribute(run: Run, owner: Value, name: str, when: Formula) -> Value:
    """An attribute that is not called at once."""
    if isinstance(owner, Const):
        return _constant_attribute(run, owner.value, name, when)
    if isinstance(owner, Instance):
        return _instance_attribute(run, owner, name, when)
    if isinstance(owner, Read):
        if name in ("get", "deep_get", "deep_walk", "lower", "upper", "startswith", "endswith"):
            return Bound(owner, name)
        run.may_raise(when)
        return OPAQUE if name.startswith("_") else UNKNOWN
    if owner is UNKNOWN or owner is FOUND or owner is TEXT:
        run.may_raise(when)
        return UNKNOWN
    if isinstance(owner, (Items, Pairs, Iterated)):
        return Bound(owner, name)
    run.effect(when, f"reads the attribute {name} of an object that is not understood")
    return OPAQUE


def _constant_attribute(run: Run, owner: Any, name: str, when: Formula) -> Value:
    if isinstance(owner, types.ModuleType):
        if name not in owner.__dict__:
            run.may_raise(when)
            return UNKNOWN
        if name == "environ":
            return UNKNOWN
        return run.constant(run, owner.__dict__[name], when, run.sources.is_constant(owner.__dict__, name, owner.__dict__[name]), name)
    if isinstance(owner, type):
        value = _class_attribute(owner, name)
        if value is None or name in run.sources.stored_attributes or isinstance(value, property):
            run.effect(when, f"reads {owner.__name__}.{name}")
            return OPAQUE
        if isinstance(value, (staticmethod, classmethod)) or callable(value):
            return Bound(Const(owner), name)
        return run.constant(run, value, when, not run.sources.changed or is_plain(value), name)
    if isinstance(owner, _SCALARS) or type(owner) in (list, tuple, dict, set, frozenset) or is_plain(owner):
        return Bound(Const(owner), name)
    if any(base.__name__ == "Enum" for base in type(owner).__mro__) and name in ("value", "name"):
        return Const(getattr(owner, name))
    run.effect(when, f"reads the attribute {name} of an object that is not understood")
    return OPAQUE


def _class_attribute(cls: type, name: str) -> Any:
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def _instance_attribute(run: Run, owner: Instance, name: str, when: Formula) -> Value:
    if name in owner.attributes:
        return owner.attributes[name]
    value = _class_attribute(owner.cls, name)
    if isinstance(value, property) and value.fget is not None:
        return run.inline(run, value.fget, Arguments([owner]), when, owner, owner.cls)
    if isinstance(value, types.FunctionType):
        return Bound(owner, name)
    if value is None:
        run.may_raise(when)
        return OPAQUE
    return run.constant(run, value, when, name not in run.sources.stored_attributes, name)


def call_method(scope: Scope, owner: Value, name: str, arguments: Arguments, when: Formula) -> Value:
    """`owner.name(…)` for one possible owner."""
    run = scope.run
    if isinstance(owner, Read):
        return event_method(run, owner, name, arguments, when)
    if isinstance(owner, Const):
        return _constant_method(scope, owner, name, arguments, when)
    if isinstance(owner, Instance):
        return _instance_method(scope, owner, name, arguments, when)
    if isinstance(owner, (Items, Pairs, Iterated)):
        return _collection_method(scope, owner, name, arguments, when)
    if owner is TEXT and all(isinstance(item, Const) and isinstance(item.value, str) for item in arguments.positional) and not arguments.named:
        if name in ("startswith", "endswith"):
            return ANY_BOOL
        if name in ("lower", "upper", "strip", "lstrip", "rstrip", "replace"):
            return TEXT
    if owner is UNKNOWN or owner is FOUND or owner is TEXT:
        run.may_raise(when)
        if name.startswith("__") or not arguments.are_data():
            run.effect(when, f"hands an object to {name}, which is not understood")
            return OPAQUE
        return UNKNOWN
    if name in _READING and arguments.are_data():
        run.may_raise(when)
        return OPAQUE
    run.effect(when, f"calls {name} of an object that is not understood")
    return OPAQUE


def _instance_method(scope: Scope, owner: Instance, name: str, arguments: Arguments, when: Formula) -> Value:
    run = scope.run
    if name in owner.attributes:
        return run.call_value(scope, owner.attributes[name], arguments, when)
    value = _class_attribute(owner.cls, name)
    if isinstance(value, types.FunctionType):
        return run.inline(run, value, arguments.after(owner), when, owner, owner.cls)
    if isinstance(value, staticmethod):
        return run.inline(run, value.__func__, arguments, when, None, None)
    run.effect(when, f"calls {owner.cls.__name__}.{name}, which is not understood")
    return OPAQUE


def _constant_method(scope: Scope, owner: Const, name: str, arguments: Arguments, when: Formula) -> Value:
    run, value = scope.run, owner.value
    if isinstance(value, types.ModuleType):
        return run.call_value(scope, _constant_attribute(run, value, name, when), arguments, when)
    if isinstance(value, re.Pattern) and name in ("search", "match", "fullmatch"):
        return run.call_value(scope, Const(getattr(re, name)), arguments.after(owner), when)
    if isinstance(value, type) and not is_plain(value):
        return _class_method(scope, value, name, arguments, when)
    if isinstance(value, (list, dict, set)) and name in _CHANGING:
        run.effect(when, f"changes a constant with {name}")
        return OPAQUE
    if type(value) is dict and name == "get" and is_plain(value):
        return _dict_get(run, value, arguments, when)
    if type(value) is dict and name in ("items", "keys", "values") and not arguments.positional:
        return _dict_view(value, name)
    if is_plain(value) and arguments.are_data():
        return _plain_method(run, value, name, arguments, when)
    if callable(value) and not isinstance(value, type):
        run.effect(when, f"calls {name} of a function")
        return OPAQUE
    run.effect(when, f"calls {name} of an object that is not understood")
    return OPAQUE


def _class_method(scope: Scope, cls: type, name: str, arguments: Arguments, when: Formula) -> Value:
    run = scope.run
    value = _class_attribute(cls, name)
    if isinstance(value, staticmethod):
        return run.call_value(scope, Const(value.__func__), arguments, when)
    if isinstance(value, types.FunctionType):
        return run.inline(run, value, arguments, when, None, cls)
    target = getattr(cls, name, None)
    if target is not None and is_pure_function(target, cls) and arguments.are_data():
        run.may_raise(when)
        return UNKNOWN
    run.effect(when, f"calls {cls.__name__}.{name}, which is not understood")
    return OPAQUE


def _plain_method(run: Run, value: Any, name: str, arguments: Arguments, when: Formula) -> Value:
    known = arguments.constants()
    if known is not None and isinstance(value, (*_SCALARS, tuple, list, set, frozenset, dict)) and not name.startswith("_") and len(str(known)) < 10_000:
        try:
            result = getattr(value, name)(*known)
            if is_plain(result) or type(result) in (list, tuple, set, frozenset):
                return Const(result)
        except Exception:
            run.may_raise(when)
            return UNKNOWN
    run.may_raise(when)
    if name in ("startswith", "endswith", "isdisjoint", "issubset", "issuperset", "isdigit"):
        return ANY_BOOL
    return UNKNOWN


def _dict_get(run: Run, value: dict, arguments: Arguments, when: Formula) -> Value:
    key = arguments.positional[0] if arguments.positional else UNKNOWN
    default = arguments.positional[1] if len(arguments.positional) > 1 else Const(None)
    if isinstance(key, Const):
        try:
            return Const(value[key.value]) if key.value in value else default
        except TypeError:
            run.may_raise(when)
            return UNKNOWN
    if not isinstance(key, Read):
        run.may_raise(when)
        return UNKNOWN if is_data(default) else OPAQUE
    return _chosen_by(run, key, {name: Const(item) for name, item in value.items()}, default, when)


def _chosen_by(run: Run, key: Read, entries: dict[Any, Value], default: Value, when: Formula) -> Value:
    """What a dict with known keys gives for a value of the event; too many different ones count as any of them."""
    run.may_raise(conj(when, disj(operators.is_kind(key.subject, "map"), operators.is_kind(key.subject, "list"))))
    if not all(isinstance(name, _SCALARS) and not isinstance(name, bytes) for name in entries):
        return UNKNOWN if is_data(default) and all(is_data(item) for item in entries.values()) else OPAQUE
    groups: list[tuple[Value, list]] = []
    for name, item in entries.items():
        names = next((names for known, names in groups if is_same(known, item)), None)
        if names is None:
            groups.append((item, [name]))
        else:
            names.append(name)
    if len(groups) >= ALTERNATIVES_MAX - 1:
        groups = [(UNKNOWN if all(is_data(item) for item, _ in groups) else OPAQUE, list(entries))]
    options = [(formula.of(key.subject, "in", *names), item) for item, names in groups]
    return choice([*options, (formula.of(key.subject, "in", *entries, wanted=False), default)])


def _dict_view(value: dict, name: str) -> Value:
    if name == "items":
        return Items([Items([Const(key), Const(item)], "list") if not is_plain(item) else Const((key, item)) for key, item in value.items()], "list")
    return Items([Const(item) for item in (value if name == "keys" else value.values())], "set" if name == "keys" else "list")


def _collection_method(scope: Scope, owner: Items | Pairs | Iterated, name: str, arguments: Arguments, when: Formula) -> Value:
    run = scope.run
    if name in _CHANGING:
        value = next((item for item in [*arguments.positional, *arguments.named.values()] if not is_data(item)), UNKNOWN)
        changed(scope, owner, TRUE, value)
        run.may_raise(when)
        return UNKNOWN if is_data(value) and name not in ("pop", "setdefault", "popitem") else OPAQUE
    if isinstance(owner, Pairs) and not owner.is_changed and name == "get" and arguments.positional and isinstance(arguments.positional[0], Const):
        key = arguments.positional[0].value
        default = arguments.positional[1] if len(arguments.positional) > 1 else Const(None)
        return owner.entries.get(key, default) if isinstance(key, _SCALARS) else UNKNOWN
    if isinstance(owner, Pairs) and not owner.is_changed and name == "get" and arguments.positional and isinstance(arguments.positional[0], Read):
        default = arguments.positional[1] if len(arguments.positional) > 1 else Const(None)
        return _chosen_by(run, arguments.positional[0], owner.entries, default, when)
    if isinstance(owner, Pairs) and not owner.is_changed and name == "values":
        return Items(list(owner.entries.values()), "list")
    run.may_raise(when)
    inner = owner.elements if isinstance(owner, Items) else list(owner.entries.values()) if isinstance(owner, Pairs) else [owner.element]
    if name not in _READING or not arguments.are_data():
        run.effect(when, f"calls {name} of a collection")
        return OPAQUE
    return UNKNOWN if all(is_data(item) for item in inner) else OPAQUE
