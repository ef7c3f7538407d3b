"""The diagrams in the documents are drawn from the declared machines."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

DRAWN = Path(__file__).resolve().parents[2] / "docs" / "machines"


def exit_code(directory: Path) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        call_command("machines", check=True, out=str(directory))
    return ended.value.code


def test_the_committed_diagrams_match_the_declarations(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code(DRAWN) == 0, capsys.readouterr().out


def test_an_old_missing_or_surplus_diagram_is_found_and_redrawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("machines", out=str(tmp_path))
    assert exit_code(tmp_path) == 0
    (tmp_path / "Wallet.svg").write_text("<svg/>")
    (tmp_path / "Run.svg").unlink()
    (tmp_path / "Gone.svg").write_text("<svg/>")
    capsys.readouterr()
    assert exit_code(tmp_path) == 1
    said = capsys.readouterr().out
    assert all(name in said for name in ("Wallet.svg", "Run.svg", "Gone.svg"))
    assert "Payout.svg" not in said
    call_command("machines", out=str(tmp_path))
    assert exit_code(tmp_path) == 0
