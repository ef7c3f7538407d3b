"""Status reports and statements are booked as results are: pain.001 in euros to camt.053 and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from refunds.applications import payees
from refunds.bankfiles import csv_results, pain_001
from refunds.bankfiles.errors import BankFileError
from refunds.models import (
    BankAccount,
    BankFile,
    BankProfile,
    Payee,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundTerms,
    StatementLine,
)
from refunds.payouts import payout_batches, refund_limits, results
from tests.refunds.conftest import House, jst, person
from tests.refunds.payouts.camt import ACCOUNT, camt, entry, of
from tests.refunds.payouts.test_one_inclusion import kinds, on, on_the_account
from winddown import clock
from winddown.errors import LoadRefused
from winddown.models import Programme

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]
GOLDEN = Path(__file__).resolve().parents[2] / "golden"
PAIN = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"


@pytest.fixture
def euro(house: House) -> House:
    """The programme is in euros, and its bank takes pain.001."""
    Programme.objects.update(currency="EUR")
    pays_through("iso20022")
    return house


def pays_through(name: str, *, charset: str = "utf_8") -> None:
    profile = BankProfile.objects.create(
        code=f"bank_{name}",
        format=name,
        charset=charset,
        lines_max=1_000,
        file_sum_max_minor=10**9,
        name_truncation=30,
        cut_off="15:00",
        closed_days=[],
        account_types=["1", "2", "4"],
        source="test",
    )
    BankAccount.objects.create(
        code=f"main_{name}",
        profile=profile,
        remitter_code="1234567890",
        remitter_name="ｾﾌﾞﾝ ﾍﾟｲ",
        bank_code="0001",
        branch_code="001",
        account_type="2",
        account_number=ACCOUNT,
    )
    refund_limits.adopt(
        actor=person("refunds.adopt_terms"),
        reason="test",
        source="test",
        **refund_limits.account_terms(f"main_{name}"),
    )


def applied(house: House, number: int = 2) -> None:
    for owed in house.entitled(number):
        house.apply(owed)


@pytest.fixture
def sent(euro: House) -> PayoutBatch:
    """Two refunds of EUR 10.00 with the bank, on their value date."""
    applied(euro)
    assert payees.export_check_file(euro.bank.inbox, actor=euro.treasury, reason="test") is None
    batch = euro.send(euro.paid_batch())
    on(15)
    return batch


def book(house: House, content: bytes) -> results.Imported:
    return results.import_file(content, actor=house.treasury, reason="test")


def references(batch: PayoutBatch) -> list[str]:
    return [each.reference for each in Payout.objects.filter(batch=batch).order_by("pk")]


def report(*lines: tuple[str, str, str], head: str = "") -> bytes:
    """A pain.002 with (reference, status, reason) for each transfer."""
    said = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        + (f"<StsRsnInf><Rsn><Cd>{why}</Cd></Rsn></StsRsnInf>" if why else "")
        + "</TxInfAndSts>"
        for reference, status, why in lines
    )
    group = f"<GrpSts>{head}</GrpSts>" if head else ""
    return (
        f'<Document xmlns="{PAIN}"><CstmrPmtStsRpt><GrpHdr><MsgId>R</MsgId></GrpHdr>'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId>{group}</OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>M</OrgnlPmtInfId>{said}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


def states() -> list[str]:
    return list(Payout.objects.order_by("pk").values_list("state", flat=True))


# --- out and back ---------------------------------------------------------------------------------


def test_euros_leave_as_pain_001_and_are_settled_by_camt_053(
    euro: House, sent: PayoutBatch
) -> None:
    """Built, approved, exported, transmitted; the statement settles."""
    file = euro.bank.inbox / payout_batches.file_name(sent)
    assert file.suffix == ".xml"
    message = pain_001.read(file.read_bytes(), currency="EUR")
    assert [item.amount_minor for item in message.items] == [1_000, 1_000]
    assert b'<InstdAmt Ccy="EUR">10.00</InstdAmt>' in file.read_bytes()
    assert set(Payee.objects.values_list("state", "answer")) == {("matched", "not_checked")}

    one, two = references(sent)
    content = camt(
        entry("DBIT", 1_000, refs=of(one), ref="A"), entry("DBIT", 1_000, refs=of(two), ref="B")
    )
    done = book(euro, content)
    assert (done.settled, done.settled_minor, done.breaks) == (2, 2_000, 0)
    assert states() == ["settled", "settled"]
    assert PayoutBatch.objects.get().state == "reconciled"
    assert on_the_account("payouts_in_flight") == 0
    assert BankFile.objects.get(kind="statement").answered_on == dt.date(2019, 11, 15)
    euro.money_holds()
    assert book(euro, content).known_before


def test_one_debit_of_the_whole_file_is_that_of_its_transfers(
    euro: House, sent: PayoutBatch
) -> None:
    name = pain_001.read(b"".join(payout_batches.content(sent)), currency="EUR").message_reference
    done = book(euro, camt(entry("DBIT", 2_000, refs=f"<PmtInfId>{name}</PmtInfId>")))
    assert (done.settled, done.breaks) == (2, 0)
    euro.money_holds()


def test_a_debit_of_the_sum_and_day_alone_settles_nothing(euro: House, sent: PayoutBatch) -> None:
    """Money left. Nothing says what arrived, and no break is opened for it."""
    done = book(euro, camt(entry("DBIT", 2_000)))
    assert (done.settled, done.noted, done.breaks) == (0, 1, 0)
    assert StatementLine.objects.get().batch == sent
    assert PayoutBatch.objects.get().state == "bank_accepted"
    again = book(euro, camt(entry("DBIT", 2_000, ref="B"), before=8_000))
    assert (again.noted, again.breaks, kinds()) == (0, 1, ["unknown_debit"])


def test_a_returned_transfer_arrives_as_a_credit(euro: House, sent: PayoutBatch) -> None:
    one, two = references(sent)
    book(
        euro,
        camt(
            entry("DBIT", 1_000, refs=of(one), ref="A"), entry("DBIT", 1_000, refs=of(two), ref="B")
        ),
    )
    done = book(euro, camt(entry("CRDT", 1_000, refs=of(one), why="AC04"), before=8_000))
    assert (done.returned, done.breaks) == (1, 0)
    back = Payout.objects.get(state="returned")
    assert back.return_reason == "account_closed"
    assert back.entitlement is not None
    assert back.entitlement.state == "returned"
    assert on_the_account("refunds_payable") == 1_000
    euro.money_holds()
    # The report that says the same later is known, and a second credit is not.
    assert book(euro, report((one, "RJCT", "AC04"))).repeated == 1
    second = book(euro, camt(entry("CRDT", 1_000, refs=of(one), why="AC04", ref="C"), before=9_000))
    assert (second.breaks, kinds()) == (1, ["contradicts"])
    euro.money_holds()


def test_out_and_back_in_one_statement_is_a_return(euro: House, sent: PayoutBatch) -> None:
    one, _two = references(sent)
    done = book(
        euro,
        camt(
            entry("DBIT", 1_000, refs=of(one), ref="A"),
            entry("CRDT", 1_000, refs=of(one), why="AC06", ref="B"),
        ),
    )
    assert (done.settled, done.returned, done.noted, done.breaks) == (0, 1, 1, 0)
    assert sorted(states()) == ["executed", "returned"]
    euro.money_holds()


def test_a_return_without_our_reference_is_matched_by_name_and_amount(
    euro: House, sent: PayoutBatch
) -> None:
    first, second = Payout.objects.order_by("pk")
    assert first.payee is not None
    assert second.payee is not None
    same = first.payee.name_kana
    # Both are of one name: nothing is guessed.
    done = book(euro, camt(entry("CRDT", 1_000, name=same, why="AC04")))
    assert (done.returned, kinds()) == (0, ["unknown_credit"])


def test_a_single_return_of_a_name_is_matched(euro: House) -> None:
    applied(euro, 1)
    payees.export_check_file(euro.bank.inbox, actor=euro.treasury, reason="test")
    euro.send(euro.paid_batch())
    on(15)
    payee = Payee.objects.get()
    # Other money of that name only shows the payout to who sees to the break.
    done = book(euro, camt(entry("CRDT", 1_000, name=payee.name_kana)))
    assert (done.returned, kinds()) == (0, ["unknown_credit"])
    found = ReconciliationBreak.objects.get()
    assert (found.payout, found.owner) == (Payout.objects.get(), euro.treasury)
    done = book(euro, camt(entry("CRDT", 1_000, name=payee.name_kana, why="AC04"), before=11_000))
    assert done.returned == 1
    euro.money_holds()


def test_a_zengin_statement_brings_a_transfer_back(house: House) -> None:
    """The reference stands in the EDI field of the credit; the day before it is known."""
    owed = house.entitled(1, paid_minor=514)[0]
    house.apply(owed)
    house.check_payees()
    house.send(house.paid_batch())
    clock.travel(jst("2020-01-08T15:00"), frozen=True)
    payout = Payout.objects.get()
    golden = (GOLDEN / "zengin_statement.zengin").read_bytes()
    content = golden.replace(b"0001234567", ACCOUNT.rjust(10, "0").encode()).replace(
        b"00000000000000000012", payout.reference.encode()
    )
    done = book(house, content)
    assert (done.returned, done.returned_minor, kinds()) == (1, 514, ["unknown_debit"])
    payout.refresh_from_db()
    assert (payout.state, payout.return_reason) == ("returned", "other")
    house.money_holds()
    # A second copy with another day of making overlaps whole.
    again = book(house, content.replace(b"1030020107", b"1030020108", 1))
    assert (again.repeated, again.breaks) == (2, 0)


# --- what fits nothing ----------------------------------------------------------------------------


def test_other_money_is_a_break_with_an_owner(euro: House, sent: PayoutBatch) -> None:
    done = book(euro, camt(entry("CRDT", 300, ref="A"), entry("DBIT", 55, refs=of("X"), ref="B")))
    assert (done.breaks, kinds()) == (2, ["unknown_credit", "unknown_debit"])
    assert set(ReconciliationBreak.objects.values_list("owner", flat=True)) == {euro.treasury.pk}


def test_statements_overlap_and_a_second_debit_does_not(euro: House, sent: PayoutBatch) -> None:
    one, two = references(sent)
    first = entry("DBIT", 1_000, refs=of(one), ref="A")
    book(euro, camt(first))
    done = book(euro, camt(first, entry("DBIT", 1_000, refs=of(two), ref="B")))
    assert (done.repeated, done.settled, done.breaks) == (1, 1, 0)
    twice = book(euro, camt(entry("DBIT", 1_000, refs=of(one), ref="C"), before=8_000))
    assert (twice.breaks, kinds()) == (1, ["paid_twice"])
    assert StatementLine.objects.count() == 3
    euro.money_holds()


def test_a_statement_that_leaves_days_out_is_refused(euro: House, sent: PayoutBatch) -> None:
    one, two = references(sent)
    book(euro, camt(entry("DBIT", 1_000, refs=of(one))))
    gap = camt(entry("DBIT", 1_000, refs=of(two), ref="B"), before=7_000)
    with pytest.raises(LoadRefused, match="in between"):
        book(euro, gap)
    assert not BankFile.objects.filter(sha256=results.sha256_of(gap)).exists()
    assert book(euro, camt(entry("DBIT", 1_000), before=9_000, account=ACCOUNT)).lines == 1


def test_a_statement_of_another_account_is_refused(euro: House, sent: PayoutBatch) -> None:
    with pytest.raises(LoadRefused, match="not ours"):
        book(euro, camt(entry("CRDT", 1), account="1111111"))


# --- reports --------------------------------------------------------------------------------------


def test_a_report_says_of_each_transfer_what_became_of_it(euro: House, sent: PayoutBatch) -> None:
    one, two = references(sent)
    done = book(euro, report((one, "ACSP", ""), (two, "PDNG", "")))
    assert (done.noted, done.settled, done.breaks) == (2, 0, 0)
    assert PayoutBatch.objects.get().state == "bank_accepted"
    done = book(euro, report((one, "ACSC", ""), (two, "RJCT", "AC04")))
    assert (done.settled, done.returned) == (1, 1)
    assert states() == ["settled", "returned"]
    euro.money_holds()
    # The statement confirms both, and nothing is booked twice.
    done = book(
        euro,
        camt(
            entry("DBIT", 1_000, refs=of(one), ref="A"),
            entry("DBIT", 1_000, refs=of(two), ref="B"),
            entry("CRDT", 1_000, refs=of(two), why="AC04", ref="C"),
        ),
    )
    assert (done.repeated, done.breaks) == (3, 0)
    assert book(euro, report((one, "ACSC", ""), (two, "RJCT", "AC04"), head="PART")).repeated == 2
    euro.money_holds()


def test_a_status_that_nobody_knows_stays_open_and_nothing_is_sent_again(
    euro: House, sent: PayoutBatch
) -> None:
    one, _two = references(sent)
    done = book(euro, report((one, "BLCK", "")))
    assert (done.breaks, kinds()) == (1, ["unknown_status"])
    assert set(states()) == {"exported"}
    assert Payout.objects.filter(live=True).count() == 2
    euro.clear_all()
    assert euro.run("pay", value_date="2019-11-19").state == "succeeded"
    assert PayoutBatch.objects.count() == 1


def test_a_report_that_contradicts_is_a_break(euro: House, sent: PayoutBatch) -> None:
    one, _two = references(sent)
    book(euro, report((one, "ACSC", "")))
    done = book(euro, report((one, "RJCT", "AC04")))
    assert (done.breaks, kinds()) == (1, ["contradicts"])
    assert "settled" in states()


@pytest.mark.parametrize(
    ("head", "said"), [("RJCT", "record_bank_rejection"), ("ACCP", "accept_payout_batch")]
)
def test_a_report_about_the_whole_file_leads_to_the_door_for_it(
    euro: House, sent: PayoutBatch, head: str, said: str
) -> None:
    with pytest.raises(LoadRefused, match=said):
        book(euro, report(head=head))


def test_a_report_that_comes_before_the_value_date_is_loaded_again(euro: House) -> None:
    applied(euro)
    payees.export_check_file(euro.bank.inbox, actor=euro.treasury, reason="test")
    batch = euro.send(euro.paid_batch())
    content = report((references(batch)[0], "ACSC", ""))
    with pytest.raises(LoadRefused, match="on that day"):
        book(euro, content)
    on(15)
    assert book(euro, content).settled == 1


def test_results_in_our_csv_are_booked_as_reports_are(house: House) -> None:
    pays_through("csv")
    applied(house)
    payees.export_check_file(house.bank.inbox, actor=house.treasury, reason="test")
    batch = house.send(house.paid_batch())
    on(15)
    rows = [
        ",".join(csv_results.COLUMNS),
        "file,,done" + "," * 10,
        *(f"transfer,{each},done,,1000,JPY" + "," * 7 for each in references(batch)),
        "end,2" + "," * 11,
    ]
    done = book(house, "\r\n".join(rows).encode())
    assert (done.settled, done.breaks) == (2, 0)
    house.money_holds()


# --- the bank's own limits ------------------------------------------------------------------------


def test_an_answer_is_read_as_its_own_bank_writes_it(euro: House, sent: PayoutBatch) -> None:
    """The account that pays is another one by now, and the first bank still answers."""
    terms = RefundTerms.objects.latest("pk")
    BankProfile.objects.filter(code="bank_iso20022").update(format="iso20022")
    Programme.objects.update(currency="JPY")
    pays_through("zengin", charset="jis_x_0201")
    Programme.objects.update(currency="EUR")
    assert RefundTerms.objects.latest("pk") != terms
    assert book(euro, report((references(sent)[0], "ACSC", ""))).settled == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.replace(b'Ccy="EUR"', b'Ccy="USD"'),
        lambda content: content.replace(b"<Cd>CLBD</Cd>", b"<Cd>XXXX</Cd>"),
        lambda content: content[:-20],
    ],
)
def test_a_damaged_statement_changes_nothing(
    euro: House, sent: PayoutBatch, spoil: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(BankFileError):
        book(euro, spoil(camt(entry("DBIT", 1_000, refs=of(references(sent)[0])))))
    assert set(states()) == {"exported"}


def test_the_first_bank_asks_about_names_and_the_other_leaves_them_unchecked(
    house: House, tmp_path: Path
) -> None:
    applied(house, 1)
    assert payees.export_check_file(tmp_path, actor=house.treasury, reason="test") is not None
