"""The refund in an operator's rehearsal: applications, two rounds of payouts, and the exclusion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from django.db.models import QuerySet

from accounts import addresses
from accounts.models import User
from refunds.bank_accounts import Account
from refunds.bankfiles.formats import FORMATS
from refunds.models import Branch, Entitlement, Payee, PayoutBatch, RefundApplication
from refunds.payouts import bank_days, payout_batches, refund_limits
from refunds.remedies import own_funds
from rehearsal import stalls, tracing
from rehearsal.bank import OK, Accounts, SimulatedBank
from rehearsal.forms_file import ACCOUNT, APPLICATION, CORRECTION, Sent, written
from rehearsal.own_staff import Staff
from winddown import business_days, clock
from winddown.errors import WinddownError
from winddown.models import Programme

# One holder in so many gives an account that cannot be paid.
BAD_ACCOUNT_EVERY = 10
# What is wrong with those accounts in turn, and whether the holder gives another one when told.
BAD_ACCOUNTS = (
    ("closed_once", True),
    ("no_such_account", True),
    ("closed_once", False),
    ("no_such_account", False),
)
ROUNDS = 2
# A payout is planned, and carried out by the bank, so long after its applications.
PLANNED_AFTER = dt.timedelta(days=2)
PAID_AFTER_DAYS = 7


class OwnRefunds:
    """What treasury, support, the bank and the holders do once the balances are sealed."""

    def __init__(self, staff: Staff, *, out: Path) -> None:
        self.staff = staff
        self.doors = staff.doors
        self.inbox, self.outbox = out / "to-bank", out / "from-bank"
        self.silent: set[int] = set()
        self.accounts: Accounts
        self.bank: SimulatedBank | None = None

    def pay(self) -> None:
        """Everybody who can be reached has applied on the first day. Those whose account cannot be
        paid have given another one, but for those who stay silent, and are in a second round. The
        payout views are taken before the first one.
        """
        self.staff.carry_out(
            "refund_balances",
            {"part": "entitle"},
            maker="treasury_operator",
            checker="treasury_approver",
        )
        if not self._can_pay():
            return
        self.staff.act("compliance", "load_bank_codes")
        branches = Branch.objects.order_by("bank_code", "code").values_list("bank_code", "code")
        self.accounts = Accounts(list(branches[:2_000]))
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.bank = SimulatedBank(
            inbox=self.inbox,
            outbox=self.outbox,
            quality_of=Accounts.quality_of,
            currency=Programme.current().currency,
            states_the_account=True,
        )
        with self.doors.noted("applications", role="support", door="enter_application"):
            self._apply()
        self._compensated()
        for turn in range(1, ROUNDS + 1):
            if turn > 1 and not self._correct(attempt=turn):
                break
            self._check_accounts()
            if turn == 1:
                self.staff.act("treasury_operator", "drill")
            self._round()

    def exclude(self, window_ends_at: dt.datetime) -> None:
        """The window is over, and what nobody applied for, or gave an account for, is excluded. The
        bank has stated the account until then, and the last bank day is tied.
        """
        self.staff.go_on(window_ends_at + dt.timedelta(hours=1))
        if self.bank is not None and self.bank.carried_out:
            account = refund_limits.current().account_number
            path = self.bank.statement(account=account, last_on=bank_days.ended())
            self.staff.act("treasury_operator", "import_bank_results", str(path))
            self.staff.act("treasury_operator", "tie_bank_day")
        self._give_up_on_the_silent()
        with tracing.arguments() as efforts:
            self.staff.act("compliance", "load_tracing_efforts", *efforts)
        self.staff.carry_out(
            "refund_balances", {"part": "exclude"}, maker="compliance", checker="treasury_approver"
        )

    def _give_up_on_the_silent(self) -> None:
        """Support has ended the applications of those who gave no account that can be paid."""
        given_up = RefundApplication.objects.filter(live=True, applicant__in=self.silent)
        for application in given_up.order_by("pk"):
            words = ("reject_application", f"--application={application.pk}")
            self.staff.act("support", *words, "--rejection=no_answer")

    def _can_pay(self) -> bool:
        """Returns whether some bank's files carry the currency and the limits are there."""
        currency = Programme.current().currency
        role, door = "compliance", "begin"
        owed = Entitlement.objects.count()
        if not any(currency in each.currencies for each in FORMATS.values()):
            why = f"no format of a bank carries {currency}: nobody can be paid by file"
            self.doors.stall("payouts", owed, why, role=role, door=door)
            return False
        try:
            refund_limits.bank_format(refund_limits.current())
        except WinddownError as refusal:
            self.doors.stall("payouts", owed, str(refusal), role=role, door=door)
            return False
        return True

    # --- the holders ------------------------------------------------------------------------------

    def _apply(self) -> None:
        """Every holder who can be reached has applied, and people have decided what rules left."""
        owed = (
            Entitlement.objects.filter(state__in=Entitlement.APPLICABLE)
            .exclude(wallet__account__in=stalls.unreachable())
            .select_related("wallet__account__postal_address")
        )
        self._load(
            [
                Sent(
                    wallet_ref=each.wallet.wallet_ref,
                    about=APPLICATION,
                    channel=_channel(each.wallet.account),
                    account=self._first_account(each, number),
                    confirmed_minor=each.amount_minor,
                )
                for number, each in enumerate(_first_parts(owed), 1)
            ]
        )
        self._decide()

    def _load(self, sent: Sequence[Sent]) -> int:
        """What holders sent in is in, but for what was refused. Returns how many lines are in."""
        if not sent:
            return 0
        before = len(self.doors.stalls)
        with written(sent) as path:
            self.staff.act("support", "load_applications", str(path))
        return len(sent) - sum(each.number for each in self.doors.stalls[before:])

    def _first_account(self, owed: Entitlement, number: int) -> Account:
        quality = OK
        if number % BAD_ACCOUNT_EVERY == 0:
            turn = number // BAD_ACCOUNT_EVERY - 1
            quality, answers = BAD_ACCOUNTS[turn % len(BAD_ACCOUNTS)]
            if not answers:
                self.silent.add(owed.wallet.account_id)
        return self._account(owed, attempt=1, quality=quality)

    def _account(self, owed: Entitlement, *, attempt: int, quality: str) -> Account:
        holder = owed.wallet.account
        bank, branch, kind, digits = self.accounts.account(
            owed.wallet_id, attempt=attempt, quality=quality
        )
        return Account(bank, branch, kind, digits, holder.kana_name or "リハーサル")

    def _decide(self) -> None:
        """Support has checked who applied on paper, and two people have decided the applications
        that the rules left to them.
        """
        of = RefundApplication.State
        applications = RefundApplication.objects.order_by("pk")
        for state, command in (
            (of.IDENTITY_CHECK, "verify_application"),
            (of.VERIFIED, "confirm_amount"),
        ):
            for application in applications.filter(state=state):
                self.staff.act("support", command, f"--application={application.pk}")
        for application in applications.filter(state=of.AMOUNT_CONFIRMED):
            asked = self.staff.act(
                "support", "propose_application", f"--application={application.pk}"
            )
            self.staff.decide(asked, "support", number=1)

    def _compensated(self) -> None:
        """The victims whom the operator pays itself have given their accounts."""
        losses = own_funds.compensations().select_related("loss__claim__wallet__account")
        wallets = {loss.loss.claim.wallet_id: loss.loss.claim.wallet for loss in losses}
        known = set(Payee.objects.filter(replaced_at=None).values_list("holder_id", flat=True))
        cut_off = set(stalls.unreachable().values_list("pk", flat=True))
        self._load(
            [
                Sent(
                    wallet_ref=wallet.wallet_ref,
                    about=ACCOUNT,
                    account=Account(
                        *self.accounts.account(wallet.pk, attempt=1, quality=OK),
                        wallet.account.kana_name or "リハーサル",
                    ),
                )
                for _, wallet in sorted(wallets.items())
                if wallet.account_id not in known | cut_off
            ]
        )

    def _correct(self, *, attempt: int) -> bool:
        """Those whose account cannot be paid have given another one, and its cooling-off is over.
        Returns whether anybody has.
        """
        waiting = Payee.objects.filter(replaced_at=None, state=Payee.State.REFUSED).exclude(
            holder__in=self.silent
        )
        owed = Entitlement.objects.filter(
            wallet__account__in=waiting.values("holder"), state__in=Entitlement.OWED
        ).select_related("wallet__account")
        sent = [
            Sent(
                wallet_ref=each.wallet.wallet_ref,
                about=CORRECTION,
                account=self._account(each, attempt=attempt, quality=OK),
            )
            for each in _first_parts(owed)
        ]
        if not sent:
            return False
        corrected = self._load(sent)
        self._decide()
        self.staff.tell(f"{corrected:,} holders gave another bank account.")
        cooling_off = dt.timedelta(hours=refund_limits.current().cooling_off_hours)
        self.staff.go_on(clock.now() + cooling_off + dt.timedelta(minutes=1))
        return corrected > 0

    # --- the bank ---------------------------------------------------------------------------------

    def _check_accounts(self) -> None:
        """The bank has checked every account that is new."""
        self.staff.act("treasury_operator", "export_check_file", f"--out={self.inbox}")
        self._take_answers()

    def _round(self) -> None:
        """What is approved is in files that the bank has carried out and answered."""
        value_date = _value_date(payout_batches.today())
        self.staff.go_on(clock.now() + PLANNED_AFTER)
        run = self.staff.carry_out(
            "refund_balances",
            {"part": "pay", "value_date": value_date.isoformat()},
            maker="treasury_operator",
            checker="treasury_approver",
        )
        batches = PayoutBatch.objects.filter(run=run) if run else PayoutBatch.objects.none()
        for batch in batches.order_by("pk"):
            for number in range(batch.approvals_needed):
                self.staff.approve(batch.subject, "treasury_approver", number=number)
            self.staff.act(
                "treasury_operator", "export_payout_batch", str(batch.pk), str(self.inbox)
            )
            words = ("transmit_payout_batch", f"--number={batch.pk}")
            self.staff.act("treasury_operator", *words, number=1)
        noon = dt.datetime.combine(value_date, dt.time(12), Programme.current().zone)
        self.staff.go_on(noon)
        self._take_answers()
        for batch in PayoutBatch.objects.filter(state=PayoutBatch.State.RECONCILED).order_by("pk"):
            self.staff.act("treasury_operator", "close_payout_batch", f"--number={batch.pk}")

    def _take_answers(self) -> None:
        if self.bank is None:
            raise AssertionError("the bank is open")
        for taken in self.bank.work(today=payout_batches.today()):
            if taken.refused:
                self.doors.stall(
                    f"bank file {taken.name}",
                    1,
                    taken.refused,
                    role="treasury_operator",
                    door="record_bank_rejection",
                )
            for path in taken.answers:
                self.staff.act("treasury_operator", "import_bank_results", str(path))


def _first_parts(owed: QuerySet[Entitlement]) -> QuerySet[Entitlement]:
    """Returns one of the entitlements for each wallet: a holder applies for one part at a time."""
    return owed.order_by("wallet", "part").distinct("wallet")


def _channel(holder: User) -> str:
    """Returns how the holder applies: whom only the post reaches, on paper."""
    by_post = addresses.channels_of(holder) == [addresses.LETTER]
    return (RefundApplication.Channel.PAPER if by_post else RefundApplication.Channel.APP).value


def _value_date(today: dt.date) -> dt.date:
    """Returns a day on which the bank carries out transfers, in a week or soon after."""
    day = today + dt.timedelta(days=PAID_AFTER_DAYS)
    while not business_days.is_open(day, calendar="japan"):
        day += dt.timedelta(days=1)
    return day
