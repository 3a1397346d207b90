"""The part of the `pycountry` interface that detections use: countries and their subdivisions.

Written for this engine. The table (ISO 3166-1 and 3166-2) is made from a package when the bundle is built.
"""

from __future__ import annotations

import functools
import json
import os
import unicodedata
from collections.abc import Iterator
from typing import Any


@functools.cache
def _table() -> dict[str, list[dict[str, str]]]:
    with open(os.path.join(os.path.dirname(__file__), "table.json"), encoding="utf-8") as file:
        return json.load(file)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).strip().lower()


class _Entry:
    """One row; a field that the row does not have raises AttributeError."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def __getattr__(self, name: str) -> str:
        try:
            return self.__dict__["_fields"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __dir__(self) -> list[str]:
        return sorted(self._fields)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields.items())

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in sorted(self._fields.items()))
        return f"{type(self).__name__.lstrip('_')}({fields})"


class Country(_Entry):
    """A country of ISO 3166-1."""


class Subdivision(_Entry):
    """A part of a country, of ISO 3166-2."""

    @property
    def country(self) -> Country | None:
        return countries.get(alpha_2=self._fields["country_code"])

    @property
    def parent(self) -> "Subdivision | None":
        return subdivisions.get(code=self._fields["parent_code"]) if self._fields.get("parent_code") else None


class _Collection:
    """Rows, found by any of their fields without regard to case."""

    def __init__(self, name: str, kind: type[_Entry], keys: tuple[str, ...]) -> None:
        self._name, self._kind, self._keys = name, kind, keys

    @functools.cached_property
    def _rows(self) -> list[Any]:
        return [self._kind(fields) for fields in _table()[self._name]]

    @functools.cached_property
    def _by_key(self) -> dict[str, dict[str, Any]]:
        tables: dict[str, dict[str, Any]] = {key: {} for key in self._keys}
        for row in self._rows:
            for key in self._keys:
                if key in row._fields:
                    tables[key].setdefault(row._fields[key].lower(), row)
        return tables

    def get(self, *, default: Any = None, **wanted: str | None) -> Any:
        """The row whose one given field has that value."""
        if len(wanted) != 1:
            raise TypeError("Only one criteria may be given")
        ((key, value),) = wanted.items()
        if value is None:
            return default
        if not isinstance(value, str):
            raise LookupError()
        if key == "country_code":
            return [row for row in self._rows if row._fields["country_code"].lower() == value.lower()] or default
        return self._by_key.get(key, {}).get(value.lower(), default)

    def lookup(self, value: str) -> Any:
        """The row of which any field has that value. Raises LookupError."""
        if not isinstance(value, str):
            raise LookupError()
        wanted = value.strip().lower()
        for key in self._keys:
            found = self._by_key[key].get(wanted)
            if found is not None:
                return found
        raise LookupError(f"Could not find a record for {value!r}")

    def search_fuzzy(self, query: str) -> list[Any]:
        """Rows whose name or code fits, best first. Raises LookupError when none does."""
        wanted = _folded(query)
        exact = [row for row in self._rows if wanted in (_folded(value) for value in row._fields.values())]
        partial = [row for row in self._rows if wanted in _folded(row._fields.get("name", "")) and row not in exact]
        if not wanted or not (exact or partial):
            raise LookupError(query)
        return exact + partial

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


countries = _Collection("countries", Country, ("alpha_2", "alpha_3", "numeric", "name", "official_name", "flag"))
subdivisions = _Collection("subdivisions", Subdivision, ("code", "name"))
