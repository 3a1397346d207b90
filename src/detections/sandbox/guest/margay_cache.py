"""Values that outlive an event: read from the tenant's store, changed here, and handed back as changes.

Nothing is written from in here. A chunk's changes go back with its answer, so a chunk that fails leaves none, and a
batch that is tried again has counted once.
"""

from __future__ import annotations

import json
import time
from typing import Any

QUESTION_FILE = "/margay/question"
REPLY_FILE = "/margay/reply"

KEY_MAX = 1024
ITEM_BYTES_MAX = 400 * 1024
KEYS_MAX = 10_000


class CacheLimitError(Exception):
    """A key or a value is larger than the store takes."""


class Item:
    """What one key holds, and how that differs from what was read."""

    def __init__(self, stored: dict[str, Any]) -> None:
        self.count: int = stored.get("count") or 0
        self.strings: set[str] = set(stored.get("strings") or ())
        self.dictionary: str | None = stored.get("dictionary")
        self.expires: float | None = stored.get("expires")
        self.reset = False
        self.added = 0
        self.replaced = False
        self.new: set[str] = set()
        self.gone: set[str] = set()
        self.put = False
        self.changed = False

    def add(self, value: int) -> int:
        self.count += value
        self.added += value
        self.changed = True
        return self.count

    def zero(self) -> None:
        self.count = self.added = 0
        self.reset = self.changed = True

    def replace(self, strings: set[str]) -> None:
        self.strings = set(strings)
        self.new, self.gone = set(strings), set()
        self.replaced = self.changed = True

    def join(self, strings: set[str]) -> None:
        self.strings |= strings
        self.new |= strings
        self.gone -= strings
        self.changed = True

    def leave(self, strings: set[str]) -> None:
        self.strings -= strings
        self.new -= strings
        self.gone |= strings
        self.changed = True

    def describe(self, key: str) -> dict[str, Any]:
        change: dict[str, Any] = {"key": key}
        if self.reset or self.added:
            change["count"] = {"reset": self.reset, "add": self.added}
        if self.replaced or self.new or self.gone:
            change["strings"] = {"replace": self.replaced, "add": sorted(self.new), "remove": sorted(self.gone)}
        if self.put:
            change["dictionary"] = self.dictionary
        if self.expires is not None:
            change["expires"] = self.expires
        return change


class Cache:
    """The items this chunk has touched."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.now: float | None = None

    def begin(self, now: float | None) -> None:
        """A new chunk; with `now` items are read from the tenant's store, without it they begin empty."""
        self.items = {}
        self.now = now

    def end(self) -> list[dict[str, Any]]:
        changes = [item.describe(key) for key, item in self.items.items() if item.changed]
        self.begin(None)
        return changes

    def time(self) -> float:
        return time.time() if self.now is None else self.now

    def item(self, key: Any) -> Item:
        key = str(key)
        found = self.items.get(key)
        if found is None:
            if not key or len(key) > KEY_MAX or "\0" in key:
                raise CacheLimitError(f"a key of the cache has 1 to {KEY_MAX} characters and no NUL")
            if len(self.items) >= KEYS_MAX:
                raise CacheLimitError(f"more than {KEYS_MAX} keys of the cache are used at once")
            found = self.items[key] = Item({} if self.now is None else _ask(key))
        if found.expires is not None and found.expires <= self.time():
            found.zero()
            found.replace(set())
            found.dictionary, found.put, found.expires = None, True, None
        return found

    def keep(self, item: Item, expires: float) -> None:
        """Gives a changed item its time, once it is known to fit."""
        if any("\0" in text for text in item.strings):
            raise CacheLimitError("a string of the cache holds a NUL")
        size = sum(len(text.encode("utf-8", "replace")) + 3 for text in item.strings)
        if size + len(item.dictionary or "") > ITEM_BYTES_MAX:
            raise CacheLimitError(f"an item of the cache has more than {ITEM_BYTES_MAX} bytes")
        item.expires = expires
        item.changed = True


def _ask(key: str) -> dict[str, Any]:
    with open(QUESTION_FILE, "wb", buffering=0) as question:
        question.write(json.dumps({"keys": [key]}).encode())
    with open(REPLY_FILE, "rb") as reply:
        return json.loads(reply.read()).get(key) or {}


cache = Cache()
