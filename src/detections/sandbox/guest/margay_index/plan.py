"""The index of a log type in the form that the host program evaluates."""

from __future__ import annotations

import gc
import math
import sys
import types
from typing import Any

from margay_content import Content
from margay_index import atoms, formula, subject
from margay_index.analysis import Finding, analyse
from margay_index.atoms import Atom
from margay_index.formula import Formula
from margay_index.source import Sources
from margay_index.subject import Subject
from margay_rule import Rule

EXACT_MAX = 2**53
REASON_MAX = 300
WITNESS_MAX = 600


class Index:
    """Plans and explanations for the loaded content. Nothing is kept between calls but what is known of the sources."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self._sources: Sources | None = None

    def _known_sources(self) -> Sources:
        if self._sources is None:
            self._sources = Sources(_modules_of(self.content))
        return self._sources

    def plan(self, log_type: str) -> dict[str, Any]:
        """What must hold for each rule of a log type, by number."""
        sources = self._known_sources()
        model = self.content.models.get(log_type)
        table = Table()
        for rule in self.content.by_log_type.get(log_type, ()):
            found = _finding(sources, rule, model)
            table.rules.append([rule.number, table.formula(found.strict), table.formula(found.matches)])
        result = table.as_json()
        _forget()
        return result

    def explain(self, rule_number: int) -> dict[str, Any]:
        """For the author of a rule: when it runs, or why it always does."""
        rule = self.content.rules.get(rule_number)
        if rule is None:
            return {"witness": None, "reasons": ["it did not load"]}
        model = self.content.models.get(rule.log_types[0]) if rule.log_types else None
        found = _finding(self._known_sources(), rule, model)
        result = {"witness": witness(found), "reasons": [reason[:REASON_MAX] for reason in found.reasons]}
        _forget()
        return result


def _finding(sources: Sources, rule: Rule, model: Any) -> Finding:
    return analyse(sources, rule.matcher, model, rule.alert_value)


def witness(found: Finding) -> str | None:
    """The condition of a rule as a sentence; None when it always runs."""
    if found.strict is formula.TRUE:
        return None
    text = _simplest(found.strict).text()
    return text if len(text) <= WITNESS_MAX else text[: WITNESS_MAX - 1] + "…"


def _simplest(whole: Formula) -> Formula:
    """Of several conditions that must all hold the ones that say most: those on fixed values first."""
    if whole.op != "and":
        return whole
    plain = [kid for kid in whole.kids if kid.atom is not None and kid.atom.test == "in" and kid.atom.wanted]
    return formula.conj(*plain) if plain else min(whole.kids, key=lambda kid: kid.size)


def _forget() -> None:
    """Drops what one analysis made, and keeps the rest out of the garbage collector's sight: the trees of all sources
    are many objects that live on, and each collection between batches would walk them again."""
    formula.reset()
    atoms.reset()
    subject.reset()
    gc.collect(0)
    gc.freeze()


def _modules_of(content: Content) -> list[types.ModuleType]:
    found = [rule.module for rule in content.rules.values()]
    found.extend(module for name in content.finder.sources if (module := sys.modules.get(name)) is not None)
    return found + content.model_modules


class Table:
    """Subjects, atoms and formulas by number, each after what it is made of."""

    def __init__(self) -> None:
        self.subjects: list[list[Any]] = []
        self.atoms: list[list[Any]] = []
        self.formulas: list[list[Any]] = []
        self.rules: list[list[int]] = []
        self._subjects: dict[int, int] = {}
        self._atoms: dict[int, int] = {}
        self._formulas: dict[int, int] = {}

    def as_json(self) -> dict[str, Any]:
        return {"subjects": self.subjects, "atoms": self.atoms, "formulas": self.formulas, "rules": self.rules}

    def formula(self, item: Formula) -> int:
        """Number of a formula, added when it is new."""
        known = self._formulas.get(item.number)
        if known is not None:
            return known
        if item.atom is not None:
            row: list[Any] = ["atom", self._atom(item.atom)]
        else:
            row = [item.op, *(self.formula(kid) for kid in item.kids)]
        self.formulas.append(row)
        self._formulas[item.number] = len(self.formulas) - 1
        return len(self.formulas) - 1

    def _atom(self, item: Atom) -> int:
        known = self._atoms.get(item.number)
        if known is not None:
            return known
        about = self._subject(item.subject)
        is_exact = all(_is_exact(value) for value in item.args)
        self.atoms.append([about, item.test if is_exact else "unknown", list(item.args) if is_exact else [], item.wanted])
        self._atoms[item.number] = len(self.atoms) - 1
        return len(self.atoms) - 1

    def _subject(self, item: Subject) -> int:
        known = self._subjects.get(item.number)
        if known is not None:
            return known
        base = -1 if item.base is None else self._subject(item.base)
        self.subjects.append([item.kind, base, [_plain(value) for value in item.args]])
        self._subjects[item.number] = len(self.subjects) - 1
        return len(self.subjects) - 1


def _is_exact(value: Any) -> bool:
    """Whether JavaScript reads the same number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return True
    return math.isfinite(value) and abs(value) < EXACT_MAX


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if _is_exact(value) else None
