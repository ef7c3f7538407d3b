"""`python -m proof.mutation [--seed N] [--sample N]`: small faults are planted where money, approvals, evidence and
sign-in are guarded, and the tests must see each."""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.embedded.processes import die_with_parent

ROOT = Path(__file__).resolve().parents[1]
# Module or folder of modules -> its tests.
GUARDS = {
    "winddown/actors.py": "tests/winddown/authority",
    "winddown/authority/approvals.py": "tests/winddown/authority",
    "winddown/evidence": "tests/winddown/evidence",
    "winddown/machines/move.py": "tests/winddown/machines",
    "winddown/site/reading.py": "tests/winddown/site",
    "winddown/runs/planning.py": "tests/winddown/runs",
    "wallets/movements": "tests/wallets/movements",
    "refunds/payouts": "tests/refunds/payouts",
    "refunds/applications": "tests/refunds/applications",
    "refunds/claims": "tests/refunds/claims",
    "accounts/credentials": "tests/accounts/credentials",
    "accounts/recovery": "tests/accounts/recovery",
    "accounts/staff_requests.py": "tests/accounts/recovery",
    "accounts/staff_roles.py": "tests/accounts/recovery",
    "accounts/sign_in": "tests/accounts/sign_in",
}
# One table of tests covers the permissions of all packages.
EVERYWHERE = "tests/winddown/authority/test_every_require.py"
SECONDS_MAX = 900
OTHER = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file: the text between the two places becomes `after`."""

    file: str
    line: int
    begin: int
    end: int
    before: str
    after: str
    tests: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {_one_line(self.before)} -> {_one_line(self.after)}"


def main(arguments: Sequence[str]) -> int:
    """Every chosen mutant was tried; returns 1 if the tests saw nothing of one."""
    parser = argparse.ArgumentParser(prog="python -m proof.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="which mutants a sample takes")
    parser.add_argument("--sample", type=int, help="how many mutants (default: all)")
    options = parser.parse_args(arguments)
    # A shell's `&` makes a process ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chosen = list(_mutants())
    if options.sample is not None:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))  # noqa: S311
    place = Path(tempfile.mkdtemp(prefix="winddown-mutation-"))
    # A process that is told to stop removes the copy.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    try:
        copy = _copied(place)
        survivors = []
        sound = set()
        for number, each in enumerate(chosen, start=1):
            if each.tests not in sound and not _passes(copy, each.tests):
                print(f"{each.tests} fail without a mutant", file=sys.stderr)
                return 2
            sound.add(each.tests)
            if _survives(copy, each, number):
                survivors.append(each)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(place)
    for each in survivors:
        print(f"survived  {each}")
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants were seen by the tests.")
    return 1 if survivors else 0


# --- the mutants ----------------------------------------------------------------------------------


def _mutants() -> Iterator[Mutant]:
    """Yields every mutant of the guarding modules, in the order of files and lines."""
    for guarded, tests in GUARDS.items():
        place = ROOT / guarded
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            yield from _mutants_of(path, tests)


def _mutants_of(path: Path, tests: str) -> Iterator[Mutant]:
    text = path.read_text(encoding="utf-8")
    begins = [0]
    for line in text.encode().splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    tree = ast.parse(text)
    # `frozen=True` and the like change nothing that a test could see.
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    passed_over = {
        part for each in classes for word in each.decorator_list for part in ast.walk(word)
    }
    for node in ast.walk(tree):
        if node in passed_over:
            continue
        for old, after in _changes(node):
            begin = begins[old.lineno - 1] + old.col_offset
            end = begins[(old.end_lineno or old.lineno) - 1] + (old.end_col_offset or 0)
            before = text.encode()[begin:end].decode()
            file = str(path.relative_to(ROOT))
            yield Mutant(file, old.lineno, begin, end, before, after, tests)


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Yields the parts of the node that are replaced, and their replacements."""
    match node:
        case ast.Expr(value=ast.Call(func=called)) if _is_guard(ast.unparse(called)):
            yield node, "pass"
        case ast.Raise():
            yield node, "pass"
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare):
            yield test, f"(not ({ast.unparse(test)}))"
        case ast.Compare(ops=[operator]) if type(operator) in OTHER:
            other = ast.Compare(node.left, [OTHER[type(operator)]()], node.comparators)
            yield node, f"({ast.unparse(other)})"
        case ast.BoolOp(op=operator, values=values):
            word = " or " if isinstance(operator, ast.And) else " and "
            yield node, f"({word.join(f'({ast.unparse(value)})' for value in values)})"
        case ast.Constant(value=bool() as value):
            yield node, str(not value)
        case _:
            pass


def _is_guard(called: str) -> bool:
    """Whether a call that returns nothing is there to refuse."""
    return (
        called.rpartition(".")[2].lstrip("_").startswith(("require", "refuse", "check", "passed"))
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- the tests ------------------------------------------------------------------------------------


def _copied(place: Path) -> Path:
    """Returns a copy of the checkout's files in git, in which mutants are written."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    copy = place / "checkout"
    for name in listed.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


def _survives(copy: Path, mutant: Mutant, number: int) -> bool:
    """The mutant was written, tried and taken back; returns whether the tests passed."""
    path = copy / mutant.file
    whole = path.read_bytes()
    path.write_bytes(whole[: mutant.begin] + mutant.after.encode() + whole[mutant.end :])
    try:
        survived = _passes(copy, mutant.tests)
        if survived and "require" in mutant.before:
            survived = _passes(copy, EVERYWHERE)
    finally:
        path.write_bytes(whole)
    print(f"{number:>4} {'survived' if survived else 'seen':<8}  {mutant}", flush=True)
    return survived


def _passes(copy: Path, tests: str) -> bool:
    """Returns whether the tests pass in the copy. Tests that never end have noticed the mutant."""
    program = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-x", "-q", tests],
        cwd=copy,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGINT),
    )
    try:
        return program.wait(timeout=SECONDS_MAX) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        _end(program)


def _end(program: subprocess.Popen[bytes]) -> None:
    """The tests and all processes that they started have ended."""
    if program.poll() is None:
        os.killpg(program.pid, signal.SIGINT)
        try:
            program.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
