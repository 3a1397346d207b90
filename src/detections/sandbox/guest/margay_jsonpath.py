"""JSONPath as data models and detections write it: names, indexes, slices, wildcards, descendants, filters."""

from __future__ import annotations

import re
from typing import Any

from margay_jsonpath_parts import (
    Condition, JSONPathError, Match, Path, child, descendants, fields, filter_path, index, named, ordered, root, slice_path, union, where,
)

_TOKENS = re.compile(
    r"\s*(?:(?P<name>`(?:[^`\\]|\\.)*`)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<op>\.\.|==|!=|<=|>=|=~|\?|[$@.*\[\](),:|&<>=/\\])|(?P<id>[A-Za-z_][\w@-]*))"
)


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > 2000:
            raise JSONPathError("a path has at most 2000 characters")
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text.rstrip()):
            found = _TOKENS.match(text, position)
            if found is None:
                raise JSONPathError(f"unexpected {text[position:position + 10]!r} in the path {text!r}")
            self.tokens.append((found.lastgroup or "", found[0].strip()))
            position = found.end()
        self.at = 0
        self.depth = 0

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ("end", "")

    def take(self, wanted: str | None = None) -> tuple[str, str]:
        token = self.peek()
        if token[0] == "end" or (wanted is not None and token != ("op", wanted)):
            expected = "something" if wanted is None else repr(wanted)
            raise JSONPathError(f"expected {expected}, found {token[1] or 'the end'!r} in the path {self.text!r}")
        self.at += 1
        return token

    def accept(self, *wanted: str) -> str | None:
        kind, value = self.peek()
        if kind == "op" and value in wanted:
            self.at += 1
            return value
        return None

    def whole(self) -> Path:
        path = self.expression()
        if self.peek()[0] != "end":
            raise JSONPathError(f"unexpected {self.peek()[1]!r} in the path {self.text!r}")
        return path

    def expression(self) -> Path:
        self.depth += 1
        if self.depth > 50:
            raise JSONPathError("a path is nested too deeply")
        path = self.chain()
        while True:
            if self.accept("|"):
                path = union(path, self.chain())
            elif self.peek() == ("id", "where"):
                self.at += 1
                path = where(path, self.chain())
            else:
                self.depth -= 1
                return path

    def chain(self) -> Path:
        path = self.primary()
        while True:
            if self.accept("."):
                path = child(path, self.primary())
            elif self.accept(".."):
                path = descendants(path, self.primary())
            elif self.peek() == ("op", "["):
                path = child(path, self.bracket())
            else:
                return path

    def primary(self) -> Path:
        kind, value = self.peek()
        if value == "[":
            return self.bracket()
        self.take()
        if value == "$":
            return Path("$", root)
        if value == "@":
            return named("this")
        if value == "(":
            inner = self.expression()
            self.take(")")
            return inner
        if kind == "name":
            return named(value[1:-1])
        if value == "*":
            return fields(["*"])
        if kind in ("id", "text", "number"):
            names = [_plain(value)]
            while self.peek() == ("op", ",") and self.peek(1)[0] in ("id", "text"):
                self.at += 1
                names.append(_plain(self.take()[1]))
            return fields(names)
        raise JSONPathError(f"unexpected {value!r} in the path {self.text!r}")

    def bracket(self) -> Path:
        self.take("[")
        kind, value = self.peek()
        if value == "?":
            self.at += 1
            path = self.filter()
        elif value in ("/", "\\"):
            path = self.ordering()
        elif value == "*":
            self.at += 1
            path = slice_path(None, None, None)
        elif kind in ("text", "id"):
            names = [_plain(self.take()[1])]
            while self.accept(","):
                names.append(_plain(self.take()[1]))
            path = fields(names)
        else:
            path = self.numbers()
        self.take("]")
        return path

    def numbers(self) -> Path:
        parts: list[int | None] = [None]
        while self.peek() != ("op", "]"):
            if self.accept(":"):
                parts.append(None)
                continue
            kind, value = self.take()
            if kind != "number" or "." in value or parts[-1] is not None:
                raise JSONPathError(f"{value!r} is no index in the path {self.text!r}")
            parts[-1] = int(value)
        if len(parts) == 1:
            if parts[0] is None:
                raise JSONPathError(f"an index is missing in the path {self.text!r}")
            return index(parts[0])
        if len(parts) > 3 or (len(parts) == 3 and parts[2] == 0):
            raise JSONPathError(f"a slice has a start, an end and a step that is not 0: {self.text!r}")
        return slice_path(parts[0], parts[1], parts[2] if len(parts) == 3 else None)

    def ordering(self) -> Path:
        keys = []
        while True:
            sign = self.accept("/", "\\")
            if sign is None:
                return ordered(keys)
            keys.append((self.chain(), sign == "\\"))
            self.accept(",")

    def filter(self) -> Path:
        has_parenthesis = self.accept("(") is not None
        alternatives = [[self.condition()]]
        while True:
            joiner = self.accept("&", "|")
            if joiner is None:
                break
            self.accept(joiner)  # "&&" and "||" are the same as "&" and "|"
            if joiner == "&":
                alternatives[-1].append(self.condition())
            else:
                alternatives.append([self.condition()])
        if has_parenthesis:
            self.take(")")
        return filter_path(alternatives)

    def condition(self) -> Condition:
        path = self.chain()
        operator = self.accept("==", "!=", "<=", ">=", "=~", "<", ">", "=")
        if operator is None:
            return Condition(path, None, None)
        kind, value = self.take()
        if kind == "number":
            wanted: Any = float(value) if "." in value else int(value)
        else:
            wanted = {"true": True, "false": False, "null": None}.get(value, _plain(value)) if kind == "id" else _plain(value)
        return Condition(path, operator, wanted)


def _plain(value: str) -> str:
    if value[:1] in "'\"" and len(value) > 1:
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def parse(text: str) -> Path:
    """Reads an expression. Raises JSONPathError naming what is wrong."""
    return _Parser(text).whole()
