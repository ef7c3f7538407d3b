"""The case as facts: instants, stages and figures of the published course."""

from pathlib import Path

import pytest

from rehearsal.case import Case, CaseError, load_case, parse_instant
from tests.rehearsal.generated import at

ROOT = Path(__file__).resolve().parents[2]


def test_the_end_of_30_september_is_the_first_instant_of_october(case: Case) -> None:
    """Rule 30."""
    assert case.programme.spend_ends_at == at("2019-10-01T00:00:00+09:00")
    assert case.at("end_refund_window") == case.programme.refund_window_ends_at
    assert case.programme.refund_window_ends_at == at("2020-01-11T00:00:00+09:00")


def test_an_instant_without_a_time_of_day_is_refused(case: Case) -> None:
    with pytest.raises(CaseError):
        parse_instant("2019-10-01", zone=case.programme.time_zone)


def test_a_case_file_with_an_unknown_figure_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "rehearsal/case/7pay.toml").read_text(encoding="utf-8")
    strange = tmp_path / "strange.toml"
    strange.write_text(text.replace("attempts =", "atempts ="), encoding="utf-8")
    with pytest.raises(CaseError, match="atempts"):
        load_case(strange)


def test_cards_stop_a_day_and_a_half_before_everything_else(case: Case) -> None:
    """Rule 1."""
    assert case.top_up_stop("credit_card") == at("2019-07-03T00:00:00+09:00")
    assert case.top_up_stop("atm_cash") == at("2019-07-04T14:00:00+09:00")


def test_the_figures_at_real_size_are_the_published_ones(case: Case) -> None:
    population, real = case.population, case.population.registered
    assert population.holders(accounts=real) == 370_000
    assert population.balance_minor(accounts=real) == 190_000_000
    assert population.holders_paid_by_2020_01_09(accounts=real) == 120_000
    assert population.balance_paid_by_2020_01_09_minor(accounts=real) == 120_000_000
