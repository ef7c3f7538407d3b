"""Detection finds the victims and no honest people: three seeds of the case, and other attacks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.attacks import attack_windows, rules
from rehearsal import judging
from rehearsal.generator import generate_case
from tests import factories
from winddown import clock
from winddown.loading import loader

ACCOUNTS, ACCOUNTS_QUICK = 20_000, 6_000
ATTEMPTS = 20_000
AUGUST = dt.datetime(2019, 7, 31, 15, tzinfo=dt.UTC)

Loaded = Callable[..., Path]

pytestmark = pytest.mark.loads_files


@pytest.fixture
def size(long_form: bool) -> int:
    """How many accounts there are."""
    return ACCOUNTS if long_form else ACCOUNTS_QUICK


@pytest.fixture
def loaded(own_database: Any, tmp_path: Path, size: int) -> Loaded:
    """`loaded(seed=1, shape="list_type")` has that case's July in the database; the path is its truth."""

    def load(*, seed: int, shape: str) -> Path:
        clock.mark_as_rehearsal()
        factories.declare_switches()
        factories.make_programme()
        manifest = generate_case(
            accounts=size,
            seed=seed,
            out=tmp_path,
            attempts_max=ATTEMPTS,
            attack=shape,
        )
        clock.travel(AUGUST, frozen=True)
        for entry in manifest["files"]:
            if "payments_2019_08" in entry["path"] or "payments_2019_09" in entry["path"]:
                continue
            kind = entry["loader"].removeprefix("load_")
            loader.load(kind, tmp_path / entry["path"], expect_rows=entry["rows"])
        return tmp_path / "truth" / "victims.csv"

    return load


@pytest.mark.parametrize(
    ("shape", "seed"),
    [
        ("list_type", 1),
        pytest.param("list_type", 2, marks=pytest.mark.long_form),
        pytest.param("list_type", 3, marks=pytest.mark.long_form),
        ("slow_distributed", 1),
        pytest.param("single_network", 1, marks=pytest.mark.long_form),
    ],
)
def test_detection_finds_the_victims_and_no_honest_people(
    loaded: Loaded, shape: str, seed: int
) -> None:
    judged = judging.judge(loaded(seed=seed, shape=shape), as_of=AUGUST)
    print(shape, seed, judged.candidates, *judged.rules, sep="\n")  # shown with -s
    assert judged.candidates.true == 808
    assert judged.candidates.recall >= 0.95
    assert judged.false_share <= 0.001
    waves = {window.wave for window in judged.windows}
    if shape == "slow_distributed":
        # A wrong password every few minutes cannot be told from mistakes; unknown ids can.
        assert waves >= {"unknown_login_id", "success"}
    else:
        assert waves == set(rules.WAVES)
        assert judged.in_order


def test_honest_mistakes_after_the_reset_raise_no_alarm(loaded: Loaded, size: int) -> None:
    judged = judging.judge(loaded(seed=1, shape="honest_mistakes"), as_of=AUGUST)
    assert judged.windows == []
    assert judged.candidates.found == 0
    # The data holds many wrong passwords within hours, and suspicious charges in July.
    reset_at = dt.datetime(2019, 7, 30, 7, tzinfo=dt.UTC)
    mistakes = sum(
        row.attempts for row in attack_windows.bins(since=reset_at, until=reset_at + 7 * rules.HOUR)
    )
    assert mistakes > size // 2
    assert judged.suspected.found >= 100
