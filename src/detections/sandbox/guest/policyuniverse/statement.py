"""One statement of a policy: whom it admits and under which conditions."""

from __future__ import annotations

import ipaddress
import re
from collections import namedtuple
from collections.abc import Mapping

from policyuniverse._actions import as_list
from policyuniverse.action_categories import categories_for_actions
from policyuniverse.arn import ARN
from policyuniverse.expander_minimizer import get_actions_from_statement

PrincipalTuple = namedtuple("Principal", "category value")
ConditionTuple = namedtuple("Condition", "category value")

_CATEGORIES = {
    "aws:sourcearn": "arn",
    "aws:principalarn": "arn",
    "aws:sourceowner": "account",
    "aws:sourceaccount": "account",
    "aws:principalaccount": "account",
    "kms:calleraccount": "account",
    "aws:userid": "userid",
    "aws:sourcevpc": "vpc",
    "aws:sourcevpce": "vpce",
    "aws:sourceip": "cidr",
    "aws:principalorgid": "organization",
    "aws:principalorgpaths": "organization",
}
# Negations and tests of something other than a value do not narrow down who the caller is.
_NARROWING = re.compile(
    r"(?:for(?:all|any)values?:)?(?:string(?:equals|like|equalsignorecase)|arn(?:equals|like)|ipaddress)(?:ifexists)?", re.IGNORECASE
)
_USER_ID = re.compile(r"[A-Z0-9]*[A-Z][A-Z0-9]*:[^:]+|A(?:ID|RO|SI)A[A-Z0-9]+")


def _narrowing_conditions(statement: dict) -> list[tuple[str, str]]:
    found = []
    for operator, keys in (statement.get("Condition") or {}).items():
        if _NARROWING.fullmatch(operator) and isinstance(keys, Mapping):
            found += [(key.lower(), str(value)) for key, values in keys.items() for value in as_list(values)]
    return found


class Statement:
    """A statement with its principals, actions and conditions as sets."""

    def __init__(self, statement: dict) -> None:
        self.statement = statement
        self.effect = statement.get("Effect")
        self.resources = set(as_list(statement.get("Resource")))
        self.principals = self._principals()
        self.actions = set(as_list(statement.get("Action")))
        self._conditions = _narrowing_conditions(statement)
        self.condition_entries = {
            ConditionTuple(category=_CATEGORIES[key], value=value) for key, value in self._conditions if key in _CATEGORIES
        }

    def _principals(self) -> set[str]:
        principal = self.statement.get("Principal")
        if isinstance(principal, Mapping):
            return {value for kind in ("AWS", "Service", "Federated") for value in as_list(principal.get(kind))}
        return set(as_list(principal))

    @property
    def actions_expanded(self) -> set[str]:
        return get_actions_from_statement(self.statement)

    def uses_not_principal(self) -> bool:
        """Whether the statement names whom it does not mean."""
        return "NotPrincipal" in self.statement

    def action_summary(self) -> dict[str, set]:
        """Categories of access by service."""
        return categories_for_actions(self.actions_expanded)

    def whos_allowed(self) -> set:
        """Principals and conditions together, as (category, value)."""
        if self.effect != "Allow":
            return set()
        return set(self.condition_entries) | {PrincipalTuple(category="principal", value=value) for value in self.principals}

    def _values(self, category: str) -> set[str]:
        return {entry.value for entry in self.condition_entries if entry.category == category}

    condition_arns = property(lambda self: self._values("arn"))
    condition_accounts = property(lambda self: self._values("account"))
    condition_userids = property(lambda self: self._values("userid"))
    condition_cidrs = property(lambda self: self._values("cidr"))
    condition_vpcs = property(lambda self: self._values("vpc"))
    condition_vpces = property(lambda self: self._values("vpce"))

    @property
    def condition_orgpaths(self) -> set[str]:
        return {value for key, value in self._conditions if key == "aws:principalorgpaths"}

    @property
    def condition_orgids(self) -> set[str]:
        paths = {value.split("/")[0] for value in self.condition_orgpaths}
        return paths | {value for key, value in self._conditions if key == "aws:principalorgid"}

    def is_condition_internet_accessible(self) -> bool:
        """Whether the conditions leave the door open to anybody; without any they do."""
        entries = self.condition_entries
        return not entries or any(_is_open(entry.category, entry.value) for entry in entries)

    def is_internet_accessible(self) -> bool:
        """Whether anybody on the internet may do what the statement allows."""
        if self.effect != "Allow" or not self.is_condition_internet_accessible():
            return False
        return self.uses_not_principal() or any(_is_open_arn(principal) for principal in self.principals)


def _is_open(category: str, value: str) -> bool:
    if category == "arn":
        return _is_open_arn(value)
    if category == "userid":
        return value == "*" or not _USER_ID.fullmatch(value) or "*" in value.split(":")[0]
    if category == "organization":
        return value == "o-*"
    if category != "cidr":
        return "*" in value
    try:
        return ipaddress.ip_network(value, strict=False).prefixlen == 0
    except ValueError:
        return False


def _is_open_arn(text: str) -> bool:
    if text == "*":
        return True
    arn = ARN(text)
    if arn.error:
        return str(text).startswith("arn:")
    if arn.tech == "s3":
        return False
    if arn.tech is not None and not arn.service and not arn.account_number and arn.arn.startswith("arn:"):
        return True
    return "*" in (arn.account_number or "")
