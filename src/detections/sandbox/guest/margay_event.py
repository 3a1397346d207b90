"""The event that detections see: a read-only mapping whose keys ignore case.

Plain Python without dependencies; runs on CPython >= 3.11 and on Pyodide.
"""

from __future__ import annotations

import datetime
import re
from collections import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from margay_jsonpath import parse as parse_path

_MISSING = object()


def _wrap(value: Any) -> Any:
    """Exact dicts and lists become read-only views; everything else stays as it is."""
    kind = type(value)
    if kind is dict:
        return ImmutableCaseInsensitiveDict(value)
    if kind is list:
        return ImmutableList(value)
    return value


_LEAVES = frozenset((str, int, float, bool, type(None)))


def _unwrap(value: Any) -> Any:
    """Deep mutable copy."""
    if isinstance(value, (ImmutableCaseInsensitiveDict, dict)):
        source = value._data if isinstance(value, ImmutableCaseInsensitiveDict) else value
        return {key: item if type(item) in _LEAVES else _unwrap(item) for key, item in source.items()}
    if isinstance(value, (ImmutableList, list)):
        source = value._data if isinstance(value, ImmutableList) else value
        return [item if type(item) in _LEAVES else _unwrap(item) for item in source]
    return value


class ImmutableList(Sequence):
    """Read-only list; equal to a list or tuple with equal items."""

    __slots__ = ("_data",)

    def __init__(self, data: Sequence | None = None) -> None:
        self._data = tuple(data or ())

    def __getitem__(self, index):
        if isinstance(index, slice):
            return ImmutableList(self._data[index])
        return _wrap(self._data[index])

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator:
        return map(_wrap, self._data)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ImmutableList):
            return self._data == other._data
        if isinstance(other, (list, tuple)):
            return len(self._data) == len(other) and all(a == b for a, b in zip(self, other))
        return False

    def __hash__(self):
        raise TypeError("unhashable type: 'ImmutableList'")

    def __repr__(self) -> str:
        return f"ImmutableList({self._data!r})"

    def as_list(self) -> list:
        return _unwrap(self)

    copy = as_list


class ItemsView(abc.ItemsView):
    """Keys and values of a read-only mapping."""

    __slots__ = ()

    def __iter__(self) -> Iterator:
        get = self._mapping.get
        for key, value in self._mapping._data.items():
            yield (key, value) if type(value) in _LEAVES else (key, get(key))


class ImmutableCaseInsensitiveDict(Mapping):
    """Read-only mapping: the exact key first, then the first key that differs by case only."""

    __slots__ = ("_data", "_folded", "_cache")

    def __init__(self, data: Mapping | None = None) -> None:
        self._data = data if type(data) is dict else dict(data or {})
        self._folded: dict | None = None
        self._cache: dict | None = None

    def _find(self, key: Any) -> Any:
        data = self._data
        if key in data:
            return key
        if not isinstance(key, str):
            return _MISSING
        folded = self._folded
        if folded is None:
            folded = self._folded = _folded_keys(tuple(data))
        return folded.get(key.lower(), _MISSING)

    def __getitem__(self, key: Any) -> Any:
        value = self.get(key, _MISSING)
        if value is _MISSING:
            raise KeyError(key)
        return value

    def get(self, key: Any, default: Any = None) -> Any:
        # The most called function of all: no exceptions, no second look-up, no call of its own.
        data = self._data
        value = data.get(key, _MISSING)
        if value is _MISSING:
            if not isinstance(key, str):
                return default
            folded = self._folded
            if folded is None:
                folded = self._folded = _folded_keys(tuple(data))
            key = folded.get(key.lower(), _MISSING)
            if key is _MISSING:
                return default
            value = data[key]
        kind = type(value)
        if kind is dict or kind is list:
            cache = self._cache
            if cache is None:
                cache = self._cache = {}
            wrapped = cache.get(key)
            if wrapped is None:
                wrapped = cache[key] = _wrap(value)
            return wrapped
        return value

    def __contains__(self, key: object) -> bool:
        return self._find(key) is not _MISSING

    def __iter__(self) -> Iterator:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def items(self) -> ItemsView:
        return ItemsView(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._data!r})"

    def __hash__(self):
        raise TypeError(f"unhashable type: '{type(self).__name__}'")

    def to_dict(self) -> dict:
        return _unwrap(self)

    copy = to_dict


_fold_cache: dict[tuple, dict] = {}


def _folded_keys(keys: tuple) -> dict:
    """Lower-case spelling to key. Events of one log type share few key sets, so the map is shared."""
    folded = _fold_cache.get(keys)
    if folded is None:
        folded = {}
        for key in keys:
            if isinstance(key, str):
                folded.setdefault(key.lower(), key)
        if len(_fold_cache) > 5000:
            _fold_cache.clear()
        _fold_cache[keys] = folded
    return folded


def json_encoder(value: Any) -> Any:
    """`default=` for json.dumps: read-only views serialise as their content."""
    if isinstance(value, (ImmutableCaseInsensitiveDict, ImmutableList)):
        return _unwrap(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def content_of(value: Any) -> Any:
    """The same without a copy, for who hands nothing out."""
    return value._data if isinstance(value, (ImmutableCaseInsensitiveDict, ImmutableList)) else json_encoder(value)


def deep_get(value: Any, *keys: Any, default: Any = None) -> Any:
    """Follows keys through mappings; anything else on the way, or a final None, gives the default."""
    kind = type(value)
    if kind is PantherEvent or kind is ImmutableCaseInsensitiveDict:
        # Most keys are spelled as in the event and lead to a text or a number: no views are made on the way.
        data = value._data
        for key in keys:
            if type(data) is not dict:
                break
            data = data.get(key, _MISSING)
        else:
            if type(data) in _LEAVES:
                return default if data is None else data
    for key in keys:
        kind = type(value)
        # Asking whether something is a Mapping costs more than reading it.
        if kind is not ImmutableCaseInsensitiveDict and kind is not PantherEvent and not isinstance(value, Mapping):
            return default
        value = value.get(key)
    return default if value is None else value


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _is_hollow(value: Any) -> bool:
    """A list with nothing but such lists in it."""
    return _is_list(value) and all(_is_hollow(item) for item in value)


def deep_walk(value: Any, *keys: Any, default: Any = None, return_val: str = "all") -> Any:
    """Follows keys through mappings and lists and gathers distinct values in the order they are met.

    A single value comes back bare, several as a plain list; "first" and "last" choose one. Where mappings alone lead
    to the end, what lies there comes back as it is, a list as a plain one.
    """
    if not keys:
        if _is_hollow(value):
            return default
        return list(value) if _is_list(value) else value
    if isinstance(value, Mapping):
        following = value.get(keys[0])
        if following is None:
            return default
        return deep_walk(following, *keys[1:], default=default, return_val=return_val)
    if not _is_list(value):
        return default
    found: dict = {}
    for item in value:
        inner = deep_walk(item, *keys, default=default, return_val=return_val)
        if inner is not None:
            found.update(dict.fromkeys(inner if _is_list(inner) else [inner]))
    values = list(found)
    if not values:
        return default
    if return_val == "first":
        return values[0]
    if return_val == "last":
        return values[-1]
    return values[0] if len(values) == 1 else values


_PLAIN_PATH = re.compile(r"(?:\$\.)?[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")


class DataModel:
    """Maps unified names to a path in the event or to a function of the model's module.

    Nearly every path is a chain of names, which is followed without the JSONPath machinery.
    """

    def __init__(self, model_id: str, paths: dict[str, str], methods: dict[str, Callable]) -> None:
        self.data_model_id = model_id
        self.names: dict[str, tuple[str, ...]] = {}
        self.expressions: dict[str, Any] = {}
        self.path_texts = {name.lower(): path for name, path in paths.items()}
        self.methods = {name.lower(): method for name, method in methods.items()}
        for name, path in self.path_texts.items():
            if _PLAIN_PATH.fullmatch(path):
                self.names[name] = tuple(path.removeprefix("$.").split("."))
            else:
                self.expressions[name] = parse_path(path)

    def matches(self, name: str, event: Any) -> list | None:
        """Values and their paths that the name leads to, or None when no path is mapped."""
        names = self.names.get(name)
        if names is None:
            expression = self.expressions.get(name)
            return None if expression is None else [(m.value, m.full_path) for m in expression.find(event)]
        for key in names:
            if not isinstance(event, Mapping) or key not in event:
                return []
            event = event[key]
        return [(event, ".".join(names))]


class PantherError(Exception):
    """Raised by the event object when it is asked for something that the content does not define."""


class PantherEvent(ImmutableCaseInsensitiveDict):
    """One normalized event, with the helpers that detections use."""

    __slots__ = ("data_model",)

    def __init__(self, event: Mapping | None = None, data_model: DataModel | None = None) -> None:
        self._data = event if type(event) is dict else dict(event or {})
        self._folded = self._cache = None
        self.data_model = data_model

    deep_get = deep_get
    deep_walk = deep_walk

    def udm(self, *keys: Any, default: Any = None) -> Any:
        if len(keys) == 1 and self.data_model is not None:
            value = self._mapped(str(keys[0]).lower())
            if value is not _MISSING:
                return default if value is None or value == "" else value
        return deep_get(self, "p_udm", *keys) or deep_get(self, *keys) or default

    def _mapped(self, name: str) -> Any:
        model = self.data_model
        found = model.matches(name, self)
        if found:
            if len(found) > 1:
                raise PantherError(f"the path of [{name}] in data model [{model.data_model_id}] matches more than one value")
            return found[0][0]
        method = model.methods.get(name)
        if method is not None:
            return method(self)
        return _MISSING if found is None else None

    def udm_path(self, key: str) -> str | None:
        if self.data_model is None:
            raise PantherError(f"a data model hasn't been specified for log type: {self.get('p_log_type')}")
        name = key.lower()
        text = self.data_model.path_texts.get(name)
        if text is not None:
            found = self.data_model.matches(name, self)
            return found[0][1] if found else text.removeprefix("$.")
        method = self.data_model.methods.get(name)
        return None if method is None else method.__name__

    def lookup(self, table: str, key: str) -> Any:
        """Row of a lookup table. Unit tests supply it under `_mocked_lookup_data_`."""
        return deep_get(self, "_mocked_lookup_data_", table, key)

    def event_time_epoch(self, force_utc: bool = True) -> int:
        text = self.get("p_event_time")
        if not isinstance(text, str):
            return 0
        try:
            moment = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        except ValueError:
            return 0
        if moment.tzinfo is None and force_utc:
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        return int(moment.timestamp())

    json_encoder = staticmethod(json_encoder)
