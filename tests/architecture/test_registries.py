"""There is one mechanism for registries, and one page of the documents lists them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from winddown.registries import AlreadyRegistered, NotRegistered, Registry

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "registries.md"

# The URLs import what fills these. `winddown.loading.file_kinds` fills its own when it is asked.
OF_PAGES = ("winddown.site.", "winddown.words", "winddown.loading.file_kinds")
FILLED_LATE = """
import importlib, json, pkgutil, django
django.setup()
from winddown.registries import Registry
start = {name: set(registry.entries) for name, registry in Registry.all.items()}
for app in ("winddown", "accounts", "wallets", "refunds"):
    for module in pkgutil.walk_packages(importlib.import_module(app).__path__, f"{app}."):
        if ".migrations." not in module.name:
            importlib.import_module(module.name)
late = {
    registry.owner: sorted(set(registry.entries) - start.get(name, set()))
    for name, registry in Registry.all.items()
}
print(json.dumps({owner: names for owner, names in late.items() if names}))
"""


@pytest.fixture
def animals(monkeypatch: pytest.MonkeyPatch) -> Registry[str]:
    monkeypatch.setattr(Registry, "all", dict(Registry.all))
    return Registry("animals", entries_are="an animal", owner=__name__)


def test_the_committed_page_matches_the_registries(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("registries", check=True, out=str(PAGE))
    assert ended.value.code == 0, capsys.readouterr().out


def test_an_old_page_of_the_registries_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "registries.md"
    old.write_text(PAGE.read_text().replace("## Invariants", "## Variants"))
    with pytest.raises(SystemExit) as ended:
        call_command("registries", check=True, out=str(old))
    assert ended.value.code == 1
    assert "is not up to date" in capsys.readouterr().out


def test_a_worker_has_every_entry_when_its_apps_have_started() -> None:
    """A worker and a command import no pages. An entry that is only imported with them is missing
    there, and nobody notices.
    """
    ran = subprocess.run(
        [sys.executable, "-c", FILLED_LATE],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    late = json.loads(ran.stdout)
    assert late, "the pages fill no registry: nothing was compared"
    assert {owner for owner in late if not owner.startswith(OF_PAGES)} == set(), late


def test_a_second_entry_of_one_name_is_refused(animals: Registry[str]) -> None:
    animals.add("cat", "Tama")
    with pytest.raises(AlreadyRegistered):
        animals.add("cat", "Mike")
    assert animals["cat"] == "Tama"
    with pytest.raises(AlreadyRegistered):
        Registry("animals", entries_are="another", owner=__name__)


def test_entries_are_ordered_by_place_and_then_by_registration(
    animals: Registry[str],
) -> None:
    animals.add_all({"dog": "Hachi", "cat": "Tama"})
    animals.add("crane", "Tsuru", place=-1)
    assert animals.names() == ["crane", "dog", "cat"]
    assert animals.values() == ["Tsuru", "Hachi", "Tama"]


def test_an_unknown_entry_is_refused_with_the_known_names(
    animals: Registry[str],
) -> None:
    animals.add("cat", "Tama")
    with pytest.raises(NotRegistered, match="no entry bear; known are cat"):
        animals["bear"]
    assert animals.get("bear") is None
