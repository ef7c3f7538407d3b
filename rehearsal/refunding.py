"""The part of the replay about refunds: from the sealed balances to the last bank file."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from celery import current_app
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from accounts.models import User
from refunds.applications import reminders
from refunds.bank_accounts import Account
from refunds.models import (
    Branch,
    Entitlement,
    Payee,
    Payout,
    PayoutBatch,
    RefundApplication,
    Reminder,
)
from refunds.models.payout import inclusion_of
from refunds.payouts import payout_batches, refund_limits
from refunds.payouts.methods.postal_addresses import PostalAddress
from refunds.remedies import own_funds
from rehearsal import tracing
from rehearsal.bank import Accounts, Habits, SimulatedBank, later_quality
from rehearsal.browser import PageRefused
from rehearsal.courses import (
    APP,
    BANK,
    CODE,
    POSTAL,
    REMINDER_WAVES,
    Course,
    Courses,
    end_of_week,
    one_of_each,
)
from rehearsal.customers import Customer, Customers, Wish
from rehearsal.forms_file import ACCOUNT, APPLICATION, CORRECTION, METHOD, Sent, written
from rehearsal.identity import Identity
from rehearsal.operations import WAIT_S_MAX, Operations, ReplayFailed
from rehearsal.plans import REMINDERS, Behaviour, Plan
from rehearsal.voucher_provider import VoucherProvider
from wallets.models import Wallet
from winddown import clock

COMPENSATION_CYCLE = ("2019-08-28", "2019-08-30")
LATE_FROM = dt.date(2020, 1, 11)
# What the trustee moved to the account that pays, more than is ever paid from it.
FUNDED_MINOR = 1_000_000_000
GIVEN_AGAIN_MAX = 3
# So long before its run a payout wave is planned.
WAVE_TOLD = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Holder:
    """One holder of paid value at the close, and what this person does about the refund."""

    user_id: int
    number: int
    wallet_ref: str
    kana_name: str
    owed_minor: int
    course: Course

    @property
    def first_name(self) -> str:
        """Returns the name of the account as the holder types it at first."""
        family, _, given = self.kana_name.partition(" ")
        if self.course.kind == "swapped_names":
            return f"{given} {family}"
        if self.course.kind == "wrong_kana":
            return f"{family} {given[:-1]}{'オ' if given[-1:] != 'オ' else 'ア'}"
        return self.kana_name

    @property
    def address(self) -> PostalAddress | None:
        """Returns where the letter goes, for a method that sends one."""
        if self.course.method != POSTAL:
            return None
        return PostalAddress.typed(
            name=self.kana_name, postal_code="1000001", lines=f"リハーサル{self.number}番地"
        )


class Refunding:
    """What treasury, support, the bank and the customers did from October on."""

    def __init__(self, operations: Operations, *, plan: Plan, behaviour: Behaviour) -> None:
        self.operations = operations
        self.plan = plan
        self.behaviour = behaviour
        self.doors = operations.doors
        self.case = operations.case
        self.report = operations.report
        self.tell = operations.tell
        self.zone = operations.case.programme.time_zone
        self.holders: dict[int, Holder] = {}
        self.attempts: Counter[int] = Counter()
        self.reissued: Counter[int] = Counter()
        self.reminded: set[int] = set()
        self.counted: set[int] = set()
        self.accounts: Accounts
        self.bank: SimulatedBank
        self.provider: VoucherProvider
        self.ring: Account | None = None
        self.people: Customers | None = None
        self.at_the_pages: dict[int, Customer] = {}
        self.identity: Identity

    # --- before refunds open ----------------------------------------------------------------------

    def make_ready(self) -> None:
        """The bank codes are loaded, and the simulated bank is open."""
        with self.report.phase("load bank codes") as phase:
            self.doors.must("load_bank_codes", by="compliance", reason="dataset of the banks")
            phase.rows = Branch.objects.count()
        branches = list(
            Branch.objects.order_by("bank_code", "code").values_list("bank_code", "code")[:2_000]
        )
        self.accounts = Accounts(branches)
        directory = self.operations.directory / "bank"
        (directory / "to").mkdir(parents=True, exist_ok=True)
        number = self.behaviour.number
        self.bank = SimulatedBank(
            inbox=directory / "to",
            outbox=directory / "from",
            quality_of=Accounts.quality_of,
            states_the_account=True,
            funded_minor=FUNDED_MINOR,
            habits=Habits(
                late_every=number("bank_late_every"),
                late_days=number("bank_late_days"),
                returns_after=number("bank_returns_after_days"),
                corrects_after=number("bank_corrects_after_days"),
            ),
        )
        self.provider = VoucherProvider(
            inbox=directory / "to", outbox=directory / "from", cashed_after=self._cashed_after
        )
        self._meet_holders()

    def compensate(self) -> None:
        """The operator has paid the victims whose loss no issuer made good."""
        losses = list(own_funds.compensations().select_related("loss__claim__wallet__account"))
        people = {loss.loss.claim.wallet.account_id: loss.loss.claim.wallet for loss in losses}
        self.load(
            [
                Sent(
                    wallet_ref=wallet.wallet_ref,
                    about=ACCOUNT,
                    account=self._account(
                        user_id, wallet.account.kana_name, quality="ok", number=wallet.pk
                    ),
                )
                for user_id, wallet in sorted(people.items())
            ],
            reason="accounts of victims",
        )
        self.check_payees()
        self.pay(*COMPENSATION_CYCLE)
        self.operations.move_to(self._noon(dt.date.fromisoformat(COMPENSATION_CYCLE[1])))
        self.import_answers()
        self.state(dt.date.fromisoformat(COMPENSATION_CYCLE[1]))

    def collect_accounts(self, until: dt.date) -> None:
        """Everybody who gives a bank account before applications open has given it by that day, and
        the bank has checked it.
        """
        early = [
            each
            for each in self.holders.values()
            if each.course.gives_account_on is not None
            and each.course.gives_account_on <= until
            and not self.attempts[each.user_id]
        ]
        if not early:
            return
        self.operations.move_to(self._noon(until))
        walking = [each for each in early if self._walks(each)]
        wishes = {each: Wish(each.owed_minor, self._first_account(each)) for each in walking}
        there = {each.user_id for each in walking}
        sent = [
            Sent(each.wallet_ref, about=ACCOUNT, account=self._first_account(each))
            for each in early
            if each.user_id not in there
        ]
        with self._walk(wishes):
            taken = self.load(sent, reason="accounts collected before the window")
        self.check_payees()
        self.correct()
        self.tell(f"{taken + len(there):,} holders gave a bank account before applications open.")

    def open(self) -> None:
        """The funds are there, and every sealed balance is owed as a refund."""
        population, case = self.case.population, self.case.programme
        owed = population.balance_minor(accounts=self.report.accounts)
        self.doors.must(
            "report_funds", f"--amount={owed}", by="compliance", reason="trustee's statement"
        )
        treasury, approver = self.operations.desk("treasury"), self.operations.desk("approver")
        why = "service ended, balances sealed"
        run = treasury.plan("refund-balances", {"part": "entitle", "reason": why})
        approver.approve(run, reason=why)
        treasury.start(run, reason=why)
        self.operations.follow(run)
        self.identity = Identity()
        self.drill()
        self._note_what_is_owed()
        if self.plan.has(REMINDERS):
            self.doors.must("send_reminders", by="compliance", reason="the window is open")
        self.tell(f"{len(self.holders):,} holders may apply until {case.refund_window_last_on}.")

    def drill(self) -> None:
        """The two payout views were taken."""
        self.doors.must("drill", by="treasury", reason="weekly drill")

    @cached_property
    def courses(self) -> dict[str, Course]:
        """What each holder does, by wallet."""
        path = self.operations.files / "truth" / "behaviour.csv"
        with path.open(encoding="utf-8") as file:
            rows = {row["wallet_ref"]: row for row in csv.DictReader(file)}
        return Courses(rows, case=self.case, plan=self.plan, behaviour=self.behaviour).all()

    def applying_in_the_app(self) -> set[str]:
        """Returns the wallets whose holders will apply in the app while applications are open."""
        return {
            ref
            for ref, course in self.courses.items()
            if course.channel == APP and course.applies_on and course.applies_on < LATE_FROM
        }

    def one_of_each(self, reached: Collection[str]) -> list[str]:
        """Returns a wallet of each kind of people who apply in the app, of those `reached`."""
        return one_of_each(self.courses, reached)

    def _meet_holders(self) -> None:
        wallets = Wallet.objects.select_related("account").filter(wallet_ref__in=self.courses)
        for each in wallets.iterator(chunk_size=5_000):
            self.holders[each.account_id] = Holder(
                user_id=each.account_id,
                number=each.pk,
                wallet_ref=each.wallet_ref,
                kana_name=each.account.kana_name,
                owed_minor=each.paid_minor,
                course=self.courses[each.wallet_ref],
            )

    def _note_what_is_owed(self) -> None:
        """Each holder knows what the sealed balance came to."""
        owed = dict(
            Entitlement.objects.filter(wallet__account__in=self.holders).values_list(
                "wallet__account_id", "amount_minor"
            )
        )
        self.holders = {
            user_id: replace(self.holders[user_id], owed_minor=amount)
            for user_id, amount in owed.items()
        }

    # --- the window -------------------------------------------------------------------------------

    def live_through(self, first_on: dt.date, last_on: dt.date) -> None:
        """Both days and all days between them are over. Every week customers have applied and
        corrected accounts, and the bank has checked accounts. Payouts were made on their days.
        """
        by_week: dict[dt.date, list[Holder]] = defaultdict(list)
        for holder in self.holders.values():
            on = holder.course.applies_on
            if on and first_on <= on <= last_on:
                by_week[end_of_week(on, last_on)].append(holder)
        cycles = dict(self.plan.cycles)
        values = set(cycles.values())
        states_after = self.behaviour.number("bank_states_after_days")
        stated = {value + dt.timedelta(days=states_after): value for value in cycles.values()}
        waves = {planned - WAVE_TOLD: planned for planned in cycles}
        reminded = self._reminder_days()
        day = first_on
        while day <= last_on:
            answered = day in values or self.bank.speaks(day) or self.provider.tells(day)
            if answered or any(day in acts for acts in (by_week, cycles, stated, waves, reminded)):
                self.operations.move_to(self._noon(day))
            if day in waves:
                self.plan_wave(waves[day], cycles[waves[day]])
            if day in reminded:
                self.remind(reminded[day])
            if day in by_week:
                self.apply(by_week[day], day=day)
            if answered:
                self.import_answers()
            if day in cycles:
                self.pay(day.isoformat(), cycles[day].isoformat())
            if day in stated:
                self.state(stated[day])
            self.account_for(day)
            day += dt.timedelta(days=1)

    def _reminder_days(self) -> dict[dt.date, int]:
        """Returns how many days before the last day the wave of reminders of each day is."""
        if not self.plan.has(REMINDERS):
            return {}
        last_on = self.case.programme.refund_window_last_on
        return {last_on - dt.timedelta(days=days): days for days in REMINDER_WAVES}

    def remind(self, days_before: int) -> None:
        """Everybody who can be reached and has not applied has the reminder of the wave. The real
        worker queued it when the hour of beat came. Raises `ReplayFailed` if it did not.
        """
        with self.report.phase("reminders") as phase:
            current_app.send_task("winddown.follow_up")
            deadline = time.monotonic() + WAIT_S_MAX
            while self._not_reminded(days_before).exists():
                if time.monotonic() > deadline:
                    raise ReplayFailed(why="no worker queued the reminders")
                time.sleep(0.3)
            told = Reminder.objects.filter(days_before=days_before)
            phase.rows = told.count()
        self.reminded |= set(told.values_list("holder_id", flat=True))
        self.report.reminders = Reminder.objects.count()
        self.tell(f"{phase.rows:,} people were reminded.")

    @staticmethod
    def _not_reminded(days_before: int) -> QuerySet[User]:
        told = Reminder.objects.filter(days_before=days_before).values("holder_id")
        reachable = reminders.not_applied().with_channel(verified_by=clock.now())
        return reachable.exclude(pk__in=told)

    def plan_wave(self, planned_on: dt.date, pay_on: dt.date) -> None:
        """The payout run is a wave that holders see, and two people agreed to it."""
        asked = self.doors.must(
            "plan_payout_wave",
            f"--record-on={planned_on}",
            f"--cut-off-on={planned_on}",
            f"--pay-on={pay_on}",
            "--payees-close-days=0",
            by="treasury",
            reason="plan of the refund",
        )
        shown = f"--digest={asked['digest']}"
        self.doors.must("approve", asked["subject"], shown, by="approver", reason="plan checked")

    def account_for(self, day: dt.date) -> None:
        """The report says where all that is entitled is at the end of the day."""
        self.report.identity.append(self.identity.on(day))

    def _noon(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(12), self.zone)

    def apply(self, holders: list[Holder], *, day: dt.date) -> None:
        """The holders have applied, and those with a wrong account have given another one."""
        late = day >= LATE_FROM
        # Nobody answers a reminder that did not come.
        holders = [
            each
            for each in holders
            if each.course.kind != "reminded" or each.user_id in self.reminded
        ]
        walking = [] if late else [each for each in holders if self._walks(each)]
        wishes = {
            each: Wish(
                each.owed_minor,
                account=self._account_of(each),
                method=each.course.method,
                fallback_consent=each.course.consents,
                address=each.address,
            )
            for each in walking
        }
        there = {each.user_id for each in walking}
        others = [each for each in holders if each.user_id not in there]
        sent = [
            Sent(
                wallet_ref=each.wallet_ref,
                about=APPLICATION,
                channel=each.course.channel,
                account=self._account_of(each),
                confirmed_minor=each.owed_minor if each.course.channel == APP else None,
                late_reason="was abroad" if late else "",
                method=each.course.method,
                fallback_consent=each.course.consents,
                address=each.address,
            )
            for each in others
        ]
        with self._walk(wishes):
            with self.report.phase("applications") as phase:
                phase.rows = taken = self.load(sent, reason="applications of the week")
            self._count(others, "files")
            self._review([each.user_id for each in others])
        self._review(there)
        self.check_payees()
        self.correct()
        self.tell(
            f"{taken + len(there):,} applications"
            f"{' after the window' if late else ''}, {len(there):,} of them by the pages."
        )

    def _account_of(self, holder: Holder) -> Account | None:
        """Returns the account that the holder applies with. None if it is known already, or another
        method is asked for.
        """
        if holder.course.method != BANK or holder.course.gives_account_on is not None:
            return None
        if holder.course.kind == "fraud_ring":
            # A thief names one account for all.
            self.ring = self.ring or self._first_account(holder)
            return self.ring
        return self._first_account(holder)

    def load(self, sent: Sequence[Sent], *, reason: str) -> int:
        """What holders sent in is in, but for what was refused. Returns how many lines are in."""
        if not sent:
            return 0
        before = len(self.doors.stalls)
        with written(sent) as path:
            done = self.doors.run("load_applications", str(path), by="support", reason=reason)
        refused = self.doors.stalls[before:]
        for stall in refused:
            self.tell(f"refused: {stall.why}")
        return len(sent) - sum(stall.number for stall in refused) if done is None else done["taken"]

    def _walks(self, holder: Holder) -> bool:
        return holder.course.channel == APP and holder.user_id in self.at_the_pages

    @contextmanager
    def _walk(self, wishes: Mapping[Holder, Wish]) -> Iterator[None]:
        """The holders go through the form of the portal meanwhile, and have at the end of the block.
        Raises `PageRefused` if the pages stopped one of them.
        """
        if not wishes or self.people is None:
            yield
            return
        people = self.people
        walking = [(self.at_the_pages[each.user_id], wish) for each, wish in wishes.items()]

        def walk() -> None:
            with self.report.phase("customers apply at the pages") as phase:
                people.apply(walking)
                phase.rows = len(walking)

        with ThreadPoolExecutor(1) as aside:
            walked = aside.submit(walk)
            yield
            walked.result()
        for customer, _wish in walking:
            if customer.refused:
                raise PageRefused(path="/account/refund/", why=customer.refused)
        self._count(wishes, "forms")

    def _count(self, holders: Iterable[Holder], way: str) -> None:
        """The report counts each of these people, by kind and by the way that each came first."""
        for each in holders:
            self.report.kinds[each.course.kind][way] += each.user_id not in self.counted
            self.counted.add(each.user_id)

    def _first_account(self, holder: Holder) -> Account:
        return self._account(
            holder.user_id,
            holder.first_name,
            quality=holder.course.quality,
            number=holder.number,
        )

    def _review(self, holders: Collection[int]) -> None:
        """Every application of the holders has gone through the steps that people take.

        Support verifies those by web, and two people decide what the rules left to them.
        """
        of = RefundApplication.State
        chosen = RefundApplication.objects.filter(applicant__in=holders, live=True).order_by("pk")
        for application in chosen.filter(applicant__in=self._of_kind("fraud_ring")):
            self._reject(application)
        for application in chosen.filter(
            state=of.IDENTITY_CHECK, applicant__in=self._of_kind("heir")
        ):
            words = (f"--application={application.pk}",)
            ask = ("ask_applicant", *words, "--asked-for=authority")
            self.doors.must(*ask, by="support", reason="an heir applies")
            self.doors.must(
                "answer_application", *words, by="support", reason="certificate of inheritance"
            )
        for state, command in (
            (of.IDENTITY_CHECK, "verify_application"),
            (of.VERIFIED, "confirm_amount"),
        ):
            for application in chosen.filter(state=state):
                words = (f"--application={application.pk}",)
                self.doors.must(command, *words, by="support", reason="papers match")
        for application in chosen.filter(state=of.AMOUNT_CONFIRMED).select_related("entitlement"):
            if application.late and application.entitlement.state != Entitlement.State.EXCLUDED:
                continue
            words = (f"--application={application.pk}",)
            asked = self.doors.must(
                "propose_application", *words, by="support", reason="papers match"
            )
            self.doors.must(
                *("approve", asked["subject"], f"--digest={asked['digest']}"),
                by="compliance" if application.late else "support2",
                reason="papers checked",
            )

    def _of_kind(self, kind: str) -> list[int]:
        return [each.user_id for each in self.holders.values() if each.course.kind == kind]

    def _reject(self, application: RefundApplication) -> None:
        """The application of a thief is rejected, after something was asked if it was approved."""
        words = (f"--application={application.pk}",)
        if application.state == RefundApplication.State.APPROVED:
            self.doors.must(
                "ask_applicant",
                *words,
                "--asked-for=identity",
                by="support",
                reason="one account for many holders",
            )
        self.doors.must(
            "reject_application",
            *words,
            "--rejection=not_the_holder",
            by="support",
            reason="one account for many holders",
        )

    def check_payees(self) -> None:
        """The bank has checked every new account, and its answers are booked."""
        words = ("export_check_file", f"--out={self.bank.inbox}")
        if self.doors.must(*words, by="treasury", reason="new accounts")["path"]:
            self.import_answers()

    def correct(self) -> None:
        """Every holder who was told of a wrong account has given another one, at most three, and who
        lost a voucher to its end has asked for a claim code. Some never answer.
        """
        of = RefundApplication
        waiting = of.objects.filter(state=of.State.NEEDS_INFO, live=True)
        asked = waiting.filter(asked_for=of.BANK_ACCOUNT).values_list("applicant_id", flat=True)
        # Without an application there is only the account, which was collected before.
        refused = Payee.objects.filter(
            Q(replaced_at=None, state=Payee.State.REFUSED)
            & ~Exists(of.objects.filter(applicant_id=OuterRef("holder_id"), live=True))
        ).values_list("holder_id", flat=True)
        early = set(refused) if Entitlement.objects.count() == 0 else set()
        again = [
            self.holders[user_id]
            for user_id in sorted({*asked, *early})
            if user_id in self.holders
            and self.holders[user_id].course.answers
            and self.attempts[user_id] < GIVEN_AGAIN_MAX
        ]
        walking = [each for each in again if self._walks(each)]
        wishes = {each: Wish(each.owed_minor, self._next_account(each)) for each in walking}
        there = {each.user_id for each in walking}
        sent = [
            Sent(
                wallet_ref=holder.wallet_ref,
                about=ACCOUNT if holder.user_id in early else CORRECTION,
                account=self._next_account(holder),
            )
            for holder in again
            if holder.user_id not in there
        ]
        expired = waiting.filter(asked_for=of.VOUCHER).values_list("applicant_id", flat=True)
        sent += [
            Sent(wallet_ref=self.holders[user_id].wallet_ref, about=METHOD, method=CODE)
            for user_id in sorted(expired)
            if not self.reissued[user_id]
        ]
        self.reissued.update(expired)
        if not (sent or there):
            return
        with self._walk(wishes):
            corrected = self.load(sent, reason="corrected by the holders") + len(there)
        self.check_payees()
        self.tell(f"{corrected:,} ways to the money corrected by their holders.")

    def _next_account(self, holder: Holder) -> Account:
        return self._account(
            holder.user_id,
            holder.kana_name,
            quality=later_quality(holder.course.quality),
            number=holder.number,
        )

    def _account(self, user_id: int, kana_name: str, *, quality: str, number: int) -> Account:
        self.attempts[user_id] += 1
        bank, branch, kind, digits = self.accounts.account(
            number, attempt=self.attempts[user_id], quality=quality
        )
        return Account(bank, branch, kind, digits, kana_name)

    # --- money ------------------------------------------------------------------------------------

    def pay(self, planned_on: str, value_date: str) -> None:
        """The approved refunds are in sealed files, which others than their maker approved, and the
        bank has the files.
        """
        self.operations.move_to(
            dt.datetime.combine(dt.date.fromisoformat(planned_on), dt.time(14), self.zone)
        )
        run = self.operations.carry_out(
            "refund-balances",
            params={"part": "pay", "value_date": value_date},
            reason=f"payouts of {value_date}",
            maker="treasury",
            checker="approver",
        )
        approvers = itertools.cycle(["approver2", "approver"])
        for batch in PayoutBatch.objects.filter(run=run).order_by("pk"):
            for _ in range(batch.approvals_needed):
                words = ("approve", batch.subject, f"--digest={batch.digest}")
                self.doors.must(*words, by=next(approvers), reason="file checked")
            words = ("export_payout_batch", str(batch.pk), str(self.bank.inbox))
            self.doors.must(*words, by="treasury", reason="to the bank")
            sent = ("transmit_payout_batch", f"--number={batch.pk}")
            self.doors.must(*sent, by="treasury2", reason="sent")
            self.tell(
                f"File {batch.sequence}: {batch.items:,} transfers, JPY {batch.total_minor:,}."
            )

    def import_answers(self) -> None:
        """The bank and the provider of vouchers have answered, and every answer is booked."""
        today = payout_batches.today()
        settled = returned = 0
        answers: list[Path] = []
        for taken in self.bank.work(today=today):
            if taken.refused:
                self.tell(f"The bank refused {taken.name}: {taken.refused}")
            answers += taken.answers
        answers += self.provider.work(today=today)
        for path in answers:
            words = ("import_bank_results", str(path))
            done = self.doors.must(*words, by="treasury", reason="answer of the bank")
            settled += done["settled"]
            returned += done["returned"]
        if settled or returned:
            self.tell(f"The bank paid {settled:,} and sent back {returned:,}.")
        self.correct()

    def state(self, value_date: dt.date) -> None:
        """The bank has stated the account until some days after the value date, with days that were
        stated before, and the last bank day is tied.
        """
        if not self.bank.carried_out:
            return
        number = self.behaviour.number
        last_on = value_date + dt.timedelta(days=number("bank_states_after_days"))
        path = self.bank.statement(
            account=refund_limits.current().account_number,
            first_on=last_on - dt.timedelta(days=number("bank_statement_days")),
            last_on=last_on,
        )
        self.operations.move_to(self._noon(last_on + dt.timedelta(days=1)))
        self.doors.must("import_bank_results", str(path), by="treasury", reason="statement")
        self.doors.must("tie_bank_day", by="treasury", reason="the day is stated")
        self.report.statements += 1

    def _cashed_after(self, reference: str) -> int | None:
        """Returns after how many days a voucher is cashed; None if it expires."""
        payout = Payout.objects.get(pk=inclusion_of(reference)[1] or 0)
        holder = self.holders[payout.holder_id]
        # Who asked for a second one cashes it.
        return 1 if self.reissued[holder.user_id] else holder.course.cashed_after

    def exclude(self) -> None:
        """Amounts that nobody applied for in time are excluded, and a second person has agreed.
        Each of their holders was looked for before.
        """
        with tracing.arguments() as efforts:
            self.doors.must(
                "load_tracing_efforts", *efforts, by="compliance", reason="letters and calls"
            )
        self.operations.carry_out(
            "refund-balances",
            params={"part": "exclude"},
            reason="the window is over",
            maker="compliance",
            checker="approver",
        )

    # --- figures ----------------------------------------------------------------------------------

    def compare_unpaid(self, *, as_of: dt.datetime) -> None:
        """The report has the number of unpaid holders beside the public estimate for this day,
        scaled.
        """
        population, accounts = self.case.population, self.report.accounts
        unpaid = Entitlement.objects.exclude(state=Entitlement.State.PAID).aggregate(
            holders=Count("pk"), amount=Sum("amount_minor")
        )
        holders = population.holders(accounts=accounts)
        balance = population.balance_minor(accounts=accounts)
        paid_holders = population.holders_paid_by_2020_01_09(accounts=accounts)
        paid = population.balance_paid_by_2020_01_09_minor(accounts=accounts)
        for what, published, reproduced in (
            ("holders still unpaid (scaled)", holders - paid_holders, unpaid["holders"]),
            ("balance still unpaid, JPY (scaled)", balance - paid, unpaid["amount"] or 0),
        ):
            self.operations.figure(what, as_of=as_of, published=published, reproduced=reproduced)
