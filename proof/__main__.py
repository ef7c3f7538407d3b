"""The long forms of the tests: `python -m proof [--list] [--seed N] [name ...]`, recorded in docs/proof.md."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "docs" / "proof.md"
# Logs of the lines, and programs that only the lines need.
ROOM = ROOT / ".local" / "proof"
HEADER = "| line | commit | date (UTC) | seed | seconds | result |"
# A program that was told to stop ends its servers and workers first.
STOP_S_MAX = 120


@dataclass(frozen=True, slots=True)
class Line:
    """One proof: a command that exits with 0 if what it shows is true."""

    name: str
    shows: str
    command: str
    """One shell word after the other. `{python}` is the tests' Python, `{own}` the directory of the
    line's own programs, `{seed}` the seed: a line whose command has no `{seed}` takes none."""
    packages: tuple[str, ...] = ()
    """What pip installs for this line alone, into a virtual environment of its own."""


PYTEST = "{python} -m pytest -n 3 --dist loadgroup --max-worker-restart 0"
# More examples than `make test` tries: see tests/conftest.py.
EXAMPLES = "--hypothesis-profile proof --hypothesis-seed {seed} --timeout 3600"
FUZZ = "tests/refunds/bankfiles/test_reader_fuzz.py"
ANSWERS = "tests/refunds/claims/test_answer_fuzz.py"
# Ruff checks the same as these and each place it finds has its reason beside it.
JUDGED_BY_RUFF = "B101,B105,B106,B107,B108,B308,B310,B311,B404,B603,B608,B611,B703"

# One line is one entry; docs/testing.md says how to add one.
LINES = (
    Line(
        name="postgresql-15",
        shows="every test passes on PostgreSQL 15, the oldest supported one",
        command=f"{{python}} -m proof.postgresql 15 {PYTEST}",
    ),
    Line(
        name="properties",
        shows="what holds for any input (bank files, names, dates, routes) holds for 5,000 inputs each",
        command=f"{PYTEST} {EXAMPLES} -m hypothesis --ignore {FUZZ} --ignore {ANSWERS}",
    ),
    Line(
        name="fuzz-readers",
        shows="650,000 damaged bank files in every format are read or refused, and none ends otherwise",
        command=f"{PYTEST} {EXAMPLES} {FUZZ}",
    ),
    Line(
        name="fuzz-answers",
        shows="200,000 damaged answer files of card issuers: each line is accounted for, none ends otherwise",
        command=f"{PYTEST} {EXAMPLES} {ANSWERS}",
    ),
    Line(
        name="ledger-model",
        shows="the ledger agrees with its model through long random histories of movements",
        command=f"{{python}} -m pytest {EXAMPLES} tests/wallets/movements/test_ledger_model.py",
    ),
    Line(
        name="long-forms",
        shows="a fault in every step, every population and more pairs of requests than `make test` takes",
        command=(
            f"{PYTEST} {EXAMPLES} tests/harness tests/faults/test_a_wind_down_survives.py"
            " tests/rehearsal/test_generator.py tests/rehearsal/test_detection.py"
            " tests/rehearsal/test_own_data.py"
            " tests/accounts/sign_in/test_no_enumeration.py tests/browser"
            " tests/accounts/sign_in/test_sign_in_matrix.py tests/winddown/site/test_every_url.py"
            " tests/config/test_who_opens_what.py"
            " tests/config/embedded/test_servers.py tests/refunds/payouts/test_forgotten.py"
            " tests/faults/test_poison_rows.py tests/faults/test_freeze_charges_survives.py"
            " tests/winddown/programme/test_acts.py tests/refunds/claims/test_slot_race.py"
        ),
    ),
    Line(
        name="mutation-approvals",
        shows="the tests notice 97 of 100 faults planted in what guards approvals, evidence and runs",
        command="{python} -m proof.mutation --of winddown",
    ),
    Line(
        name="mutation-money",
        shows="the tests notice 97 of 100 faults planted in what guards movements, claims and payouts",
        command="{python} -m proof.mutation --of wallets refunds",
    ),
    Line(
        name="mutation-sign-in",
        shows="the tests notice 97 of 100 faults planted in what guards sign-in, recovery and roles",
        command="{python} -m proof.mutation --of accounts",
    ),
    Line(
        name="killed-payouts",
        shows="processes killed at each of their points pay nothing twice and leave no half file",
        command=f"{{python}} -m pytest {EXAMPLES} -s tests/refunds/payouts/test_payouts_survive_kills.py",
    ),
    Line(
        name="corruption",
        shows="97 of 100 edits, deletes and inserts past every trigger are found; each miss has a reason",
        command=f"{PYTEST} {EXAMPLES} tests/refunds/claims/test_planted_corruption.py",
    ),
    Line(
        name="combinations",
        shows="from every combination of a refund's states that doors lead to, doors lead to an end",
        command=(
            f"{PYTEST} {EXAMPLES} -s tests/refunds/test_every_combination.py"
            " tests/architecture/test_machine_ends.py"
        ),
    ),
    Line(
        name="tutorial",
        shows="every block of the tutorial runs and prints what its page says, in yen and in euro",
        command=f"{PYTEST} {EXAMPLES} tests/stories/test_tutorial.py",
    ),
    Line(
        name="notices",
        shows="10,000 people are told of a reset once, though worker and broker are killed",
        command=f"{{python}} -m pytest {EXAMPLES} tests/faults/test_reset_notices_survive.py",
    ),
    Line(
        name="outages",
        shows="locks, cuts, a stopped worker and a wrong clock cost a run time and park no row",
        command=f"{{python}} -m pytest {EXAMPLES} -s tests/faults/test_short_outages.py -k costs_time",
    ),
    Line(
        name="nginx",
        shows="a real nginx takes docs/nginx.conf.example, and slow visitors hold no thread of ours",
        command="{python} -m proof.nginx {python} -m pytest tests/config/test_nginx.py",
    ),
    Line(
        name="bandit",
        shows="bandit finds nothing in the service by the checks that ruff does not have",
        command=(
            "{own}/bandit --quiet --recursive config winddown accounts wallets refunds rehearsal"
            f" --skip {JUDGED_BY_RUFF}"
        ),
        packages=("bandit==1.9.4",),
    ),
    Line(
        name="ruff-security",
        shows="ruff's security rules find nothing that has no reason beside it",
        command="{python} -m ruff check --no-cache --select S --ignore S101,S603 .",
    ),
    Line(
        name="wapiti",
        shows="wapiti finds nothing without an answer on a served case: visitor, customer, commander",
        command="{python} -m proof.scanners wapiti {own}/wapiti {seed}",
        packages=("wapiti3==3.2.3",),
    ),
    Line(
        name="sqlmap",
        shows="sqlmap puts no SQL into any form or link of a served case: visitor, customer, commander",
        command="{python} -m proof.scanners sqlmap {own}/sqlmap {seed}",
        packages=("sqlmap==1.10.10",),
    ),
    Line(
        name="replay-any-seed",
        shows="the case ends with every published figure, to the unit, for a random population",
        command="{python} manage.py replay --accounts 20000 --seed {seed}",
    ),
    Line(
        name="replay-early-plan",
        shows="the second plan runs to its end: early accounts, reminders, claim codes, postal orders"
        " that expire; all is accounted for each day, and nothing is stuck",
        command="{python} manage.py replay --plan rehearsal/case/plans/early.toml"
        " --accounts 2000 --seed {seed}",
    ),
    Line(
        name="replay-million",
        shows="the case ends with every published figure, to the unit, with 1,000,000 accounts",
        command="{python} manage.py replay --accounts 1000000 --seed {seed}",
    ),
    Line(
        name="benchmarks",
        shows="every benchmark runs to its end with 10,000, 100,000 and 1,000,000 wallets",
        command="{python} -m benchmarks",
    ),
)


def main(arguments: Sequence[str]) -> int:
    """The chosen lines ran and are recorded; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m proof", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="lines to run (default: all)")
    parser.add_argument("--list", action="store_true", help="show the lines and run none")
    parser.add_argument("--seed", type=int, help="repeat a run (default: a new seed for each line)")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {line.name for line in LINES}:
        parser.error(f"no line {', '.join(sorted(unknown))}; --list shows what there is")
    chosen = [line for line in LINES if not options.names or line.name in options.names]
    if options.list:
        for line in chosen:
            print(f"{line.name:<16} {line.shows}\n{'':<16} {line.command}")
        return 0
    # SIGHUP and SIGTERM end a run as Ctrl-C does, also if the caller ignored them.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    failed = []
    for count, line in enumerate(chosen, start=1):
        print(f"[{count}/{len(chosen)}] {line.name}: {line.shows}", flush=True)
        try:
            passed = _prove(line, options.seed)
        except KeyboardInterrupt:
            print(f"\nStopped. {line.name} is not recorded.", file=sys.stderr)
            return 130
        if not passed:
            failed.append(line.name)
    print(f"Failed: {', '.join(failed)}" if failed else f"{len(chosen)} of {len(chosen)} passed.")
    return 1 if failed else 0


def _prove(line: Line, asked: int | None) -> bool:
    """The line ran to its end and its result is recorded; returns whether it passed."""
    seed = secrets.randbelow(2**31) if asked is None else asked
    commit, begun = _commit(), dt.datetime.now(dt.UTC)
    own = ROOM / line.name
    places = {"python": sys.executable, "own": str(own / "bin"), "seed": str(seed)}
    commands = [[word.format(**places) for word in shlex.split(line.command)]]
    if line.packages:
        pip = [str(own / "bin/pip"), "--disable-pip-version-check", "install", "--quiet"]
        commands[:0] = [[sys.executable, "-m", "venv", str(own)], [*pip, *line.packages]]
    ROOM.mkdir(parents=True, exist_ok=True)
    log = ROOM / f"{line.name}.log"
    log.write_bytes(b"")
    started, code = time.monotonic(), 0
    for words in commands:
        code = code or _run(words, log)
    seconds = time.monotonic() - started
    # pytest's closing line.
    said = log.read_text(errors="replace")
    counts = re.findall(r"=+ ((?:\d+ \w+(?:, )?)+) in ", said)
    # What a test measured, in a line of its own.
    told = re.findall(r"^proof: (.+)$", said, flags=re.MULTILINE)
    verdict = "passed" if code == 0 else f"failed (exit {code})"
    result = "; ".join([": ".join([verdict, *counts[-1:]]), *told])
    told_seed = str(seed) if "{seed}" in line.command else ""
    _record(line.name, commit, f"{begun:%Y-%m-%d %H:%M}", told_seed, f"{seconds:.0f}", result)
    print(f"{line.name}: {result}, {seconds:.0f} s; {log.relative_to(ROOT)}", flush=True)
    return code == 0


def _run(words: Sequence[str], log: Path) -> int:
    """The program ran to its end, its output shown and kept in the log; returns its exit code.

    Ctrl-C is sent once to it and its children, and it has time to end.
    """
    with log.open("ab") as kept, log.open("rb") as shown:
        shown.seek(0, os.SEEK_END)
        # A session of its own, so that only we pass Ctrl-C on. A second one would interrupt its
        # end.
        program = subprocess.Popen(
            words,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=kept,
            stderr=kept,
            start_new_session=True,
        )
        try:
            while program.poll() is None:
                time.sleep(0.2)
                _show(shown)
        except KeyboardInterrupt:
            os.killpg(program.pid, signal.SIGINT)
            try:
                program.wait(timeout=STOP_S_MAX)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                os.killpg(program.pid, signal.SIGKILL)
            raise
        finally:
            _show(shown)
        return program.returncode


def _show(output: IO[bytes]) -> None:
    sys.stdout.buffer.write(output.read())
    sys.stdout.buffer.flush()


# --- The record ----------------------------------------------------------------------------------


def _commit() -> str:
    """The commit that is proved, and whether the files differ from it."""
    head = _git("rev-parse", "--short=12", "HEAD") or "none"
    # Files that a proof writes are no difference.
    written = (":!docs/proof.md", ":!benchmarks/results")
    return f"{head} and changes" if _git("status", "--porcelain", "--", ".", *written) else head


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip() if done.returncode == 0 else ""


def _record(name: str, *facts: str) -> None:
    """The record's row of this name says this; rows of lines that no longer exist are gone."""
    text, _, table = RECORD.read_text(encoding="utf-8").partition(HEADER)
    rows = dict(_rows(table)) | {name: f"| {' | '.join([f'`{name}`', *facts])} |"}
    ordered = [rows[line.name] for line in LINES if line.name in rows]
    draft = RECORD.with_suffix(".draft")
    draft.write_text("\n".join([text + HEADER, "|---|---|---|---|---|---|", *ordered, ""]), "utf-8")
    draft.replace(RECORD)


def _rows(table: str) -> Iterator[tuple[str, str]]:
    for row in table.splitlines():
        if found := re.match(r"\| `([^`]+)` \|", row):
            yield found[1], row


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
