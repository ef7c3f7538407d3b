"""A walk through every combination of programme, wallet, entitlement, application, payee, payout,
batch, voucher and break that the doors lead to: from each of them doors lead to an end.

The walk tries every verb in every combination that it meets, against the database, and takes each
back. Three walks share the verbs, so that their combinations add up instead of multiplying: to a
bank account, by claim code, and to another institution. `make proof` takes them whole; the tests
take those of one refund without files.
"""

from __future__ import annotations

import datetime as dt
import itertools
import sys
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from refunds.applications import choosing, holds, payees, review, submitting
from refunds.bankfiles import zengin_result, zengin_transfer
from refunds.bankfiles.answers import ResultLine, ReturnReason
from refunds.bankfiles.zengin_result import AnswerKind
from refunds.closing import other_ends
from refunds.invariants import refund_identity, wallets_in_two_buckets, without_a_door
from refunds.models import (
    BankFile,
    Entitlement,
    MethodTerms,
    Payee,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
    Successor,
    Voucher,
)
from refunds.payouts import batch_ends, payout_batches, results, voiding
from tests.refunds.conftest import House, jst, person
from tests.refunds.payouts.test_methods import answer as of_provider
from tests.refunds.payouts.test_methods import listed
from wallets.models import Wallet
from winddown import business_days, clock
from winddown.authority import approvals
from winddown.errors import WinddownError
from winddown.models import Programme
from winddown.programme.evidence_files import File

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

Node = tuple[str, ...]
WINDOW_OVER = "2020-01-14T10:00"
# What each walk leaves out of the verbs.
_FILES = (
    "plan payouts", "approve the batch", "reject the batch", "export", "transmit",
    "accept the file", "void", "the bank rejects the file", "the value date comes",
    "the bank paid", "the bank returned it", "the bank returned it late",
    "two people void the answer", "clear", "close the batch",
    "close the batch with open payouts", "give up",
)  # fmt: skip
_ACCOUNTS = (
    "correct the account", "accept the name", "the bank knows the account",
    "the bank does not know the account",
)  # fmt: skip
_CODES = ("apply for a code", "choose a code")
_ELSEWHERE = ("deposit", "hand over", "the institution gives it back")
_REVIEW = ("verify", "ask", "answer", "confirm", "approve")
SAID_AFTER = 10
WALKS = {
    "bank": (*_CODES, *_ELSEWHERE),
    "code": (*_ELSEWHERE, *_ACCOUNTS, "apply on the web", "apply in the app", *_REVIEW, "draft"),
    "elsewhere": (*_CODES, *_FILES, *_ACCOUNTS, "draft", "expire drafts"),
}
OF_THE_TESTS = (
    *_CODES,
    *_FILES,
    *_ACCOUNTS,
    *_REVIEW,
    "draft",
    "expire drafts",
    "apply in the app",
)


class Taken(Exception):
    """What was tried is taken back."""


class Nothing(WinddownError):
    """There is nothing that the verb could be about."""


@contextmanager
def tried() -> Iterator[None]:
    """What happens inside is taken back at the end."""
    try:
        with transaction.atomic():
            yield
            raise Taken
    except Taken:
        pass


class Walk:
    """One refund, the verbs about it, and what was seen so far."""

    def __init__(self, house: House, owed: Entitlement, *, without: Collection[str]) -> None:
        self.house, self.owed_id, self.holder = house, owed.pk, owed.wallet.account
        self.without = without
        self.fresh = itertools.count(1)
        self.officer = person("winddown.post_exclusion")
        self.other_officer = person("winddown.post_exclusion")
        self.first = person("wallets.release_wallet", "refunds.hold_entitlement")
        self.second = person("wallets.release_wallet")
        self.seen: dict[Node, set[Node]] = {}
        self.way: list[str] = []
        self.faults: list[str] = []

    # --- what stands --------------------------------------------------------------------------

    @property
    def owed(self) -> Entitlement:
        return Entitlement.objects.get(pk=self.owed_id)

    @property
    def application(self) -> RefundApplication:
        return self._found(RefundApplication.objects.filter(live=True))

    @property
    def payee(self) -> Payee:
        return self._found(Payee.objects.filter(replaced_at=None))

    @property
    def payout(self) -> Payout:
        return self._found(Payout.objects.all())

    @property
    def batch(self) -> PayoutBatch:
        return self._found(PayoutBatch.objects.all())

    def _found(self, rows: Any) -> Any:
        found = rows.order_by("pk").last()
        if found is None:
            raise Nothing
        return found

    def node(self) -> Node:
        """Returns the states of all that hangs on the refund. What is over and changes nothing any
        more is left out: a dead payout, a dead batch, an application that ended unpaid.
        """
        owed = self.owed
        return (
            Programme.current().state,
            "over" if clock.now() >= jst(WINDOW_OVER) else "open",
            Wallet.objects.get(pk=owed.wallet_id).state,
            owed.state,
            self._application_node(),
            self._state(Payee.objects.filter(replaced_at=None), alike=(Payee.PAYABLE,)),
            self._state(
                Payout.objects.all(),
                over=(
                    Payout.State.UNCOLLECTABLE,
                    Payout.State.RECALLED,
                    Payout.State.CANCELLED,
                ),
            ),
            self._state(
                PayoutBatch.objects.all(),
                over=PayoutBatch.DEAD,
                alike=((PayoutBatch.State.RECONCILED, PayoutBatch.State.CLOSED),),
            ),
            self._state(Voucher.objects.all(), over=Voucher.ENDED, alike=(Voucher.OUT,)),
            self._state(ReconciliationBreak.objects.filter(state="open")),
        )

    def _application_node(self) -> str:
        last = RefundApplication.objects.order_by("pk").last()
        ended = (RefundApplication.State.REJECTED, RefundApplication.State.WITHDRAWN)
        if last is None or last.state in ended:
            return "-"
        marks = {
            "late": last.late,
            last.asked_for: last.state == RefundApplication.State.NEEDS_INFO,
            "decided": last.decided_at is not None,
            last.method: last.method != MethodTerms.BANK,
        }
        return ":".join([last.state, *(name for name, stands in marks.items() if stands)])

    @staticmethod
    def _state(
        rows: Any, *, over: Collection[str] = (), alike: Collection[Collection[str]] = ()
    ) -> str:
        """Returns the state of the last row, the first of those that are alike."""
        state = rows.order_by("pk").values_list("state", flat=True).last()
        if state is None or state in over:
            return "-"
        return str(next((next(iter(each)) for each in alike if state in each), state))

    # --- the verbs ----------------------------------------------------------------------------

    def verbs(self) -> dict[str, Callable[[], object]]:
        house, why = self.house, "test"
        support, checker, treasury = house.support, house.checker, house.treasury
        known: dict[str, Callable[[], object]] = {
            "draft": lambda: submitting.save_draft(
                self.holder, channel="web", step=2, answers={}, actor=self.holder
            ),
            "expire drafts": submitting.expire_drafts,
            "apply in the app": lambda: self.apply("app"),
            "apply on the web": lambda: self.apply("web"),
            "withdraw": lambda: review.withdraw(self.application, actor=self.holder),
            "reject": lambda: review.reject(
                self.application, rejection="no_answer", actor=checker, reason=why
            ),
            "verify": lambda: review.verify(self.application, actor=support, reason=why),
            "ask": lambda: review.ask_for_info(
                self.application, asked_for="identity", actor=support, reason=why
            ),
            "answer": lambda: review.answer_info(self.application, actor=self.holder),
            "confirm": lambda: review.confirm_amount(
                self.application, confirmed_minor=self.owed.amount_minor, actor=self.holder
            ),
            "approve": self.approve,
            "correct the account": lambda: review.correct_payee(
                self.holder, house.account(), actor=self.holder
            ),
            "accept the name": self.override,
            "the bank knows the account": lambda: self.check("ok"),
            "the bank does not know the account": lambda: self.check("no_such_account"),
            "hold": lambda: holds.hold(self.owed, actor=self.first, reason=why),
            "release": self.release,
            "plan payouts": self.pay,
            "approve the batch": lambda: house.approve(self.batch),
            "reject the batch": lambda: payout_batches.reject_batch(
                self.batch, actor=house.approver2, digest=self.batch.digest, reason=why
            ),
            "export": lambda: payout_batches.release(self.batch, actor=treasury, reason=why),
            "transmit": lambda: payout_batches.mark_transmitted(
                self.batch, actor=house.sender, reason=why
            ),
            "accept the file": lambda: payout_batches.mark_accepted(
                self.batch, actor=treasury, reason=why
            ),
            "void": lambda: house.void(self.batch),
            "the bank rejects the file": lambda: house.refuse(
                self.batch, sha256=f"{next(self.fresh):064x}"
            ),
            "the value date comes": self.value_date,
            "the bank paid": lambda: self.answer(None),
            "the bank returned it": lambda: self.answer(ReturnReason.ACCOUNT_CLOSED),
            "the bank returned it late": lambda: self.answer(
                ReturnReason.ACCOUNT_CLOSED, kind=AnswerKind.RETURNED
            ),
            "clear": self.clear,
            "close the batch": lambda: payout_batches.close_batch(
                self.batch, actor=treasury, reason=why
            ),
            "close the batch with open payouts": lambda: house.agreed(
                batch_ends.ask_waiver(self.batch, actor=treasury, reason=why)
            ),
            "give up": lambda: payout_batches.give_up(self.payout, actor=treasury, reason=why),
            "two people void the answer": self.void_answer,
            "apply for a code": lambda: self.apply("app", method="claim_code"),
            "choose a code": lambda: choosing.choose(
                self.application,
                method="claim_code",
                fallback_consent=False,
                actor=self.holder,
            ),
            "deposit": lambda: self.end(other_ends.ask_deposit, "deposited", "Bureau"),
            "hand over": lambda: self.end(other_ends.ask_transfer, "transferred", "Wakaba"),
            "the institution gives it back": self.give_back,
            "the window ends": self.end_window,
            "exclude": self.exclude,
        }
        return {name: verb for name, verb in known.items() if name not in self.without}

    def apply(self, channel: str, *, method: str = MethodTerms.BANK) -> None:
        submitting.submit(
            self.holder,
            channel=channel,
            op_id=uuid.uuid4(),
            actor=self.holder,
            account=self.house.account() if method == MethodTerms.BANK else None,
            confirmed_minor=self.owed.amount_minor if channel == "app" else None,
            late_reason="abroad",
            method=method,
        )

    def void_answer(self) -> None:
        file = BankFile.objects.order_by("pk").last()
        if file is None:
            raise Nothing
        request = voiding.ask_void(file, actor=self.house.treasury, reason="test")
        self.house.agree_as_second(request)

    def end(self, verb: Callable[..., Any], kind: str, institution: str) -> None:
        owed, number = self.owed, next(self.fresh)
        rows = f"wallet_ref,amount_minor\n{owed.wallet.wallet_ref},{owed.amount_minor}"
        given = other_ends.Given(
            kind=kind,
            institution=institution,
            contact="03",
            reference=f"R-{number}",
            ended_on=payout_batches.today(),
            refunds=File(name="list.csv", content=rows.encode()),
            evidence=File(name="receipt.pdf", content=f"receipt {number}".encode()),
        )
        request = verb(given, actor=self.officer, reason="test")
        approvals.carry_out(
            request, shown=request.digest, actor=self.other_officer, reason="test", approve=True
        )

    def give_back(self) -> None:
        institution = {"deposited": "Bureau", "transferred": "Wakaba"}.get(self.owed.state)
        if institution is None:
            raise Nothing
        self.end(other_ends.ask_return, "returned", institution)

    def approve(self) -> None:
        application = self.application
        request = review.propose(application, actor=self.house.support, reason="test")
        review.approve(application, actor=self.house.checker, digest=request.digest, reason="test")

    def override(self) -> None:
        payee = self.payee
        request = payees.ask_override(payee, actor=self.house.support, reason="test")
        review.override_payee(payee, actor=self.house.checker, digest=request.digest, reason="test")

    def check(self, quality: str) -> None:
        if self.payee.state not in (Payee.State.ENTERED, Payee.State.ASKED):
            raise Nothing
        self.house.bank.quality_of = lambda _key: quality
        for path in self.house.bank.inbox.glob("*"):
            path.unlink()
        self.house.bank.taken.clear()
        self.house.check_payees()

    def release(self) -> None:
        request = holds.ask_release(self.owed, actor=self.first, reason="test")
        holds.release(self.owed, actor=self.second, digest=request.digest, reason="test")

    def pay(self) -> None:
        """Two days later, when the cooling-off is over, for the bank day after the next."""
        if not (
            self.owed.state in Entitlement.PAYABLE
            or Payout.objects.filter(state=Payout.State.READY).exists()
        ):
            raise Nothing
        clock.travel(clock.now() + dt.timedelta(days=2), frozen=True)
        value_date = payout_batches.today() + dt.timedelta(days=2)
        value_date = business_days.roll_forward(value_date, calendar="japan")
        done = self.house.run("pay", value_date=value_date.isoformat())
        assert done.state == "succeeded", done

    def value_date(self) -> None:
        if self.batch.state not in (PayoutBatch.State.TRANSMITTED, PayoutBatch.State.BANK_ACCEPTED):
            raise Nothing
        self._to_value_date()
        payout_batches.execute_due()

    def answer(self, reason: ReturnReason | None, *, kind: AnswerKind = AnswerKind.RESULT) -> None:
        batch = self.batch
        if not batch.digest or batch.exported_at is None:
            raise Nothing
        self._to_value_date()
        if batch.method != MethodTerms.BANK:
            if kind == AnswerKind.RETURNED:
                raise Nothing
            (row, *_end) = listed(batch)
            said = of_provider((row["reference"], "expired" if reason else "cashed"))
            results.import_file(said, actor=self.house.treasury, reason="test")
            return
        file = zengin_transfer.read(b"".join(payout_batches.content(batch)))
        content = b"".join(
            zengin_result.write_results(
                remitter=file.header.remitter,
                value_date=batch.value_date,
                answered_on=payout_batches.today(),
                kind=kind,
                lines=[ResultLine(item, reason) for item in file.items],
            )
        )
        results.import_file(content, actor=self.house.treasury, reason="test")

    def clear(self) -> None:
        found = ReconciliationBreak.objects.filter(state="open").order_by("pk").first()
        if found is None:
            raise Nothing
        self.house.clear(found)

    def end_window(self) -> None:
        if clock.now() >= jst(WINDOW_OVER):
            raise Nothing
        clock.travel(jst(WINDOW_OVER), frozen=True)

    def exclude(self) -> None:
        if clock.now() < jst(WINDOW_OVER):
            raise Nothing
        if ReconciliationBreak.objects.filter(state="open").exists():
            raise Nothing
        done = self.house.run("exclude")
        assert done.state == "succeeded", done

    def _to_value_date(self) -> None:
        at = jst(f"{self.batch.value_date.isoformat()}T15:00")
        if clock.now() < at:
            clock.travel(at, frozen=True)

    # --- the walk -----------------------------------------------------------------------------

    def explore(self) -> None:
        """Everything that can be reached from here was seen, and each step that leads there."""
        here = self.node()
        self.seen[here] = set()
        if not len(self.seen) % SAID_AFTER:
            say(f"{len(self.seen):,} combinations so far")
        self.judge(here)
        for name, verb in self.verbs().items():
            with tried():
                try:
                    with transaction.atomic():
                        verb()
                except WinddownError:
                    continue
                except DatabaseError as fault:
                    self.faults.append(f"{here}: {name}: {fault}")
                    continue
                there = self.node()
                self.seen[here].add(there)
                if there not in self.seen:
                    self.way.append(name)
                    self.explore()
                    self.way.pop()

    def judge(self, here: Node) -> None:
        """Nothing is stuck here, and the money is where the states say."""
        for check in (without_a_door, wallets_in_two_buckets, refund_identity):
            self.faults += [f"{here} by {self.way}: {said}" for said in check()]

    def without_an_end(self) -> list[Node]:
        """Returns what was seen and leads to no end."""
        ends = {node for node in self.seen if node[3] in Entitlement.ENDED}
        while True:
            more = {node for node, steps in self.seen.items() if node not in ends and steps & ends}
            if not more:
                return sorted(set(self.seen) - ends)
            ends |= more


def say(words: str) -> None:
    """The words are seen at once, because workers of the tests keep what goes to standard output."""
    print(f"\n{words}", file=sys.stderr, flush=True)


def walked(house: House, *, without: Collection[str]) -> Walk:
    for code, most, valid in (("bank", 9_999_999_999, 0), ("claim_code", 30_000, 60)):
        MethodTerms.objects.create(
            code=code,
            place=1 + (code == "claim_code"),
            amount_max_minor=most,
            costs=[[most, 250]],
            money_days=1,
            valid_days=valid,
            source="test",
        )
    Successor.objects.create(
        name="Wakaba", contact="03", source="test", day_max_minor=10**6, person_max_minor=10**6
    )
    (owed,) = house.entitled(1)
    walk = Walk(house, owed, without=without)
    walk.explore()
    return walk


@pytest.mark.parametrize("name", WALKS)
def test_from_every_combination_doors_lead_to_an_end(
    house: House, name: str, long_form: bool
) -> None:
    if not long_form and name != "elsewhere":
        pytest.skip("a line of the proof")
    walk = walked(house, without=WALKS[name] if long_form else OF_THE_TESTS)
    assert walk.faults == []
    assert walk.without_an_end() == []
    say(f"proof: {name}: {len(walk.seen):,} combinations walked, each leads to an end")
