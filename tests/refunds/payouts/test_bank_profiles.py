"""The profile of the bank that pays decides its value dates, the charset of its files and where a
name is cut.
"""

from __future__ import annotations

from typing import Any

import pytest

from refunds.bankfiles import zengin_transfer
from refunds.models import BankAccount, BankProfile
from refunds.payouts import payout_batches, refund_limits
from tests.refunds.conftest import House, jst, person
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile(house: House) -> BankProfile:
    """The refund is paid from a bank that cuts names at three characters, takes files until 15:00
    and is closed alone on Thursday, 14 November 2019.
    """
    bank = BankProfile.objects.create(
        code="sakura",
        lines_max=5_000,
        file_sum_max_minor=9_999_999_999,
        charset="shift_jis",
        name_truncation=3,
        cut_off="15:00",
        closed_days=["2019-11-14"],
        account_types=["1", "2", "4"],
        source="test",
    )
    terms = {
        "remitter_code": "1234567890",
        "remitter_name": "ｾﾌﾞﾝ ﾍﾟｲ",
        "bank_code": "0001",
        "branch_code": "001",
        "account_type": "2",
        "account_number": "7654321",
    }
    BankAccount.objects.create(code="main", profile=bank, **terms)
    refund_limits.adopt(
        actor=person("refunds.adopt_terms"), reason="test", source="test", pays_from="main"
    )
    return bank


def refused(value_date: str) -> str:
    with pytest.raises(GuardNotMet) as refusal:
        payout_batches.check_value_date(jst(f"{value_date}T00:00").date())
    return str(refusal.value.facts["proposed"])


def test_a_file_cuts_names_where_the_bank_does(house: House, profile: BankProfile) -> None:
    house.apply(house.entitled(1)[0])
    house.check_payees()
    batch = house.paid_batch("2019-11-15")
    file = zengin_transfer.read(b"".join(payout_batches.content(batch)))
    assert [each.payee_kana for each in file.items] == ["ﾔﾏﾀ"]


def test_the_bank_is_asked_for_no_day_on_which_it_is_closed(
    house: House, profile: BankProfile
) -> None:
    assert refused("2019-11-14") == "2019-11-15"
    house.apply(house.entitled(1)[0])
    house.check_payees()
    with pytest.raises(GuardNotMet, match="is not a bank business day"):
        house.run("pay", value_date="2019-11-14")


def test_a_file_that_misses_the_cut_off_is_not_sent(house: House, profile: BankProfile) -> None:
    house.apply(house.entitled(1)[0])
    house.check_payees()
    batch = house.paid_batch("2019-11-13")
    batch = house.approve(batch)
    clock.travel(jst("2019-11-12T15:00"), frozen=True)
    with pytest.raises(GuardNotMet, match="cut-off has passed"):
        payout_batches.export_batch(
            batch, directory=house.bank.inbox, actor=house.treasury, reason="test"
        )
    assert not list(house.bank.inbox.glob("transfer-*"))
    # The bank is closed on the fourteenth, so the next file is for the fifteenth.
    assert refused("2019-11-13") == "2019-11-15"
    clock.travel(jst("2019-11-12T14:59"), frozen=True)
    assert payout_batches.export_batch(
        batch, directory=house.bank.inbox, actor=house.treasury, reason="test"
    ).exists()


def test_a_charset_that_the_format_does_not_have_is_refused_with_the_known_ones(
    house: House, profile: BankProfile
) -> None:
    BankProfile.objects.filter(pk=profile.pk).update(charset="utf_8")
    with pytest.raises(GuardNotMet, match=r"jis_x_0201, shift_jis.* says utf_8"):
        refund_limits.follow_account({"main"}, actor=SYSTEM, reason="test")
    with pytest.raises(GuardNotMet, match="utf_8"):
        refund_limits.manner(refund_limits.current())


def test_limits_without_a_profile_pay_as_before(house: House) -> None:
    assert refund_limits.profile(refund_limits.current()) is None
    today: Any = payout_batches.today()
    payout_batches.check_value_date(today)
