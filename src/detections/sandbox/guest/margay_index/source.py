"""Syntax trees of the loaded content, and which of its objects never change after loading."""

from __future__ import annotations

import ast
import dis
import linecache
import re
import types
from collections.abc import Iterator
from typing import Any

from margay_modules import CODES

# Names that let code change what no syntax shows. A tenant whose content uses one gets no index.
_REFLECTION = {"exec", "eval", "globals", "setattr", "delattr", "vars", "locals", "__import__", "compile", "breakpoint"}
_REFLECTIVE_ATTRIBUTES = re.compile(r"__(?!init__|name__|doc__|str__|repr__|class__$|main__)\w+__$|_getframe$|modules$|import_module$|set_trace$|settrace$|object$")
_REFLECTIVE_MODULES = {"sys", "gc", "inspect", "importlib", "builtins", "ctypes", "mock", "pickle", "threading", "weakref", "atexit", "signal"}
_CONTAINERS = (list, dict, set, bytearray)
_READING_METHODS = {
    "get", "items", "keys", "values", "copy", "index", "count", "union", "intersection", "difference", "issubset", "issuperset",
    "isdisjoint", "symmetric_difference", "__contains__",
}  # fmt: skip
_READING_BUILTINS = {
    "len", "set", "list", "tuple", "sorted", "any", "all", "str", "dict", "frozenset", "isinstance", "min", "max", "sum", "enumerate",
    "zip", "reversed", "repr", "bool", "iter",
}  # fmt: skip
_TAKING_METHODS = _READING_METHODS | {"deep_get", "deep_walk", "startswith", "endswith", "join", "search", "match", "fullmatch", "extend", "update", "lower"}


_FUNCTIONS = (ast.FunctionDef, ast.Lambda, ast.AsyncFunctionDef)
_LOOKED_AT = (ast.Name, ast.Attribute, ast.Global, ast.Import, ast.ImportFrom)


class Tree:
    """The syntax tree of one module with the parent of each node, and the nodes that a scan looks at."""

    def __init__(self, text: str) -> None:
        self.root = ast.parse(text)
        self.parents: dict[int, ast.AST] = {}
        self.inside: list[ast.AST] = []
        self.all: list[ast.AST] = []
        self._visit(self.root, False)

    def _visit(self, node: ast.AST, is_inside: bool) -> None:
        kind = type(node)
        if kind in _LOOKED_AT:
            (self.inside if is_inside else self.all).append(node)
        is_inside = is_inside or kind in _FUNCTIONS
        parents = self.parents
        for part in node.__dict__.values():
            if isinstance(part, ast.AST):
                parents[id(part)] = node
                self._visit(part, is_inside)
            elif type(part) is list:
                for item in part:
                    if isinstance(item, ast.AST):
                        parents[id(item)] = node
                        self._visit(item, is_inside)

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self.parents.get(id(node))


class Sources:
    """Trees by file, function nodes by code object, and what is known to be constant."""

    def __init__(self, modules: list[types.ModuleType]) -> None:
        self.modules = modules
        self._functions: dict[str, dict[tuple[str, int], ast.FunctionDef]] = {}
        self._methods: dict[str, dict[tuple[str, int], ast.FunctionDef]] = {}
        self.rebound: set[tuple[int, str]] = set()
        self.changed: set[int] = set()
        self.stored_attributes: set[str] = set()
        self.doubt: str | None = None
        if len({module.__name__ for module in modules}) < len(modules):
            self.doubt = "two items have the same module name"
        for module in modules:
            self._scan(module)

    def function(self, function: Any) -> ast.FunctionDef | None:
        """The definition of a function of the content; None for any other, and for decorated ones."""
        if type(function) is not types.FunctionType or function.__closure__ is not None:
            return None
        code = function.__code__
        if not code.co_filename.startswith("content/"):
            return None
        nodes = self._functions.get(code.co_filename)
        if nodes is None:
            nodes = self._functions[code.co_filename] = _functions_of(ast.parse("".join(linecache.getlines(code.co_filename))))
        return nodes.get((code.co_name, code.co_firstlineno))

    def method(self, function: Any) -> ast.FunctionDef | None:
        """The definition of a method or property of a class of the content, which may use `super()`."""
        if type(function) is not types.FunctionType or not function.__code__.co_filename.startswith("content/"):
            return None
        if function.__closure__ is not None and function.__code__.co_freevars != ("__class__",):
            return None
        nodes = self._methods.get(function.__code__.co_filename)
        if nodes is None:
            root = ast.parse("".join(linecache.getlines(function.__code__.co_filename)))
            nodes = self._methods[function.__code__.co_filename] = {
                (node.name, _first_line(node)): node for node in ast.walk(root) if isinstance(node, ast.FunctionDef) and _is_plain_method(node)
            }
        return nodes.get((function.__code__.co_name, function.__code__.co_firstlineno))

    def forget(self, filename: str) -> None:
        """Frees the tree of a module that is done with."""
        self._functions.pop(filename, None)
        self._methods.pop(filename, None)

    def is_constant(self, names: dict[str, Any], name: str, value: Any) -> bool:
        """Whether a name of a module always means this unchanged object."""
        if (id(names), name) in self.rebound or name in self.stored_attributes:
            return False
        return not self.changed or not _contains_changed(value, self.changed)

    def _scan(self, module: types.ModuleType) -> None:
        filename = f"content/{module.__name__}.py"
        if not _may_matter(module, filename):
            return
        tree = Tree("".join(linecache.getlines(filename)))
        for node in [*tree.all, *tree.inside]:
            doubt = _reflection(node)
            if doubt is not None and self.doubt is None:
                self.doubt = f"{module.__name__} uses {doubt}"
            if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and not _is_self(node):
                self.stored_attributes.add(node.attr)
            if isinstance(node, ast.Global):
                self.rebound.update((id(module.__dict__), name) for name in node.names if not _only_under_mock(tree, node, name))
        for node in tree.inside:
            if isinstance(node, ast.Name):
                self._scan_name(tree, module, node)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                self._scan_attribute(tree, module, node)

    def _scan_name(self, tree: Tree, module: types.ModuleType, node: ast.Name) -> None:
        value = module.__dict__.get(node.id)
        if isinstance(node.ctx, ast.Load) and _is_changeable(value) and not _mock_guard(tree, node, node.id) and not _only_read(tree, node, [value], module):
            self.changed.update(_containers_in(value))

    def _scan_attribute(self, tree: Tree, module: types.ModuleType, node: ast.Attribute) -> None:
        owner = module.__dict__.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(owner, (types.ModuleType, type)):
            value = getattr(owner, node.attr, None)
        else:
            value = None
        if _is_changeable(value) and not _only_read(tree, node, [value], module):
            self.changed.update(_containers_in(value))


_STORING = frozenset(dis.opmap[name] for name in ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR"))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for item in code.co_consts:
        if isinstance(item, types.CodeType):
            yield from _codes(item)


def _may_matter(module: types.ModuleType, filename: str) -> bool:
    """A quick look at the compiled module: whether its functions change, hand on or hide anything that outlives an event."""
    whole = CODES.get(filename)
    if whole is None:
        return True
    for code in _codes(whole):
        if not _STORING.isdisjoint(code.co_code[::2]):
            return True
        for name in code.co_names:
            if name in _REFLECTION or name in _REFLECTIVE_MODULES or _REFLECTIVE_ATTRIBUTES.match(name) or name == "patch":
                return True
            if code is not whole and _is_changeable(module.__dict__.get(name)) and not _is_looked_up_only(code, name):
                return True
            if code is not whole and isinstance(module.__dict__.get(name), (types.ModuleType, type)) and _holds_changeable(module.__dict__[name], code):
                return True
    return False


def _is_looked_up_only(code: types.CodeType, name: str) -> bool:
    """Whether the global is only the right side of `in`, which is what most of them are for."""
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("CACHE", "PUSH_NULL", "NOP")]
    for step, following in zip(steps, [*steps[1:], None]):
        if step.argval == name and step.opname.startswith("LOAD_") and (following is None or following.opname != "CONTAINS_OP"):
            return False
    return True


def _holds_changeable(owner: Any, code: types.CodeType) -> bool:
    return any(_is_changeable(owner.__dict__.get(name)) for name in code.co_names)


def _functions_of(root: ast.Module) -> dict[tuple[str, int], ast.FunctionDef]:
    return {(node.name, node.lineno): node for node in ast.walk(root) if isinstance(node, ast.FunctionDef) and not node.decorator_list}


def _first_line(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(item.lineno for item in node.decorator_list)])


def _is_plain_method(node: ast.FunctionDef) -> bool:
    return all(isinstance(item, ast.Name) and item.id in ("property", "staticmethod") for item in node.decorator_list)


def _is_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _reflection(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name) and node.id in _REFLECTION:
        return node.id
    if isinstance(node, ast.Attribute) and _REFLECTIVE_ATTRIBUTES.match(node.attr):
        return node.attr
    if isinstance(node, ast.Import):
        return next((alias.name for alias in node.names if alias.name.split(".")[-1] in _REFLECTIVE_MODULES or alias.name.split(".")[0] in _REFLECTIVE_MODULES), None)
    if isinstance(node, ast.ImportFrom) and any(alias.name.startswith("patch") for alias in node.names):
        return "patch"
    if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.split(".")[0] in _REFLECTIVE_MODULES:
        return node.module
    return None


def _only_under_mock(tree: Tree, statement: ast.Global, name: str) -> bool:
    """The idiom `if isinstance(NAME, MagicMock): NAME = …`, which never happens outside unit tests."""
    function = tree.parent(statement)
    if not isinstance(function, ast.FunctionDef):
        return False
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load) and not _mock_guard(tree, node, name):
            return False
    return True


def _mock_guard(tree: Tree, node: ast.AST, name: str) -> bool:
    child: ast.AST = node
    current = tree.parent(node)
    while current is not None and not isinstance(current, ast.FunctionDef):
        if isinstance(current, ast.If) and child in current.body:
            test = current.test
            if isinstance(test, ast.Call) and ast.unparse(test) == f"isinstance({name}, MagicMock)":
                return True
        child, current = current, tree.parent(current)
    return False


def _is_changeable(value: Any) -> bool:
    return isinstance(value, _CONTAINERS) or (type(value) is tuple and any(_is_changeable(item) for item in value))


def _containers_in(value: Any, depth: int = 0) -> Iterator[int]:
    if depth > 8:
        return
    if isinstance(value, (*_CONTAINERS, tuple)):
        yield id(value)
        items = value.values() if isinstance(value, dict) else value
        for item in items:
            yield from _containers_in(item, depth + 1)


def _contains_changed(value: Any, changed: set[int]) -> bool:
    return isinstance(value, (*_CONTAINERS, tuple)) and any(item in changed for item in _containers_in(value))


def _elements(values: list[Any]) -> list[Any]:
    return [item for value in values if isinstance(value, (*_CONTAINERS, tuple)) for item in (value.values() if isinstance(value, dict) else value)]


def _at(values: list[Any], key: ast.expr) -> list[Any]:
    """What a subscript may give."""
    if not isinstance(key, ast.Constant):
        return _elements(values)
    found = []
    for value in values:
        try:
            found.append(value[key.value])
        except Exception:  # an absent key raises in the rule as well
            continue
    return found


def _only_read(tree: Tree, node: ast.AST, values: list[Any], module: types.ModuleType) -> bool:
    """Whether a use of a collection can neither change it nor hand it, or what it holds, to somebody who could."""
    if not any(_is_changeable(value) for value in values):
        return True
    nested = any(_is_changeable(item) for item in _elements(values))
    parent = tree.parent(node)
    if isinstance(parent, (ast.Compare, ast.FormattedValue, ast.UnaryOp, ast.If, ast.While, ast.Assert)):
        return True
    if isinstance(parent, ast.IfExp) and parent.test is node:
        return True
    if isinstance(parent, (ast.BinOp, ast.Starred)):
        return not nested
    if isinstance(parent, (ast.BoolOp, ast.IfExp)):
        return _only_read(tree, parent, values, module)
    if isinstance(parent, (ast.For, ast.comprehension)):
        return parent.iter is node and not nested
    if isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Load):
        return parent.slice is node or _only_read(tree, parent, _at(values, parent.slice), module)
    if isinstance(parent, ast.Attribute) and isinstance(parent.ctx, ast.Load):
        call = tree.parent(parent)
        if not (isinstance(call, ast.Call) and call.func is parent and parent.attr in _READING_METHODS):
            return False
        return parent.attr == "keys" or not nested or (parent.attr == "get" and _only_read(tree, call, _elements(values), module))
    if isinstance(parent, ast.Call):
        return not nested and node in parent.args and _reads_argument(parent, parent.args.index(node), module)
    return False


def _reads_argument(call: ast.Call, position: int, module: types.ModuleType) -> bool:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr in _TAKING_METHODS
    if not isinstance(function, ast.Name):
        return False
    target = module.__dict__.get(function.id)
    if target is None:
        return function.id in _READING_BUILTINS
    return _function_only_reads(target, position, 0)


def _function_only_reads(function: Any, position: int, depth: int) -> bool:
    """Whether a function of the content only looks at an argument."""
    if type(function) is not types.FunctionType or depth > 3 or not function.__code__.co_filename.startswith("content/"):
        return False
    tree = Tree("".join(linecache.getlines(function.__code__.co_filename)))
    node = _functions_of(tree.root).get((function.__code__.co_name, function.__code__.co_firstlineno))
    if node is None or position >= len(node.args.args):
        return False
    name = node.args.args[position].arg
    stand_in = types.ModuleType("names")
    stand_in.__dict__.update(function.__globals__)
    uses = [item for item in ast.walk(node) if isinstance(item, ast.Name) and item.id == name]
    return all(isinstance(use.ctx, ast.Load) and _only_read(tree, use, [[]], stand_in) for use in uses)
