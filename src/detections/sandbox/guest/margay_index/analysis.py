"""From a loaded rule to the condition under which it must run."""

from __future__ import annotations

import ast
from typing import Any

from margay_index import calls, expressions, statements
from margay_index.arguments import Arguments
from margay_index.formula import TRUE, Formula, disj
from margay_index.reasons import why_always
from margay_index.run import Run
from margay_index.source import Sources
from margay_index.subject import EVENT
from margay_index.value import Read


class Finding:
    """What is known of one rule for one data model.

    `strict` holds for every event on which the rule says True (a policy: False), raises, answers with something else than a
    bool or has an effect; `matches` leaves out exceptions and wrong answers. `reasons` say why a rule always runs.
    """

    def __init__(self, strict: Formula, matches: Formula, reasons: list[str], used_model: bool) -> None:
        self.strict = strict
        self.matches = matches
        self.reasons = reasons
        self.used_model = used_model


def _reader(sources: Sources, model: Any) -> Run:
    run = Run(sources, model)
    run.evaluate = expressions.evaluate
    run.execute = statements.execute
    run.inline = calls.inline
    run.call_value = calls.call_value
    run.call_function = calls.call_function
    run.element_of = statements.element_of
    run.constant = expressions.constant
    return run


def analyse(sources: Sources, matcher: Any, model: Any = None, alert_value: bool = True) -> Finding:
    """Reads one matcher, which alerts by saying `alert_value`. Whatever is not understood makes it run always; this never raises."""
    if sources.doubt is not None:
        return Finding(TRUE, TRUE, [sources.doubt], False)
    run = _reader(sources, model)
    node = sources.function(matcher)
    if node is None:
        return Finding(TRUE, TRUE, ["rule is not a plain function"], False)
    run.own_globals = _set_before_read(node)
    run.matcher_names = matcher.__globals__
    try:
        result = calls.call_function(run, matcher, Arguments([Read(EVENT)]), TRUE)
        effects = disj(*(item.when for item in run.effects))
        matches = disj(effects, result.is_true() if alert_value else result.is_false())
        strict = disj(effects, result.not_false() if alert_value else result.not_true(), run.raised())
    except RecursionError:
        return Finding(TRUE, TRUE, ["is nested too deeply"], run.used_model)
    except Exception as error:  # a defect of the analysis costs speed, never an alert
        return Finding(TRUE, TRUE, [f"could not be analysed: {type(error).__name__}"], run.used_model)
    reasons = [] if strict is not TRUE else why_always(run, result, alert_value)
    return Finding(strict, matches, reasons, run.used_model)


def _set_before_read(node: ast.FunctionDef) -> set[str]:
    """Globals that the first statements of a function set without looking at them.

    Other functions of the module may read them, but only after the matcher has run on the same event and there is something to alert on.
    """
    declared: set[str] = set()
    seen: set[str] = set()
    found: set[str] = set()
    for statement in node.body:
        if isinstance(statement, ast.Global):
            declared.update(statement.names)
            continue
        names = {item.id for item in ast.walk(statement) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Load)}
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in declared and name not in seen | names:
                found.add(name)
        seen |= {item.id for item in ast.walk(statement) if isinstance(item, ast.Name)}
    return found
