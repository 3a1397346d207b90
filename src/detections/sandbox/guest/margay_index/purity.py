"""Which functions of the standard library and of the bundled libraries depend on their arguments alone and change nothing."""

from __future__ import annotations

import types
from typing import Any

_PURE_MODULES = {
    "re", "json", "json.decoder", "json.encoder", "_json", "ipaddress", "datetime", "_datetime", "_pydatetime", "fnmatch", "base64", "binascii",
    "urllib.parse", "math", "string", "html", "shlex", "hashlib", "_hashlib", "_sha2", "_md5", "operator", "_operator", "itertools", "statistics",
    "unicodedata", "decimal", "fractions", "textwrap", "zoneinfo", "posixpath", "difflib", "ast", "time", "calendar",
}  # fmt: skip
_PURE_LIBRARIES = ("dateutil", "policyuniverse", "pycountry")
_IMPURE_NAMES = {"sleep", "settrace", "seed", "tzset"}


def module_of(function: Any, owner: type | None = None) -> str:
    """Name of the module that a function or class comes from."""
    name = getattr(function, "__module__", None)
    if isinstance(name, str) and name not in ("builtins",):
        return name
    holder = getattr(function, "__self__", None)
    if isinstance(holder, types.ModuleType):
        return holder.__name__
    cls = holder if isinstance(holder, type) else owner
    return getattr(cls, "__module__", "") or ""


def is_pure_function(function: Any, owner: type | None = None) -> bool:
    """Whether a call with data as arguments has no effect but its result."""
    if getattr(function, "__name__", "") in _IMPURE_NAMES:
        return False
    name = module_of(function, owner)
    return name in _PURE_MODULES or name.split(".")[0] in _PURE_LIBRARIES
