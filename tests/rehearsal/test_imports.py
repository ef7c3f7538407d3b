"""The rehearsal's modules import each other one way, in annotations too."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import rehearsal

FOLDER = Path(rehearsal.__file__).parent


def imports(source: str) -> set[str]:
    """Returns the modules of the rehearsal that the source imports, also under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "rehearsal":
            found |= {f"rehearsal.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name.split(".")[1] for name in found if name.startswith("rehearsal.")}


def order(sources: dict[str, str]) -> list[str]:
    """Returns the modules, each after those that it imports; raises `CycleError` on a circle."""
    return list(
        TopologicalSorter({name: imports(text) for name, text in sources.items()}).static_order()
    )


def test_no_module_imports_one_that_imports_it() -> None:
    modules = {path.stem: path.read_text() for path in FOLDER.glob("*.py")}
    places = {name: place for place, name in enumerate(order(modules))}

    assert places["operations"] < min(places["compensation"], places["refunding"])
    assert max(places["compensation"], places["refunding"]) < places["replay"]


@pytest.mark.parametrize(
    "back",
    [
        "from rehearsal.replay import Replay",
        "from rehearsal import replay",
        "import rehearsal.replay",
        "if TYPE_CHECKING:\n    from rehearsal.replay import Replay",
        "def act():\n    from rehearsal import replay",
    ],
)
def test_an_import_that_closes_a_circle_is_found(back: str) -> None:
    with pytest.raises(CycleError):
        order({"replay": "from rehearsal import refunding", "refunding": back})
