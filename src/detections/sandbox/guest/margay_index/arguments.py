"""Arguments of a call."""

from __future__ import annotations

from typing import Any

from margay_index.value import Const, Items, Iterated, Pairs, Value, is_data, is_plain


class Arguments:
    """Positional and named values; `is_exact` is False when stars hide how many there are."""

    def __init__(self, positional: list[Value], named: dict[str, Value] | None = None, is_exact: bool = True) -> None:
        self.positional = positional
        self.named = named or {}
        self.is_exact = is_exact

    def all(self) -> list[Value]:
        return [*self.positional, *self.named.values()]

    def after(self, first: Value) -> Arguments:
        """The same with one more in front."""
        return Arguments([first, *self.positional], self.named, self.is_exact)

    def are_data(self) -> bool:
        """Whether nothing among them has behaviour of its own."""
        return all(holds_data(value) for value in self.all())

    def constants(self) -> list[Any] | None:
        """The Python values, when all are known and positional."""
        if self.named or not self.is_exact or not all(isinstance(value, Const) and is_plain(value.value) for value in self.positional):
            return None
        return [value.value for value in self.positional if isinstance(value, Const)]


def holds_data(value: Value) -> bool:
    """Data, or a collection of data that the rule built."""
    if is_data(value):
        return True
    if isinstance(value, Items):
        return all(holds_data(item) for item in value.elements)
    if isinstance(value, Pairs):
        return all(holds_data(item) for item in value.entries.values())
    return isinstance(value, Iterated) and holds_data(value.element)
