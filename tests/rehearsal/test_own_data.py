"""An operator's own programme is rehearsed to the end, and says what would stall."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from rehearsal.own_data import Findings, OwnData
from tests.conftest import Database
from winddown.evidence import invariants
from winddown.set_up import reading

SAKURA = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "sakura"
EVENTS = """occurred_at,login_id,account_ref,outcome,method,network,device_ref,country,displaced_session
2026-03-31T21:00:00+09:00,akari.aoki,C001,success,password,,,,no
2026-03-31T21:00:00+09:00,akari.aoki,C901,success,password,,,,no
2026-03-31T21:00:00,akari.aoki,C001,success,password,,,,no
"""
pytestmark = pytest.mark.as_owner


def played(data: Path, out: Path) -> Findings:
    rows = reading.read((SAKURA / "programme.toml").read_bytes())
    return OwnData(rows, data=data, out=out, tell=print).play()


def test_the_tutorials_service_is_rehearsed_to_the_end(
    own_database: Database, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(SAKURA, data)
    (data / "auth_events.csv").write_text(EVENTS)

    found = played(data, tmp_path)

    assert found.loaded["accounts.csv"] == 50
    assert "auth_events.csv" not in found.loaded
    assert found.unreachable == 4
    # The file names two commanders only.
    missing = [each for each in found.stalls if each.what.endswith(": people")]
    assert missing
    failing = [each for each in found.stalls if each.what.startswith("gate ")]
    unpaid = [each for each in failing if "Every holder is paid or excluded" in each.what]
    assert sum(each.number for each in unpaid) >= found.unpaid["returned"]["holders"]
    (refused,) = [each for each in found.stalls if each not in [*missing, *failing]]
    assert (refused.what.split()[0], refused.number) == ("load_auth_events", 2)
    assert "2 of 3 rows are refused" in refused.why
    assert found.refunds["paid"]["holders"] > 40
    assert found.unpaid["returned"]["holders"] > 0
    assert invariants.breached() == {}


@pytest.mark.parametrize("words", [("nowhere.toml", "--data=."), ("README.md", "--data=nowhere")])
def test_what_is_not_understood_deletes_nothing(own_database: Database, words: tuple[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("rehearse", *words)
    assert refused.value.returncode == 2
