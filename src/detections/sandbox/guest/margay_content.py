"""What a tenant's interpreter holds: globals, data models and rules, and what of them did not load."""

from __future__ import annotations

import gc
import sys
import types
from typing import Any

from margay_errors import describe
from margay_event import DataModel
from margay_modules import GlobalFinder, module_from
from margay_rule import Rule


class Content:
    """The loaded content of one tenant."""

    def __init__(self, source: dict[str, Any], skip: frozenset[int] = frozenset(), progress: Any = None) -> None:
        self.finder = GlobalFinder({item["id"]: item for item in source["globals"]})
        sys.meta_path.insert(0, self.finder)
        self.errors: list[dict[str, Any]] = []
        self.models: dict[str, DataModel] = {}
        self.model_modules: list[types.ModuleType] = []
        self.rules: dict[int, Rule] = {}
        self.by_log_type: dict[str, list[Rule]] = {}
        for item in source["globals"]:
            self._attempt(item["id"], lambda item=item: __import__(item["id"]))
        for item in source["dataModels"]:
            self._attempt(item["id"], lambda item=item: self._load_model(item))
        for number, spec in enumerate(source["rules"]):
            if number in skip:
                continue
            if progress is not None:
                progress.write(number.to_bytes(4, "little") + bytes(4))
            self._attempt(spec["id"], lambda number=number, spec=spec: self._load_rule(number, spec))
        gc.collect()
        gc.freeze()
        gc.disable()

    def _attempt(self, item_id: str, load: Any) -> None:
        try:
            load()
        except (Exception, SystemExit) as error:
            self.errors.append({"id": item_id, **describe(error)})

    def _load_model(self, spec: dict[str, Any]) -> None:
        module = module_from(spec["id"].replace("/", "_"), spec["body"], spec.get("file")) if spec.get("body") else None
        if module is not None:
            self.model_modules.append(module)
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
