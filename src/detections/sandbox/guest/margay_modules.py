"""Python modules from source text: detections under their file names, globals importable under their ids."""

from __future__ import annotations

import linecache
import types


def module_from(name: str, body: str) -> types.ModuleType:
    """A module from source text, visible to tracebacks."""
    filename = f"content/{name}.py"
    module = types.ModuleType(name)
    module.__file__ = filename
    linecache.cache[filename] = (len(body), None, body.splitlines(keepends=True), filename)
    exec(compile(body, filename, "exec"), module.__dict__)
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
        body = self.bodies[module.__name__]
        filename = f"content/{module.__name__}.py"
        linecache.cache[filename] = (len(body), None, body.splitlines(keepends=True), filename)
        exec(compile(body, filename, "exec"), module.__dict__)
