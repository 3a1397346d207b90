"""Unit tests of a detection, with its mocks."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any
from unittest import mock

from margay_content import Content
from margay_errors import describe
from margay_event import PantherEvent
from margay_rule import Rule


def run_tests(content: Content, request: dict[str, Any]) -> dict[str, Any]:
    rule = content.rules.get(request["rule"])
    if rule is None:
        return {"results": []}
    return {"results": [_run_test(content, rule, test) for test in request["tests"]]}


PRINTED_MAX = 20_000


class _Printed(io.StringIO):
    """What a detection prints, as much of it as anybody reads."""

    def write(self, text: str) -> int:
        if self.tell() < PRINTED_MAX:
            super().write(text[:PRINTED_MAX])
        return len(text)


def _event_of(content: Content, rule: Rule, raw: dict[str, Any]) -> Any:
    """Policies see the plain resource. The log type of the test, not of the rule, chooses the data model."""
    if rule.kind == "policy":
        return raw
    model = None if rule.kind == "scheduled_rule" else content.models.get(raw.get("p_log_type", ""))
    return PantherEvent(raw, model)


def _run_test(content: Content, rule: Rule, test: dict[str, Any]) -> dict[str, Any]:
    patches = []
    try:
        raw = json.loads(test["event"])
        if not isinstance(raw, dict):
            raise TypeError("the event of a test must be an object")
        event = _event_of(content, rule, raw)
        for item in test["mocks"]:
            patch = mock.patch.object(rule.module, item["objectName"], mock.MagicMock(return_value=item["returnValue"]))
            patch.start()
            patches.append(patch)
        printed = _Printed()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            result = _run_functions(rule, event, test)
        return {**result, "printed": printed.getvalue()[:PRINTED_MAX]}
    except Exception as error:
        return {"name": test["name"], "passed": False, "error": describe(error), "output": None, "functions": {}}
    finally:
        for patch in reversed(patches):
            patch.stop()


def _run_functions(rule: Rule, event: Any, test: dict[str, Any]) -> dict[str, Any]:
    """Unlike in production, every function runs, and any that raises fails a test that expects an alert."""
    outcome: dict[str, Any] = {}
    output: bool | None = None
    try:
        output = rule.matches(event)
        outcome[rule.matcher_name] = {"output": json.dumps(output)}
    except Exception as error:
        outcome[rule.matcher_name] = {"error": describe(error)}
    for name, function in rule.functions().items():
        try:
            value = rule.checker(name)(function(event))
            outcome[name] = {"output": value if isinstance(value, str) else json.dumps(value)}
        except Exception as error:
            outcome[name] = {"error": describe(error)}
    is_clean = not any("error" in item for item in outcome.values())
    passed = output is test["expectedResult"] and (is_clean or test["expectedResult"] != rule.alert_value)
    return {"name": test["name"], "passed": passed, "error": None, "output": output, "functions": outcome}
