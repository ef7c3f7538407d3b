"""A plugin of pytest that tries many mutants in one session.

The tests are collected once. A forked process for each mutant plants it in the functions that are
loaded and runs the tests that reach it, until one of them fails.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from django.db import connections

from config.embedded.processes import die_with_parent

# File of what is to be tried, and number of the open file that takes what was found: a JSON object
# a line.
ORDERS = "PROOF_ORDERS"
FOUND = "PROOF_FOUND"
TEST_FAILED = 1
# The mutant changes what is only read when its module is imported.
NOT_LOADED = 2
BROKEN = 3
VERDICTS = {0: "survived", NOT_LOADED: "not loaded", BROKEN: "broken"}


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Every order was carried out, instead of the tests themselves."""
    to = int(os.environ[FOUND])
    os.set_inheritable(to, False)
    trials = Trials(session)
    with Path(os.environ[ORDERS]).open() as orders, os.fdopen(to, "w") as found:
        for line in orders:
            order = json.loads(line)
            said = {"number": order["number"], **trials.verdict(order)}
            found.write(json.dumps(said) + "\n")
            found.flush()
    return True


class Trials:
    """The tests of a session, run again and again in processes that are forked from it."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session
        self.tests = {item.nodeid: item for item in session.items}
        # A test that noticed a mutant -> whether it passes without one, after the same tests.
        self.sound: dict[str, bool] = {}
        self._open()
        self.functions = loaded_functions()
        # What the processes share stays shared.
        gc.collect()
        gc.freeze()

    def _open(self) -> None:
        """The session has its fixtures, above all the database, which every process then finds."""
        for each in self.session.items:
            if each.get_closest_marker("django_db"):
                self._run_one(each, None)
                break
        if self.session.testsfailed:
            raise SystemExit("the first test fails without a mutant")
        connections.close_all()

    def _run_one(self, test: pytest.Item, following: pytest.Item | None) -> None:
        """The test ran. Without a following one, only the fixtures of the session stay."""
        self.session.config.hook.pytest_runtest_protocol(
            item=test, nextitem=following or self.session
        )

    def verdict(self, order: dict[str, Any]) -> dict[str, str]:
        """Returns whether a test noticed the mutant of the order, and which one."""
        path = Path(order["path"])
        whole = path.read_bytes()
        chosen = [self.tests[name] for name in order["tests"] if name in self.tests]
        left = [each for each in chosen if self.sound.get(each.nodeid, True)]
        while left:
            # Also programs that the tests start run with the mutant.
            write(path, order["text"].encode())
            try:
                code, failed = self._forked(left, order["seconds_max"], path)
            finally:
                write(path, whole)
            if code in VERDICTS:
                return {"verdict": VERDICTS[code]}
            if failed is None:
                return {"verdict": "noticed", "by": "the end of the process"}
            if failed.nodeid not in self.sound:
                before = left[: left.index(failed) + 1]
                self.sound[failed.nodeid] = self._forked(before, order["seconds_max"])[0] == 0
            if self.sound[failed.nodeid]:
                return {"verdict": "noticed", "by": failed.nodeid}
            left.remove(failed)
        return {"verdict": VERDICTS[0]}

    def _forked(
        self, tests: Sequence[pytest.Item], seconds_max: float, path: Path | None = None
    ) -> tuple[int, pytest.Item | None]:
        """The tests ran in a process of their own, with what the path says now; returns its exit
        code and the test that failed.
        """
        readable, writable = os.pipe()
        dies = die_with_parent(signal.SIGKILL)
        process = os.fork()
        if process == 0:
            code = BROKEN
            try:
                os.setsid()
                if dies is not None:
                    dies()
                loaded = path is None or plant(path, self.functions.get(str(path), []))
                code = self._run(tests, writable) if loaded else NOT_LOADED
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.close(writable)
        code = _ended(process, seconds_max)
        with os.fdopen(readable, "rb") as pipe:
            said = pipe.read(8)
        return code, tests[int(said)] if said else None

    def _run(self, tests: Sequence[pytest.Item], to: int) -> int:
        """The tests ran until one failed, whose number is written to the pipe."""
        code = 0
        for number, (test, following) in enumerate(zip(tests, [*tests[1:], None], strict=True)):
            self._run_one(test, following)
            if self.session.testsfailed:
                os.write(to, b"%d" % number)
                code = TEST_FAILED
                break
        connections.close_all()
        return code


def _ended(process: int, seconds_max: float) -> int:
    """The process and what it started have ended, by force after so long; returns its exit code."""
    ends = time.monotonic() + seconds_max
    while (done := os.waitpid(process, os.WNOHANG)) == (0, 0) and time.monotonic() < ends:
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    if done == (0, 0):
        done = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(done[1])


def write(path: Path, text: bytes) -> None:
    """The file says this, and no compiled form of another text is left."""
    path.write_bytes(text)
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def loaded_functions() -> dict[str, list[FunctionType]]:
    """Returns the functions of every file that is imported."""
    found: dict[str, list[FunctionType]] = {}
    for each in gc.get_objects():
        # An object that is made when it is first used would be made by `isinstance`.
        if type(each) is FunctionType:
            found.setdefault(each.__code__.co_filename, []).append(each)
    return found


def plant(path: Path, functions: Sequence[FunctionType]) -> bool:
    """The functions, which are of the file, do what it says now; returns whether one changed."""
    now: dict[tuple[str, int], list[CodeType]] = {}
    for code in _codes(compile(path.read_bytes(), path, "exec")):
        now.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
    changed = False
    for each in functions:
        before = each.__code__
        same = now.get((before.co_qualname, before.co_firstlineno), [])
        if before in same:
            continue
        if len(same) != 1 or same[0].co_freevars != before.co_freevars:
            return False
        each.__code__ = same[0]
        changed = True
    return changed


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)
