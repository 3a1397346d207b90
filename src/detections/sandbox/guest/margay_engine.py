"""Loads a tenant's detections and runs them over events.

Everything enters and leaves as bytes: `step()` reads one request from a file of the in-memory file system and writes
one answer. No object of the host ever reaches this interpreter.
"""

from __future__ import annotations

import gc
import json
import linecache
import sys
import time
import traceback
import types
from collections.abc import Mapping
from typing import Any
from unittest import mock

from margay_event import DataModel, PantherEvent, _unwrap, json_encoder

REQUEST_FILE = "/margay/request"
RECORDS_FILE = "/margay/records"
ANSWER_FILE = "/margay/answer"
PROGRESS_FILE = "/margay/progress"

SEVERITIES = ("INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL")
TEXT_MAX = 1000
TEXT_TAIL = "... (truncated)"
CONTEXT_MAX = 200 * 1024
DESTINATIONS_MAX = 10
ERRORS_PER_RULE_MAX = 20
# One of so many events has the time of each rule measured: reading the clock costs as much as a small rule.
TIMED_EVENT_STRIDE = 32


class FunctionReturnTypeError(Exception):
    """A function of a detection returned a value of the wrong type."""


def _truncate(text: str) -> str:
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - len(TEXT_TAIL)] + TEXT_TAIL


def _own_frames(error: BaseException) -> str:
    """The traceback as its author may see it: lines of content only, none of this engine."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("content/")]
    lines = [f"{frame.filename.removeprefix('content/')}, line {frame.lineno}, in {frame.name}" for frame in frames[-5:]]
    return "\n".join(lines)


def describe(error: BaseException) -> dict[str, str]:
    """Name, text and place of an exception, bounded in length."""
    if isinstance(error, SyntaxError):
        place = f"{(error.filename or '').removeprefix('content/')}, line {error.lineno}"
        caret = "" if error.text is None else f"\n{error.text.rstrip()}\n{' ' * max((error.offset or 1) - 1, 0)}^"
        return {"exception": "SyntaxError", "message": _truncate(f"{error.msg}: {place}{caret}"), "traceback": place}
    try:
        text = str(error)
    except Exception:  # an author's exception class may have a broken __str__
        text = "(no text)"
    return {
        "exception": type(error).__name__,
        "message": _truncate(text or type(error).__name__),
        "traceback": _own_frames(error)[:4000],
    }


def _module(name: str, body: str) -> types.ModuleType:
    """A module from source text, visible to tracebacks."""
    filename = f"content/{name}.py"
    module = types.ModuleType(name)
    module.__file__ = filename
    linecache.cache[filename] = (len(body), None, body.splitlines(keepends=True), filename)
    exec(compile(body, filename, "exec"), module.__dict__)
    return module


class GlobalFinder:
    """Makes globals importable under their ids, each executed once, when first imported."""

    def __init__(self, bodies: dict[str, str]) -> None:
        self.bodies = bodies

    def find_spec(self, name, path=None, target=None):
        if name not in self.bodies:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module) -> None:
        body = self.bodies[module.__name__]
        filename = f"content/{module.__name__}.py"
        linecache.cache[filename] = (len(body), None, body.splitlines(keepends=True), filename)
        exec(compile(body, filename, "exec"), module.__dict__)


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
        self.log_types: list[str] = spec["logTypes"]
        self.module = _module(self.id.replace("/", "_"), spec["body"])
        matcher = getattr(self.module, "rule", None)
        if not callable(matcher):
            raise AttributeError(f"detection [{self.id}] has no function named rule")
        self.matcher = matcher
        self.errors = 0
        self.statistics = [0, 0, 0, 0]  # runs, timed nanoseconds, matches, errors

    def functions(self) -> dict[str, Any]:
        return {name: getattr(self.module, name) for name in self.FUNCTIONS if callable(getattr(self.module, name, None))}

    def wrong_type(self, name: str, value: Any, expected: str) -> FunctionReturnTypeError:
        return FunctionReturnTypeError(
            f"detection [{self.id}] function [{name}] returned [{type(value).__name__}], expected {expected}"
        )

    def matches(self, event: Any) -> bool:
        """Runs the current `rule` of the module. Anything but exactly a bool is an error."""
        result = self.matcher(event)
        if result is True or result is False:
            return result
        raise self.wrong_type("rule", result, "[bool]")

    def text(self, name: str, function: Any, event: Any) -> str:
        value = function(event)
        if not isinstance(value, str):
            raise self.wrong_type(name, value, "[str]")
        return _truncate(value)

    def severity_of(self, function: Any, event: Any) -> str:
        value = self.text("severity", function, event).upper()
        if value == "DEFAULT":
            return self.severity
        if value not in SEVERITIES:
            raise ValueError(f"detection [{self.id}] function [severity] returned [{value[:50]}], expected one of {', '.join(SEVERITIES)}")
        return value

    def destinations_of(self, function: Any, event: Any) -> list[str] | None:
        value = function(event)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, (str, bool)) for item in value):
            raise self.wrong_type("destinations", value, "a list")
        names = list(dict.fromkeys(item for item in value if isinstance(item, str)))
        return names[:DESTINATIONS_MAX] if names else ["SKIP"]

    def context_of(self, function: Any, event: Any) -> str:
        value = function(event)
        if not isinstance(value, Mapping):
            raise self.wrong_type("alert_context", value, "[Mapping]")
        text = json.dumps(_unwrap(value), default=json_encoder, allow_nan=False)
        if len(text) > CONTEXT_MAX:
            note = f"alert_context size is [{len(text)}] characters, bigger than maximum of [{CONTEXT_MAX}] characters"
            return json.dumps({"_error": note})
        return text

    def auxiliary(self, name: str, function: Any, event: Any) -> Any:
        if name == "severity":
            return self.severity_of(function, event)
        if name == "destinations":
            return self.destinations_of(function, event)
        if name == "alert_context":
            return self.context_of(function, event)
        if name == "unique":
            value = function(event)
            return None if value is None else _truncate(str(value))
        return self.text(name, function, event)

    def describe_match(self, event: Any) -> dict[str, Any]:
        """Output of every auxiliary function. A failing one falls back and never suppresses the match."""
        found: dict[str, Any] = {}
        errors = []
        for name, function in self.functions().items():
            try:
                found[name] = self.auxiliary(name, function, event)
            except Exception as error:
                errors.append({"function": name, **describe(error)})
                if name == "title":
                    found[name] = self.id
                elif name == "dedup":
                    found[name] = _defaulted_dedup(self.id)
                elif name == "alert_context":
                    found[name] = json.dumps({"_error": _truncate(repr(error))})
        title = found.get("title") or self.name
        match = {
            "title": title,
            "dedup": found.get("dedup") or (found.get("title") if "dedup" not in found else None) or _defaulted_dedup(self.id),
            "severity": found.get("severity", self.severity),
            "auxiliaryErrors": errors,
        }
        for name, key in (("description",) * 2, ("reference",) * 2, ("runbook",) * 2, ("destinations",) * 2, ("alert_context", "alertContext"), ("unique",) * 2):
            if found.get(name) is not None:
                match[key] = found[name]
        return match


class Engine:
    """The loaded content of one tenant."""

    def __init__(self, content: dict[str, Any], skip: frozenset[int] = frozenset(), progress: Any = None) -> None:
        self.finder = GlobalFinder({item["id"]: item["body"] for item in content["globals"]})
        sys.meta_path.insert(0, self.finder)
        self.errors: list[dict[str, Any]] = []
        self.models: dict[str, DataModel] = {}
        self.rules: dict[int, Rule] = {}
        self.by_log_type: dict[str, list[Rule]] = {}
        for item in content["globals"]:
            self._attempt(item["id"], lambda item=item: __import__(item["id"]))
        for item in content["dataModels"]:
            self._attempt(item["id"], lambda item=item: self._load_model(item))
        for number, spec in enumerate(content["rules"]):
            if number in skip:
                continue
            if progress is not None:
                progress.write(number.to_bytes(4, "little") + bytes(4))
            self._attempt(spec["id"], lambda number=number, spec=spec: self._load_rule(number, spec))
        gc.collect()
        gc.freeze()
        gc.disable()
        self.batches = 0

    def _attempt(self, item_id: str, load: Any) -> None:
        try:
            load()
        except (Exception, SystemExit) as error:
            self.errors.append({"id": item_id, **describe(error)})

    def _load_model(self, spec: dict[str, Any]) -> None:
        module = _module(spec["id"].replace("/", "_"), spec["body"]) if spec.get("body") else None
        paths = {m["name"]: m["path"] for m in spec["mappings"] if m.get("path")}
        methods = {}
        for mapping in spec["mappings"]:
            if mapping.get("method"):
                method = getattr(module, mapping["method"], None)
                if not callable(method):
                    raise AttributeError(f"data model [{spec['id']}] has no function named {mapping['method']}")
                methods[mapping["name"]] = method
        model = DataModel(spec["id"], paths, methods)
        for log_type in spec["logTypes"]:
            self.models[log_type] = model

    def _load_rule(self, number: int, spec: dict[str, Any]) -> None:
        rule = Rule(number, spec)
        self.rules[number] = rule
        for log_type in rule.log_types:
            self.by_log_type.setdefault(log_type, []).append(rule)

    def evaluate(self, request: dict[str, Any], records: bytes) -> dict[str, Any]:
        """Every rule of the log type over every record. With `trace`, says before each call which one it is."""
        log_type = request["logType"]
        skipped = set(request.get("skip", ()))
        rules = [rule for rule in self.by_log_type.get(log_type, ()) if rule.number not in skipped]
        for rule in rules:
            rule.errors = 0
            rule.statistics = [0, 0, 0, 0]
        run = self._traced if request.get("trace") else self._plain
        matches: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        run(rules, records, self.models.get(log_type), matches, errors)
        self.batches += 1
        if self.batches % 16 == 0:
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

    def test(self, request: dict[str, Any]) -> dict[str, Any]:
        rule = self.rules.get(request["rule"])
        if rule is None:
            return {"results": []}
        return {"results": [self._run_test(rule, test) for test in request["tests"]]}

    def _run_test(self, rule: Rule, test: dict[str, Any]) -> dict[str, Any]:
        patches = []
        try:
            raw = json.loads(test["event"])
            if not isinstance(raw, dict):
                raise TypeError("the event of a test must be an object")
            event = PantherEvent(raw, self.models.get(raw.get("p_log_type", "")))
            for item in test["mocks"]:
                patch = mock.patch.object(rule.module, item["objectName"], mock.MagicMock(return_value=item["returnValue"]))
                patch.start()
                patches.append(patch)
            return self._run_functions(rule, event, test)
        except Exception as error:
            return {"name": test["name"], "passed": False, "error": describe(error), "output": None, "functions": {}}
        finally:
            for patch in reversed(patches):
                patch.stop()

    def _run_functions(self, rule: Rule, event: Any, test: dict[str, Any]) -> dict[str, Any]:
        """Unlike in production, every function runs, and any that raises fails a test that expects an alert."""
        outcome: dict[str, Any] = {}
        output: bool | None = None
        try:
            output = rule.matches(event)
            outcome["rule"] = {"output": json.dumps(output)}
        except Exception as error:
            outcome["rule"] = {"error": describe(error)}
        for name, function in rule.functions().items():
            try:
                value = rule.auxiliary(name, function, event)
                outcome[name] = {"output": value if isinstance(value, str) else json.dumps(value)}
            except Exception as error:
                outcome[name] = {"error": describe(error)}
        is_clean = not any("error" in item for item in outcome.values())
        passed = output is test["expectedResult"] and (is_clean or not test["expectedResult"])
        return {"name": test["name"], "passed": passed, "error": None, "output": output, "functions": outcome}


_engine: Engine | None = None


def _handle(request: dict[str, Any]) -> dict[str, Any]:
    global _engine
    kind = request["kind"]
    if kind == "load":
        with open(RECORDS_FILE, "rb") as file:
            content = json.loads(file.read())
        with open(PROGRESS_FILE, "wb", buffering=0) as progress:
            _engine = Engine(content, frozenset(request.get("skip", ())), progress)
        return {"errors": _engine.errors}
    if _engine is None:
        return {"failure": "no content is loaded"}
    if kind == "evaluate":
        with open(RECORDS_FILE, "rb") as file:
            records = file.read()
        return _engine.evaluate(request, records)
    if kind == "test":
        return _engine.test(request)
    return {"failure": f"unknown request {kind!r}"}


def step() -> None:
    """Answers the request that lies in the file system. Never raises."""
    try:
        with open(REQUEST_FILE, "rb") as file:
            answer = _handle(json.loads(file.read()))
    except BaseException as error:
        answer = {"failure": describe(error)["message"], "exception": type(error).__name__}
    try:
        text = json.dumps(answer)
    except BaseException as error:
        text = json.dumps({"failure": describe(error)["message"], "exception": type(error).__name__})
    with open(ANSWER_FILE, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
