"""The table of AWS actions: service prefix to action to access level, all in lower case."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Sequence, Set


@functools.cache
def levels_by_service() -> dict[str, dict[str, str]]:
    """Read on first use: most tenants have no content that asks."""
    with open(os.path.join(os.path.dirname(__file__), "actions.json"), encoding="utf-8") as file:
        return json.load(file)


@functools.cache
def all_actions() -> frozenset[str]:
    """Every action as `service:action`."""
    return frozenset(f"{service}:{action}" for service, actions in levels_by_service().items() for action in actions)


def as_list(value: object) -> list:
    """A policy may hold one value or a list of them."""
    if value is None:
        return []
    is_many = isinstance(value, (Sequence, Set)) and not isinstance(value, (str, bytes))
    return list(value) if is_many else [value]
