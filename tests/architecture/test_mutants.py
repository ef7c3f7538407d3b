"""The mutants of the proof are well-formed, and each reason names one of them."""

from __future__ import annotations

import ast

from proof import reached
from proof.equivalent import REASONS
from proof.mutants import GUARDS, ROOT, all_mutants, guarding_files


def test_every_guarded_place_and_its_tests_exist() -> None:
    named = [each for guarded, tests in GUARDS.items() for each in (guarded, *tests)]
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_every_mutant_is_valid_python() -> None:
    for each in all_mutants():
        whole = (ROOT / each.file).read_bytes()
        assert whole[each.begin : each.end].decode() == each.before
        ast.parse(whole[: each.begin] + each.after.encode() + whole[each.end :])


def test_every_guarding_module_can_report_its_calls() -> None:
    for path in guarding_files():
        told = reached.with_calls(path.read_text(encoding="utf-8"), path.name)
        functions = [
            each for each in ast.walk(ast.parse(told)) if isinstance(each, ast.FunctionDef)
        ]
        assert told.count("    _reached(") == len(functions), path


def test_every_reason_names_a_mutant() -> None:
    known = {(each.file, each.change) for each in all_mutants()}
    assert set(REASONS) <= known
