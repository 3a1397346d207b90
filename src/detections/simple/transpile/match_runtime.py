"""Match expressions of a detection written in YAML, evaluated as Margay does. What is missing counts as null."""

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence

MISSING = object()
TEXT_MAX = 1000
TAIL = "... (truncated)"


def is_list(value):
    """Whether a value is a list as events hold them."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def is_number(value):
    """Whether a value is a number; truth values are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def plain(value):
    """A value as dictionaries and lists that JSON knows."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if is_list(value) else value


def same(left, right):
    """Equality of JSON values: 1 and 1.0 are equal, "1" and 1 or True and 1 are not."""
    if is_number(left) or is_number(right):
        return is_number(left) and is_number(right) and left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return plain(left) == plain(right)


def member(value, name):
    """The value of a key, whatever its case."""
    if not isinstance(value, Mapping):
        return MISSING
    if name in value:
        return value[name]
    return next((value[key] for key in value if key.lower() == name.lower()), MISSING)


def element(value, index):
    """An element of a list, counted from its end when negative."""
    if not is_list(value) or not -len(value) <= index < len(value):
        return MISSING
    return value[index]


def follow(value, steps):
    """The value at the end of keys, indexes and `*`, which gathers those of all elements."""
    for position, step in enumerate(steps):
        if step == "*":
            found = [follow(item, steps[position + 1 :]) for item in value] if is_list(value) else []
            return [item for item in found if item is not MISSING] or MISSING
        value = element(value, step) if isinstance(step, int) else member(value, step)
        if value is MISSING:
            return MISSING
    return value


def path_steps(text):
    """Steps of `a.b[2].c` or `a[*].b`."""
    found = re.findall(r"(?:^|\.)([^.\[\]]+)|\[(\*|-?\d+)\]", text)
    return [name or (index if index == "*" else int(index)) for name, index in found]


def steps_of(key):
    """Steps of whichever key an expression has, or nothing."""
    if "Key" in key:
        return [key["Key"]]
    return key.get("DeepKey") or ("KeyPath" in key and path_steps(key["KeyPath"])) or []


def value_of(key, event):
    """The value of a key, or null."""
    value = follow(event, steps_of(key))
    return None if value is MISSING else value


def enriched(expression, event):
    """A field of the row, or of the rows, that a table has for the event."""
    spec = expression["Enrichment"]
    row = follow(event, ["p_enrichment", spec["Table"], spec["Selector"]])
    if is_list(row):
        values = [follow(item, path_steps(spec["FieldPath"])) for item in row]
        return [None if value is MISSING else value for value in values]
    return follow(row, path_steps(spec["FieldPath"]))


def located(expression, event):
    """What an expression looks at: a field of the event, or of rows that a table has for it."""
    return enriched(expression, event) if "Enrichment" in expression else follow(event, steps_of(expression))


def folded(value):
    """A text in lower case, or the texts of a list."""
    if is_list(value):
        return [item.lower() if isinstance(item, str) else item for item in value]
    return value.lower() if isinstance(value, str) else value


def contains(value, wanted):
    """A text within a text, or an element of a list."""
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    return is_list(value) and any(same(item, wanted) for item in value)


def on_texts(test):
    """A test of two texts; anything else fails it."""
    return lambda value, wanted: isinstance(value, str) and isinstance(wanted, str) and test(value, wanted)


def on_numbers(test):
    """A test of two numbers; anything else fails it."""
    return lambda value, wanted: is_number(value) and is_number(wanted) and test(value, wanted)


def address_of(value):
    """The address that a text is, or nothing. An IPv4 address inside an IPv6 one counts as IPv4."""
    try:
        address = ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def version_of(value):
    """4 or 6 as the text is written, 0 for no address."""
    return 0 if address_of(value) is None else 6 if ":" in value else 4


def in_network(value, network):
    """An address within a network."""
    address = address_of(value)
    return address is not None and address in ipaddress.ip_network(network, strict=False)


def is_public(value):
    """An address that others on the Internet can reach."""
    address = address_of(value)
    return address is not None and address.is_global and not address.is_multicast


def is_empty(value):
    """Null, or nothing in it."""
    return value is None or value == "" or (isinstance(value, (Mapping, Sequence)) and len(value) == 0)


PLAIN = {
    "Equals": same,
    "Contains": contains,
    "StartsWith": on_texts(str.startswith),
    "EndsWith": on_texts(str.endswith),
}
POSITIVE = {
    **PLAIN,
    **{f"I{name}": (lambda test: lambda value, wanted: test(folded(value), folded(wanted)))(test) for name, test in PLAIN.items()},
    "Has": lambda value, wanted: is_list(value) and any(same(item, wanted) for item in value),
    "IsIn": lambda value, wanted: any(same(value, item) for item in wanted),
    "IsIPAddressInCIDR": in_network,
    "IsGreaterThan": on_numbers(lambda value, wanted: value > wanted),
    "IsGreaterThanOrEquals": on_numbers(lambda value, wanted: value >= wanted),
    "IsGreaterThanOrEqual": on_numbers(lambda value, wanted: value >= wanted),
    "IsLessThan": on_numbers(lambda value, wanted: value < wanted),
    "IsLessThanOrEquals": on_numbers(lambda value, wanted: value <= wanted),
    "IsLessThanOrEqual": on_numbers(lambda value, wanted: value <= wanted),
    "IsNotNull": lambda value, _: value is not None,
    "IsNotNullOrEmpty": lambda value, _: not is_empty(value),
    "IsIPAddress": lambda value, _: version_of(value) > 0,
    "IsIPv4Address": lambda value, _: version_of(value) == 4,
    "IsIPv6Address": lambda value, _: version_of(value) == 6,
    "IsIPAddressPublic": lambda value, _: is_public(value),
    "IsIPAddressPrivate": lambda value, _: version_of(value) > 0 and not is_public(value),
}
NEGATED = {
    "DoesNotEqual": "Equals",
    "DoesNotIEqual": "IEquals",
    "DoesNotContain": "Contains",
    "DoesNotStartWith": "StartsWith",
    "DoesNotEndWith": "EndsWith",
    "DoesNotIContain": "IContains",
    "DoesNotIStartWith": "IStartsWith",
    "DoesNotIEndWith": "IEndsWith",
    "DoesNotHave": "Has",
    "IsNotIn": "IsIn",
    "IsNull": "IsNotNull",
    "IsNullOrEmpty": "IsNotNullOrEmpty",
    "IsIPAddressNotInCIDR": "IsIPAddressInCIDR",
}
ELEMENTS = {
    "AllElements": lambda matching, count: matching == count,
    "AnyElement": lambda matching, count: matching > 0,
    "NoElement": lambda matching, count: matching == 0,
    "OnlyOneElement": lambda matching, count: matching == 1,
}
COMBINATORS = {
    "All": all,
    "Any": any,
    "OnlyOne": lambda answers: sum(answers) == 1,
    "None": lambda answers: not any(answers),
}


def test(condition, value, wanted):
    """What a condition says about a value."""
    if condition in NEGATED:
        return not POSITIVE[NEGATED[condition]](value, wanted)
    return POSITIVE[condition](value, wanted)


def tested(expression, condition, event):
    """A condition on one value; on several, a negation must hold for all, anything else for one."""
    value = located(expression, event)
    if condition in ("Exists", "DoesNotExist"):
        return (value is not MISSING) == (condition == "Exists")
    value = None if value is MISSING else value
    wanted = expression.get("Values", expression.get("Value"))
    is_spread = "Enrichment" in expression or "[*]" in expression.get("KeyPath", "")
    if is_spread and is_list(value) and condition not in ("Has", "DoesNotHave"):
        answers = [test(condition, item, wanted) for item in value]
        return all(answers) if condition in NEGATED else any(answers)
    return test(condition, value, wanted)


def holds(expression, event):
    """Whether one match expression is true of an event."""
    for name, combine in COMBINATORS.items():
        if name in expression:
            return combine([holds(part, event) for part in expression[name]])
    condition = expression["Condition"]
    if condition in ("AlwaysTrue", "AlwaysFalse"):
        return condition == "AlwaysTrue"
    if condition in ELEMENTS:
        value = located(expression, event)
        items = value if is_list(value) else []
        matching = [item for item in items if every(expression["Expressions"], item)]
        return ELEMENTS[condition](len(matching), len(items))
    if not steps_of(expression) and "Enrichment" not in expression:
        left, right = expression["Values"]
        return test(condition, value_of(left, event), value_of(right, event))
    return tested(expression, condition, event)


def every(expressions, event):
    """Whether all match expressions are true of an event."""
    return all(holds(expression, event) for expression in expressions)


def text_of(value):
    """A value as text in a title or a dedup string."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)


def cut(text):
    """A text of at most a thousand characters."""
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - len(TAIL)] + TAIL
