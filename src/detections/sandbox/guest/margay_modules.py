"""Python modules from source text: detections under their file names, globals importable under their ids."""

from __future__ import annotations

import linecache
import types


# Compiled modules by file name, for whoever reads them without running them.
CODES: dict[str, types.CodeType] = {}


def _run(name: str, body: str, names: dict) -> None:
    """Executes source text, visible to tracebacks."""
    filename = f"content/{name}.py"
    linecache.cache[filename] = (len(body), None, body.splitlines(keepends=True), filename)
    CODES[filename] = compile(body, filename, "exec")
    exec(CODES[filename], names)


def module_from(name: str, body: str) -> types.ModuleType:
    """A module from source text, visible to tracebacks."""
    module = types.ModuleType(name)
    module.__file__ = f"content/{name}.py"
    _run(name, body, module.__dict__)
    return module


class GlobalFinder:
    """Makes globals importable under their ids, each executed once, when first imported."""

    def __init__(self, bodies: dict[str, str]) -> None:
        self.bodies = bodies

    def find_spec(self, name, path=None, target=None):
        if name not in self.bodies:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module) -> None:
        _run(module.__name__, self.bodies[module.__name__], module.__dict__)
