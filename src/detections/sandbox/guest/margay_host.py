"""What the process around the interpreter asks of it: to hide the JavaScript bridge, and to go on from a snapshot."""

from __future__ import annotations

import importlib
import random
import sys
from typing import Any

import margay_engine

# Imported here so that a snapshot holds them: rules use them, and importing takes longer than running most rules.
_PRELOADED = (
    "base64",
    "boto3",
    "botocore.exceptions",
    "collections.abc",
    "datetime",
    "dateutil.parser",
    "dateutil.relativedelta",
    "dateutil.tz",
    "decimal",
    "difflib",
    "fnmatch",
    "functools",
    "hashlib",
    "ipaddress",
    "itertools",
    "json",
    "logging",
    "math",
    "panther_core",
    "panther_detection_helpers.caching",
    "re",
    "shlex",
    "statistics",
    "string",
    "time",
    "typing",
    "unittest.mock",
    "urllib.parse",
    "uuid",
    "zoneinfo",
)

_CLOSED = ("js", "pyodide_js", "pyodide", "_pyodide", "_pyodide_core", "ctypes", "_ctypes")


def _is_closed(name: str) -> bool:
    return name.split(".")[0] in _CLOSED


class Bridge:
    """Handed to the host, which alone holds it."""

    def __init__(self, is_restored: bool) -> None:
        self._hidden: dict[str, Any] = {}
        self.step = margay_engine.step
        if is_restored:
            # The state of the generator is part of the snapshot, and the files beside it were written anew.
            random.seed()
            for path in [item for item in sys.path_importer_cache if item.startswith("/margay/lib")]:
                del sys.path_importer_cache[path]
        else:
            for name in _PRELOADED:
                importlib.import_module(name)

    def hide(self) -> None:
        """Makes the bridge unimportable. Hygiene, not a wall: code in here may undo it, and reaches an empty process."""
        self._hidden = {name: module for name, module in sys.modules.items() if _is_closed(name)}
        for name in self._hidden:
            del sys.modules[name]
        sys.modules.update(dict.fromkeys(_CLOSED))
        sys.meta_path[:] = [item for item in sys.meta_path if "pyodide" not in type(item).__module__.lower()]

    def show(self) -> None:
        """Puts it back: a process that goes on from a snapshot looks for it before anything else."""
        for name in _CLOSED:
            sys.modules.pop(name, None)
        sys.modules.update(self._hidden)
        self._hidden = {}
