"""`python -m proof.mutation [--seed N] [--sample N] [--jobs N]`: small faults are planted where money, approvals,
evidence and sign-in are guarded, and the tests must notice each."""

from __future__ import annotations

import argparse
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from config.embedded.processes import die_with_parent
from proof import reached
from proof.equivalent import REASONS
from proof.mutants import GUARDS, ROOT, Mutant, all_mutants, guarding_files

# One table of tests covers the permissions of all packages.
EVERYWHERE = "tests/winddown/authority/test_every_require.py"
SHARE_MIN = 0.97
# The tests of a mutant may take so much longer than they took without it.
TIMES_MAX = 20
SECONDS_AT_LEAST = 300
SURVEY_SECONDS_MAX = 7_200


def main(arguments: Sequence[str]) -> int:
    """Every chosen mutant was tried; returns 1 if too many survived, or one for no known reason."""
    parser = argparse.ArgumentParser(prog="python -m proof.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="which mutants a sample takes")
    parser.add_argument("--sample", type=int, help="how many mutants (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="how many are tried at once")
    parser.add_argument("--of", default="", help="only mutants of files whose path begins so")
    options = parser.parse_args(arguments)
    # A shell's `&` makes a process ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chosen = [each for each in all_mutants() if each.file.startswith(options.of)]
    if options.sample is not None:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))  # noqa: S311
    # A process that is told to stop removes the copies.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    place = Path(tempfile.mkdtemp(prefix="winddown-mutation-"))
    # The servers that root starts run as somebody else, who must be able to enter.
    place.chmod(0o755)
    try:
        copies = [Copy(place / str(number)) for number in range(options.jobs)]
        try:
            tests = survey(copies[0], chosen)
            return told(try_all(copies, chosen, tests))
        finally:
            for copy in copies:
                copy.close()
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(place, ignore_errors=True)


class Copy:
    """A copy of the checkout in which mutants are written, with servers that run until it is closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # The output of the tests that ran last.
        self.log = path.with_suffix(".log")
        words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        for name in listed.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path / name)
        # Each run of the tests would start and stop the servers anew.
        self._servers = subprocess.Popen(
            [sys.executable, "-c", "import sys; from config import settings; sys.stdin.read()"],
            cwd=path,
            stdin=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    def write(self, file: str, text: bytes) -> None:
        """The file says this, and no compiled form of another text is left."""
        path = self.path / file
        path.write_bytes(text)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()

    def passes(self, *words: str, seconds_max: float, **variables: str) -> bool:
        """Whether the tests pass here; those that never end do not."""
        with self.log.open("wb") as log:
            program = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-q", *words],
                cwd=self.path,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
            )
        try:
            return program.wait(timeout=seconds_max) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            _end(program)

    def close(self) -> None:
        """The servers of this copy have stopped, and their data is gone."""
        self._servers.communicate()
        words = [sys.executable, "-m", "config.embedded", "remove"]
        subprocess.run(words, cwd=self.path, stdout=subprocess.DEVNULL, check=False)


def survey(copy: Copy, mutants: Sequence[Mutant]) -> dict[str, list[reached.Test]]:
    """Returns the tests that reach each function of the mutants' rooms, the quickest first."""
    rooms = {
        each
        for guarded, tests in GUARDS.items()
        if any(mutant.file.startswith(guarded) for mutant in mutants)
        for each in tests
    }
    print(f"Which tests reach what: {', '.join(sorted(rooms))}", flush=True)
    whole = {str(path.relative_to(ROOT)): path.read_bytes() for path in guarding_files()}
    for file, text in whole.items():
        copy.write(file, reached.with_calls(text.decode(), file).encode())
    kept_in = copy.path.with_suffix(".reached")
    kept_in.mkdir()
    several = ["-n", "2", "--dist", "loadgroup", "--max-worker-restart", "0"]
    copy.passes(
        *several,
        *("-p", "proof.reached", "-m", "not slow"),
        *sorted({EVERYWHERE, *rooms}),
        seconds_max=SURVEY_SECONDS_MAX,
        **{reached.KEPT_IN: str(kept_in)},
    )
    for file, text in whole.items():
        copy.write(file, text)
    found = reached.read(kept_in)
    if not found:
        raise SystemExit(f"No test passed without a mutant:\n{copy.log.read_text()[-2_000:]}")
    return found


def try_all(
    copies: Sequence[Copy], mutants: Sequence[Mutant], tests: dict[str, list[reached.Test]]
) -> list[tuple[Mutant, bool]]:
    """Every mutant was tried, one at a time in each copy; returns which of them survived."""
    free: queue.Queue[Copy] = queue.Queue()
    for copy in copies:
        free.put(copy)

    def tried(mutant: Mutant) -> tuple[Mutant, bool]:
        copy = free.get()
        try:
            found = tests.get(mutant.function) or tests.get(mutant.file, [])
            survived = _survives(copy, mutant, found)
        finally:
            free.put(copy)
        word = "survived" if survived else "noticed"
        print(f"{word:<8}  {mutant}  ({len(found)} tests reach it)", flush=True)
        return mutant, survived

    with ThreadPoolExecutor(len(copies)) as workers:
        return list(workers.map(tried, mutants))


def _survives(copy: Copy, mutant: Mutant, tests: Sequence[reached.Test]) -> bool:
    """The mutant was written, tried and taken back; returns whether the tests passed."""
    if not tests:
        return True
    whole = (copy.path / mutant.file).read_bytes()
    changed = whole[: mutant.begin] + mutant.after.encode() + whole[mutant.end :]
    copy.write(mutant.file, changed)
    usual = sum(each.seconds for each in tests)
    try:
        return copy.passes(
            "-x",
            *(each.name for each in tests),
            seconds_max=max(SECONDS_AT_LEAST, TIMES_MAX * usual),
        )
    finally:
        copy.write(mutant.file, whole)


def told(tried: Sequence[tuple[Mutant, bool]]) -> int:
    """The survivors were printed with their reasons; returns the exit code."""
    survivors = [mutant for mutant, survived in tried if survived]
    unexplained = []
    for each in survivors:
        reason = REASONS.get((each.file, each.change))
        print(f"survived  {each}\n          {reason or 'no known reason'}")
        if reason is None:
            unexplained.append(each)
    # A change that no test can notice says nothing about the tests.
    counted = len(tried) - len(survivors) + len(unexplained)
    noticed = len(tried) - len(survivors)
    share = noticed / counted if counted else 1
    print(
        f"{noticed} of {counted} mutants were noticed ({share:.1%});"
        f" {len(survivors) - len(unexplained)} more change nothing that a test could notice."
    )
    return 0 if share >= SHARE_MIN else 1


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
