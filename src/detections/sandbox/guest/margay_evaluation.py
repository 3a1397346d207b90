"""Runs rules over a batch of records."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from typing import Any

from margay_content import Content
from margay_errors import FunctionReturnTypeError, describe
from margay_event import DataModel, PantherEvent
from margay_index.plan import Index
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
        self.index = Index(content)
        self.batches = 0

    def evaluate(self, request: dict[str, Any], records: bytes) -> dict[str, Any]:
        """Rules of the log type over records: all over each, or those that the host's index left.

        With `trace`, says before each call which one it is.
        """
        log_type = request["logType"]
        skipped = set(request.get("skip", ()))
        rules = [rule for rule in self.content.by_log_type.get(log_type, ()) if rule.number not in skipped]
        for rule in rules:
            rule.errors = 0
            rule.runs = rule.nanoseconds = rule.matched = 0
        work = Work(rules, records, request.get("candidates"), self.content.models.get(log_type))
        work.withheld = {number: frozenset(held) for number, held in request.get("withheld", ())}
        if request.get("trace"):
            _run_traced(work)
        else:
            _run(work)
        self.batches += 1
        if self.batches % COLLECT_AFTER_BATCHES == 0:
            gc.collect()
        return {
            "matches": work.matches,
            "errors": work.errors,
            "statistics": [[rule.number, rule.runs, rule.nanoseconds, rule.matched, rule.errors] for rule in rules if rule.runs],
        }


def _read(records: bytes, count: int) -> list[Any]:
    """So many records as one JSON list: its objects then share their keys, which makes reading and finding them faster."""
    found = json.loads(records)
    if len(found) != count:
        raise ValueError("a line of the records is not one JSON value")
    return found


class Work:
    """One batch: which records, and which rules for each. Records are lines, or one JSON list where candidates are given."""

    def __init__(self, rules: list[Rule], records: bytes, candidates: dict[str, Any] | None, model: DataModel | None) -> None:
        self.rules = rules
        self.records = records
        self.candidates = candidates
        self.model = model
        # By the number of a rule, the records that its filters keep from it.
        self.withheld: dict[int, frozenset[int]] = {}
        self.matches: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    def steps(self) -> Iterator[tuple[int, PantherEvent, list[Rule]]]:
        """Number of the record, the event, and its rules."""
        model = self.model
        if self.candidates is None:
            for index, record in self._parsed():
                yield index, PantherEvent(record, model), self.rules
            return
        by_number = {rule.number: rule for rule in self.rules}
        sets = [[by_number[number] for number in numbers if number in by_number] for numbers in self.candidates["sets"]]
        numbers, chosen = self.candidates["records"], self.candidates["chosen"]
        for number, choice, record in zip(numbers, chosen, _read(self.records, len(numbers))):
            yield number, PantherEvent(record, model), sets[choice]

    def _parsed(self) -> Iterator[tuple[int, Any]]:
        """The place of each line that is not empty, and what it holds."""
        lines = self.records.split(b"\n")
        places = [place for place, line in enumerate(lines) if line]
        return zip(places, _read(b"[%b]" % b",".join(lines[place] for place in places), len(places)))

    def apply(self, rule: Rule, index: int, event: PantherEvent) -> None:
        """Runs one rule on one event and notes what came of it."""
        if self.withheld and index in self.withheld.get(rule.number, ()):
            return
        rule.runs += 1
        try:
            if rule.matches(event) is rule.alert_value:
                rule.matched += 1
                self.matches.append({"record": index, "rule": rule.number, **rule.describe_match(event)})
        except Exception as error:
            self._note(rule, index, error)

    def _note(self, rule: Rule, index: int, error: BaseException) -> None:
        """A rule that fails on every event says so a few times; the count is complete."""
        rule.errors += 1
        if rule.errors <= ERRORS_PER_RULE_MAX:
            kind = "return_type" if isinstance(error, FunctionReturnTypeError) else "memory" if isinstance(error, MemoryError) else "exception"
            self.errors.append({"record": index, "rule": rule.number, "kind": kind, **describe(error)})


def _run(work: Work) -> None:
    clock = time.perf_counter_ns
    apply = work.apply
    for number, (index, event, rules) in enumerate(work.steps()):
        if number % TIMED_EVENT_STRIDE:
            for rule in rules:
                apply(rule, index, event)
        else:
            for rule in rules:
                started = clock()
                apply(rule, index, event)
                rule.nanoseconds += clock() - started


def _run_traced(work: Work) -> None:
    with open(PROGRESS_FILE, "wb", buffering=0) as progress:
        for index, event, rules in work.steps():
            for rule in rules:
                progress.write(rule.number.to_bytes(4, "little") + index.to_bytes(4, "little"))
                work.apply(rule, index, event)
