"""manage.py: what a person sees when a command does not end well."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import Database
from tests.faults.conftest import ROOT, wait_until


def test_ctrl_c_ends_a_command_in_one_sentence(tmp_path: Path) -> None:
    case = tmp_path / "case"
    words = ("generate_case", "--accounts", "50000", "--seed", "1", "--out", str(case))
    command = subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_until(lambda: command.poll() or list(tmp_path.rglob("*.csv*")), "the command writes")
    command.send_signal(signal.SIGINT)
    said = command.communicate(timeout=60)[0]
    assert command.returncode == 130, said
    assert said.endswith("manage.py: interrupted; what was committed stays.\n")
    assert "Traceback" not in said


def test_nobody_sets_the_password_of_another_account() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "changepassword", "commander"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("manage.py: a password is chosen by its owner alone;")


def test_a_command_before_the_tables_says_what_comes_first(own_database: Database) -> None:
    empty = own_database.environment | {
        "DATABASE_URL": own_database.url.replace(f"/{own_database.name}?", "/postgres?"),
        "WINDDOWN_DATABASE_ROLE": "",
    }
    for words, code, said in (
        (("staff", "list", "--by", "hana"), 1, "manage.py migrate"),
        (("begin", "--example"), 0, "[programme]"),
    ):
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=empty,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr
