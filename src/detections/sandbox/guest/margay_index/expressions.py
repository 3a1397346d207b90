"""Reads expressions: which values they may have, and when they may raise."""

from __future__ import annotations

import ast
import builtins
import types
from typing import Any

from margay_index import operators
from margay_index.calls import call
from margay_index.comprehensions import comprehension
from margay_index.formula import FALSE, TRUE, Formula, conj
from margay_index.methods import attribute
from margay_index.run import Run, Scope
from margay_index.value import (
    OPAQUE, TEXT, UNKNOWN, Closure, Const, Instance, Items, Pairs, Truth, Value, choice, is_data, is_plain, map_choice, negated,
)  # fmt: skip


def evaluate(scope: Scope, node: ast.expr, when: Formula) -> Value:
    """The value of an expression that is reached when the condition holds."""
    if when is FALSE:
        return UNKNOWN
    if not scope.run.step(when):
        return OPAQUE
    reader = _READERS.get(type(node))
    if reader is None:
        scope.run.effect(when, f"line {node.lineno}: {type(node).__name__} is not understood")
        return OPAQUE
    return reader(scope, node, when)


def _constant(_scope: Scope, node: ast.Constant, _when: Formula) -> Value:
    return Const(node.value)


def _name(scope: Scope, node: ast.Name, when: Formula) -> Value:
    current: Scope | None = scope
    while current is not None:
        if node.id in current.names and (node.id not in current.globals or node.id in scope.run.own_globals and current.is_matcher):
            return current.names[node.id]
        current = current.parent
    return global_value(scope.run, scope.module_names, node.id, when)


def global_value(run: Run, names: dict[str, Any], name: str, when: Formula) -> Value:
    """The object that a module's name means, if it always means the same."""
    if name in names:
        value = names[name]
        return constant(run, value, when, run.sources.is_constant(names, name, value), name)
    if hasattr(builtins, name):
        value = getattr(builtins, name)
        return constant(run, value, when, name not in run.sources.stored_attributes, name)
    run.may_raise(when)
    return UNKNOWN


_KNOWN = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type, types.MethodType)


def constant(run: Run, value: Any, when: Formula, is_constant: bool, name: str) -> Value:
    """An object of a module as a value: exact, when nothing changes it and nothing hides in it."""
    if not is_constant:
        return OPAQUE
    if is_plain(value) or isinstance(value, _KNOWN) or type(value) in (list, tuple, dict, set, frozenset):
        return Const(value)
    if type(value).__module__ in ("re", "ipaddress", "datetime", "typing", "types") or isinstance(value, type(str.lower)):
        return Const(value)
    if _is_enum(value):
        return Const(value)
    run.effect(when, f"uses {name}, an object of {type(value).__name__}")
    return OPAQUE


def _is_enum(value: Any) -> bool:
    return any(base.__name__ == "Enum" and base.__module__ == "enum" for base in type(value).__mro__)


def _attribute(scope: Scope, node: ast.Attribute, when: Formula) -> Value:
    owner = evaluate(scope, node.value, when)
    return map_choice(owner, lambda only, item: attribute(scope.run, item, node.attr, conj(when, only)))


def _bool_op(scope: Scope, node: ast.BoolOp, when: Formula) -> Value:
    is_and = isinstance(node.op, ast.And)
    options: list[tuple[Formula, Value]] = []
    reached = TRUE
    for index, part in enumerate(node.values):
        here = conj(when, reached)
        if here is FALSE:
            break
        value = evaluate(scope, part, here)
        if index == len(node.values) - 1:
            options.append((reached, value))
            break
        ends, goes_on = (value.falsy(), value.truthy()) if is_and else (value.truthy(), value.falsy())
        options.append((conj(reached, ends), _known_bool(value, not is_and)))
        reached = conj(reached, goes_on)
    return choice(options)


def _known_bool(value: Value, is_true: bool) -> Value:
    """A bool that ended an `and` or `or` is known."""
    return Const(is_true) if isinstance(value, Truth) else value


def _unary(scope: Scope, node: ast.UnaryOp, when: Formula) -> Value:
    value = evaluate(scope, node.operand, when)
    if isinstance(node.op, ast.Not):
        return negated(value)
    if isinstance(value, Const) and isinstance(value.value, (int, float)):
        return Const(-value.value if isinstance(node.op, ast.USub) else +value.value if isinstance(node.op, ast.UAdd) else ~int(value.value))
    scope.run.may_raise(when)
    return UNKNOWN


def _conditional(scope: Scope, node: ast.IfExp, when: Formula) -> Value:
    test = evaluate(scope, node.test, when)
    yes, no = test.truthy(), test.falsy()
    return choice([(yes, evaluate(scope, node.body, conj(when, yes))), (no, evaluate(scope, node.orelse, conj(when, no)))])


def _collection(scope: Scope, node: ast.List | ast.Tuple | ast.Set, when: Formula) -> Value:
    elements: list[Value] = []
    for part in node.elts:
        if isinstance(part, ast.Starred):
            inner = evaluate(scope, part.value, when)
            spread = operators.elements_of(inner)
            if spread is None:
                scope.run.may_raise(when)
                return UNKNOWN if is_data(inner) else OPAQUE
            elements.extend(spread)
        else:
            elements.append(evaluate(scope, part, when))
    kind = type(node).__name__.lower()
    if kind != "tuple" or not all(isinstance(item, Const) and is_plain(item.value) for item in elements):
        return Items(elements, kind)
    return Const(tuple(item.value for item in elements if isinstance(item, Const)))


def _dict(scope: Scope, node: ast.Dict, when: Formula) -> Value:
    entries: dict[Any, Value] = {}
    is_known = True
    for key, part in zip(node.keys, node.values):
        value = evaluate(scope, part, when)
        if key is None:
            is_known = False
            continue
        name = evaluate(scope, key, when)
        if isinstance(name, Const) and isinstance(name.value, (str, int, bool, type(None))):
            entries[name.value] = value
        else:
            scope.run.may_raise(when)
            is_known = False
    pairs = Pairs(entries)
    pairs.is_changed = not is_known
    return pairs


def _compare(scope: Scope, node: ast.Compare, when: Formula) -> Value:
    left = evaluate(scope, node.left, when)
    options: list[tuple[Formula, Value]] = []
    reached = TRUE
    for index, (op, part) in enumerate(zip(node.ops, node.comparators)):
        here = conj(when, reached)
        right = evaluate(scope, part, here)
        result = operators.compare(scope.run, op, left, right, here)
        if index == len(node.ops) - 1:
            options.append((reached, result))
            break
        options.append((conj(reached, result.falsy()), Const(False)))
        reached = conj(reached, result.truthy())
        left = right
    return choice(options)


def _text(scope: Scope, node: ast.JoinedStr, when: Formula) -> Value:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            value = evaluate(scope, part.value, when)
            if part.format_spec is not None or isinstance(value, Instance) or not (is_data(value) or isinstance(value, (Items, Pairs))):
                scope.run.may_raise(when)
            if not is_data(value) and not isinstance(value, (Items, Pairs)):
                scope.run.effect(when, "makes text of an object that is not understood")
    return TEXT


def _subscript(scope: Scope, node: ast.Subscript, when: Formula) -> Value:
    owner = evaluate(scope, node.value, when)
    if isinstance(node.slice, ast.Slice):
        bounds = [evaluate(scope, part, when) for part in (node.slice.lower, node.slice.upper, node.slice.step) if part is not None]
        return operators.sliced(scope.run, owner, node.slice, bounds, when)
    key = evaluate(scope, node.slice, when)
    return map_choice(owner, lambda only, item: operators.subscript(scope.run, item, key, conj(when, only)))


def _binary(scope: Scope, node: ast.BinOp, when: Formula) -> Value:
    return operators.binary(scope.run, node.op, evaluate(scope, node.left, when), evaluate(scope, node.right, when), when)


def _lambda(scope: Scope, node: ast.Lambda, _when: Formula) -> Value:
    return Closure(node, scope)


def _named(scope: Scope, node: ast.NamedExpr, when: Formula) -> Value:
    """A walrus binds only where it is reached; elsewhere the old value, or none, remains."""
    value = evaluate(scope, node.value, when)
    name = node.target.id
    before = scope.names.get(name)
    scope.names[name] = value if before is None else choice([(TRUE, value), (TRUE, before)])
    return value


def _call(scope: Scope, node: ast.Call, when: Formula) -> Value:
    return call(scope, node, when)


_READERS: dict[type, Any] = {
    ast.Constant: _constant, ast.Name: _name, ast.Attribute: _attribute, ast.BoolOp: _bool_op, ast.UnaryOp: _unary,
    ast.IfExp: _conditional, ast.List: _collection, ast.Tuple: _collection, ast.Set: _collection, ast.Dict: _dict,
    ast.Compare: _compare, ast.JoinedStr: _text, ast.Subscript: _subscript, ast.BinOp: _binary, ast.Lambda: _lambda,
    ast.NamedExpr: _named, ast.Call: _call, ast.GeneratorExp: comprehension, ast.ListComp: comprehension,
    ast.SetComp: comprehension, ast.DictComp: comprehension,
}  # fmt: skip
