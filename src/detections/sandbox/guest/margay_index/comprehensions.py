"""Reads comprehensions and generator expressions, and `any` and `all` over them."""

from __future__ import annotations

import ast

from margay_index import operators
from margay_index.formula import FALSE, TRUE, Formula, conj, disj
from margay_index.run import Scope, absolute
from margay_index.statements import bind, element_of
from margay_index.value import OPAQUE, UNKNOWN, Items, Iterated, Truth, Value, choice

Comprehension = ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp
UNROLLED_MAX = 60


class Parts:
    """The elements that may come out, each under its condition; `is_exact`: each of them does, whatever the event."""

    def __init__(self) -> None:
        self.items: list[tuple[Formula, Value]] = []
        self.is_exact = True


def parts_of(scope: Scope, node: Comprehension, when: Formula) -> Parts:
    """What may come out of a comprehension."""
    parts = Parts()
    if any(isinstance(item, (ast.NamedExpr, ast.Await, ast.Yield)) for item in ast.walk(node)):
        scope.run.effect(when, "binds a name inside a comprehension")
        parts.items.append((TRUE, OPAQUE))
        parts.is_exact = False
        return parts
    inner = Scope(scope.run, scope.module_names, when, scope)
    inner.owner, inner.cls = scope.owner, scope.cls
    _generate(inner, node, 0, TRUE, parts)
    return parts


def _generate(scope: Scope, node: Comprehension, depth: int, path: Formula, parts: Parts) -> None:
    if path is FALSE:
        return
    if depth == len(node.generators):
        _emit(scope, node, path, parts)
        return
    generator = node.generators[depth]
    whole = scope.run.evaluate(scope, generator.iter, absolute(scope, path))
    known = operators.elements_of(whole)
    if known is not None and len(known) <= UNROLLED_MAX:
        for element in known:
            bind(scope, generator.target, element, path)
            _filtered(scope, node, depth, path, parts)
        return
    parts.is_exact = False
    element, some = element_of(scope, whole, path)
    bind(scope, generator.target, element, path)
    _filtered(scope, node, depth, conj(path, some), parts)


def _filtered(scope: Scope, node: Comprehension, depth: int, path: Formula, parts: Parts) -> None:
    for test in node.generators[depth].ifs:
        value = scope.run.evaluate(scope, test, absolute(scope, path))
        if value.falsy() is not FALSE:
            parts.is_exact = False
        path = conj(path, value.truthy())
    _generate(scope, node, depth + 1, path, parts)


def _emit(scope: Scope, node: Comprehension, path: Formula, parts: Parts) -> None:
    here = absolute(scope, path)
    if isinstance(node, ast.DictComp):
        scope.run.evaluate(scope, node.key, here)
        scope.run.may_raise(here)
        value = scope.run.evaluate(scope, node.value, here)
    else:
        value = scope.run.evaluate(scope, node.elt, here)
        if isinstance(node, ast.SetComp):
            scope.run.may_raise(here)
    parts.items.append((path, value))


def comprehension(scope: Scope, node: Comprehension, when: Formula) -> Value:
    """The collection or generator itself."""
    parts = parts_of(scope, node, when)
    if parts.is_exact and isinstance(node, ast.ListComp):
        return Items([value for _, value in parts.items], "list")
    if not parts.items:
        element: Value = UNKNOWN
    else:
        element = choice(parts.items)
    if isinstance(node, ast.DictComp) and element is not UNKNOWN:
        element = OPAQUE
    return Iterated(element, disj(*(path for path, _ in parts.items)), isinstance(node, ast.GeneratorExp))


def any_of(parts: Parts) -> Truth:
    """`any(…)`."""
    yes = disj(*(conj(path, value.truthy()) for path, value in parts.items))
    no = conj(*(value.falsy() for _, value in parts.items)) if parts.is_exact else TRUE
    return Truth(yes, no)


def all_of(parts: Parts) -> Truth:
    """`all(…)`."""
    yes = conj(*(value.truthy() for _, value in parts.items)) if parts.is_exact else TRUE
    return Truth(yes, disj(*(conj(path, value.falsy()) for path, value in parts.items)))
