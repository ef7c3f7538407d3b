"""`python -m proof.mutation [--of PATH ...] [--sample N] [--seed N] [--jobs N]`: small faults are
planted where money, approvals, evidence and sign-in are guarded, and the tests must notice each.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from typing import Any

from config.embedded.processes import die_with_parent
from proof import planted, reached
from proof.equivalent import REASONS
from proof.mutants import GUARDS, ROOT, Mutant, all_mutants, guarding_files

# One table of tests covers the permissions of all packages.
EVERYWHERE = "tests/winddown/authority/test_every_require.py"
SHARE_MIN = 0.97
# So many seconds of the quickest tests first. Only what they do not notice is tried with more, and
# has then survived, whatever the others would say.
TESTS_SECONDS = 20
TESTS_SECONDS_MAX = 300
# The tests of a mutant may take so much longer than they took without it.
TIMES_MAX = 20
SECONDS_AT_LEAST = 120
SURVEY_SECONDS_MAX = 7_200
# A mutant with the tests that reach it.
Trial = tuple[Mutant, list[reached.Test]]
# The servers of a copy do not wait for the disk.
THROWAWAY = {"WINDDOWN_THROWAWAY_DATA": "1"}


def main(arguments: Sequence[str]) -> int:
    """Every chosen mutant was tried; returns 1 if too many survived, or one for no known reason."""
    parser = argparse.ArgumentParser(prog="python -m proof.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="which mutants a sample takes")
    parser.add_argument("--sample", type=int, help="how many mutants (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="how many are tried at once")
    parser.add_argument(
        "--of", nargs="+", default=[""], metavar="PATH", help="only of files whose path begins so"
    )
    options = parser.parse_args(arguments)
    # A shell's `&` makes a process ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    known = [each for each in all_mutants() if each.file.startswith(tuple(options.of))]
    equal = [each for each in known if each.name in REASONS]
    chosen = [each for each in known if each.name not in REASONS]
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
            return told(len(chosen), try_all(copies, chosen, tests), equal)
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
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False
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
            env=os.environ | THROWAWAY,
            stdin=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    def passes(self, *words: str, seconds_max: float, **variables: str) -> bool:
        """Whether the tests pass here; those that never end do not."""
        program = self._tests(words, variables)
        try:
            return program.wait(timeout=seconds_max) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            _end(program)

    def answers(self, orders: Path, *words: str) -> Iterator[dict[str, Any]]:
        """Yields what `proof.planted` finds, as soon as it does."""
        readable, writable = os.pipe()
        program = self._tests(
            ["-p", "proof.planted", *words],
            {planted.ORDERS: str(orders), planted.FOUND: str(writable)},
            writable,
        )
        os.close(writable)
        try:
            with os.fdopen(readable) as pipe:
                for line in pipe:
                    yield json.loads(line)
        finally:
            _end(program)

    def _tests(
        self, words: Sequence[str], variables: dict[str, str], *kept_open: int
    ) -> subprocess.Popen[bytes]:
        if self._stopped:
            raise SystemExit(143)
        with self.log.open("wb") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-q", *words],
                cwd=self.path,
                env=os.environ | THROWAWAY | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=kept_open,
                preexec_fn=die_with_parent(signal.SIGINT),
            )
        return self._running

    def stop(self) -> None:
        """The tests that run here have ended, and no others begin."""
        self._stopped = True
        if self._running is not None:
            _end(self._running)

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
        planted.write(copy.path / file, reached.with_calls(text.decode(), file).encode())
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
        planted.write(copy.path / file, text)
    found = reached.read(kept_in)
    if not found:
        raise SystemExit(f"No test passed without a mutant:\n{copy.log.read_text()[-2_000:]}")
    return found


def try_all(
    copies: Sequence[Copy], mutants: Sequence[Mutant], tests: dict[str, list[reached.Test]]
) -> list[Mutant]:
    """Every mutant was tried, one at a time in each copy; returns those that survived."""

    def survivors_of(number: int) -> list[Mutant]:
        own = [(each, _in_turn(each, tests)) for each in mutants[number :: len(copies)]]
        # Nothing calls these after their module was imported.
        at_import = [each for each in own if each[0].function not in tests]
        return _survivors(
            copies[number], [each for each in own if each[0].function in tests], at_import
        )

    with ThreadPoolExecutor(len(copies)) as workers:
        try:
            found = list(workers.map(survivors_of, range(len(copies))))
        except BaseException:
            for copy in copies:
                copy.stop()
            raise
    return [each for survivors in found for each in survivors]


def _in_turn(mutant: Mutant, tests: dict[str, list[reached.Test]]) -> list[reached.Test]:
    """Returns the tests that reach the mutant: first those of its room, the quickest first."""
    own = next(rooms for guarded, rooms in GUARDS.items() if mutant.file.startswith(guarded))
    reaching = tests.get(mutant.function) or tests.get(mutant.file, [])
    return sorted(reaching, key=lambda each: not each.name.startswith((EVERYWHERE, *own)))


def _within(seconds: float, tests: Sequence[reached.Test]) -> list[reached.Test]:
    """Returns the first tests, which take so long together."""
    ends = accumulate(each.seconds for each in tests)
    return [each for each, end in zip(tests, ends, strict=True) if end <= seconds]


def _survivors(copy: Copy, mutants: Sequence[Trial], at_import: Sequence[Trial]) -> list[Mutant]:
    """The mutants were tried in one session, with more tests if the quickest did not notice them.
    Those that it could not plant were tried alone, and so were those `at_import`.
    """
    waiting, alone = list(mutants), list(at_import)
    for seconds in (TESTS_SECONDS, TESTS_SECONDS_MAX):
        tried = [(mutant, _within(seconds, reaching)) for mutant, reaching in waiting]
        said = list(zip(waiting, _verdicts(copy, tried), strict=True))
        alone += [each for each, verdict in said if verdict in ("not loaded", "broken")]
        waiting = [each for each, verdict in said if verdict == "survived"]
    return [mutant for mutant, _ in waiting] + [
        mutant
        for mutant, reaching in alone
        if _survives(copy, mutant, _within(TESTS_SECONDS_MAX, reaching))
    ]


def _verdicts(copy: Copy, tried: Sequence[Trial]) -> list[str]:
    """Returns what the session says about each mutant and its tests."""
    orders = copy.path.with_suffix(".orders")
    with orders.open("w") as file:
        for number, (mutant, reaching) in enumerate(tried):
            path = copy.path / mutant.file
            order = {
                "number": number,
                "path": str(path),
                "text": mutant.changed(path.read_bytes()).decode(),
                "tests": [each.name for each in reaching],
                "seconds_max": _seconds_max(reaching),
            }
            file.write(json.dumps(order) + "\n")
    files = {each.name.partition("::")[0] for _, reaching in tried for each in reaching}
    said: list[str] = []
    for answer in copy.answers(orders, *sorted(files)) if files else ():
        mutant, reaching = tried[answer["number"]]
        said.append(answer["verdict"])
        by = f"by {answer['by']}" if "by" in answer else f"by none of {len(reaching)} tests"
        print(f"{answer['verdict']:<10}  {mutant}  ({by})", flush=True)
    if files and len(said) != len(tried):
        raise SystemExit(f"The tests ended early:\n{copy.log.read_text()[-2_000:]}")
    # What no test reaches has survived.
    return said or ["survived"] * len(tried)


def _survives(copy: Copy, mutant: Mutant, tests: Sequence[reached.Test]) -> bool:
    """The mutant was tried in a process that imported it; returns whether the tests passed."""
    path = copy.path / mutant.file
    whole = path.read_bytes()
    planted.write(path, mutant.changed(whole))
    try:
        survived = not tests or copy.passes(
            "-x", *(each.name for each in tests), seconds_max=_seconds_max(tests)
        )
    finally:
        planted.write(path, whole)
    print(f"{'survived' if survived else 'noticed':<10}  {mutant}  (alone)", flush=True)
    return survived


def _seconds_max(tests: Sequence[reached.Test]) -> float:
    return max(SECONDS_AT_LEAST, TIMES_MAX * sum(each.seconds for each in tests))


def told(tried: int, survivors: Sequence[Mutant], equal: Sequence[Mutant]) -> int:
    """The survivors with their reasons and the result were printed; returns the exit code."""
    for each in equal:
        print(f"equal       {each}\n            {REASONS[each.name]}")
    for each in survivors:
        print(f"survived    {each}\n            no known reason")
    noticed = tried - len(survivors)
    share = noticed / tried if tried else 1
    print(
        f"proof: {noticed} of {tried} mutants were noticed ({share:.1%});"
        f" {len(equal)} more change nothing that a test could notice"
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
