"""Reads statements: how the path condition and the names change."""

from __future__ import annotations

import ast
import sys
from typing import Any

from margay_index import operators
from margay_index.formula import FALSE, TRUE, Formula, conj, disj
from margay_index.run import Answer, Place, Scope, absolute, assigned_names
from margay_index.value import NONE, OPAQUE, UNKNOWN, Choice, Closure, Const, Instance, Items, Iterated, Pairs, Read, Value, choice, is_data
from margay_index.subject import subject

UNROLLED_MAX = 40


def execute(scope: Scope, body: list[ast.stmt], path: Formula) -> Formula:
    """Reads a block; returns the condition under which its end is reached."""
    for node in body:
        if path is FALSE or not scope.run.step(absolute(scope, path)):
            return FALSE
        scope.run.place = Place(scope.module_names, node.lineno)
        reader = _READERS.get(type(node))
        if reader is None:
            scope.run.effect(absolute(scope, path), f"{type(node).__name__} is not understood")
            havoc(scope, [node])
            continue
        path = reader(scope, node, path)
    return path


def havoc(scope: Scope, body: list[ast.stmt]) -> None:
    """Forgets every name that some statements may bind."""
    for name in assigned_names(body):
        scope.names[name] = OPAQUE


def _evaluate(scope: Scope, node: ast.expr, path: Formula) -> Value:
    return scope.run.evaluate(scope, node, absolute(scope, path))


def _return(scope: Scope, node: ast.Return, path: Formula) -> Formula:
    value = NONE if node.value is None else _evaluate(scope, node.value, path)
    scope.returns.append((path, value))
    if scope.is_matcher:
        scope.run.answers.append(Answer(path, value, scope.run.place))
    return FALSE


def _expression(scope: Scope, node: ast.Expr, path: Formula) -> Formula:
    _evaluate(scope, node.value, path)
    return path


def _if(scope: Scope, node: ast.If, path: Formula) -> Formula:
    test = _evaluate(scope, node.test, path)
    yes, no = conj(path, test.truthy()), conj(path, test.falsy())
    before = dict(scope.names)
    yes_end = execute(scope, node.body, yes)
    yes_names = scope.names
    scope.names = dict(before)
    no_end = execute(scope, node.orelse, no)
    if no_end is FALSE:
        scope.names = yes_names
        return yes_end
    if yes_end is FALSE:
        return no_end
    scope.names = joined(yes_names, test.truthy(), scope.names, test.falsy())
    return path if yes_end is yes and no_end is no else disj(yes_end, no_end)


def joined(left: dict[str, Value], when_left: Formula, right: dict[str, Value], when_right: Formula) -> dict[str, Value]:
    """Names after two paths meet."""
    names: dict[str, Value] = {}
    for name in left.keys() | right.keys():
        one, other = left.get(name, UNKNOWN), right.get(name, UNKNOWN)
        names[name] = one if one is other else choice([(when_left, one), (when_right, other)])
    return names


def _assign(scope: Scope, node: ast.Assign, path: Formula) -> Formula:
    value = _evaluate(scope, node.value, path)
    for target in node.targets:
        bind(scope, target, value, path)
    return path


def _annotated(scope: Scope, node: ast.AnnAssign, path: Formula) -> Formula:
    if node.value is not None:
        bind(scope, node.target, _evaluate(scope, node.value, path), path)
    return path


def _augmented(scope: Scope, node: ast.AugAssign, path: Formula) -> Formula:
    right = _evaluate(scope, node.value, path)
    if isinstance(node.target, ast.Name):
        left = _evaluate(scope, ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target), path)
        if not is_data(left) or (isinstance(left, Const) and isinstance(left.value, (list, dict, set))):
            changed(scope, left, path)
        bind(scope, node.target, operators.binary(scope.run, node.op, left, right, absolute(scope, path)), path)
    else:
        bind(scope, node.target, UNKNOWN if is_data(right) else OPAQUE, path)
    return path


def bind(scope: Scope, target: ast.expr, value: Value, path: Formula) -> None:
    """Assigns a value to a name, an attribute, an element or several of them."""
    here = absolute(scope, path)
    if isinstance(target, ast.Name):
        if target.id in scope.globals and not (scope.is_matcher and target.id in scope.run.own_globals):
            scope.run.effect(here, f"changes the global {target.id}")
        scope.names[target.id] = value
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(scope, target, value, path)
    elif isinstance(target, ast.Attribute):
        owner = scope.run.evaluate(scope, target.value, here)
        if isinstance(owner, Instance):
            set_attribute(scope, owner, target.attr, value, here)
        else:
            scope.run.effect(here, f"sets the attribute {target.attr}")
    elif isinstance(target, ast.Subscript):
        scope.run.evaluate(scope, target.slice, here) if not isinstance(target.slice, ast.Slice) else None
        changed(scope, scope.run.evaluate(scope, target.value, here), path, value)
    else:
        scope.run.effect(here, "assigns in a way that is not understood")


def set_attribute(scope: Scope, owner: Instance, name: str, value: Value, here: Formula) -> None:
    """Outside the straight line of the constructor the old value stays possible."""
    old = owner.attributes.get(name)
    if old is None and here is owner.born:
        owner.attributes[name] = value
        return
    scope.run.changes += 1
    owner.attributes[name] = choice([(here, value), (TRUE, OPAQUE if old is None else old)])


def changed(scope: Scope, owner: Value, path: Formula, value: Value = UNKNOWN) -> None:
    """Something is changed in place: what was known of it is no longer."""
    for item in [option for _, option in owner.options] if isinstance(owner, Choice) else [owner]:
        if isinstance(item, (Items, Pairs)):
            if not item.is_changed:
                scope.run.changes += 1
            item.is_changed = True
            _absorb(item, value)
        elif isinstance(item, Iterated):
            if item.when is not TRUE:
                scope.run.changes += 1
            item.when = TRUE
            item.element = UNKNOWN if is_data(item.element) and is_data(value) else OPAQUE
        elif item is UNKNOWN or isinstance(item, Read):
            scope.run.may_raise(absolute(scope, path))
            if not is_data(value):
                scope.run.effect(absolute(scope, path), "puts an object where it cannot be followed")
        else:
            scope.run.effect(absolute(scope, path), "changes an object that may outlive the event")


def _absorb(item: Items | Pairs, value: Value) -> None:
    known = item.elements if isinstance(item, Items) else list(item.entries.values())
    if not is_data(value) and all(is_data(element) for element in known):
        if isinstance(item, Items):
            item.elements.append(OPAQUE)
        else:
            item.entries[object()] = OPAQUE


def _unpack(scope: Scope, target: ast.Tuple | ast.List, value: Value, path: Formula) -> None:
    known = operators.elements_of(value)
    if known is not None and len(known) == len(target.elts) and not any(isinstance(part, ast.Starred) for part in target.elts):
        for part, item in zip(target.elts, known):
            bind(scope, part, item, path)
        return
    scope.run.may_raise(absolute(scope, path))
    for part in target.elts:
        bind(scope, part.value if isinstance(part, ast.Starred) else part, UNKNOWN if is_data(value) else OPAQUE, path)


def element_of(scope: Scope, whole: Value, path: Formula) -> tuple[Value, Formula]:
    """One element of a collection of unknown length, and the condition that there is one."""
    here = absolute(scope, path)
    if isinstance(whole, Read):
        about = whole.subject
        iterable = [operators.is_kind(about, kind) for kind in ("map", "list", "str")]
        scope.run.may_raise(conj(here, *(operators.is_not_kind(about, kind) for kind in ("map", "list", "str"))))
        return Read(subject("elem", about)), conj(whole.truthy(), disj(*iterable))
    if isinstance(whole, Iterated):
        return whole.element, whole.when
    if isinstance(whole, Choice):
        parts = [(when, *element_of(scope, item, conj(path, when))) for when, item in whole.options]
        return choice([(conj(when, some), item) for when, item, some in parts]), disj(*(conj(when, some) for when, _, some in parts))
    known = operators.elements_of(whole)
    if known is not None:
        return (choice([(TRUE, item) for item in known]), TRUE) if known else (UNKNOWN, FALSE)
    if isinstance(whole, Const) and not isinstance(whole.value, (str, list, tuple, set, dict, frozenset)):
        scope.run.may_raise(here)
        return UNKNOWN, FALSE if whole.value is None or isinstance(whole.value, (int, float)) else TRUE
    scope.run.may_raise(here)
    if isinstance(whole, (Items, Pairs)):
        inner = whole.elements if isinstance(whole, Items) else list(whole.entries.values())
        return (UNKNOWN if all(is_data(item) for item in inner) else OPAQUE), TRUE
    if not is_data(whole):
        scope.run.effect(here, "goes through an object that is not understood")
    return (UNKNOWN if is_data(whole) else OPAQUE), TRUE


def _for(scope: Scope, node: ast.For, path: Formula) -> Formula:
    whole = _evaluate(scope, node.iter, path)
    known = operators.elements_of(whole)
    breaks, continues = scope.breaks, scope.continues
    scope.breaks, scope.continues = [], []
    if known is not None and len(known) <= UNROLLED_MAX:
        path = _unrolled(scope, node, known, path)
    else:
        path = _repeated(scope, node, whole, path)
    scope.breaks, scope.continues = breaks, continues
    return path


def _unrolled(scope: Scope, node: ast.For, elements: list[Value], path: Formula) -> Formula:
    jumps = any(isinstance(item, (ast.Break, ast.Continue)) for part in node.body for item in ast.walk(part))
    for element in elements:
        bind(scope, node.target, element, path)
        scope.continues = []
        end = execute(scope, node.body, path)
        if jumps:
            _forget(scope, node.body)
        path = disj(end, *scope.continues)
        if path is FALSE:
            break
    ends = execute(scope, node.orelse, path)
    return disj(ends, *scope.breaks)


def _forget(scope: Scope, body: list[ast.stmt]) -> None:
    for name in assigned_names(body):
        value = scope.names.get(name)
        scope.names[name] = UNKNOWN if value is None or is_data(value) else OPAQUE


def _repeated(scope: Scope, node: ast.For, whole: Value, path: Formula) -> Formula:
    names = assigned_names(node.body)
    start = {name: scope.names.get(name, UNKNOWN) for name in names}
    unsure = {name for name, value in start.items() if not is_data(value)}
    for _ in range(6):
        for name in names:
            scope.names[name] = OPAQUE if name in unsure else UNKNOWN
        changes = scope.run.changes
        element, some = element_of(scope, whole, path)
        bind(scope, node.target, element, path)
        execute(scope, node.body, conj(path, some))
        worse = {name for name in names if name not in unsure and not is_data(scope.names.get(name, UNKNOWN))}
        unsure |= worse
        if not worse and scope.run.changes == changes:
            break
    else:
        scope.run.effect(absolute(scope, path), "a loop that is not understood")
    for name in names:
        scope.names[name] = OPAQUE if name in unsure else UNKNOWN
    ends = execute(scope, node.orelse, path)
    return path if node.orelse == [] else disj(ends, path)


def _while(scope: Scope, node: ast.While, path: Formula) -> Formula:
    scope.run.effect(absolute(scope, path), "a while loop")
    havoc(scope, node.body)
    return path


def _try(scope: Scope, node: ast.Try, path: Formula) -> Formula:
    """A handler is entered under the conditions that anything in the body raises; names it may have bound are unsure."""
    first = len(scope.run.raises)
    before = dict(scope.names)
    end = execute(scope, [*node.body, *node.orelse], path)
    after = scope.names
    raised = scope.run.raises[first:]
    caught = disj(*(item.when for item in raised))
    kinds = [kind for handler in node.handlers for kind in _kinds_of(scope, handler, path)]
    scope.run.raises[first:] = [item for item in raised if not _is_caught(item.kind, kinds)]
    ends = [end]
    for handler in node.handlers:
        scope.names = dict(before)
        _forget(scope, node.body)
        for name in assigned_names(node.body):
            if name in after and not is_data(after[name]):
                scope.names[name] = OPAQUE
        if handler.name:
            scope.names[handler.name] = UNKNOWN
        reached = execute(scope, handler.body, conj(path, caught))
        if reached is not FALSE:
            after = joined(after, TRUE, scope.names, TRUE) if end is not FALSE else scope.names
            end = reached
            ends.append(reached)
    scope.names = after
    result = disj(*ends)
    return execute(scope, node.finalbody, result) if node.finalbody else result


def _kinds_of(scope: Scope, handler: ast.ExceptHandler, path: Formula) -> list[type[BaseException]]:
    """Classes of exceptions that a handler is sure to catch."""
    if handler.type is None:
        return [BaseException]
    value = _evaluate(scope, handler.type, path)
    known = operators.elements_of(value) if not isinstance(value, Const) or isinstance(value.value, tuple) else [value]
    return [item.value for item in known or [] if isinstance(item, Const) and isinstance(item.value, type) and issubclass(item.value, BaseException)]


def _is_caught(kind: type[BaseException] | None, kinds: list[type[BaseException]]) -> bool:
    return any(issubclass(Exception if kind is None else kind, known) for known in kinds)


def _raise(scope: Scope, node: ast.Raise, path: Formula) -> Formula:
    if node.exc is not None and not isinstance(node.exc, (ast.Name, ast.Call)):
        scope.run.effect(absolute(scope, path), "raises something that is not understood")
    scope.run.may_raise(absolute(scope, path))
    return FALSE


def _assert(scope: Scope, node: ast.Assert, path: Formula) -> Formula:
    test = _evaluate(scope, node.test, path)
    scope.run.may_raise(conj(absolute(scope, path), test.falsy()))
    return conj(path, test.truthy())


def _import(scope: Scope, node: ast.Import | ast.ImportFrom, path: Formula) -> Formula:
    for alias in node.names:
        module: Any = sys.modules.get(alias.name if isinstance(node, ast.Import) else node.module or "")
        value = module if isinstance(node, ast.Import) else getattr(module, alias.name, None)
        if value is None or (isinstance(node, ast.Import) and "." in alias.name):
            scope.run.effect(absolute(scope, path), f"imports {alias.name} while it runs")
            scope.names[(alias.asname or alias.name).split(".")[0]] = OPAQUE
        else:
            scope.names[alias.asname or alias.name] = Const(value)
    return path


def _function(scope: Scope, node: ast.FunctionDef, path: Formula) -> Formula:
    if node.decorator_list:
        scope.run.effect(absolute(scope, path), "defines a decorated function")
    scope.names[node.name] = Closure(node, scope)
    return path


def _global(scope: Scope, node: ast.Global, path: Formula) -> Formula:
    scope.globals.update(node.names)
    return path


def _pass(_scope: Scope, _node: ast.Pass, path: Formula) -> Formula:
    return path


def _break(scope: Scope, _node: ast.Break, path: Formula) -> Formula:
    scope.breaks.append(path)
    return FALSE


def _continue(scope: Scope, _node: ast.Continue, path: Formula) -> Formula:
    scope.continues.append(path)
    return FALSE


_READERS: dict[type, Any] = {
    ast.Return: _return, ast.Expr: _expression, ast.If: _if, ast.Assign: _assign, ast.AnnAssign: _annotated, ast.AugAssign: _augmented,
    ast.For: _for, ast.While: _while, ast.Try: _try, ast.Raise: _raise, ast.Assert: _assert, ast.Import: _import, ast.ImportFrom: _import,
    ast.FunctionDef: _function, ast.Global: _global, ast.Pass: _pass, ast.Break: _break, ast.Continue: _continue,
}  # fmt: skip
