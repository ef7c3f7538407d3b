"""The account that refunds are paid from is adopted by two people, and its bank's writer has a say."""

from __future__ import annotations

import pytest

from refunds.models import BankAccount, RefundTerms
from tests.winddown.set_up.steps import Begin, ask, decided
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db
ANOTHER = {'account_number = "1234567"': 'account_number = "7654321"'}


def test_another_paying_account_waits_for_a_second_person(begin: Begin) -> None:
    begin()
    before = RefundTerms.objects.latest("pk")
    asked = ask(begin, ANOTHER)
    assert RefundTerms.objects.latest("pk") == before
    assert BankAccount.objects.get().account_number == "1234567"
    assert decided(asked, by="hana") != 0
    assert RefundTerms.objects.latest("pk") == before
    assert decided(asked, by="ken") == 0
    after = RefundTerms.objects.latest("pk")
    assert after.account_number == BankAccount.objects.get().account_number == "7654321"
    assert AuditEntry.objects.filter(action="terms.adopt").count() == 2


@pytest.mark.parametrize(
    "changes",
    [
        {'remitter_name = "ｻｸﾗﾍﾟｲ(ｶ"': 'remitter_name = "桜ペイ株式会社"'},
        {'charset = "jis_x_0201"': 'charset = "utf_8"'},
    ],
)
def test_what_the_writer_cannot_carry_is_adopted_by_nobody(
    begin: Begin, changes: dict[str, str]
) -> None:
    """A name that the bank network does not have, and a charset that the format does not have."""
    begin()
    account, terms = BankAccount.objects.values().get(), RefundTerms.objects.latest("pk")
    asked = ask(begin, changes)
    assert decided(asked, by="ken") == 1
    assert BankAccount.objects.values().get() == account
    assert RefundTerms.objects.latest("pk") == terms
