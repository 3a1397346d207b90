"""One detection: its matcher, and the functions that describe a match."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from json.encoder import c_make_encoder, encode_basestring_ascii
from typing import Any

from margay_errors import TEXT_MAX, FunctionReturnTypeError, truncate
from margay_event import content_of
from margay_modules import module_from

SEVERITIES = ("INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL")
CONTEXT_MAX = 200 * 1024
DESTINATIONS_MAX = 10
# Functions whose answer is taken as it is.
_TEXTS = frozenset(("title", "description", "reference", "runbook", "dedup"))
# Keys of a match in an answer, by function; those that have no part in the title, the dedup string or the severity.
_DETAILS = {"description": "description", "reference": "reference", "runbook": "runbook", "destinations": "destinations", "alert_context": "alertContext", "unique": "unique"}


class _ContextEncoder:
    """`json.JSONEncoder.encode`, which makes an encoder for each call, with one that is kept: contexts are small."""

    def __init__(self) -> None:
        self._chunks = self._made()

    @staticmethod
    def _made() -> Any:
        # What stands in the first dict is being encoded: so a value that holds itself is noticed.
        return c_make_encoder({}, content_of, encode_basestring_ascii, None, ": ", ", ", False, False, False)

    def encode(self, value: Mapping) -> str:
        try:
            return "".join(self._chunks(value, 0))
        except BaseException:
            self._chunks = self._made()
            raise


_encode_context = _ContextEncoder().encode


def _defaulted_dedup(rule_id: str) -> str:
    return f"defaultDedupString:{rule_id}"


class Rule:
    """One detection: its module, its matcher and the functions that describe a match."""

    FUNCTIONS = ("title", "description", "reference", "severity", "runbook", "destinations", "dedup", "alert_context", "unique")

    def __init__(self, number: int, spec: dict[str, Any]) -> None:
        self.number = number
        self.id: str = spec["id"]
        self.name: str = spec.get("displayName") or self.id
        self.severity: str = spec["severity"]
        self.kind: str = spec.get("kind", "rule")
        # What the matcher returns when there is something to alert on.
        self.alert_value = self.kind != "policy"
        self.log_types: list[str] = spec["logTypes"]
        self.module = module_from(self.id.replace("/", "_"), spec["body"], spec.get("file"))
        self.matcher = self._matcher()
        self.described_by = tuple((name, function, self.checker(name), name in _TEXTS) for name, function in self.functions().items())
        # Of the batch at work; time is taken of some events only.
        self.runs = self.nanoseconds = self.matched = self.errors = 0

    @property
    def matcher_name(self) -> str:
        return "policy" if self.kind == "policy" else "rule"

    def _matcher(self) -> Any:
        matcher = getattr(self.module, self.matcher_name, None)
        if matcher is None and self.kind == "scheduled_rule":
            return lambda _event: True  # the query has chosen the rows already
        if not callable(matcher):
            raise AttributeError(f"detection [{self.id}] has no function named {self.matcher_name}")
        return matcher

    def functions(self) -> dict[str, Any]:
        return {name: getattr(self.module, name) for name in self.FUNCTIONS if callable(getattr(self.module, name, None))}

    def wrong_type(self, name: str, value: Any, expected: str) -> FunctionReturnTypeError:
        return FunctionReturnTypeError(
            f"detection [{self.id}] function [{name}] returned [{type(value).__name__}], expected {expected}",
            getattr(self.module, name, None),
        )

    def matches(self, event: Any) -> bool:
        """Runs the matcher. Anything but exactly a bool is an error."""
        result = self.matcher(event)
        if result is True or result is False:
            return result
        raise self.wrong_type(self.matcher_name, result, "[bool]")

    def text(self, name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong_type(name, value, "[str]")
        return truncate(value)

    def severity_of(self, value: Any) -> str:
        severity = self.text("severity", value).upper()
        if severity == "DEFAULT":
            return self.severity
        if severity not in SEVERITIES:
            raise ValueError(f"detection [{self.id}] function [severity] returned [{severity[:50]}], expected one of {', '.join(SEVERITIES)}")
        return severity

    def destinations_of(self, value: Any) -> list[str] | None:
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, (str, bool)) for item in value):
            raise self.wrong_type("destinations", value, "a list")
        names = list(dict.fromkeys(item for item in value if isinstance(item, str)))
        return names[:DESTINATIONS_MAX] if names else ["SKIP"]

    def context_of(self, value: Any) -> str:
        # Asking whether something is a Mapping costs as much as a small context.
        if type(value) is not dict and not isinstance(value, Mapping):
            raise self.wrong_type("alert_context", value, "[Mapping]")
        text = _encode_context(value)
        if len(text) > CONTEXT_MAX:
            note = f"alert_context size is [{len(text)}] characters, bigger than maximum of [{CONTEXT_MAX}] characters"
            return json.dumps({"_error": note})
        return text

    def unique_of(self, value: Any) -> str | None:
        return None if value is None else truncate(str(value))

    def checker(self, name: str) -> Callable[[Any], Any]:
        """Makes what a function that describes a match returned into what an alert may say, or raises."""
        special = {"severity": self.severity_of, "destinations": self.destinations_of, "alert_context": self.context_of, "unique": self.unique_of}
        return special.get(name) or partial(self.text, name)

    def describe_match(self, event: Any) -> dict[str, Any]:
        """Output of every auxiliary function. A failing one falls back and never suppresses the match."""
        found: dict[str, Any] = {}
        for name, function, check, is_text in self.described_by:
            try:
                value = function(event)
                # Nearly every text is as it should be.
                found[name] = value if is_text and type(value) is str and len(value) <= TEXT_MAX else check(value)
            except Exception as error:
                if name == "title":
                    found[name] = self.id
                elif name == "dedup":
                    found[name] = _defaulted_dedup(self.id)
                elif name == "unique":
                    found[name] = truncate(str(event.get("p_row_id")))  # counted as the event it is
                elif name == "alert_context":
                    found[name] = json.dumps({"_error": truncate(repr(error))})
        if "unique" in found:
            found["unique"] = found["unique"] or ""
        title = found.get("title") or self.name
        match = {
            "title": title,
            "dedup": found.get("dedup") or (found.get("title") if "dedup" not in found else None) or _defaulted_dedup(self.id),
            "severity": found.get("severity", self.severity),
        }
        for name, value in found.items():
            if value is not None and name in _DETAILS:
                match[_DETAILS[name]] = value
        return match
