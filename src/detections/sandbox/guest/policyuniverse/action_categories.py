"""What kind of access an action gives: Read, List, Write, Permissions or Tagging."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from policyuniverse._actions import levels_by_service


def categories_for_actions(actions: Iterable[str]) -> dict[str, set]:
    """Categories by service; None stands for an action that is not known."""
    found: dict[str, set] = defaultdict(set)
    for action in actions:
        service, _, name = action.partition(":")
        found[service].add(levels_by_service().get(service, {}).get(name))
    return found


def actions_for_category(category: str) -> set[str]:
    """Every action of one category."""
    table = levels_by_service()
    return {f"{service}:{name}" for service, levels in table.items() for name, level in levels.items() if level == category}
