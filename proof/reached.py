"""Which functions each test reaches: a call at the head of each function, and a plugin of pytest that keeps them."""

from __future__ import annotations

import ast
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from proof.mutants import key_of, nodes

# Directory into which every process of the tests writes what its tests reached.
KEPT_IN = "PROOF_REACHED"
_reached: set[str] = set()
_failed: set[str] = set()


@dataclass(frozen=True, slots=True)
class Test:
    """A test that passed, and how long it took."""

    name: str
    seconds: float


def reached(function: str) -> None:
    """The test that runs has called the function."""
    _reached.add(function)


def with_calls(text: str, file: str) -> str:
    """Returns the module's text, in which every function first says that it was reached."""
    tree = ast.parse(text)
    for node, _, around in list(nodes(tree, file)):
        if isinstance(node, ast.FunctionDef):
            call = ast.parse(f"_reached({key_of(around, node.name)!r})").body[0]
            node.body.insert(_after_docstring(node), call)
    place = _after_docstring(tree)
    future = [ast.unparse(each).startswith("from __future__") for each in tree.body]
    place += future.count(True)
    tree.body[place:place] = ast.parse("from proof.reached import reached as _reached").body
    return ast.unparse(ast.fix_missing_locations(tree))


def _after_docstring(node: ast.Module | ast.FunctionDef) -> int:
    return 0 if ast.get_docstring(node) is None else 1


def read(directory: Path) -> dict[str, list[Test]]:
    """Returns the tests that reach each function and each file, the quickest first."""
    found: dict[str, set[Test]] = {}
    for path in sorted(directory.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)
            test = Test(said["test"], said["seconds"])
            for function in said["reached"]:
                for key in (function, function.partition(":")[0]):
                    found.setdefault(key, set()).add(test)
    return {
        key: sorted(tests, key=lambda each: (each.seconds, each.name))
        for key, tests in found.items()
    }


# --- the plugin -----------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What the test reached is written down; a test that failed has no line."""
    _reached.clear()
    began = time.monotonic()
    result = yield
    if item.nodeid not in _failed and _reached:
        said = {
            "test": item.nodeid,
            "seconds": round(time.monotonic() - began, 3),
            "reached": sorted(_reached),
        }
        with (Path(os.environ[KEPT_IN]) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as to:
            to.write(json.dumps(said) + "\n")
    return result


def pytest_runtest_logreport(report: Any) -> None:
    if report.failed:
        _failed.add(report.nodeid)
