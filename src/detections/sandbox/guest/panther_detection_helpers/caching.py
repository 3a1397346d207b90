"""Counters, string sets and dictionaries that outlive an event, kept for the life of one interpreter.

The store of production across interpreters is not built yet; see docs/detections.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

_NINETY_DAYS = 90 * 24 * 3600
_KEYS_MAX = 100_000
_counts: dict[str, int] = {}
_sets: dict[str, set[str]] = {}
_dictionaries: dict[str, str] = {}
_expirations: dict[str, float] = {}


def _expiry(epoch_seconds: Any) -> float:
    """Small numbers count from now, large ones are a moment; nothing usable means ninety days."""
    now = time.time()
    try:
        seconds = float(epoch_seconds)
    except (TypeError, ValueError):
        return now + _NINETY_DAYS
    return now + seconds if seconds < 1_000_000_000 else seconds


def _drop_expired(key: str) -> None:
    if _expirations.get(key, float("inf")) <= time.time():
        for store in (_counts, _sets, _dictionaries, _expirations):
            store.pop(key, None)


def _touch(key: str, epoch_seconds: Any) -> None:
    if key not in _expirations and len(_expirations) >= _KEYS_MAX:
        raise RuntimeError(f"more than {_KEYS_MAX} keys are cached")
    _expirations[key] = _expiry(epoch_seconds)


def get_counter(key: str, force_ttl_check: bool = False) -> int:
    _drop_expired(key)
    return _counts.get(key, 0)


def increment_counter(key: str, val: int = 1, epoch_seconds: Any = None) -> int:
    _drop_expired(key)
    _touch(key, epoch_seconds)
    _counts[key] = _counts.get(key, 0) + int(val)
    return _counts[key]


def reset_counter(key: str) -> None:
    _counts.pop(key, None)


def set_key_expiration(key: str, epoch_seconds: Any) -> None:
    _touch(key, epoch_seconds)


def get_string_set(key: str, force_ttl_check: bool = False) -> set[str]:
    _drop_expired(key)
    return set(_sets.get(key, ()))


def _strings(value: str | Sequence[str] | set[str]) -> set[str]:
    return {value} if isinstance(value, str) else {str(item) for item in value}


def put_string_set(key: str, val: Sequence[str], epoch_seconds: Any = None) -> None:
    if not val:
        reset_string_set(key)
        return
    _touch(key, epoch_seconds)
    _sets[key] = _strings(val)


def add_to_string_set(key: str, val: str | Sequence[str], epoch_seconds: Any = None) -> set[str]:
    _drop_expired(key)
    _touch(key, epoch_seconds)
    _sets[key] = _sets.get(key, set()) | _strings(val)
    return set(_sets[key])


def remove_from_string_set(key: str, val: str | Sequence[str], epoch_seconds: Any = None) -> set[str]:
    _drop_expired(key)
    _touch(key, epoch_seconds)
    _sets[key] = _sets.get(key, set()) - _strings(val)
    return set(_sets[key])


def reset_string_set(key: str) -> None:
    _sets.pop(key, None)


def get_dictionary(key: str, force_ttl_check: bool = False) -> dict:
    _drop_expired(key)
    return json.loads(_dictionaries.get(key, "{}"))


def put_dictionary(key: str, val: dict, epoch_seconds: Any = None) -> None:
    if not isinstance(val, dict):
        raise TypeError("put_dictionary: value must be a dictionary")
    try:
        text = json.dumps(val)
    except (TypeError, ValueError) as error:
        raise ValueError("put_dictionary: value must be JSON serializable") from error
    _touch(key, epoch_seconds)
    _dictionaries[key] = text


def evaluate_threshold(key: str, threshold: int = 10, expiry_seconds: int = 3600) -> bool:
    count = increment_counter(key, epoch_seconds=expiry_seconds)
    if count < threshold:
        return False
    reset_counter(key)
    return True


def check_account_age(key: str) -> bool:
    return bool(isinstance(key, str) and key and get_string_set(key))
