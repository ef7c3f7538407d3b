"""Each bank day is tied by ledger, statements and customers' pages, and what differs has a name."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import call_command

from refunds.alarms import bank_day_alarms
from refunds.models import BankDayTie, Payout, PayoutBatch
from refunds.payouts import bank_days, funding, payout_batches
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, person
from tests.refunds.payouts.camt import camt, entry, of
from tests.refunds.payouts.test_one_inclusion import on
from tests.refunds.payouts.test_statements_and_reports import (
    applied,
    book,
    euro,
    references,
    report,
    sent,
)
from tests.unguarded import past_the_guards
from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import Programme
from winddown.programme import gates
from winddown.programme.gates import GATES

__all__ = ["euro", "sent"]
pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]


def tied(house: House) -> BankDayTie:
    return bank_days.tie(actor=house.treasury, reason="test")


def sums(tie: BankDayTie) -> tuple[int, int, int]:
    return tie.ledger_minor, tie.statement_minor, tie.customers_minor


def named(tie: BankDayTie) -> list[tuple[str, int, int]]:
    return list(tie.differences.order_by("pk").values_list("kind", "rows", "amount_minor"))


def test_the_three_agree_when_the_statement_settles(euro: House, sent: PayoutBatch) -> None:
    one, two = references(sent)
    book(
        euro,
        camt(
            entry("DBIT", 1_000, refs=of(one), ref="A"), entry("DBIT", 1_000, refs=of(two), ref="B")
        ),
    )
    tie = tied(euro)
    assert (sums(tie), named(tie), tie.unexplained_minor) == ((2_000, 2_000, 2_000), [], 0)
    assert (tie.bank_day, tie.stated_until) == (dt.date(2019, 11, 14), dt.date(2019, 11, 15))
    assert tie.holds
    assert not gates.failing(GATES["bank_days"].counts())


def test_what_left_waits_for_its_answer_and_what_came_back_for_its_credit(
    euro: House, sent: PayoutBatch
) -> None:
    """The bank debits the file whole, then pays one transfer and returns the other."""
    one, two = references(sent)
    book(euro, camt(entry("DBIT", 2_000)))
    tie = tied(euro)
    assert (sums(tie), named(tie)) == ((0, 2_000, 0), [("not_answered", 2, 2_000)])
    assert tie.holds
    book(euro, report((one, "ACSC", ""), (two, "RJCT", "AC04")))
    tie = tied(euro)
    assert (sums(tie), named(tie)) == (
        (1_000, 2_000, 1_000),
        [("return_under_way", 1, 1_000)],
    )
    book(euro, camt(entry("CRDT", 1_000, refs=of(two), why="AC04", ref="B"), before=8_000))
    tie = tied(euro)
    assert (sums(tie), named(tie)) == ((1_000, 1_000, 1_000), [])


def test_what_a_statement_of_its_day_does_not_show_has_to_be_looked_at(
    euro: House, sent: PayoutBatch
) -> None:
    one, two = references(sent)
    book(euro, report((one, "ACSC", ""), (two, "ACSC", "")))
    on(18)
    tie = tied(euro)
    assert (named(tie), tie.holds) == ([("not_stated_yet", 2, -2_000)], True)
    assert [each.missing for each in GATES["bank_days"].counts()] == [1, 0, 0, 0]
    clock.travel(clock.now() + dt.timedelta(hours=1), frozen=True)
    book(euro, camt(entry("DBIT", 1_000, refs=of(one))))
    assert [each.missing for each in GATES["bank_days"].counts()] == [0, 1, 0, 0], "not tied again"
    assert bank_days.follow_up() == 1
    tie = BankDayTie.objects.latest("pk")
    assert tie.taken_by is None
    assert (named(tie), tie.holds) == ([("not_stated", 1, -1_000)], False)
    assert [each.kind for each in bank_day_alarms(clock.now())] == ["bank_day_differs"]
    assert [each.missing for each in GATES["bank_days"].counts()] == [0, 0, 1, 0]
    # Nothing new was told and no further day is over.
    assert bank_days.follow_up() == 0


def test_other_movements_are_named_by_their_break_until_it_is_cleared(
    euro: House, sent: PayoutBatch
) -> None:
    book(euro, camt(entry("CRDT", 300, ref="A"), entry("DBIT", 55, refs=of("X"), ref="B")))
    tie = tied(euro)
    assert named(tie) == [("line_open", 1, -300), ("line_open", 1, 55)]
    assert (tie.statement_minor, tie.unexplained_minor, tie.holds) == (-245, 0, False)
    assert {each.found_id for each in tie.differences.all()} != {None}
    euro.clear_all()
    tie = tied(euro)
    assert (named(tie), tie.holds) == ([("explained", 2, -245)], True)


def test_an_amount_that_nothing_explains_is_shown(euro: House, sent: PayoutBatch) -> None:
    """Somebody with the whole database writes to the ledger."""
    past_the_guards(
        "INSERT INTO wallets_posting (journal_id, account, amount_minor) VALUES (0, 'bank', 7)"
    )
    tie = tied(euro)
    assert (tie.unexplained_minor, tie.customers_differ_minor, tie.holds) == (-7, -7, False)
    assert gates.failing(GATES["bank_days"].counts())


def test_the_command_and_the_page_tie_the_day(
    euro: House, sent: PayoutBatch, capsys: pytest.CaptureFixture[str]
) -> None:
    by = {"by": factories.make_staff("treasury_operator").login_id, "reason": "test"}
    book(euro, camt(entry("CRDT", 300)))
    with pytest.raises(SystemExit) as told:
        call_command("tie_bank_day", **by)
    assert told.value.code == 3
    said = capsys.readouterr().out
    assert "A movement that nobody has cleared of break" in said
    assert "Nothing explains EUR 0.00" in said
    reader = browser_of(factories.make_staff("treasury_operator"))
    shown = reader.get("/console/bank-days/", headers={"accept-language": "en"}).content
    assert b"The three do not agree" in shown
    euro.clear_all()
    answer = reader.post(
        "/console/bank-days/tie/",
        {"reason": "cleared"},
        follow=True,
        headers={"accept-language": "en"},
    )
    assert b"The three agree." in answer.content
    assert BankDayTie.objects.count() == 2
    stranger = browser_of(factories.make_staff("support"))
    assert stranger.get("/console/bank-days/").status_code == 403
    with pytest.raises(NotPermitted):
        bank_days.tie(actor=person("refunds.make_payout_batch"), reason="test")


# --- funds and outflow ----------------------------------------------------------------------------


def test_a_disputed_reserve_counts_in_the_funds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10,000 owed nothing is needed by law, and 4,000 are disputed."""
    house.close(factories.make_wallets(1, paid_minor=10_000))
    house.seal()
    monkeypatch.setitem(funding.DISPUTED.entries, "test", lambda: 4_000)
    Programme.objects.update(safeguarded_minor=13_999)
    (count,) = GATES["funds"].counts()
    assert (count.of, count.missing) == (4_000, 0)
    with pytest.raises(GuardNotMet, match="1 short of the 14000 owed"):
        house.run("entitle")
    Programme.objects.update(safeguarded_minor=14_000)
    assert house.run("entitle").state == "succeeded"


def test_no_file_leaves_while_the_funds_do_not_cover_it_and_the_reserve(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(house)
    house.check_payees()
    batch = house.approve(house.paid_batch())
    monkeypatch.setitem(funding.DISPUTED.entries, "test", lambda: 500)
    Programme.objects.update(safeguarded_minor=2_499)
    with pytest.raises(GuardNotMet, match="1 short of the refunds under way"):
        payout_batches.release(batch, actor=house.treasury, reason="test")
    Programme.objects.update(safeguarded_minor=2_500)
    assert payout_batches.hand_out(batch, actor=house.treasury, reason="test").state == "exported"


def test_a_file_leaves_only_as_it_was_approved_and_booked(house: House) -> None:
    """Somebody with the whole database takes a payout out of the approved batch: its file says more
    than the ledger has under way for it.
    """
    applied(house)
    house.check_payees()
    batch = house.approve(house.paid_batch())
    past_the_guards(
        "UPDATE refunds_payout SET batch_id = NULL, state = 'ready'"
        f" WHERE id = {Payout.objects.latest('pk').pk}"
    )
    with pytest.raises(GuardNotMet, match="its file says 2,000, the approval 2,000, the ledger"):
        payout_batches._refuse_other_outflow(batch)
    with pytest.raises(GuardNotMet):
        payout_batches.release(batch, actor=house.treasury, reason="test")
