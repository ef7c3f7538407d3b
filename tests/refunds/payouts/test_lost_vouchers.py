"""A lost claim code is cancelled at its provider before another one exists; the desk sees all."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.sign_in import second_factor
from refunds.models import PayoutBatch, Recall, RefundApplication, Voucher
from refunds.payouts.methods import notices, vouchers
from tests.config.test_every_door import browser_of
from tests.refunds.applications.test_portal import AT, Phone
from tests.refunds.conftest import House, jst
from tests.refunds.payouts.test_methods import (  # noqa: F401
    HOME,
    a_day_later,
    answer,
    book,
    issued,
    listed,
    priced,
    state_of,
    without_account,
)
from tests.refunds.payouts.test_payout_doors import IN_ENGLISH, run, sent
from winddown import clock
from winddown.errors import GuardNotMet

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]


def test_a_lost_code_is_dead_before_another_one_is_issued(
    priced: House,  # noqa: F811
) -> None:
    by_page, by_desk = priced.entitled(2)
    without_account(by_page)
    without_account(by_desk)
    batch = issued(priced, "2019-11-15")
    old = Voucher.objects.get(payout__entitlement=by_page)
    holder = browser_of(by_page.wallet.account, headers=IN_ENGLISH)
    address = f"/account/refund/code/{old.pk}/"
    code = holder.post(address).content.decode()
    assert listed(batch)[0]["code"] in code
    assert listed(batch)[0]["code"] not in holder.get(address).content.decode()
    for _ in range(2):
        assert holder.post(f"{address}lost/")["Location"] == "/account/refund/status/"
    # Somebody else's code is nobody's business.
    assert browser_of(by_desk.wallet.account).post(f"{address}lost/").status_code == 404
    run(priced.support, "report_lost_voucher", f"--number={old.pk + 1}")
    assert Recall.objects.count() == 2
    other = Voucher.objects.get(payout__entitlement=by_desk)
    with pytest.raises(GuardNotMet, match="reported lost"):
        vouchers.reveal(other, actor=by_desk.wallet.account)
    assert "is being cancelled" in holder.get("/account/refund/status/").content.decode()
    # Nothing is reissued on a word: the old one may still be cashed.
    assert state_of(by_page) == ("paying", "issued")

    book(priced, answer(*((row["reference"], "sent_back") for row in listed(batch)[:-1])))
    for each in (by_page, by_desk):
        assert state_of(each) == ("approved", "expired")
    assert set(RefundApplication.objects.values_list("state", "method")) == {
        ("approved", "claim_code")
    }
    a_day_later()
    again = issued(priced, "2019-11-22")
    assert state_of(by_page) == ("paying", "reissued", "issued")
    new = listed(again)[0]["code"]
    assert new != listed(batch)[0]["code"]
    with pytest.raises(GuardNotMet, match="cannot be cashed"):
        vouchers.reveal(old, actor=by_page.wallet.account)
    priced.money_holds()


def test_the_desk_lists_vouchers_by_state_and_method_with_their_reminders(
    priced: House,  # noqa: F811
    staff: Any,
) -> None:
    by_code, by_letter = priced.entitled(2)
    without_account(by_code)
    without_account(by_letter, method="postal_order", address=HOME)
    priced.run("pay", value_date="2019-11-15")
    for batch in PayoutBatch.objects.order_by("pk"):
        priced.send(batch)
    clock.travel(jst("2019-12-20T10:00"), frozen=True)
    support = browser_of(priced.support, headers=IN_ENGLISH)
    shown = support.get("/console/vouchers/").content.decode()
    assert "2 of 2, those that expire first" in shown
    assert "Sat 4 January 2020" in shown  # ten days before 14 January
    only = support.get("/console/vouchers/?method=postal_order&state=out").content.decode()
    assert "1 of 1" in only
    assert "0 of 0" in support.get("/console/vouchers/?state=lost").content.decode()
    code = Voucher.objects.get(payout__method="claim_code")
    sent(priced.support, "vouchers/lost", number=code.pk)
    assert "1 of 1" in support.get("/console/vouchers/?state=lost").content.decode()
    code.refresh_from_db()
    assert notices.next_reminder(code) is None
    refused = browser_of(staff("auditor")).post(
        "/console/vouchers/lost/", {"number": code.pk, "reason": "x"}
    )
    assert refused.status_code == 403


def test_who_did_not_cash_in_time_chooses_anew_with_a_fresh_proof_and_waits(
    priced: House,  # noqa: F811
) -> None:
    """Rule 57: what is chosen anew cools off."""
    (owed,) = priced.entitled(1)
    without_account(owed)
    batch = issued(priced, "2019-11-15")
    book(priced, answer((listed(batch)[0]["reference"], "expired")))
    phone = Phone(owed)
    shown = phone.get()
    assert "It was not cashed in time." in shown
    assert "Choose how the money comes" in shown
    assert phone.send("bank/", way="claim_code")["Location"] == f"{AT}change/"
    second_factor.add_app(owed.wallet.account)
    stale = Phone(owed, shown_s_ago=3_600)
    stale.send("bank/", way="claim_code")
    assert stale.send("change/")["Location"].startswith("/account/confirm/")
    assert phone.send("change/")["Location"] == f"{AT}done/"
    assert "it is used a day after you chose it" in phone.get("status/")
    a_day_later()
    issued(priced, "2019-11-22")
    assert state_of(owed) == ("paying", "reissued", "issued")
    priced.money_holds()
