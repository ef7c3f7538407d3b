"""The rooms import one way, and nothing imports a door."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["config", "winddown", "accounts", "wallets", "refunds", "rehearsal"]


def lint(place: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code that a test may break."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


def test_the_rooms_import_one_way_and_nothing_imports_a_door() -> None:
    checked = lint(ROOT)

    assert checked.returncode == 0, checked.stdout


# Module, the line that is planted in it, and the contract that it breaks.
PLANTED = [
    ("winddown/errors.py", "import accounts.models", "The rooms import one way"),
    ("accounts/apps.py", "import wallets.movements.posting", "The rooms import one way"),
    ("wallets/movements/posting.py", "import refunds", "The rooms import one way"),
    ("refunds/apps.py", "import rehearsal", "The rooms import one way"),
    ("winddown/errors.py", "import winddown.machines.move", "The floors of winddown"),
    ("winddown/evidence/audit.py", "import winddown.runs.working", "The floors of winddown"),
    ("winddown/runs/planning.py", "import winddown.site.pages", "The floors of winddown"),
    ("refunds/remedies/slots.py", "import refunds.claims.holding", "The floors of refunds"),
    ("refunds/payouts/results.py", "import refunds.applications.payees", "The floors of refunds"),
    ("refunds/bankfiles/kana.py", "import refunds.models", "Bank formats know no database"),
    (
        "rehearsal/operations.py",
        "import rehearsal.replay",
        "The rehearsal's modules import one way",
    ),
    ("wallets/apps.py", "import config.settings", "No room knows how it is deployed"),
    ("wallets/apps.py", "import winddown.tasks", "Nothing imports a door"),
    ("refunds/apps.py", "import winddown.management", "Nothing imports a door"),
]


def test_an_import_in_the_wrong_direction_is_found(copy: Path) -> None:
    """All mistakes are planted at once and each is named, because a run of the linter takes
    seconds.
    """
    for module, line, _ in PLANTED:
        with (copy / module).open("a") as file:
            file.write(f"\n{line}\n")

    checked = lint(copy)

    said = " ".join(checked.stdout.split())
    assert checked.returncode == 1
    assert [name for _, _, name in PLANTED if f"{name} BROKEN" not in said] == []
    # A circle is named as a whole, and every other mistake by its edge.
    edges = [
        f"{module.removesuffix('.py').replace('/', '.')} -> {line.split()[1]}"
        for module, line, _ in PLANTED
        if not module.startswith("rehearsal/")
    ]
    assert [edge for edge in edges if edge not in said] == []
