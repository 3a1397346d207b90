"""Methods of the event, of the views inside it and of its texts."""

from __future__ import annotations

from margay_index import formula, operators
from margay_index.arguments import Arguments
from margay_index.formula import TRUE, Formula, conj
from margay_index.run import Run
from margay_index.subject import EVENT, Subject, subject
from margay_index.value import ANY_BOOL, NONE, OPAQUE, UNKNOWN, Const, Iterated, Read, Truth, Value, choice, default_of, is_data

_TEXT_METHODS = {
    "split", "rsplit", "replace", "format", "find", "rfind", "index", "count", "title", "capitalize", "splitlines", "partition", "rpartition",
    "isdigit", "isalpha", "isalnum", "isnumeric", "isupper", "islower", "isspace", "encode", "lstrip", "rstrip", "casefold", "zfill", "join",
    "removeprefix", "removesuffix", "swapcase", "isascii", "isidentifier", "isprintable", "isdecimal", "ljust", "rjust", "center",
}  # fmt: skip


def event_method(run: Run, owner: Read, name: str, arguments: Arguments, when: Formula) -> Value:
    """A method call on something read from the event."""
    if not arguments.is_exact:
        run.may_raise(when)
        return UNKNOWN
    if not arguments.are_data():
        return _with_objects(run, name, when)
    about = owner.subject
    if name == "get":
        return _get(run, about, arguments, when)
    if name in ("deep_get", "deep_walk", "udm", "udm_path", "lookup", "event_time_epoch") and about is EVENT:
        return _of_event(run, name, arguments, when)
    if name in ("lower", "upper", "strip") and not arguments.positional:
        run.may_raise(conj(when, operators.is_not_kind(about, "str")))
        return Read(subject(name, about))
    if name in ("startswith", "endswith"):
        return _affix(run, about, name, arguments, when)
    if name in ("items", "keys", "values"):
        run.may_raise(conj(when, operators.is_not_kind(about, "map")))
        element = Read(subject("elem", about)) if name == "keys" else UNKNOWN
        return Iterated(element, conj(formula.of(about, "truthy"), operators.is_kind(about, "map")), True)
    if name in _TEXT_METHODS:
        run.may_raise(when if arguments.positional else conj(when, operators.is_not_kind(about, "str")))
        return UNKNOWN
    run.may_raise(when)
    return UNKNOWN if not name.startswith("_") else OPAQUE


def _with_objects(run: Run, name: str, when: Formula) -> Value:
    """A default that is a function or an object comes back out; nothing calls it here."""
    run.may_raise(when)
    if name in ("get", "deep_get", "deep_walk", "udm"):
        return OPAQUE
    run.effect(when, f"hands an object to {name}")
    return OPAQUE


def with_default(about: Subject, key: object, default: Value) -> Value:
    """`about.get(key, default)` where about is a mapping."""
    known = default_of(default)
    if known is not None:
        return Read(subject("get", about, key, known))
    has = [formula.of(about, "has", key, wanted=wanted) for wanted in (True, False)]
    return choice([(has[0], Read(subject("get", about, key, (None,)))), (has[1], default)])


def _get(run: Run, about: Subject, arguments: Arguments, when: Formula) -> Value:
    run.may_raise(conj(when, operators.is_not_kind(about, "map")))
    if not 1 <= len(arguments.positional) <= 2 or set(arguments.named) - {"default"}:
        run.may_raise(when)
        return UNKNOWN
    key = arguments.positional[0]
    default = arguments.positional[1] if len(arguments.positional) > 1 else arguments.named.get("default", NONE)
    if not isinstance(key, Const) or not isinstance(key.value, str):
        run.may_raise(when)
        return UNKNOWN if is_data(default) or default_of(default) is not None else OPAQUE
    return with_default(about, key.value, default)


def _path(arguments: Arguments) -> list[str] | None:
    keys = [value.value for value in arguments.positional if isinstance(value, Const) and isinstance(value.value, str)]
    return keys if len(keys) == len(arguments.positional) else None


def deep_read(about: Subject, keys: list[str], default: Value) -> Value:
    """`deep_get`: anything but a mapping on the way, or a final None, gives the default."""
    for key in keys:
        about = subject("get", about, key, (None,))
    known = default_of(default)
    if known is not None:
        return Read(about if known == (None,) else subject("ifnone", about, known))
    return choice([(formula.of(about, "in", None, wanted=False), Read(about)), (formula.of(about, "in", None), default)])


def _of_event(run: Run, name: str, arguments: Arguments, when: Formula) -> Value:
    default = arguments.named.get("default", NONE)
    keys = _path(arguments)
    if name == "event_time_epoch" and not arguments.positional:
        return UNKNOWN
    if keys is None or name in ("udm_path", "lookup", "event_time_epoch"):
        run.may_raise(when)
        return UNKNOWN if is_data(default) or default_of(default) is not None else OPAQUE
    if set(arguments.named) - ({"default"} if name != "deep_walk" else {"default", "return_val"}):
        run.may_raise(when)
        return OPAQUE
    if name == "deep_get":
        return deep_read(EVENT, keys, default)
    if name == "udm":
        return _udm(run, keys, default, when)
    return _walk(run, keys, default, arguments.named.get("return_val", Const("all")), when)


def _walk(run: Run, keys: list[str], default: Value, mode: Value, when: Formula) -> Value:
    known = default_of(default)
    if known is None or not isinstance(mode, Const) or mode.value not in ("first", "last", "all") or not keys:
        run.may_raise(when)
        return UNKNOWN if is_data(default) or known is not None else OPAQUE
    # A value that cannot be hashed, such as a list of mappings, makes the walk raise.
    run.may_raise(conj(when, formula.of(subject("reach", EVENT, tuple(keys), known, mode.value), "truthy")))
    return Read(subject("walk", EVENT, tuple(keys), known, mode.value))


def _udm(run: Run, keys: list[str], default: Value, when: Formula) -> Value:
    run.used_model = True
    fallback = choice_of_udm(keys, default)
    model = run.model
    if len(keys) != 1 or model is None:
        return fallback
    name = keys[0].lower()
    names = model.names.get(name)
    method = model.methods.get(name)
    if name in model.expressions or (names is not None and method is not None):
        run.may_raise(when)
        return UNKNOWN if is_data(default) else OPAQUE
    if names is not None:
        value: Value = Read(_chain(list(names)))
    elif method is not None:
        value = run.call_function(run, method, Arguments([Read(EVENT)]), when)
    else:
        return fallback
    return _unless_blank(value, default)


def _chain(steps: list[str]) -> Subject:
    about = EVENT
    for step in steps:
        about = subject("get", about, step, (None,))
    return about


def _unless_blank(value: Value, default: Value) -> Value:
    """The default stands for None and for an empty text."""
    if isinstance(value, Read):
        known = default_of(default)
        if known is not None:
            return Read(subject("ifblank", value.subject, known))
        blank = formula.of(value.subject, "in", None, "")
        return choice([(formula.of(value.subject, "in", None, "", wanted=False), value), (blank, default)])
    return choice([(TRUE, value), (TRUE, default)])


def choice_of_udm(keys: list[str], default: Value) -> Value:
    """Without a mapping: what enrichment put under p_udm, else the field of that name, else the default."""
    first = deep_read(EVENT, ["p_udm", *keys], NONE)
    second = deep_read(EVENT, keys, NONE)
    return choice([(first.truthy(), first), (conj(first.falsy(), second.truthy()), second), (conj(first.falsy(), second.falsy()), default)])


def _affix(run: Run, about: Subject, name: str, arguments: Arguments, when: Formula) -> Value:
    run.may_raise(conj(when, operators.is_not_kind(about, "str")))
    first = arguments.positional[0] if len(arguments.positional) == 1 else None
    known: tuple | None = None
    if isinstance(first, Const):
        known = (first.value,) if isinstance(first.value, str) else first.value if isinstance(first.value, tuple) else None
    if known is None or not all(isinstance(item, str) for item in known):
        run.may_raise(when)
        return ANY_BOOL
    test = "starts" if name == "startswith" else "ends"
    text = operators.is_kind(about, "str")
    return Truth(conj(text, formula.of(about, test, *known)), conj(text, formula.of(about, test, *known, wanted=False)))
