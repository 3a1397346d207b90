"""A policy document of AWS."""

from __future__ import annotations

from collections import defaultdict

from policyuniverse._actions import as_list
from policyuniverse.statement import Statement


class Policy:
    """The statements of one document, and what they say together."""

    def __init__(self, policy: dict) -> None:
        self.policy = policy
        self.statements = [Statement(item) for item in as_list(policy.get("Statement"))]

    @property
    def principals(self) -> set[str]:
        return {value for statement in self.statements for value in statement.principals}

    @property
    def condition_entries(self) -> set:
        return {entry for statement in self.statements for entry in statement.condition_entries}

    def whos_allowed(self) -> set:
        """Principals and conditions of the allowing statements, as (category, value)."""
        return {entry for statement in self.statements for entry in statement.whos_allowed()}

    def action_summary(self) -> dict[str, set]:
        """Categories of access by service, over all statements."""
        summary: dict[str, set] = defaultdict(set)
        for statement in self.statements:
            for service, categories in statement.action_summary().items():
                summary[service] |= categories
        return summary

    def is_internet_accessible(self) -> bool:
        """Whether any statement admits anybody on the internet."""
        return any(statement.is_internet_accessible() for statement in self.statements)

    def internet_accessible_actions(self) -> set[str]:
        """What anybody on the internet may do."""
        return {action for statement in self.statements if statement.is_internet_accessible() for action in statement.actions}
