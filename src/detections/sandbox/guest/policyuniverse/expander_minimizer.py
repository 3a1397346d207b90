"""Writes wildcards of policies out into actions, and actions back into the shortest wildcards."""

from __future__ import annotations

import copy
import fnmatch
from collections.abc import Mapping

from policyuniverse._actions import all_actions, as_list


def _expand(action: str) -> set[str]:
    if "*" not in action and "?" not in action:
        return {action.lower()}
    pattern = action.lower()
    found = {known for known in all_actions() if fnmatch.fnmatchcase(known, pattern)}
    return found or {pattern}


def get_actions_from_statement(statement: dict) -> set[str]:
    """Every action that a statement names, with wildcards and NotAction written out."""
    actions: set[str] = set()
    for action in as_list(statement.get("Action")):
        actions |= _expand(action)
    excluded: set[str] = set()
    for action in as_list(statement.get("NotAction")):
        excluded |= _expand(action)
    return actions | (set(all_actions()) - excluded) if excluded else actions


def expand_policy(policy: dict | None = None, expand_deny: bool = False) -> dict:
    """A copy of the policy whose wildcards are written out; denying statements are left as they are."""
    result = copy.deepcopy(policy or {})
    is_single = isinstance(result.get("Statement"), Mapping)
    statements = as_list(result.get("Statement"))
    for statement in statements:
        if str(statement.get("Effect", "")).lower() == "deny" and not expand_deny:
            continue
        actions = get_actions_from_statement(statement)
        statement.pop("NotAction", None)
        statement["Action"] = sorted(actions)
    result["Statement"] = [statements[0]] if is_single else statements
    return result


def _shortest_prefix(action: str, unwanted: list[str], minimum: int) -> str:
    service, _, name = action.partition(":")
    for length in range(minimum, len(name)):
        prefix = f"{service}:{name[:length]}"
        if not any(other.startswith(prefix) for other in unwanted):
            return f"{prefix}*"
    return action


def minimize_statement_actions(statement: dict, minchars: int | None = None) -> list[str]:
    """The fewest wildcards that cover exactly the actions of an allowing statement."""
    if statement.get("Effect") != "Allow":
        raise Exception("Minification does not currently work on Deny statements.")
    wanted = get_actions_from_statement(statement)
    unwanted_by_service: dict[str, list[str]] = {}
    for known in all_actions() - wanted:
        unwanted_by_service.setdefault(known.partition(":")[0], []).append(known)
    found = {
        _shortest_prefix(action, unwanted_by_service.get(action.partition(":")[0], []), minchars or 0) for action in wanted
    }
    return sorted(found)


def minimize_policy(policy: dict | None = None, minchars: int | None = None) -> dict:
    """A copy of the policy with the fewest wildcards in each statement."""
    result = copy.deepcopy(policy or {})
    for statement in as_list(result.get("Statement")):
        statement["Action"] = minimize_statement_actions(statement, minchars)
        statement.pop("NotAction", None)
    return result
