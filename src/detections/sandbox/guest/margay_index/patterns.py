"""What a text must contain to match a constant pattern."""

from __future__ import annotations

import re
import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from re import _constants, _parser  # type: ignore[attr-defined]

_WILDCARDS = re.compile(r"[*?\[]")


def glob_ends(pattern: str) -> tuple[str, str]:
    """The fixed beginning and end of a glob. Without a wildcard both are the whole."""
    first = _WILDCARDS.search(pattern)
    if first is None:
        return pattern, pattern
    if "[" in pattern:
        return pattern[: first.start()], ""
    last = max(pattern.rfind("*"), pattern.rfind("?"))
    return pattern[: first.start()], pattern[last + 1 :]


def literal_of(pattern: Any) -> str:
    """A text that every match of a regular expression contains; empty when none is known."""
    compiled = pattern if isinstance(pattern, re.Pattern) else None
    text = compiled.pattern if compiled is not None else pattern
    if not isinstance(text, str) or (compiled is not None and compiled.flags & (re.IGNORECASE | re.LOCALE | re.VERBOSE)):
        return ""
    try:
        parsed = _parser.parse(text)
    except Exception:
        return ""
    if parsed.state.flags & (re.IGNORECASE | re.LOCALE | re.VERBOSE):
        return ""
    return _longest(parsed)


def _longest(parsed: Any) -> str:
    best, current = "", ""
    for op, argument in parsed:
        if op is _constants.LITERAL:
            current += chr(argument)
            continue
        best, current = max(best, current, key=len), ""
        if op is _constants.SUBPATTERN and not argument[1] and not argument[2]:
            best = max(best, _longest(argument[3]), key=len)
        elif op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and argument[0] >= 1:
            best = max(best, _longest(argument[2]), key=len)
    return max(best, current, key=len)
