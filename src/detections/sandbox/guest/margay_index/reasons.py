"""For authors: why a rule runs on every event."""

from __future__ import annotations

from margay_index.formula import FALSE, TRUE, Formula
from margay_index.run import Answer, Effect, Place, Run
from margay_index.value import Const, Value

REASONS_MAX = 5


def why_always(run: Run, result: Value, alert_value: bool) -> list[str]:
    """Of a rule that no event is kept from: what happens whatever the event says, at most five reasons.

    What is not understood comes first: beyond it nothing else is sure. Where several lines only together leave no event
    out, those that may alert or fail are named.
    """
    found = [_effect(run, item) for item in run.effects if item.when is TRUE]
    if not found and isinstance(result, Const) and _may_alert(result, alert_value) is TRUE:
        found = [f"it {_said(result)} to every event"]
    if not found:
        found = [_answer(run, item) for item in run.answers if item.when is TRUE and _may_alert(item.value, alert_value) is TRUE]
        found += [f"{_where(run, item.place)} may fail on any event" for item in run.raises if item.when is TRUE]
    if not found:
        found = [_effect(run, item) for item in run.effects]
        found += [_answer(run, item) for item in run.answers if _may_alert(item.value, alert_value) is not FALSE]
        found += [f"{_where(run, item.place)} may fail" for item in run.raises]
    return [*dict.fromkeys(found)][:REASONS_MAX]


def _may_alert(value: Value, alert_value: bool) -> Formula:
    """Holds whenever an answer is the one that alerts, or a wrong one."""
    return value.not_false() if alert_value else value.not_true()


def _effect(run: Run, item: Effect) -> str:
    return f"{_where(run, item.place)}: {item.what}"


def _answer(run: Run, item: Answer) -> str:
    said = _said(item.value) if isinstance(item.value, Const) else "returns what cannot be told from fields of the event"
    return f"{_where(run, item.place)} {said}"


def _said(value: Const) -> str:
    return f"says {value.value}" if isinstance(value.value, bool) else f"returns {value.value!r}"


def _where(run: Run, place: Place) -> str:
    own = place.module_names is run.matcher_names
    return f"line {place.line}" if own else f"line {place.line} of {place.module_names.get('__name__', 'a helper')}"
