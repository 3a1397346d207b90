"""Python modules from source text: detections under their file names, globals importable under their ids."""

from __future__ import annotations

import linecache
import types


# Compiled modules by file name, for whoever reads them without running them.
CODES: dict[str, types.CodeType] = {}
# What authors call these files.
_PLACES: dict[str, str] = {}


def place_of(filename: str) -> str:
    """The author's name of a file of content; of any other, the name as it is."""
    return _PLACES.get(filename, filename)


def _run(name: str, body: str, file: str | None, names: dict) -> None:
    """Executes source text, visible to tracebacks."""
    filename = f"content/{name}.py"
    _PLACES[filename] = file or f"{name}.py"
    linecache.cache[filename] = (len(body), None, body.splitlines(keepends=True), filename)
    CODES[filename] = compile(body, filename, "exec")
    exec(CODES[filename], names)


def module_from(name: str, body: str, file: str | None = None) -> types.ModuleType:
    """A module from source text, visible to tracebacks."""
    module = types.ModuleType(name)
    module.__file__ = f"content/{name}.py"
    _run(name, body, file, module.__dict__)
    return module


class GlobalFinder:
    """Makes globals importable under their ids, each executed once, when first imported."""

    def __init__(self, sources: dict[str, dict[str, str]]) -> None:
        self.sources = sources

    def find_spec(self, name, path=None, target=None):
        if name not in self.sources:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module) -> None:
        source = self.sources[module.__name__]
        _run(module.__name__, source["body"], source.get("file"), module.__dict__)
