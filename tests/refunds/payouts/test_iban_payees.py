"""Payees with an IBAN, where the programme's currency and the bank's files have them."""

from __future__ import annotations

import sys
from io import StringIO

import pytest
from django.core.management import call_command

from refunds.applications import claim_letters, payees
from refunds.applications.payees import PayeeRefused
from refunds.bank_accounts import Account
from refunds.bankfiles import pain_001
from refunds.models import BankProfile, Payee, Payout, ReconciliationBreak, RefundApplication
from refunds.payouts import payable, payout_batches, results
from tests.refunds.applications.test_portal import AT, Phone, text_of
from tests.refunds.conftest import House
from tests.refunds.payouts.camt import camt, entry, of
from tests.refunds.payouts.test_one_inclusion import on
from tests.refunds.payouts.test_statements_and_reports import euro, report, states
from winddown.models import Programme

__all__ = ["euro"]
pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

IBAN = "DE89370400440532013000"
OTHER = "GB29NWBK60161331926819"
NAME = {"family": "MUSTER", "given": "ANNA"}


def of_iban(number: str = IBAN) -> Account:
    return Account.of_iban(number, "MUSTER ANNA")


def test_a_customer_types_an_iban_and_gets_the_money_there(euro: House) -> None:
    """From the page to the bank's file and back: sealed, masked, and matched by account."""
    phone = Phone(euro.entitled(1)[0])
    page = phone.get("bank/")
    assert "IBAN" in page
    assert "Search for the bank" not in page
    wrong = text_of(phone.send("bank/", iban="DE88 3704 0044 0532 0130 00"))
    assert "This is no IBAN" in wrong
    assert phone.send("bank/", iban="de89 3704 0044 0532 0130 00")["Location"] == f"{AT}name/"
    assert "*000" in phone.get("name/")
    assert phone.send("name/", **NAME)["Location"] == f"{AT}check/"
    assert "DE89 3704 0044 0532 0130 00" in phone.get("check/")
    assert phone.send("check/")["Location"] == f"{AT}done/"
    payee = Payee.objects.get()
    assert (payee.bank_code, payee.branch_code, payee.account_type) == ("", "", "")
    assert (payee.account_mask, payee.account_number) == ("*000", IBAN)
    assert IBAN.encode() not in bytes(payee.account_number_sealed)
    assert RefundApplication.objects.get().state == "approved"

    payees.export_check_file(euro.bank.inbox, actor=euro.treasury, reason="test")
    batch = euro.send(euro.paid_batch())
    on(15)
    content = (euro.bank.inbox / payout_batches.file_name(batch)).read_bytes()
    (item,) = pain_001.read(content, currency="EUR").items
    assert (item.bank_code, item.account_number, item.payee_kana) == ("", IBAN, "MUSTER ANNA")


@pytest.mark.parametrize(
    ("number", "settled", "broken"),
    [(IBAN, 1, []), (OTHER, 0, ["account_differs"])],
)
def test_a_report_that_repeats_the_iban_is_held_against_it(
    euro: House, number: str, settled: int, broken: list[str]
) -> None:
    reference = sent(euro)
    said = f"<OrgnlTxRef><CdtrAcct><Id><IBAN>{number}</IBAN></Id></CdtrAcct></OrgnlTxRef>"
    content = report((reference, "ACSC", "")).replace(b"</TxSts>", f"</TxSts>{said}".encode(), 1)
    done = results.import_file(content, actor=euro.treasury, reason="test")
    assert (done.settled, done.breaks) == (settled, len(broken))
    assert list(ReconciliationBreak.objects.values_list("kind", flat=True)) == broken


def test_a_statement_settles_and_returns_a_transfer_to_an_iban(euro: House) -> None:
    reference = sent(euro)
    content = camt(entry("DBIT", 1_000, refs=of(reference), ref="A"))
    results.import_file(content, actor=euro.treasury, reason="test")
    assert states() == ["settled"]
    back = camt(entry("CRDT", 1_000, refs=of(reference), ref="B", why="AC04"), before=9_000)
    results.import_file(back, actor=euro.treasury, reason="test")
    assert states() == ["returned"]
    assert Payee.objects.get().state == "refused"


def sent(house: House) -> str:
    """One refund is on its way to an IBAN. Returns its reference."""
    house.apply(house.entitled(1)[0], account=of_iban())
    payees.export_check_file(house.bank.inbox, actor=house.treasury, reason="test")
    batch = house.send(house.paid_batch())
    on(15)
    return Payout.objects.get(batch=batch).reference


def test_staff_enter_an_iban_from_paper(
    euro: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (owed,) = euro.entitled(1)
    typed = StringIO(f"{IBAN}\n{IBAN}\nMUSTER ANNA\nMUSTER ANNA\n")
    monkeypatch.setattr(sys, "stdin", typed)
    call_command(
        "enter_application",
        account=f"account:{owed.wallet.account_id}",
        channel="paper",
        by=euro.support.login_id,
        reason="paper of Monday",
    )
    assert Payee.objects.get().account_mask == "*000"
    assert IBAN not in capsys.readouterr().out


def test_the_paper_form_asks_for_an_iban(euro: House) -> None:
    printed = claim_letters.form_for("", actor=euro.support, reason="a customer asks").content
    assert b"IBAN" in printed
    assert "銀行コード".encode() not in printed


def test_an_iban_is_refused_where_files_or_currency_have_none(house: House, euro: House) -> None:
    holder = euro.entitled(1)[0].wallet.account
    with pytest.raises(PayeeRefused, match="check digits"):
        payees.enter(holder, of_iban("DE88370400440532013000"), actor=holder)
    Programme.objects.update(currency="JPY")
    with pytest.raises(PayeeRefused, match="takes no such account"):
        payees.enter(holder, of_iban(), actor=holder)


def test_an_account_that_the_bank_no_longer_takes_is_not_paid(euro: House) -> None:
    """The profile of the bank says which types of accounts it pays into."""
    owed, kept, third = euro.entitled(3)
    euro.apply(owed)
    euro.apply(kept, account=of_iban())
    payees.export_check_file(euro.bank.inbox, actor=euro.treasury, reason="test")
    BankProfile.objects.update(account_types=["2"])
    done = euro.run("pay", value_date="2019-11-15")
    assert [payout.entitlement_id for payout in Payout.objects.all()] == [kept.pk]
    assert payable.left_out(done) == {"account_not_taken": 1}
    other = third.wallet.account
    with pytest.raises(PayeeRefused, match="takes no such account"):
        payees.enter(other, euro.account(), actor=other)
