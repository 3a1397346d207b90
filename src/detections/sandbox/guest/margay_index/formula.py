"""Conditions over atoms, kept small and in one form, so that equal conditions are the same object.

There is no "not": an atom has an opposite, and what may be true and what may be false are followed apart.
"""

from __future__ import annotations

from collections.abc import Iterable

from margay_index.atoms import Atom, atom, holds
from margay_index.subject import EVENT, Subject

SIZE_MAX = 3000


class Formula:
    """`true`, `false`, an atom, or the and/or of others."""

    __slots__ = ("op", "kids", "atom", "number", "size")

    def __init__(self, op: str, kids: tuple[Formula, ...], atom_: Atom | None, number: int) -> None:
        self.op = op
        self.kids = kids
        self.atom = atom_
        self.number = number
        self.size: int = 1 + sum(kid.size for kid in kids)

    def text(self) -> str:
        """As a sentence without its subject: "eventName is 'X' and …"."""
        if self.atom is not None:
            return self.atom.text()
        if self.op in ("true", "false"):
            return self.op
        joiner = " and " if self.op == "and" else " or "
        return joiner.join(f"({kid.text()})" if kid.kids else kid.text() for kid in self.kids)


_formulas: dict[tuple, Formula] = {}


def _intern(op: str, kids: Iterable[Formula], atom_: Atom | None = None) -> Formula:
    kept = tuple(sorted(kids, key=lambda kid: kid.number))
    key = (op, tuple(kid.number for kid in kept), None if atom_ is None else atom_.number)
    found = _formulas.get(key)
    if found is None:
        found = _formulas[key] = Formula(op, kept, atom_, len(_formulas))
    return found


TRUE = _intern("true", ())
FALSE = _intern("false", ())


def reset() -> None:
    """Frees all formulas but the two constants; those still in use must not be mixed with new ones."""
    _formulas.clear()
    _implied.clear()
    _joined.clear()
    for item in (TRUE, FALSE):
        _formulas[(item.op, (), None)] = item


def of(subject: Subject, test: str, *args: object, wanted: bool = True) -> Formula:
    """The formula of one test."""
    if test == "in" and not args:
        return FALSE if wanted else TRUE
    if test == "type" and subject is EVENT:
        return TRUE if (args[0] == "map") is wanted else FALSE
    return _of_atom(atom(subject, test, args, wanted))


def _of_atom(item: Atom) -> Formula:
    return _intern("atom", (), item)


def _flatten(op: str, parts: Iterable[Formula]) -> list[Formula]:
    flat: dict[int, Formula] = {}
    for part in parts:
        for kid in part.kids if part.op == op else (part,):
            flat[kid.number] = kid
    return list(flat.values())


def _opposite(item: Formula) -> Formula | None:
    if item.atom is None or item.atom.subject.many or item.atom.opposite is None:
        return None
    return _of_atom(item.atom.opposite)


def _has_opposites(parts: list[Formula]) -> bool:
    numbers = {part.number for part in parts}
    for part in parts:
        opposite = _opposite(part)
        if opposite is not None and opposite.number in numbers:
            return True
    return False


def _narrow(parts: list[Formula]) -> list[Formula] | None:
    """Applies what is known of a subject with few possible values to the other atoms on it. None: cannot hold."""
    finite: dict[int, tuple[Subject, list]] = {}
    for part in parts:
        item = part.atom
        if item is None or item.subject.many or not item.wanted or item.test not in ("in", "is"):
            continue
        known = finite.get(item.subject.number)
        values = list(item.args) if known is None else [value for value in known[1] if holds(item.test, item.args, value) is not False]
        finite[item.subject.number] = (item.subject, values)
    if not finite:
        return parts
    rest: list[Formula] = []
    for part in parts:
        item = part.atom
        if item is None or item.subject.number not in finite:
            rest.append(part)
            continue
        if item.wanted and item.test == "in":
            continue
        about, values = finite[item.subject.number]
        answers = [(value, holds(item.test, item.args, value)) for value in values]
        finite[item.subject.number] = (about, [value for value, answer in answers if answer is None or answer is item.wanted])
        if item.test == "is" or any(answer is None for _, answer in answers):
            rest.append(part)
    for about, values in finite.values():
        if not values:
            return None
        rest.append(of(about, "in", *values))
    return _flatten("and", rest)


_joined: dict[tuple, Formula] = {}


def conj(*parts: Formula) -> Formula:
    """All of them hold."""
    key = ("and", *(part.number for part in parts))
    known = _joined.get(key)
    if known is None:
        known = _joined[key] = _conj(parts)
    return known


def disj(*parts: Formula) -> Formula:
    """At least one of them holds."""
    key = ("or", *(part.number for part in parts))
    known = _joined.get(key)
    if known is None:
        known = _joined[key] = _disj(parts)
    return known


def _conj(parts: tuple[Formula, ...]) -> Formula:
    flat = [part for part in _flatten("and", parts) if part is not TRUE]
    if FALSE in flat:
        return FALSE
    if len(flat) < 2:
        return flat[0] if flat else TRUE
    if _has_opposites(flat):
        return FALSE
    narrowed = _narrow(flat)
    if narrowed is None:
        return FALSE
    kept = _pruned(_absorbed("or", narrowed))
    if kept is None:
        return FALSE
    if len(kept) == 1:
        return kept[0]
    found = _intern("and", kept)
    return found if found.size <= SIZE_MAX else _intern("and", sorted(kept, key=lambda kid: kid.size)[: max(1, len(kept) // 2)])


_implied: dict[int, tuple[Formula, ...]] = {}


def _implied_by(part: Formula) -> tuple[Formula, ...]:
    """What else holds when a field passes a test that its default fails: it is there, in a mapping."""
    item = part.atom
    if item is None or item.subject.kind != "get" or item.subject.base is None or item.subject.many:
        return ()
    known = _implied.get(part.number)
    if known is None:
        about = item.subject
        default = about.args[1]
        answer = holds(item.test, item.args, default[0]) if len(default) == 1 else None
        known = ()
        if answer is not None and answer is not item.wanted:
            inner = of(about.base, "type", "map")
            known = (of(about.base, "has", about.args[0]), inner, *_implied_by(inner))
        _implied[part.number] = known
    return known


def _pruned(parts: list[Formula]) -> list[Formula] | None:
    """Drops what follows from the atoms beside it, and alternatives of an "or" that contradict them."""
    implied = {item.number for part in parts for item in _implied_by(part)}
    against = {opposite.number for part in parts if (opposite := _opposite(part)) is not None}
    against.update(opposite.number for part in parts for item in _implied_by(part) if (opposite := _opposite(item)) is not None)
    if not against:
        return parts
    kept: list[Formula] = []
    for part in parts:
        if part.number in against:
            return None
        if part.number in implied or (part.op == "or" and any(kid.number in implied for kid in part.kids)):
            continue
        if part.op == "or":
            left = [kid for kid in part.kids if kid.number not in against and not (kid.op == "and" and any(item.number in against for item in kid.kids))]
            if not left:
                return None
            part = part if len(left) == len(part.kids) else disj(*left)
        if part is not TRUE:
            kept.append(part)
    return _flatten("and", kept) or [TRUE]


def _absorbed(op: str, parts: list[Formula]) -> list[Formula]:
    """Drops a part that another makes superfluous: `a or (a and b)` is a, `a and (a or b)` is a."""
    if len(parts) > 200:
        return parts
    sets = [frozenset(kid.number for kid in part.kids) if part.op == op else frozenset((part.number,)) for part in parts]
    order = sorted(range(len(parts)), key=lambda index: len(sets[index]))
    kept: list[int] = []
    for index in order:
        if not any(sets[other] <= sets[index] for other in kept):
            kept.append(index)
    return [parts[index] for index in sorted(kept)]


def _united(parts: list[Formula]) -> list[Formula]:
    """Joins "is one of" tests on the same subject."""
    groups: dict[int, list[Formula]] = {}
    rest: list[Formula] = []
    for part in parts:
        item = part.atom
        if item is not None and item.test == "in" and item.wanted:
            groups.setdefault(item.subject.number, []).append(part)
        else:
            rest.append(part)
    for members in groups.values():
        if len(members) == 1:
            rest.append(members[0])
        else:
            values = [value for member in members if member.atom is not None for value in member.atom.args]
            rest.append(of(members[0].atom.subject, "in", *values))  # type: ignore[union-attr]
    return rest


def _disj(parts: tuple[Formula, ...]) -> Formula:
    flat = [part for part in _flatten("or", parts) if part is not FALSE]
    if TRUE in flat:
        return TRUE
    if len(flat) < 2:
        return flat[0] if flat else FALSE
    flat = _united(flat)
    if _has_opposites(flat):
        return TRUE
    kept = _absorbed("and", flat)
    if len(kept) == 1:
        return kept[0]
    found = _factored(kept)
    return found if found.size <= SIZE_MAX else TRUE


def _factored(parts: list[Formula]) -> Formula:
    """Pulls out what all alternatives share, so that the guard of a rule stands in front."""
    sets = [frozenset(part.kids) if part.op == "and" else frozenset((part,)) for part in parts]
    shared = frozenset.intersection(*sets)
    if not shared:
        return _intern("or", parts)
    remains = [conj(*(kids - shared)) for kids in sets]
    return conj(*shared, disj(*remains))
