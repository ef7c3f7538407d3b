"""A programme in another currency: amounts with their decimals, and no file that cannot carry it."""

from __future__ import annotations

import pytest

from refunds.models import RefundTerms
from refunds.payouts import refund_limits
from tests.refunds.conftest import House, person
from winddown import money
from winddown.errors import GuardNotMet
from winddown.models import Programme

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("minor", "currency", "english", "japanese"),
    [
        (12_345, "JPY", "JPY 12,345", "12,345円"),
        (12_345, "EUR", "EUR 123.45", "EUR 123.45"),
        (-1_200_000, "EUR", "-EUR 12,000.00", "-EUR 12,000.00"),
        (5, "EUR", "EUR 0.05", "EUR 0.05"),
        (1_234_567, "KWD", "KWD 1,234.567", "KWD 1,234.567"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(
    minor: int, currency: str, english: str, japanese: str
) -> None:
    assert money.spoken(minor, currency=currency, locale="en") == english
    assert money.spoken(minor, currency=currency, locale="ja") == japanese


def test_a_file_that_does_not_carry_the_currency_is_not_written(house: House) -> None:
    house.apply(house.entitled(1)[0])
    house.check_payees()
    Programme.objects.update(currency="EUR")

    with pytest.raises(GuardNotMet, match=r"its files carry JPY.* currency is EUR"):
        refund_limits.bank_format(refund_limits.current())


def test_the_account_of_such_a_bank_is_not_adopted(house: House) -> None:
    Programme.objects.update(currency="EUR")
    before = RefundTerms.objects.count()
    with pytest.raises(GuardNotMet, match="name an account whose files carry it"):
        refund_limits.adopt(
            actor=person("refunds.adopt_terms"), reason="test", source="test", bank_code="0005"
        )
    assert RefundTerms.objects.count() == before
