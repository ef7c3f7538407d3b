"""`generate_case`: the same seed gives the same files, and what cannot be generated is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from refunds.bankfiles.kana import to_bank_kana
from rehearsal import people
from rehearsal.generator import GenerationRefused, generate_case

ROOT = Path(__file__).resolve().parents[2]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    def digests(name: str, *, seed: int) -> list[str]:
        manifest = generate_case(accounts=2_000, seed=seed, out=tmp_path / name)
        return [entry["sha256"] for entry in manifest["files"] + manifest["truth"]]

    first = digests("first", seed=7)
    assert digests("again", seed=7) == first
    assert digests("first", seed=7) == first
    assert not set(digests("other", seed=8)) & set(first)


def test_too_few_accounts_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(GenerationRefused, match=r"at least 2,000 accounts"):
        generate_case(accounts=1_999, seed=1, out=tmp_path / "case")
    assert not (tmp_path / "case").exists()


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "case"
    target.write_text("", encoding="utf-8")
    with pytest.raises(GenerationRefused, match="is a file"):
        generate_case(accounts=2_000, seed=1, out=target)


def test_the_attempts_of_the_attack_can_be_limited(tmp_path: Path) -> None:
    manifest = generate_case(accounts=2_000, seed=1, out=tmp_path, attempts_max=12_000)
    assert manifest["attempts"] == 12_000
    with pytest.raises(GenerationRefused, match="attempts"):
        generate_case(accounts=2_000, seed=1, out=tmp_path, attempts_max=100)


def test_the_command_needs_no_database(tmp_path: Path) -> None:
    """The whole command runs in a process whose settings know no database."""
    program = (
        "import sys, django; from django.conf import settings;"
        "settings.configure(INSTALLED_APPS=['rehearsal']); django.setup();"
        "from django.core.management import execute_from_command_line;"
        "execute_from_command_line(['manage.py', 'generate_case', *sys.argv[1:]])"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("--accounts", "2000", "--seed", "1", "--out", str(tmp_path / "case"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["expected"]["victims"]["count"] == 808
    refused = run("--accounts", "10", "--seed", "1", "--out", str(tmp_path / "none"))
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1


def test_every_name_can_be_written_in_a_bank_file() -> None:
    """Rule 47."""
    for name in range(people.NAMES):
        assert len(to_bank_kana(people.kana_name(name)).encode("cp932")) <= 30
        people.display_name(name).encode("cp932")
