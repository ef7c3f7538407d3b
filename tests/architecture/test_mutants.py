"""The mutants of the proof are well-formed, and each reason names one of them."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from proof import planted, reached
from proof.equivalent import REASONS
from proof.mutants import GUARDS, ROOT, all_mutants, guarding_files


def test_every_guarded_place_and_its_tests_exist() -> None:
    named = [each for guarded, tests in GUARDS.items() for each in (guarded, *tests)]
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_every_mutant_is_valid_python_and_moves_no_other_line() -> None:
    for each in all_mutants():
        whole = (ROOT / each.file).read_bytes()
        assert whole[each.begin : each.end].decode() == each.before
        changed = each.changed(whole)
        ast.parse(changed)
        assert changed.count(b"\n") == whole.count(b"\n"), each


def test_every_mutant_has_a_name_of_its_own() -> None:
    names = [each.name for each in all_mutants()]
    assert len(names) == len(set(names))


def test_a_mutant_is_planted_in_the_functions_that_are_loaded(tmp_path: Path) -> None:
    path = tmp_path / "planted_in.py"
    said = "ONE = {}\ndef outer(n=1):\n    def inner(m):\n        return m < n\n    return inner\nkept = outer(2)\n"
    path.write_text(said.format("True"))
    names: dict[str, Any] = {}
    exec(compile(path.read_text(), path, "exec"), names)  # noqa: S102
    path.write_text(said.format("True").replace("<", "<="))
    functions = planted.loaded_functions()[str(path)]
    assert planted.plant(path, functions)
    assert names["kept"](2)
    assert names["outer"](2)(2)
    # Only an import would read this change.
    path.write_text(said.format("False").replace("<", "<="))
    assert not planted.plant(path, functions)


def test_a_test_of_another_folder_than_the_first_and_the_last_one_is_tried(tmp_path: Path) -> None:
    guard, orders = tmp_path / "guard.py", tmp_path / "orders"
    guard.write_text("def one():\n    return 1\n")
    said = {
        "a/test_first.py": "import pytest\n@pytest.mark.django_db\ndef test_first(): pass\n",
        "b/test_between.py": "import guard\ndef test_between(): assert guard.one() == 1\n",
        "a/test_last.py": "def test_last(): pass\n",
    }
    for name, text in said.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    noticing = "b/test_between.py::test_between"
    text = guard.read_text().replace("1\n", "2\n")
    order = {"number": 0, "path": str(guard), "text": text, "seconds_max": 60}
    orders.write_text(json.dumps({**order, "tests": [noticing]}))
    readable, writable = os.pipe()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "proof.planted", *said],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "django.conf.global_settings",
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
            "PYTHONDONTWRITEBYTECODE": "1",
            planted.ORDERS: str(orders),
            planted.FOUND: str(writable),
        },
        stdout=subprocess.PIPE,
        pass_fds=[writable],
        check=True,
    )
    os.close(writable)
    with os.fdopen(readable) as pipe:
        assert json.load(pipe) == {"number": 0, "verdict": "noticed", "by": noticing}


def test_every_guarding_module_can_report_its_calls() -> None:
    for path in guarding_files():
        told = reached.with_calls(path.read_text(encoding="utf-8"), path.name)
        functions = [
            each for each in ast.walk(ast.parse(told)) if isinstance(each, ast.FunctionDef)
        ]
        assert told.count("    _reached(") == len(functions), path


def test_every_reason_names_a_mutant() -> None:
    assert set(REASONS) <= {each.name for each in all_mutants()}
