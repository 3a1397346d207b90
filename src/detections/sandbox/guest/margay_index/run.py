"""The state of reading one rule: what may go wrong and when, and how much work is left."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NamedTuple

from margay_index.formula import FALSE, Formula, conj, disj
from margay_index.source import Sources
from margay_index.value import Value

STEPS_MAX = 6000
DEPTH_MAX = 8


class Place(NamedTuple):
    """A line of the content, and the names of the module that it stands in."""

    module_names: dict[str, Any]
    line: int


class Raise(NamedTuple):
    """An exception that may leave a rule: when, of which kind (any if none is told), and where."""

    when: Formula
    kind: type[BaseException] | None
    place: Place


class Effect(NamedTuple):
    """Something that may reach beyond the event, or that cannot be understood: when, what and where."""

    when: Formula
    what: str
    place: Place


class Answer(NamedTuple):
    """What the matcher returns at one place, and when."""

    when: Formula
    value: Value
    place: Place


class Run:
    """One reading of one rule, for one data model."""

    def __init__(self, sources: Sources, model: Any = None) -> None:
        self.sources = sources
        self.model = model
        self.used_model = False
        # Globals that the matcher sets before it reads them: they carry nothing from one event to the next.
        self.own_globals: set[str] = set()
        self.raises: list[Raise] = []
        self.effects: list[Effect] = []
        self.answers: list[Answer] = []
        # Names of the module of the matcher.
        self.matcher_names: dict[str, Any] = {}
        # Of the statement that is read.
        self.place = Place({}, 0)
        self.steps = 0
        self.depth = 0
        # Grows whenever something that the rule built is changed in place: a loop is then read again.
        self.changes = 0
        self.evaluate: Callable[[Scope, ast.expr, Formula], Value] = _not_ready
        self.execute: Callable[[Scope, list[ast.stmt], Formula], Formula] = _not_ready
        self.inline: Callable[..., Value] = _not_ready
        self.call_value: Callable[..., Value] = _not_ready
        self.call_function: Callable[..., Value] = _not_ready
        self.constant: Callable[..., Value] = _not_ready
        self.element_of: Callable[..., tuple[Value, Formula]] = _not_ready

    def step(self, when: Formula) -> bool:
        """Counts one unit of work; False when there is none left, and what follows is not looked at."""
        self.steps += 1
        if self.steps <= STEPS_MAX:
            return True
        self.effect(when, "is too long to be analysed")
        return False

    def may_raise(self, when: Formula, kind: type[BaseException] | None = None) -> None:
        """An exception may leave this point whenever the condition holds. Without a kind it may be any exception."""
        if when is not FALSE:
            self.raises.append(Raise(when, kind, self.place))

    def effect(self, when: Formula, what: str) -> None:
        """Something that may reach beyond this event, or that cannot be understood, happens whenever the condition holds."""
        if when is not FALSE:
            self.effects.append(Effect(when, what, self.place))

    def raised(self) -> Formula:
        return disj(*(item.when for item in self.raises))


def _not_ready(*_: Any) -> Any:
    raise RuntimeError("the analysis is not put together")


class Scope:
    """Names of one function call. Paths inside it are told from its entry; `base` is the condition of the call."""

    def __init__(self, run: Run, module_names: dict[str, Any], base: Formula, parent: Scope | None = None) -> None:
        self.run = run
        self.base = base
        self.module_names = module_names
        self.parent = parent
        self.names: dict[str, Value] = {}
        self.returns: list[tuple[Formula, Value]] = []
        self.breaks: list[Formula] = []
        self.continues: list[Formula] = []
        self.owner: Value | None = None
        self.cls: type | None = None
        self.globals: set[str] = set()
        self.is_matcher = False


def absolute(scope: Scope, path: Formula) -> Formula:
    """A path of a function together with the condition of its call."""
    return conj(scope.base, path)


def assigned_names(nodes: list[ast.stmt]) -> set[str]:
    """Every name that some statements may bind."""
    found: set[str] = set()
    for node in nodes:
        for item in ast.walk(node):
            if isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load):
                found.add(item.id)
            elif isinstance(item, ast.ExceptHandler) and item.name:
                found.add(item.name)
            elif isinstance(item, (ast.Import, ast.ImportFrom)):
                found.update((alias.asname or alias.name).split(".")[0] for alias in item.names)
            elif isinstance(item, (ast.FunctionDef, ast.ClassDef)):
                found.add(item.name)
    return found
