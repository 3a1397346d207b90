"""Reads calls: functions of the content are followed, known ones are modelled, any other is an effect."""

from __future__ import annotations

import ast
import types
from typing import Any

from margay_index import operators
from margay_index.arguments import Arguments
from margay_index.builtin_calls import builtin_call
from margay_index.comprehensions import all_of, any_of, parts_of
from margay_index.formula import FALSE, TRUE, Formula, conj
from margay_index.methods import call_method
from margay_index.purity import is_pure_function, module_of
from margay_index.run import DEPTH_MAX, Run, Scope
from margay_index.value import NONE, OPAQUE, UNKNOWN, Bound, Choice, Closure, Const, Instance, Items, Pairs, Value, choice, is_data, map_choice

_GENERATORS = (ast.GeneratorExp, ast.ListComp, ast.SetComp)


def call(scope: Scope, node: ast.Call, when: Formula) -> Value:
    """One call expression."""
    run = scope.run
    function = node.func
    if isinstance(function, ast.Name) and function.id == "super" and scope.cls is not None:
        return NONE
    if isinstance(function, ast.Attribute):
        if isinstance(function.value, ast.Call) and isinstance(function.value.func, ast.Name) and function.value.func.id == "super":
            return _super_call(scope, function.attr, _arguments(scope, node, when), when)
        owner = run.evaluate(scope, function.value, when)
        arguments = _arguments(scope, node, when)
        return map_choice(owner, lambda only, item: call_method(scope, item, function.attr, arguments, conj(when, only)))
    callee = run.evaluate(scope, function, when)
    if isinstance(callee, Const) and callee.value in (any, all) and len(node.args) == 1 and isinstance(node.args[0], _GENERATORS):
        parts = parts_of(scope, node.args[0], when)
        return any_of(parts) if callee.value is any else all_of(parts)
    return call_value(scope, callee, _arguments(scope, node, when), when)


def _arguments(scope: Scope, node: ast.Call, when: Formula) -> Arguments:
    positional: list[Value] = []
    named: dict[str, Value] = {}
    is_exact = True
    for part in node.args:
        if isinstance(part, ast.Starred):
            whole = scope.run.evaluate(scope, part.value, when)
            known = operators.elements_of(whole)
            if known is None or isinstance(whole, Const) and isinstance(whole.value, (set, frozenset)):
                scope.run.may_raise(when)
                is_exact = False
                positional.append(UNKNOWN if is_data(whole) else OPAQUE)
            else:
                positional.extend(known)
        else:
            positional.append(scope.run.evaluate(scope, part, when))
    for keyword in node.keywords:
        value = scope.run.evaluate(scope, keyword.value, when)
        if keyword.arg is None:
            is_exact = False
            positional.append(UNKNOWN if is_data(value) else OPAQUE)
        else:
            named[keyword.arg] = value
    return Arguments(positional, named, is_exact)


def call_value(scope: Scope, callee: Value, arguments: Arguments, when: Formula) -> Value:
    """Calls whatever a value may be."""
    run = scope.run
    if isinstance(callee, Choice):
        return choice([(only, call_value(scope, item, arguments, conj(when, only))) for only, item in callee.options])
    if isinstance(callee, Closure):
        return _call_closure(run, callee, arguments, when)
    if isinstance(callee, Bound):
        return call_method(scope, callee.owner, callee.name, arguments, when)
    if isinstance(callee, Const):
        return _call_constant(scope, callee.value, arguments, when)
    run.effect(when, "calls something that is not understood")
    return OPAQUE


def _call_constant(scope: Scope, function: Any, arguments: Arguments, when: Formula) -> Value:
    run = scope.run
    modelled = builtin_call(scope, function, arguments, when)
    if modelled is not None:
        return modelled
    if run.sources.function(function) is not None:
        return call_function(run, function, arguments, when)
    if isinstance(function, type):
        return _construct(scope, function, arguments, when)
    if isinstance(function, types.MethodType) and run.sources.function(function.__func__) is not None:
        return call_function(run, function.__func__, arguments.after(Const(function.__self__)), when)
    if is_pure_function(function) and arguments.are_data():
        run.may_raise(when)
        return UNKNOWN
    run.effect(when, f"calls {_name_of(function)}")
    return OPAQUE


def _name_of(function: Any) -> str:
    module = module_of(function)
    name = getattr(function, "__name__", type(function).__name__)
    return f"{module}.{name}" if module and not str(module).startswith("content") else str(name)


def call_function(run: Run, function: Any, arguments: Arguments, when: Formula) -> Value:
    """Follows a function of the content."""
    return inline(run, function, arguments, when, None, None)


def inline(run: Run, function: Any, arguments: Arguments, when: Formula, owner: Value | None, cls: type | None) -> Value:
    """Reads the body of a function with these arguments."""
    node = run.sources.function(function)
    if node is None and cls is not None:
        node = run.sources.method(function)
    if node is None:
        run.effect(when, f"calls {_name_of(function)}")
        return OPAQUE
    scope = Scope(run, function.__globals__, when)
    scope.owner, scope.cls = owner, _defining_class(function, cls)
    defaults = function.__defaults__ or ()
    return _call_node(run, node, scope, arguments, [_default(value) for value in defaults], {name: _default(value) for name, value in (function.__kwdefaults__ or {}).items()}, when)


def _defining_class(function: Any, cls: type | None) -> type | None:
    for base in () if cls is None else cls.__mro__:
        for value in base.__dict__.values():
            if value is function or (isinstance(value, property) and value.fget is function):
                return base
    return cls


def _default(value: Any) -> Value:
    return OPAQUE if isinstance(value, (list, dict, set)) and value else Const(value) if not isinstance(value, (list, dict, set)) else Items([], "list") if isinstance(value, list) else Pairs({})


def _call_closure(run: Run, closure: Closure, arguments: Arguments, when: Formula) -> Value:
    outer: Scope = closure.scope
    scope = Scope(run, outer.module_names, when, outer)
    scope.owner, scope.cls = outer.owner, outer.cls
    node = closure.node
    defaults = [run.evaluate(outer, item, when) for item in node.args.defaults]
    named = {part.arg: run.evaluate(outer, item, when) for part, item in zip(node.args.kwonlyargs, node.args.kw_defaults) if item is not None}
    return _call_node(run, node, scope, arguments, defaults, named, when)


def _call_node(run: Run, node: Any, scope: Scope, arguments: Arguments, defaults: list[Value], named_defaults: dict[str, Value], when: Formula) -> Value:
    if run.depth >= DEPTH_MAX:
        run.effect(when, "calls too deeply")
        return OPAQUE
    if not _bind(node.args, scope, arguments, defaults, named_defaults):
        run.effect(when, "hands over arguments that cannot be told")
        return OPAQUE
    scope.is_matcher = run.depth == 0
    caller = run.place
    run.depth += 1
    try:
        if isinstance(node, ast.Lambda):
            return run.evaluate(scope, node.body, when)
        if _is_generator(node):
            run.effect(when, f"calls the generator {node.name}")
            return OPAQUE
        end = run.execute(scope, node.body, TRUE)
    finally:
        run.depth -= 1
        run.place = caller
    returns = scope.returns if end is FALSE else [*scope.returns, (end, NONE)]
    return choice(returns)


def _is_generator(node: ast.FunctionDef) -> bool:
    return any(isinstance(item, (ast.Yield, ast.YieldFrom, ast.Await)) for item in ast.walk(node))


def _bind(args: ast.arguments, scope: Scope, arguments: Arguments, defaults: list[Value], named_defaults: dict[str, Value]) -> bool:
    if not arguments.is_exact:
        return False
    names = [part.arg for part in [*args.posonlyargs, *args.args]]
    values = dict(zip(names[len(names) - len(defaults) :], defaults))
    values.update(named_defaults)
    values.update(zip(names, arguments.positional))
    rest = arguments.positional[len(names) :]
    known = {*names, *(part.arg for part in args.kwonlyargs)}
    extra = {name: value for name, value in arguments.named.items() if name not in known}
    values.update({name: value for name, value in arguments.named.items() if name in known})
    if args.vararg is not None:
        values[args.vararg.arg] = Items(rest, "tuple")
    elif rest:
        return False
    if args.kwarg is not None:
        values[args.kwarg.arg] = Pairs(dict(extra))
    elif extra:
        return False
    if any(name not in values for name in known):
        return False
    scope.names.update(values)
    return True


def _construct(scope: Scope, cls: type, arguments: Arguments, when: Formula) -> Value:
    run = scope.run
    if issubclass(cls, BaseException):
        return UNKNOWN
    if _is_content_class(cls) and type(cls) is type and all(_is_content_class(base) or base is object for base in cls.__mro__):
        if any(name in base.__dict__ for base in cls.__mro__ if base is not object for name in ("__new__", "__getattr__", "__getattribute__", "__bool__", "__len__", "__eq__", "__setattr__", "__slots__")):
            run.effect(when, f"makes a {cls.__name__}, which is not understood")
            return OPAQUE
        instance = Instance(cls, when)
        constructor = next((base.__dict__["__init__"] for base in cls.__mro__ if base is not object and "__init__" in base.__dict__), None)
        if isinstance(constructor, types.FunctionType):
            inline(run, constructor, arguments.after(instance), when, instance, cls)
        return instance
    if is_pure_function(cls) and arguments.are_data():
        run.may_raise(when)
        return UNKNOWN
    run.effect(when, f"makes a {cls.__name__}")
    return OPAQUE


def _is_content_class(cls: type) -> bool:
    return any(isinstance(value, types.FunctionType) and value.__code__.co_filename.startswith("content/") for value in cls.__dict__.values())


def _super_call(scope: Scope, name: str, arguments: Arguments, when: Formula) -> Value:
    owner, cls = scope.owner, scope.cls
    if isinstance(owner, Instance) and cls in owner.cls.__mro__:
        order = owner.cls.__mro__[owner.cls.__mro__.index(cls) + 1 :]
        method = next((base.__dict__[name] for base in order if name in base.__dict__ and base is not object), None)
        if method is None and name == "__init__":
            return NONE
        if isinstance(method, types.FunctionType):
            return inline(scope.run, method, arguments.after(owner), when, owner, owner.cls)
    scope.run.effect(when, f"calls super().{name}, which is not understood")
    return OPAQUE
