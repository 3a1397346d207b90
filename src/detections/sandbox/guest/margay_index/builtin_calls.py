"""Built-in functions that rules use."""

from __future__ import annotations

import builtins
import fnmatch
import functools
import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import mock

from margay_index import formula, operators, patterns
from margay_index.arguments import Arguments, holds_data
from margay_index.formula import TRUE, Formula, conj, disj
from margay_index.run import Scope
from margay_index.subject import subject
from margay_index.value import ANY_BOOL, FOUND, NONE, OPAQUE, UNKNOWN, Choice, Const, Instance, Items, Iterated, Pairs, Read, Truth, Value, choice, is_data, is_plain, map_choice

_ON_DATA = {
    builtins.int, builtins.float, builtins.round, builtins.abs, builtins.ord, builtins.chr, builtins.hash, builtins.format, builtins.repr,
    builtins.divmod, builtins.hex, builtins.bytes, builtins.pow, builtins.bin,
}  # fmt: skip
_GATHERING = (list, tuple, set, frozenset, sorted, reversed, iter)


def builtin_call(scope: Scope, function: Any, arguments: Arguments, when: Formula) -> Value | None:
    """The result of a built-in that is modelled; None for any other function."""
    try:
        model = _MODELS.get(function)
    except TypeError:
        return None
    if model is not None:
        return model(scope, arguments, when) if arguments.is_exact else _unsure(scope, arguments, when)
    if function in _GATHERING:
        return _gather(scope, function, arguments, when)
    if function in _ON_DATA and arguments.are_data():
        scope.run.may_raise(when)
        return UNKNOWN
    return None


def _unsure(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    scope.run.may_raise(when)
    if not arguments.are_data():
        scope.run.effect(when, "hands over arguments that cannot be told")
    return OPAQUE


def _one(arguments: Arguments) -> Value:
    return arguments.positional[0] if len(arguments.positional) == 1 and not arguments.named else OPAQUE


def _bool(_scope: Scope, arguments: Arguments, _when: Formula) -> Value:
    if not arguments.positional:
        return Const(False)
    value = arguments.positional[0]
    return Truth(value.truthy(), value.falsy())


def _len(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    def of_one(only: Formula, value: Value) -> Value:
        here = conj(when, only)
        if isinstance(value, Read):
            about = value.subject
            scope.run.may_raise(conj(here, *(operators.is_not_kind(about, kind) for kind in ("map", "list", "str"))))
            return Read(subject("len", about))
        known = operators.elements_of(value)
        if known is not None and not isinstance(value, Items) or (isinstance(value, Items) and not value.is_changed and value.kind != "set"):
            return Const(len(known or []))
        if isinstance(value, Const) and isinstance(value.value, (str, bytes)):
            return Const(len(value.value))
        if isinstance(value, Iterated) and not value.is_lazy:
            return choice([(value.when, UNKNOWN), (TRUE, Const(0))])
        scope.run.may_raise(here)
        if not holds_data(value):
            scope.run.effect(here, "takes the length of an object that is not understood")
        return UNKNOWN

    return map_choice(_one(arguments), of_one)


def _str(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    value = _one(arguments)
    if isinstance(value, Read):
        return Read(subject("str", value.subject))
    if isinstance(value, Const) and isinstance(value.value, (str, int, float, bool, type(None))):
        return Const(str(value.value))
    if not holds_data(value) and arguments.positional:
        scope.run.effect(when, "makes text of an object that is not understood")
    return UNKNOWN


def _any(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    return _quantified(scope, arguments, when, True)


def _all(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    return _quantified(scope, arguments, when, False)


def _quantified(scope: Scope, arguments: Arguments, when: Formula, is_any: bool) -> Value:
    value = _one(arguments)
    known = operators.elements_of(value)
    if known is not None:
        yes, no = [item.truthy() for item in known], [item.falsy() for item in known]
        return Truth(disj(*yes), conj(*no)) if is_any else Truth(conj(*yes), disj(*no))
    if isinstance(value, Iterated):
        some = conj(value.when, value.element.truthy() if is_any else value.element.falsy())
        return Truth(some, TRUE) if is_any else Truth(TRUE, some)
    if isinstance(value, Read):
        scope.run.may_raise(conj(when, *(operators.is_not_kind(value.subject, kind) for kind in ("map", "list", "str"))))
        return Truth(value.truthy() if is_any else TRUE, TRUE if is_any else value.truthy())
    scope.run.may_raise(when)
    if not holds_data(value):
        scope.run.effect(when, "goes through an object that is not understood")
    return ANY_BOOL


_KINDS: dict[Any, str] = {str: "str", bool: "bool"}


def _isinstance(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    if len(arguments.positional) != 2 or not isinstance(arguments.positional[1], Const):
        return _isinstance_of_items(scope, arguments, when)
    kinds = arguments.positional[1].value
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if not all(isinstance(kind, type) for kind in kinds):
        scope.run.may_raise(when)
        return ANY_BOOL
    return map_choice(arguments.positional[0], lambda _only, value: _is_of(value, kinds))


def _isinstance_of_items(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    kinds = operators.elements_of(arguments.positional[1]) if len(arguments.positional) == 2 else None
    if kinds and all(isinstance(kind, Const) and isinstance(kind.value, type) for kind in kinds):
        known = tuple(kind.value for kind in kinds if isinstance(kind, Const))
        return map_choice(arguments.positional[0], lambda _only, value: _is_of(value, known))
    scope.run.may_raise(when)
    return ANY_BOOL


def _is_of(value: Value, kinds: tuple) -> Value:
    if isinstance(value, Const) and (is_plain(value.value) or callable(value.value)):
        return Const(isinstance(value.value, kinds))
    if isinstance(value, Instance):
        return Const(issubclass(value.cls, kinds))
    if isinstance(value, (Items, Pairs)):
        own = {"list": list, "tuple": tuple, "set": set}[value.kind] if isinstance(value, Items) else dict
        return Const(issubclass(own, kinds))
    if isinstance(value, Truth):
        return Const(issubclass(bool, kinds))
    if mock.MagicMock in kinds and len(kinds) == 1 and is_data(value):
        return Const(False)
    if isinstance(value, Read):
        return _read_is_of(value, kinds)
    return ANY_BOOL


def _read_is_of(value: Read, kinds: tuple) -> Value:
    """Views of the event are mappings and sequences of their own, so only some classes can be told."""
    yes: list[Formula] = []
    no: list[Formula] = []
    for kind in kinds:
        if kind in _KINDS:
            yes.append(operators.is_kind(value.subject, _KINDS[kind]))
            no.append(operators.is_not_kind(value.subject, _KINDS[kind]))
        elif kind in (int, float):
            # 1.0 is read as a float and 1 as an int; JavaScript cannot tell them apart.
            yes.append(operators.is_kind(value.subject, "number"))
        elif kind is Mapping:
            yes.append(operators.is_kind(value.subject, "map"))
            no.append(operators.is_not_kind(value.subject, "map"))
        elif kind is Sequence:
            yes.append(disj(operators.is_kind(value.subject, "list"), operators.is_kind(value.subject, "str")))
            no.append(conj(operators.is_not_kind(value.subject, "list"), operators.is_not_kind(value.subject, "str")))
        elif kind in (bytes, set, frozenset):
            continue
        elif kind is dict:
            yes.append(operators.is_kind(value.subject, "map"))
        elif kind in (list, tuple):
            yes.append(operators.is_kind(value.subject, "list"))
        else:
            return ANY_BOOL
    return Truth(disj(*yes), conj(*no))


def _gather(scope: Scope, function: Any, arguments: Arguments, when: Formula) -> Value:
    run = scope.run
    if not arguments.positional:
        return Items([], "set" if function in (set, frozenset) else "list")
    value = arguments.positional[0]
    if arguments.named or len(arguments.positional) > 1:
        run.may_raise(when)
        key = arguments.named.get("key")
        if key is not None and not (isinstance(key, Const) and key.value in (str, len)):
            run.effect(when, "sorts by a function")
        return UNKNOWN if holds_data(value) else OPAQUE
    if isinstance(value, Const) and is_plain(value.value) and function in (list, tuple, set, frozenset, sorted):
        try:
            return Const(function(value.value))
        except TypeError:
            run.may_raise(when)
            return UNKNOWN
    known = operators.elements_of(value)
    if function in (set, frozenset, sorted):
        run.may_raise(when)
    if known is not None and function is not reversed:
        return Items(list(known), "set" if function in (set, frozenset) else "tuple" if function is tuple else "list")
    if isinstance(value, Choice):
        return choice([(only, _gather(scope, function, Arguments([item]), conj(when, only))) for only, item in value.options])
    element, some = run.element_of(scope, value, when)
    run.may_raise(when)
    return Iterated(element, some, function in (iter, reversed))


def _hasattr(_scope: Scope, arguments: Arguments, _when: Formula) -> Value:
    return ANY_BOOL if arguments.positional and (is_data(arguments.positional[0]) or isinstance(arguments.positional[0], (Items, Pairs, Instance))) else ANY_BOOL


def _getattr(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    scope.run.effect(when, "reads an attribute by name")
    return OPAQUE


def _print(_scope: Scope, _arguments: Arguments, _when: Formula) -> Value:
    return NONE


def _counted(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    """`enumerate`, `zip`, `range`, `min`, `max`, `sum`, `dict`: data of data."""
    scope.run.may_raise(when)
    if arguments.are_data():
        return UNKNOWN
    if all(holds_data(value) or isinstance(value, (Items, Pairs, Iterated)) for value in arguments.all()):
        return OPAQUE
    scope.run.effect(when, "hands over an object that is not understood")
    return OPAQUE


def _dict(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    if not arguments.positional:
        return Pairs(dict(arguments.named))
    return _counted(scope, arguments, when)


def _mapped(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    run = scope.run
    if len(arguments.positional) != 2:
        return _unsure(scope, arguments, when)
    element, some = run.element_of(scope, arguments.positional[1], when)
    result = run.call_value(scope, arguments.positional[0], Arguments([element]), conj(when, some))
    return Iterated(result, some, True)


def _filtered(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    run = scope.run
    if len(arguments.positional) != 2:
        return _unsure(scope, arguments, when)
    element, some = run.element_of(scope, arguments.positional[1], when)
    test = arguments.positional[0]
    kept = element if isinstance(test, Const) and test.value is None else run.call_value(scope, test, Arguments([element]), conj(when, some))
    return Iterated(element, conj(some, kept.truthy()), True)


def _reduce(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    known = operators.elements_of(arguments.positional[1]) if len(arguments.positional) == 3 else None
    if known is None:
        scope.run.effect(when, "reduces what cannot be told")
        return OPAQUE
    value = arguments.positional[2]
    for item in known:
        value = scope.run.call_value(scope, arguments.positional[0], Arguments([value, item]), when)
    return value


def _fnmatch(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    text, pattern = arguments.positional if len(arguments.positional) == 2 else (OPAQUE, OPAQUE)
    if not isinstance(text, Read) or not isinstance(pattern, Const) or not isinstance(pattern.value, str):
        scope.run.may_raise(when)
        if not arguments.are_data():
            scope.run.effect(when, "matches an object that is not understood")
        return ANY_BOOL
    scope.run.may_raise(conj(when, operators.is_not_kind(text.subject, "str")))
    begin, end = patterns.glob_ends(pattern.value)
    return Truth(conj(operators.is_kind(text.subject, "str"), formula.of(text.subject, "starts", begin), formula.of(text.subject, "ends", end)), TRUE)


def _search(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    """`re.search`, `re.match` and `re.fullmatch`: there is no match without the fixed parts of the pattern."""
    pattern, text = arguments.positional[:2] if len(arguments.positional) >= 2 else (OPAQUE, OPAQUE)
    if not arguments.are_data():
        scope.run.effect(when, "matches an object that is not understood")
        return OPAQUE
    if not isinstance(pattern, Const) or not isinstance(text, Read):
        scope.run.may_raise(when)
        return UNKNOWN
    scope.run.may_raise(conj(when, operators.is_not_kind(text.subject, "str")))
    literal = "" if len(arguments.positional) > 2 or arguments.named else patterns.literal_of(pattern.value)
    found = conj(operators.is_kind(text.subject, "str"), formula.of(text.subject, "has", literal)) if literal else TRUE
    return choice([(found, FOUND), (TRUE, NONE)])


def _address(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    """`ip_address` and its like refuse anything but an address with a ValueError."""
    if not arguments.are_data() or len(arguments.positional) != 1:
        return _unsure(scope, arguments, when)
    scope.run.may_raise(when, ValueError)
    return UNKNOWN


def _type(_scope: Scope, arguments: Arguments, _when: Formula) -> Value:
    return UNKNOWN if len(arguments.positional) == 1 else OPAQUE


def _next(scope: Scope, arguments: Arguments, when: Formula) -> Value:
    value = arguments.positional[0] if arguments.positional else OPAQUE
    if isinstance(value, Iterated) and len(arguments.positional) == 2:
        return choice([(value.when, value.element), (TRUE, arguments.positional[1])])
    scope.run.may_raise(when)
    if isinstance(value, Iterated):
        return value.element
    if not is_data(value):
        scope.run.effect(when, "takes from an object that is not understood")
    return OPAQUE


_MODELS: dict[Any, Any] = {
    bool: _bool, len: _len, str: _str, any: _any, all: _all, isinstance: _isinstance, hasattr: _hasattr, getattr: _getattr, print: _print,
    enumerate: _counted, zip: _counted, range: _counted, min: _counted, max: _counted, sum: _counted, dict: _dict, map: _mapped,
    filter: _filtered, functools.reduce: _reduce, type: _type, next: _next,
    ipaddress.ip_address: _address, fnmatch.fnmatch: _fnmatch, re.search: _search, re.match: _search, re.fullmatch: _search,
}  # fmt: skip
