"""Comparisons, membership, subscripts and arithmetic on what is known of values."""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable
from typing import Any

from margay_index import formula
from margay_index.formula import FALSE, TRUE, Formula, conj, disj
from margay_index.run import Run
from margay_index.subject import Subject, subject
from margay_index.value import ANY_BOOL, FOUND, OPAQUE, UNKNOWN, Choice, Const, Items, Iterated, Pairs, Read, Truth, Value, choice, is_data, is_plain

SCALARS = (str, int, float, bool, type(None))
_ORDER = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
_MIRROR = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_CONCRETE = {ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not}  # fmt: skip
UNFOLDED_MAX = 500


def elements_of(value: Value) -> list[Value] | None:
    """The elements of a collection whose content is known, in a fixed order; None when they are not."""
    if isinstance(value, Items) and not value.is_changed:
        return value.elements
    if isinstance(value, Const) and type(value.value) in (list, tuple, set, frozenset, dict) and len(value.value) <= UNFOLDED_MAX:
        return [Const(item) for item in value.value]
    if isinstance(value, Pairs) and not value.is_changed:
        return [Const(key) for key in value.entries]
    return None


def is_kind(about: Subject, kind: str) -> Formula:
    return formula.of(about, "type", kind)


def is_not_kind(about: Subject, kind: str) -> Formula:
    return formula.of(about, "type", kind, wanted=False)


def compare(run: Run, op: ast.cmpop, left: Value, right: Value, when: Formula) -> Value:
    """One comparison."""
    if isinstance(left, Choice):
        return choice([(only, compare(run, op, item, right, conj(when, only))) for only, item in left.options])
    if isinstance(right, Choice):
        return choice([(only, compare(run, op, left, item, conj(when, only))) for only, item in right.options])
    if isinstance(op, (ast.In, ast.NotIn)):
        result = _member(run, left, right, when)
        return result if isinstance(op, ast.In) else Truth(result.falsy(), result.truthy())
    if isinstance(left, Const) and isinstance(right, Const) and is_plain(left.value) and is_plain(right.value):
        try:
            return Const(bool(_CONCRETE[type(op)](left.value, right.value)))
        except TypeError:
            run.may_raise(when)
            return UNKNOWN
    if isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)):
        result = _equal(run, left, right, when, isinstance(op, (ast.Is, ast.IsNot)))
        return result if isinstance(op, (ast.Eq, ast.Is)) else Truth(result.falsy(), result.truthy())
    return _ordered(run, _ORDER[type(op)], left, right, when)


def _guard_objects(run: Run, when: Formula, *values: Value) -> None:
    """An object of the content may bring an `__eq__` or `__contains__` of its own."""
    for value in values:
        if not (is_data(value) or isinstance(value, (Items, Pairs, Iterated)) or (isinstance(value, Const) and (callable(value.value) or isinstance(value.value, (list, tuple, dict, set, frozenset))))):
            run.effect(when, "compares an object that is not understood")


def _equal(run: Run, left: Value, right: Value, when: Formula, is_identity: bool) -> Truth:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Read) and isinstance(other, Const):
            value = other.value
            if is_identity and not isinstance(value, bool) and value is not None:
                return Truth(formula.of(one.subject, "in", value) if isinstance(value, SCALARS) else TRUE, TRUE)
            if is_identity and isinstance(value, bool):
                return Truth(formula.of(one.subject, "is", value), formula.of(one.subject, "is", value, wanted=False))
            if isinstance(value, SCALARS):
                return Truth(formula.of(one.subject, "in", value), formula.of(one.subject, "in", value, wanted=False))
            return ANY_BOOL
        if isinstance(one, Truth) and isinstance(other, Const) and isinstance(other.value, bool):
            return Truth(one.truthy(), one.falsy()) if other.value else Truth(one.falsy(), one.truthy())
        if isinstance(other, Const) and other.value is None and (one is FOUND or isinstance(one, (Truth, Items, Pairs))):
            return Truth(FALSE, TRUE)
    _guard_objects(run, when, left, right)
    return ANY_BOOL


def _ordered(run: Run, name: str, left: Value, right: Value, when: Formula) -> Value:
    for one, other, test in ((left, right, name), (right, left, _MIRROR[name])):
        if isinstance(one, Read) and isinstance(other, Const) and type(other.value) in (int, float, bool):
            run.may_raise(conj(when, is_not_kind(one.subject, "number")))
            number = is_kind(one.subject, "number")
            return Truth(conj(number, formula.of(one.subject, test, other.value)), conj(number, formula.of(one.subject, test, other.value, wanted=False)))
    _guard_objects(run, when, left, right)
    run.may_raise(when)
    return ANY_BOOL if is_data(left) and is_data(right) else UNKNOWN


def _member(run: Run, item: Value, whole: Value, when: Formula) -> Value:
    if isinstance(whole, Read):
        return _member_of_read(run, item, whole.subject, when)
    if isinstance(item, Const) and isinstance(whole, Const) and is_plain(item.value) and is_plain(whole.value):
        try:
            return Const(item.value in whole.value)
        except TypeError:
            run.may_raise(when)
            return UNKNOWN
    if isinstance(whole, Const) and isinstance(whole.value, str) and isinstance(item, Read):
        run.may_raise(conj(when, is_not_kind(item.subject, "str")))
        return Truth(conj(is_kind(item.subject, "str"), formula.of(item.subject, "within", whole.value)), formula.of(item.subject, "within", whole.value, wanted=False))
    if isinstance(whole, Const) and type(whole.value) in (set, frozenset, dict, list, tuple) and isinstance(item, Read):
        return _member_of_constant(run, item.subject, whole.value, when)
    known = elements_of(whole)
    if known is not None:
        results = [_equal(run, item, element, when, False) if not (isinstance(item, Const) and isinstance(element, Const)) else compare(run, ast.Eq(), item, element, when) for element in known]
        if isinstance(whole, Pairs) or (isinstance(whole, Items) and whole.kind == "set"):
            run.may_raise(_unless_hashable(item, when))
        return Truth(disj(*(result.truthy() for result in results)), conj(*(result.falsy() for result in results)))
    _guard_objects(run, when, item, whole)
    run.may_raise(when)
    return ANY_BOOL


def _unless_hashable(item: Value, when: Formula) -> Formula:
    """Looking for a list or a mapping in a set raises."""
    if isinstance(item, Read):
        return conj(when, container(item.subject))
    return FALSE if isinstance(item, Const) and isinstance(item.value, SCALARS) else when


def container(about: Subject) -> Formula:
    return disj(is_kind(about, "map"), is_kind(about, "list"))


def _member_of_read(run: Run, item: Value, whole: Subject, when: Formula) -> Truth:
    scalar = disj(formula.of(whole, "in", None), is_kind(whole, "number"))
    if isinstance(item, Const) and isinstance(item.value, SCALARS):
        run.may_raise(conj(when, scalar if isinstance(item.value, str) else disj(scalar, is_kind(whole, "str"))))
        return Truth(formula.of(whole, "has", item.value), formula.of(whole, "has", item.value, wanted=False))
    run.may_raise(when)
    _guard_objects(run, when, item)
    return Truth(conj(formula.of(whole, "truthy")), TRUE)


def _member_of_constant(run: Run, item: Subject, whole: Any, when: Formula) -> Truth:
    if type(whole) in (set, frozenset, dict):
        run.may_raise(conj(when, container(item)))
    scalars = [value for value in whole if isinstance(value, SCALARS)]
    if len(scalars) < len(whole):
        return Truth(TRUE, TRUE)
    return Truth(formula.of(item, "in", *scalars), formula.of(item, "in", *scalars, wanted=False))


def key_of(value: Value) -> Any:
    """A constant that may stand in a path; None when it is not one."""
    return value.value if isinstance(value, Const) and type(value.value) in (str, int) else None


def subscript(run: Run, owner: Value, key: Value, when: Formula) -> Value:
    """`owner[key]`."""
    name = key_of(key)
    if isinstance(owner, Read):
        if isinstance(name, str):
            run.may_raise(conj(when, is_not_kind(owner.subject, "map")))
            run.may_raise(conj(when, is_kind(owner.subject, "map"), formula.of(owner.subject, "has", name, wanted=False)), KeyError)
            return Read(subject("get", owner.subject, name, (None,)))
        run.may_raise(when)
        return Read(subject("index", owner.subject, name)) if isinstance(name, int) else UNKNOWN
    if isinstance(owner, Const) and isinstance(key, Const):
        try:
            found = owner.value[key.value]
        except Exception:
            run.may_raise(when)
            return UNKNOWN
        return Const(found) if is_plain(owner.value) or isinstance(owner.value, (dict, list, tuple)) else OPAQUE
    run.may_raise(when)
    if isinstance(owner, Pairs) and not owner.is_changed and isinstance(key, Const) and _is_hashable(key.value) and key.value in owner.entries:
        return owner.entries[key.value]
    if isinstance(owner, Items) and not owner.is_changed and isinstance(name, int) and -len(owner.elements) <= name < len(owner.elements):
        return owner.elements[name]
    known = elements_of(owner)
    if isinstance(owner, Const) and is_plain(owner.value):
        return UNKNOWN
    if known is not None and not isinstance(owner, Pairs) and all(is_data(item) for item in known):
        return UNKNOWN
    if isinstance(owner, Pairs) and all(is_data(item) for item in owner.entries.values()):
        return UNKNOWN
    return UNKNOWN if is_data(owner) else OPAQUE


def _is_hashable(value: Any) -> bool:
    return isinstance(value, (*SCALARS, tuple))


def sliced(run: Run, owner: Value, node: ast.Slice, bounds: list[Value], when: Formula) -> Value:
    """`owner[a:b]`."""
    del node
    if not all(isinstance(item, Const) and (item.value is None or isinstance(item.value, int)) for item in bounds):
        run.may_raise(when)
    if isinstance(owner, Read):
        run.may_raise(conj(when, conj(is_not_kind(owner.subject, "str"), is_not_kind(owner.subject, "list"))))
        return UNKNOWN
    run.may_raise(when)
    return UNKNOWN if is_data(owner) or (isinstance(owner, Items) and all(is_data(item) for item in owner.elements)) else OPAQUE


def binary(run: Run, op: ast.operator, left: Value, right: Value, when: Formula) -> Value:
    """Arithmetic; exact on constants only."""
    known = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.BitOr: operator.or_, ast.BitAnd: operator.and_}.get(type(op))
    if isinstance(left, Const) and isinstance(right, Const) and is_plain(left.value) and is_plain(right.value) and known is not None:
        if type(op) is not ast.Mult or (isinstance(left.value, (int, float)) and isinstance(right.value, (int, float)) and max(abs(left.value), abs(right.value)) < 1e9):
            try:
                return Const(known(left.value, right.value))
            except Exception:
                run.may_raise(when)
                return UNKNOWN
    one, other = elements_of(left), elements_of(right)
    if isinstance(op, ast.Add) and one is not None and other is not None and not isinstance(left, Pairs) and not isinstance(right, Pairs):
        return Items([*one, *other], "list")
    run.may_raise(when)
    _guard_objects(run, when, left, right)
    return UNKNOWN if _holds_data([left, right]) else OPAQUE


def _holds_data(values: Iterable[Value]) -> bool:
    return all(is_data(value) or (isinstance(value, Items) and _holds_data(value.elements)) or (isinstance(value, Iterated) and is_data(value.element)) for value in values)
