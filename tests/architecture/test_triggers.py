"""The pages about triggers match the declarations and the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import connection

from wallets.models import Wallet
from winddown.guards import Guard

PRINTED = Path(__file__).resolve().parents[2] / "docs" / "triggers"
BLOCK = re.compile(r"^```sql\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


def exit_code(directory: Path) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        call_command("triggers", check=True, out=str(directory))
    return ended.value.code


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text())


def without_space(text: str) -> str:
    return "".join(text.split())


@contextmanager
def declared(trigger: Guard) -> Iterator[None]:
    pgtrigger.register(trigger)(Wallet)
    try:
        yield
    finally:
        trigger.unregister(Wallet)


def test_the_committed_pages_match_the_declared_triggers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code(PRINTED) == 0, capsys.readouterr().out


def test_an_old_missing_or_surplus_trigger_page_is_found_and_reprinted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("triggers", out=str(tmp_path))
    assert exit_code(tmp_path) == 0
    old = tmp_path / "wallets_wallet.md"
    old.write_text(old.read_text().replace("WD011", "WD012", 1))
    (tmp_path / "functions.md").unlink()
    (tmp_path / "refunds_gone.md").write_text("# refunds_gone\n")
    capsys.readouterr()
    assert exit_code(tmp_path) == 1
    said = capsys.readouterr().out
    assert all(name in said for name in ("wallets_wallet.md", "functions.md", "refunds_gone.md"))
    assert "wallets_topup.md" not in said
    call_command("triggers", out=str(tmp_path))
    assert exit_code(tmp_path) == 0


def test_a_trigger_that_is_declared_but_not_printed_is_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    new = Guard(
        name="planted",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func="RETURN NEW;",
    )
    with declared(new):
        assert exit_code(PRINTED) == 1
    assert "wallets_wallet.md" in capsys.readouterr().out
    assert exit_code(PRINTED) == 0


@pytest.mark.django_db
def test_the_pages_hold_every_function_of_the_database_with_its_text() -> None:
    """The server keeps a function that is one expression as a parsed tree, so that one is found by
    its name.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname, p.prosrc, t.tgrelid::regclass::text FROM pg_proc p"
            " LEFT JOIN pg_trigger t ON t.tgfoid = p.oid"
            " WHERE p.pronamespace = 'public'::regnamespace"
        )
        stored = cursor.fetchall()
    texts = {
        page.stem: [without_space(block) for block in blocks(page)] for page in PRINTED.glob("*.md")
    }
    missing = [
        name
        for name, source, table in stored
        if not (
            without_space(source) in texts[table]
            if table
            else any(
                f"{name}(" in text and without_space(source) in text for text in texts["functions"]
            )
        )
    ]
    assert len(stored) > 100
    assert missing == []
    assert sum(map(len, texts.values())) == sum(2 if table else 1 for _, _, table in stored)
