"""House rules that no linter knows."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

import snfd.plugins
from api.operations import Dialect, operations_in
from snfd import errors
from snfd.errors import CloudError
from snfd.plugin import IApi

ROOT = Path(__file__).parent.parent
OURS = ("snfd", "api", "vnc", "storage", "pocket")
MODULE_LINES = 400
FUNCTION_LINES = 40
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def nodes(path: Path, having: str = "") -> Iterator[ast.AST]:
    """The syntax of a file, if its text has ``having``, a regular expression."""
    text = path.read_text()
    if re.search(having, text):
        yield from ast.walk(ast.parse(text))


def modules(package: str) -> Iterator[ModuleType]:
    found = import_module(package)
    for one in pkgutil.walk_packages(found.__path__, f"{package}."):
        yield import_module(one.name)


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    assert node.end_lineno is not None
    told = ast.get_docstring(node, clean=False)
    silent = 0 if told is None else told.count("\n") + 1
    return node.end_lineno - node.lineno + 1 - silent


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    given = node.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return {one.arg for one in (*every, given.vararg, given.kwarg) if one is not None}


class StyleTests(SynchronousTestCase):
    def test_no_module_is_longer_than_a_reader_can_hold(self) -> None:
        long = {
            str(path.relative_to(ROOT)): count
            for path in sources(*OURS)
            if (count := len(path.read_text().splitlines())) > MODULE_LINES
        }
        self.assertEqual({}, long)

    def test_no_function_is_longer_than_a_screen(self) -> None:
        """The composition root alone is one list of all parts."""
        long = [
            f"{path.relative_to(ROOT)}:{node.name}"
            for path in sources(*OURS)
            for node in nodes(path)
            if isinstance(node, FUNCTIONS) and code_lines(node) > FUNCTION_LINES
        ]
        self.assertEqual(["snfd/wiring/__init__.py:build"], long)

    def test_docstrings_name_parameters_that_there_are(self) -> None:
        wrong = [
            f"{path.relative_to(ROOT)}:{node.name} {name}"
            for path in sources(*OURS)
            for node in nodes(path, ":param ")
            if isinstance(node, FUNCTIONS)
            for name in re.findall(r":param (\w+):", ast.get_docstring(node) or "")
            if name not in parameters(node)
        ]
        self.assertEqual([], wrong)

    def test_async_tests_run(self) -> None:
        """An ``async def`` in a SynchronousTestCase passes without running."""
        wrong = [
            f"{path.name}:{member.lineno}"
            for path in sources("tests")
            for node in nodes(path, r"async +def +test")
            if isinstance(node, ast.ClassDef)
            and any("SynchronousTestCase" in ast.unparse(base) for base in node.bases)
            for member in node.body
            if isinstance(member, ast.AsyncFunctionDef)
            and member.name.startswith("test")
        ]
        self.assertEqual([], wrong)

    def test_only_the_database_runs_interactions(self) -> None:
        wrong = [
            str(path.relative_to(ROOT))
            for path in sources(*OURS)
            if path != ROOT / "snfd/db/database.py"
            for node in nodes(path, "run(Interaction|Operation|Query)")
            if isinstance(node, ast.Attribute)
            and node.attr in ("runInteraction", "runOperation", "runQuery")
        ]
        self.assertEqual([], wrong)

    def test_no_file_is_named_for_nothing(self) -> None:
        vague = {"util", "utils", "manager", "helper", "helpers", "base", "common"}
        self.assertEqual(
            [], [str(path) for path in sources(*OURS) if path.stem in vague]
        )

    def test_every_plugin_keeps_its_promise(self) -> None:
        plugins = list(getPlugins(IApi, snfd.plugins))
        self.assertNotEqual([], plugins)
        for plugin in plugins:
            self.assertTrue(verifyObject(IApi, plugin))

    def test_every_error_has_a_fault_in_every_dialect(self) -> None:
        every = {
            value
            for value in vars(errors).values()
            if isinstance(value, type) and issubclass(value, CloudError)
        }
        dialects = {
            value.name + value.title: value
            for module in modules("api")
            for value in vars(module).values()
            if isinstance(value, Dialect)
        }
        self.assertNotEqual({}, dialects)
        for dialect in dialects.values():
            missing = {one.__name__ for one in every if one not in dialect.faults}
            self.assertEqual(set(), missing - {"CloudError"}, dialect.title)

    def test_every_operation_states_its_reply(self) -> None:
        """Byte streams excepted: those are raw, and say ``bytes``."""
        silent = [
            f"{one.name} {one.method} {one.path}"
            for module in modules("api")
            for kind in vars(module).values()
            if inspect.isclass(kind) and kind.__module__ == module.__name__
            for one, _ in operations_in(kind)
            if one.reply is None and one.status not in (202, 204) and not one.raw
        ]
        self.assertEqual([], silent)
