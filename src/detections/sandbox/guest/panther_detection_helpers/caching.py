"""Counters, string sets and dictionaries that outlive an event. One store for all detections of a tenant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from margay_cache import CacheLimitError, cache

_NINETY_DAYS = 90 * 24 * 3600
_COUNT_MAX = 2**53 - 1


def _expiry(epoch_seconds: Any) -> float:
    """Small numbers count from now, large ones are a moment; nothing usable means ninety days."""
    now = cache.time()
    try:
        seconds = float(epoch_seconds)
    except (TypeError, ValueError):
        return now + _NINETY_DAYS
    if not 0 <= abs(seconds) < 1e12:
        return now + _NINETY_DAYS
    return now + seconds if seconds < 1_000_000_000 else seconds


def get_counter(key: str, force_ttl_check: bool = False) -> int:
    return cache.item(key).count


def increment_counter(key: str, val: int = 1, epoch_seconds: Any = None) -> int:
    item = cache.item(key)
    if abs(item.count + int(val)) > _COUNT_MAX:
        raise CacheLimitError("a counter is larger than the store takes")
    count = item.add(int(val))
    cache.keep(item, _expiry(epoch_seconds))
    return count


def reset_counter(key: str) -> None:
    cache.item(key).zero()


def set_key_expiration(key: str, epoch_seconds: Any) -> None:
    cache.keep(cache.item(key), _expiry(epoch_seconds))


def get_string_set(key: str, force_ttl_check: bool = False) -> set[str]:
    return set(cache.item(key).strings)


def _strings(value: str | Sequence[str] | set[str]) -> set[str]:
    return {value} if isinstance(value, str) else {str(item) for item in value}


def put_string_set(key: str, val: Sequence[str], epoch_seconds: Any = None) -> None:
    item = cache.item(key)
    if not val:
        item.replace(set())
        return
    _change(item, item.replace, val, epoch_seconds)


def add_to_string_set(key: str, val: str | Sequence[str], epoch_seconds: Any = None) -> set[str]:
    item = cache.item(key)
    return _change(item, item.join, val, epoch_seconds)


def remove_from_string_set(key: str, val: str | Sequence[str], epoch_seconds: Any = None) -> set[str]:
    item = cache.item(key)
    return _change(item, item.leave, val, epoch_seconds)


def _change(item: Any, apply: Any, val: Any, epoch_seconds: Any) -> set[str]:
    before = set(item.strings)
    apply(_strings(val))
    try:
        cache.keep(item, _expiry(epoch_seconds))
    except CacheLimitError:
        item.replace(before)
        raise
    return set(item.strings)


def reset_string_set(key: str) -> None:
    cache.item(key).replace(set())


def get_dictionary(key: str, force_ttl_check: bool = False) -> dict:
    return json.loads(cache.item(key).dictionary or "{}")


def put_dictionary(key: str, val: dict, epoch_seconds: Any = None) -> None:
    if not isinstance(val, dict):
        raise TypeError("put_dictionary: value must be a dictionary")
    try:
        text = json.dumps(val)
    except (TypeError, ValueError) as error:
        raise ValueError("put_dictionary: value must be JSON serializable") from error
    item = cache.item(key)
    before = item.dictionary
    item.dictionary, item.put = text, True
    try:
        cache.keep(item, _expiry(epoch_seconds))
    except CacheLimitError:
        item.dictionary = before
        raise


def evaluate_threshold(key: str, threshold: int = 10, expiry_seconds: int = 3600) -> bool:
    count = increment_counter(key, 1, expiry_seconds)
    if count < threshold:
        return False
    reset_counter(key)
    return True


def check_account_age(key: str) -> bool:
    return bool(isinstance(key, str) and key and get_string_set(key))
