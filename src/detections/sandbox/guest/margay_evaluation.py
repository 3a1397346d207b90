"""Runs rules over a batch of records."""

from __future__ import annotations

import gc
import json
import time
from typing import Any

from margay_content import Content
from margay_errors import FunctionReturnTypeError, describe
from margay_event import PantherEvent
from margay_rule import Rule

PROGRESS_FILE = "/margay/progress"
ERRORS_PER_RULE_MAX = 20
# One of so many events has the time of each rule measured: reading the clock costs as much as a small rule.
TIMED_EVENT_STRIDE = 32
# The garbage collector is off while a batch runs.
COLLECT_AFTER_BATCHES = 16


class Evaluation:
    """The content of one tenant at work."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.batches = 0

    def evaluate(self, request: dict[str, Any], records: bytes) -> dict[str, Any]:
        """Every rule of the log type over every record. With `trace`, says before each call which one it is."""
        log_type = request["logType"]
        skipped = set(request.get("skip", ()))
        rules = [rule for rule in self.content.by_log_type.get(log_type, ()) if rule.number not in skipped]
        for rule in rules:
            rule.errors = 0
            rule.statistics = [0, 0, 0, 0]
        run = self._traced if request.get("trace") else self._plain
        matches: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        run(rules, records, self.content.models.get(log_type), matches, errors)
        self.batches += 1
        if self.batches % COLLECT_AFTER_BATCHES == 0:
            gc.collect()
        return {
            "matches": matches,
            "errors": errors,
            "statistics": [[rule.number, *rule.statistics] for rule in rules],
        }

    def _plain(self, rules, records, model, matches, errors) -> None:
        loads = json.loads
        clock = time.perf_counter_ns
        for index, line in enumerate(records.split(b"\n")):
            if not line:
                continue
            event = PantherEvent(loads(line), model)
            is_timed = index % TIMED_EVENT_STRIDE == 0
            for rule in rules:
                started = clock() if is_timed else 0
                try:
                    if rule.matches(event):
                        rule.statistics[2] += 1
                        matches.append({"record": index, "rule": rule.number, **rule.describe_match(event)})
                except Exception as error:
                    self._note(rule, index, error, errors)
                if is_timed:
                    rule.statistics[1] += clock() - started
        for rule in rules:
            rule.statistics[0] += records.count(b"\n")

    def _traced(self, rules, records, model, matches, errors) -> None:
        with open(PROGRESS_FILE, "wb", buffering=0) as progress:
            for index, line in enumerate(records.split(b"\n")):
                if not line:
                    continue
                event = PantherEvent(json.loads(line), model)
                for rule in rules:
                    progress.write(rule.number.to_bytes(4, "little") + index.to_bytes(4, "little"))
                    try:
                        if rule.matches(event):
                            rule.statistics[2] += 1
                            matches.append({"record": index, "rule": rule.number, **rule.describe_match(event)})
                    except Exception as error:
                        self._note(rule, index, error, errors)
        for rule in rules:
            rule.statistics[0] += records.count(b"\n")

    def _note(self, rule: Rule, index: int, error: BaseException, errors: list) -> None:
        """A rule that fails on every event says so a few times; the count is complete."""
        rule.statistics[3] += 1
        rule.errors += 1
        if rule.errors <= ERRORS_PER_RULE_MAX:
            kind = "return_type" if isinstance(error, FunctionReturnTypeError) else "memory" if isinstance(error, MemoryError) else "exception"
            errors.append({"record": index, "rule": rule.number, "kind": kind, **describe(error)})
