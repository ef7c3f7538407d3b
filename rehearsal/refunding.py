"""The part of the replay about refunds: from the sealed balances to the last bank file."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count, Sum

from refunds.bank_accounts import Account
from refunds.models import Branch, Entitlement, Payee, PayoutBatch, RefundApplication
from refunds.payouts import payout_batches
from refunds.remedies import own_funds
from rehearsal import tracing
from rehearsal.bank import Accounts, SimulatedBank, later_quality
from rehearsal.browser import PageRefused
from rehearsal.customers import Customer, Customers
from rehearsal.forms_file import ACCOUNT, APP, APPLICATION, CORRECTION, Sent, written
from rehearsal.identity import Identity
from rehearsal.operations import Operations

# Runs of the pay part: the day it is planned, and the day on which the bank carries it out.
CYCLES = (
    ("2019-11-13", "2019-11-15"),
    ("2019-11-27", "2019-11-29"),
    ("2019-12-11", "2019-12-13"),
    ("2019-12-25", "2019-12-27"),
    ("2020-01-22", "2020-01-24"),
    ("2020-02-05", "2020-02-07"),
)
COMPENSATION_CYCLE = ("2019-08-28", "2019-08-30")
LATE_FROM = dt.date(2020, 1, 11)


@dataclass(frozen=True, slots=True)
class Holder:
    """One holder of paid value at the close, and what this person does about the refund."""

    user_id: int
    number: int
    wallet_ref: str
    kana_name: str
    owed_minor: int
    applies_on: dt.date | None
    quality: str
    channel: str


class Refunding:
    """What treasury, support, the bank and the customers did from October on."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.doors = operations.doors
        self.case = operations.case
        self.report = operations.report
        self.tell = operations.tell
        self.zone = operations.case.programme.time_zone
        self.holders: dict[int, Holder] = {}
        self.attempts: Counter[int] = Counter()
        self.accounts: Accounts
        self.bank: SimulatedBank
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
        self.bank = SimulatedBank(
            inbox=directory / "to", outbox=directory / "from", quality_of=Accounts.quality_of
        )

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
        self._meet_holders()
        self.tell(f"{len(self.holders):,} holders may apply until {case.refund_window_last_on}.")

    def drill(self) -> None:
        """The two payout views were taken."""
        self.doors.must("drill", by="treasury", reason="weekly drill")

    def applying_in_the_app(self) -> set[str]:
        """Returns the wallets whose holders will apply in the app while applications are open."""
        return {
            ref
            for ref, row in self._behaviour().items()
            if row["channel"] == "app"
            and row["applies_on"]
            and dt.date.fromisoformat(row["applies_on"]) < LATE_FROM
        }

    def _behaviour(self) -> dict[str, dict[str, str]]:
        with (self.operations.files / "truth" / "behaviour.csv").open(encoding="utf-8") as file:
            return {row["wallet_ref"]: row for row in csv.DictReader(file)}

    def _meet_holders(self) -> None:
        rows = self._behaviour()
        entitled = Entitlement.objects.select_related("wallet__account").filter(
            wallet__wallet_ref__in=list(rows)
        )
        for each in entitled.iterator(chunk_size=5_000):
            row = rows[each.wallet.wallet_ref]
            self.holders[each.wallet.account_id] = Holder(
                user_id=each.wallet.account_id,
                number=each.wallet_id,
                wallet_ref=each.wallet.wallet_ref,
                kana_name=each.wallet.account.kana_name,
                owed_minor=each.amount_minor,
                applies_on=dt.date.fromisoformat(row["applies_on"]) if row["applies_on"] else None,
                quality=row["account_quality"],
                channel=row["channel"],
            )

    # --- the window -------------------------------------------------------------------------------

    def live_through(self, first_on: dt.date, last_on: dt.date) -> None:
        """Both days and all days between them are over. Every week customers have applied and
        corrected accounts, and the bank has checked accounts. Payouts were made on their days.
        """
        by_week: dict[dt.date, list[Holder]] = defaultdict(list)
        for holder in self.holders.values():
            if holder.applies_on and first_on <= holder.applies_on <= last_on:
                by_week[_end_of_week(holder.applies_on, last_on)].append(holder)
        cycles = {dt.date.fromisoformat(planned): value for planned, value in CYCLES}
        values = {dt.date.fromisoformat(value) for _, value in CYCLES}
        day = first_on
        while day <= last_on:
            if day in by_week or day in values or day in cycles:
                self.operations.move_to(self._noon(day))
            if day in by_week:
                self.apply(by_week[day], day=day)
            if day in values:
                self.import_answers()
            if day in cycles:
                self.pay(day.isoformat(), cycles[day])
            self.account_for(day)
            day += dt.timedelta(days=1)

    def account_for(self, day: dt.date) -> None:
        """The report says where all that is entitled is at the end of the day."""
        self.report.identity.append(self.identity.on(day))

    def _noon(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(12), self.zone)

    def apply(self, holders: list[Holder], *, day: dt.date) -> None:
        """The holders have applied, and those with a wrong account have given another one."""
        late = day >= LATE_FROM
        walking = [] if late else [each for each in holders if self._walks(each)]
        by_pages = self._apply_by_pages(walking)
        there = set(by_pages)
        with self.report.phase("applications") as phase:
            taken = self.load(
                [
                    Sent(
                        wallet_ref=holder.wallet_ref,
                        about=APPLICATION,
                        channel=holder.channel,
                        account=self._first_account(holder),
                        confirmed_minor=holder.owed_minor if holder.channel == APP else None,
                        late_reason="was abroad" if late else "",
                    )
                    for holder in holders
                    if holder.user_id not in there
                ],
                reason="applications of the week",
            )
            phase.rows = taken
        self._review([holder.user_id for holder in holders])
        self.check_payees()
        self.correct()
        self.tell(
            f"{taken + len(by_pages):,} applications"
            f"{' after the window' if late else ''}, {len(by_pages):,} of them by the pages."
        )

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
        return holder.channel == "app" and holder.user_id in self.at_the_pages

    def _apply_by_pages(self, holders: list[Holder]) -> dict[int, int]:
        """The holders have applied by the form of the portal. Returns their applications.

        Raises `PageRefused` if the pages stopped one of them.
        """
        if not holders or self.people is None:
            return {}
        walking = [
            (self.at_the_pages[each.user_id], self._first_account(each), each.owed_minor)
            for each in holders
        ]
        with self.report.phase("customers apply at the pages") as phase:
            self.people.apply(walking)
            phase.rows = len(walking)
        for customer, _account, _owed in walking:
            if customer.refused:
                raise PageRefused(path="/account/refund/", why=customer.refused)
        applied = RefundApplication.objects.filter(
            applicant_id__in=[each.user_id for each in holders], live=True
        )
        return dict(applied.values_list("applicant_id", "pk"))

    def _first_account(self, holder: Holder) -> Account:
        return self._account(
            holder.user_id, holder.kana_name, quality=holder.quality, number=holder.number
        )

    def _review(self, holders: Collection[int]) -> None:
        """Every application of the holders has gone through the steps that people take.

        Support verifies those by web, and two people decide what the rules left to them.
        """
        of = RefundApplication.State
        chosen = RefundApplication.objects.filter(applicant__in=holders, live=True).order_by("pk")
        for state, command in (
            (of.IDENTITY_CHECK, "verify_application"),
            (of.VERIFIED, "confirm_amount"),
        ):
            for application in chosen.filter(state=state):
                words = (command, f"--application={application.pk}")
                self.doors.must(*words, by="support", reason="papers match")
        for application in chosen.filter(state=of.AMOUNT_CONFIRMED).select_related("entitlement"):
            if application.late and application.entitlement.state != Entitlement.State.EXCLUDED:
                continue
            words = ("propose_application", f"--application={application.pk}")
            asked = self.doors.must(*words, by="support", reason="papers match")
            self.doors.must(
                *("approve", asked["subject"], f"--digest={asked['digest']}"),
                by="compliance" if application.late else "support2",
                reason="papers checked",
            )

    def check_payees(self) -> None:
        """The bank has checked every new account, and its answers are booked."""
        words = ("export_check_file", f"--out={self.bank.inbox}")
        if self.doors.must(*words, by="treasury", reason="new accounts")["path"]:
            self.import_answers()

    def correct(self) -> None:
        """Every holder who was told of a wrong account has given another one, at most three."""
        waiting = Payee.objects.filter(replaced_at=None, state=Payee.State.REFUSED).values_list(
            "holder_id", flat=True
        )
        returned = Entitlement.objects.filter(state=Entitlement.State.RETURNED).values_list(
            "wallet__account_id", flat=True
        )
        again = [
            self.holders[user_id]
            for user_id in sorted({*waiting, *returned})
            if user_id in self.holders
        ]
        again = [holder for holder in again if self.attempts[holder.user_id] < 3]
        if not again:
            return
        corrected = self.load(
            [
                Sent(
                    wallet_ref=holder.wallet_ref,
                    about=CORRECTION,
                    account=self._account(
                        holder.user_id,
                        holder.kana_name,
                        quality=later_quality(holder.quality),
                        number=holder.number,
                    ),
                )
                for holder in again
            ],
            reason="corrected by the holders",
        )
        self.check_payees()
        self.tell(f"{corrected:,} accounts corrected by their holders.")

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
        """The bank has answered its files, and every answer is booked."""
        settled = returned = 0
        for taken in self.bank.work(today=payout_batches.today()):
            if taken.refused:
                self.tell(f"The bank refused {taken.name}: {taken.refused}")
            for path in taken.answers:
                words = ("import_bank_results", str(path))
                done = self.doors.must(*words, by="treasury", reason="answer of the bank")
                settled += done["settled"]
                returned += done["returned"]
        if settled or returned:
            self.tell(f"The bank paid {settled:,} and sent back {returned:,}.")
        self.correct()

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


def _end_of_week(day: dt.date, last_on: dt.date) -> dt.date:
    """Returns the Sunday of the day's week, or `last_on` if that is earlier."""
    return min(day + dt.timedelta(days=6 - day.weekday()), last_on)
