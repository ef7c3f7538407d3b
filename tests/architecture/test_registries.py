"""There is one mechanism for registries, and the page in the documents shows all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from winddown.registries import AlreadyRegistered, NotRegistered, Registry

PAGE = Path(__file__).resolve().parents[2] / "docs" / "registries.md"


@pytest.fixture
def animals(monkeypatch: pytest.MonkeyPatch) -> Registry[str]:
    monkeypatch.setattr(Registry, "all", dict(Registry.all))
    return Registry("animals", entries_are="an animal", owner=__name__)


def test_the_page_is_that_of_the_registries(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("registries", check=True, out=str(PAGE))
    assert ended.value.code == 0, capsys.readouterr().out


def test_a_page_that_is_old_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "registries.md"
    old.write_text(PAGE.read_text().replace("## Invariants", "## Variants"))
    with pytest.raises(SystemExit) as ended:
        call_command("registries", check=True, out=str(old))
    assert ended.value.code == 1
    assert "is not up to date" in capsys.readouterr().out


def test_a_second_entry_of_one_name_is_refused(animals: Registry[str]) -> None:
    animals.add("cat", "Tama")
    with pytest.raises(AlreadyRegistered):
        animals.add("cat", "Mike")
    assert animals["cat"] == "Tama"
    with pytest.raises(AlreadyRegistered):
        Registry("animals", entries_are="another", owner=__name__)


def test_entries_come_in_order_of_their_places_then_of_their_arrival(
    animals: Registry[str],
) -> None:
    animals.add_all({"dog": "Hachi", "cat": "Tama"})
    animals.add("crane", "Tsuru", place=-1)
    assert animals.names() == ["crane", "dog", "cat"]
    assert animals.values() == ["Tsuru", "Hachi", "Tama"]


def test_an_entry_that_is_not_there_is_refused_with_the_names_that_are(
    animals: Registry[str],
) -> None:
    animals.add("cat", "Tama")
    with pytest.raises(NotRegistered, match="no entry bear; known are cat"):
        animals["bear"]
    assert animals.get("bear") is None
