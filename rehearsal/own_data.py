"""An operator's own programme and files, rehearsed to the end of the refund window: what would
stall.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from babel.numbers import get_currency_precision
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, Sum
from django.utils import translation

from accounts import staff_adding
from accounts.models import ExternalIdentity, User
from refunds.applications import payees, review, submitting
from refunds.applications.submitting import Submission
from refunds.bank_accounts import Account
from refunds.models import Branch, Entitlement, PayoutBatch, RefundApplication
from refunds.payouts import payout_batches
from rehearsal import publishing
from rehearsal.bank import QUALITIES, Accounts, SimulatedBank
from rehearsal.doors import Doors, Stall
from wallets.models import Snapshot
from winddown import business_days, clock
from winddown.authority import roles, who_can
from winddown.models import Programme
from winddown.programme import gates, jurisdictions, milestones, time_travel
from winddown.set_up import beginning
from winddown.set_up.sections import Rows

# In the order in which they refer to each other.
FILES = (
    "accounts",
    "external_identities",
    "wallets",
    "funding_cards",
    "top_ups",
    "payments",
    "auth_events",
)
TIMES = ("occurred_at", "registered_at", "opened_at", "linked_at")
DECIDED_AFTER = dt.timedelta(days=5)
SPENDS_FOR_DAYS = 30
# One holder in so many gives an account to which no transfer arrives.
BAD_ACCOUNT_EVERY = 20
# The workflows that this rehearsal runs from the incident to the deadline, after the stop.
AT_ONCE = ("freeze_charges", "reset_all_passwords", "suspend_external_login")


@dataclass(slots=True)
class Findings:
    """What the rehearsal found, with numbers."""

    stalls: list[Stall] = field(default_factory=list)
    loaded: dict[str, int] = field(default_factory=dict)
    unreachable: int = 0
    refunds: dict[str, dict[str, int]] = field(default_factory=dict)
    commands: int = 0

    @property
    def unpaid(self) -> dict[str, dict[str, int]]:
        """Returns the refunds that did not arrive, by state."""
        return {state: of for state, of in self.refunds.items() if state != Entitlement.State.PAID}

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class OwnData:
    """One pass through the operator's programme. `play` says what happens and what stalls."""

    def __init__(self, rows: Rows, *, data: Path, out: Path, tell: Callable[[str], object]) -> None:
        self.rows = rows
        self.data = data
        self.out = out
        self.tell = tell
        self.doors = Doors()
        self.found = Findings(stalls=self.doors.stalls)
        self.people: dict[str, list[str]] = defaultdict(list)

    def play(self) -> Findings:
        """The programme was rehearsed in this empty database."""
        begins_at = newest_instant(self.data) + dt.timedelta(hours=1)
        beginning.begin(self.rows, reason="rehearsal", rehearsal=True, at=begins_at)
        self._note_who_is_missing()
        self._bring_in_people()
        self._load()
        self._stop()
        if self._end():
            self._refund()
        self._note_what_is_left()
        self.found.commands = self.doors.through.total()
        return self.found

    def _note_what_is_left(self) -> None:
        """Each gate that fails is a finding, by how much, and so is each deadline that passed."""
        with translation.override("en"):
            for name, gate in gates.GATES.items():
                for count in gates.failing(gates.measured(name)):
                    self.doors.stall(f"gate {gate.title}", count.missing, str(count))
            for late in itertools.chain(*milestones.overdue(clock.now())):
                self.doors.stall(f"milestone {late.kind}", 1, "its deadline has passed")

    # --- people -----------------------------------------------------------------------------------

    def _note_who_is_missing(self) -> None:
        """Each step that nobody in the set-up file can carry out is a finding."""
        for name in who_can.ways():
            if missing := who_can.way(name).missing:
                self.doors.stall(
                    f"{name}: people", len(missing), f"nobody in the file can {', '.join(missing)}"
                )

    @transaction.atomic
    def _bring_in_people(self) -> None:
        """Two people hold each role. Whoever the file does not name is simulated."""
        for role in roles.ROLES:
            held = User.objects.filter(groups__name=role).order_by("pk")
            self.people[role] = [each.login_id for each in held]
            while len(self.people[role]) < 2:
                login = f"simulated.{role.replace('_', '.')}.{len(self.people[role]) + 1}"
                person = staff_adding.make(
                    login_id=login, name=login, email=f"{login}@example.com", staff_number=login
                )
                person.groups.add(Group.objects.get(name=role))
                self.people[role].append(login)

    def _user(self, role: str, number: int = 0) -> User:
        return User.objects.get(login_id=self.people[role][number])

    # --- to the deadline --------------------------------------------------------------------------

    def _load(self) -> None:
        for kind in FILES:
            for path in sorted(self.data.glob(f"{kind}*.csv")):
                if path.name.endswith(".refused.csv"):
                    continue
                told = self._by("incident_commander", f"load_{kind}", str(path))
                if told is not None:
                    self.found.loaded[path.name] = int(told["rows"])
                    self.found.unreachable += int(told.get("unreachable") or 0)
                    self.tell(f"{path.name}: {told['rows']:,} rows")

    def _stop(self) -> None:
        one, two = self.people["incident_commander"][:2]
        told = self._by("incident_commander", "stop_capability", "top_up:credit_card")
        if told is not None:
            self.doors.decide(str(told["subject"]), by=two, reason="rehearsal")
        self._by("incident_commander", "declare_incident")
        providers = sorted(set(ExternalIdentity.objects.values_list("provider", flat=True)))
        params: dict[str, dict[str, Any]] = {
            "reset_all_passwords": {"mail": "file"},
            "suspend_external_login": {"providers": providers},
        }
        for command in AT_ONCE:
            if command != "suspend_external_login" or providers:
                run = self.doors.carry_out(
                    command,
                    maker=one,
                    checker=two,
                    reason="rehearsal",
                    params=params.get(command, {}),
                )
                self.tell(f"{command}: {run.state if run else 'did not run'}")

    def _end(self) -> bool:
        """The end is announced and the balances are sealed. Returns whether they are."""
        self._go_on(clock.now() + DECIDED_AFTER)
        asked = self._by("compliance", "announce_end")
        if asked is not None:
            second = self.people["incident_commander"][0]
            self.doors.decide(str(asked["subject"]), by=second, reason="rehearsal")
        zone = Programme.current().zone
        today = clock.now().astimezone(zone).date()
        last_day = today + dt.timedelta(days=SPENDS_FOR_DAYS)
        self._by(
            "compliance",
            "set_milestone",
            "--kind=spend_ends",
            f"--at={last_day}T24:00",
            "--ends-capability=spend",
            "--workflow=shut-down-by-deadline",
        )
        self._publish(last_day + dt.timedelta(days=1))
        one, two = self.people["incident_commander"][:2]
        self.doors.approved(
            "shut_down_by_deadline", maker=one, checker=two, reason="rehearsal", params={}
        )
        self._go_on(_midnight_after(last_day, zone))
        sealed = Snapshot.objects.first()
        if sealed is None:
            self.doors.stall("shut_down_by_deadline", 1, "the balances are not sealed")
            return False
        self.tell(f"Sealed: {sealed.wallets:,} wallets")
        self._by("compliance", "report_funds", f"--amount={_plain(sealed.paid_minor)}")
        return True

    def _publish(self, first_day: dt.date) -> None:
        pack = jurisdictions.current()
        last_day = first_day + dt.timedelta(days=pack.number("window_days_min"))
        self.window_ends_on = business_days.roll_forward(last_day, calendar=pack.calendar)
        name = Programme.current().name
        self._by(
            "compliance",
            "publish_notice",
            f"--window-first-day={first_day}",
            f"--window-last-day={self.window_ends_on}",
            f"--issuer-name={name}",
            f"--instrument={name}",
            "--statement=The balance is refunded.",
            "--exclusion-statement=Who does not apply in time is excluded.",
            "--contact=rehearsal",
            "--how-to-claim=rehearsal",
            "--how-it-is-paid=rehearsal",
        )
        with publishing.arguments() as publications:
            for said in publications:
                self._by("compliance", "record_publication", *said)

    # --- the refund -------------------------------------------------------------------------------

    def _refund(self) -> None:
        self._carry_out_part({"part": "entitle"})
        if _currency() == "JPY":
            self._pay_in_yen()
        else:
            self.doors.stall(
                "payouts",
                Entitlement.objects.count(),
                f"the simulated bank reads no file in {_currency()}",
            )
        zone = Programme.current().zone
        self._go_on(_midnight_after(self.window_ends_on, zone) + dt.timedelta(hours=1))
        self._carry_out_part({"part": "exclude"}, maker="compliance")
        sums = Entitlement.objects.values("state").annotate(n=Count("pk"), sum=Sum("amount_minor"))
        self.found.refunds = {
            row["state"]: {"holders": row["n"], "amount_minor": row["sum"]}
            for row in sums.order_by("state")
        }

    def _pay_in_yen(self) -> None:
        self._by("compliance", "load_bank_codes")
        branches = Branch.objects.order_by("bank_code", "code").values_list("bank_code", "code")
        accounts = Accounts(list(branches[:2_000]))
        inbox, outbox = self.out / "to-bank", self.out / "from-bank"
        inbox.mkdir(parents=True, exist_ok=True)
        bank = SimulatedBank(inbox=inbox, outbox=outbox, quality_of=Accounts.quality_of)
        with self.doors.noted("applications"):
            self._apply(accounts)
        with self.doors.noted("account checks"):
            payees.export_check_file(inbox, actor=self._user("treasury_operator"), reason="new")
        self._take_answers(bank)
        value_date = _value_date(payout_batches.today())
        self._go_on(clock.now() + dt.timedelta(days=2))
        run = self._carry_out_part({"part": "pay", "value_date": value_date.isoformat()})
        batches = PayoutBatch.objects.filter(run=run) if run else PayoutBatch.objects.none()
        for batch in batches.order_by("pk"):
            for number in range(batch.approvals_needed):
                self.doors.decide(
                    batch.subject, by=self.people["treasury_approver"][number], reason="rehearsal"
                )
            self._by("treasury_operator", "export_payout_batch", str(batch.pk), str(inbox))
            words = ("transmit_payout_batch", f"--number={batch.pk}")
            sender = self.people["treasury_operator"][1]
            self.doors.run(*words, by=sender, reason="sent")
        self._go_on(_noon(value_date, Programme.current().zone))
        self._take_answers(bank)

    def _apply(self, accounts: Accounts) -> None:
        """Every holder has applied on the first day, and people have decided what rules left."""
        owed = Entitlement.objects.filter(state__in=Entitlement.OWED).select_related(
            "wallet__account"
        )
        outcomes = submitting.submit_many(
            [
                Submission(
                    holder_id=each.wallet.account_id,
                    channel=RefundApplication.Channel.APP,
                    op_id=uuid.uuid5(uuid.NAMESPACE_OID, f"apply:{each.pk}"),
                    account=_account(accounts, each, number),
                    confirmed_minor=each.amount_minor,
                )
                for number, each in enumerate(owed.order_by("pk"), 1)
            ],
            reason="rehearsal",
        )
        for outcome in outcomes:
            if outcome.refusal is not None:
                self.doors.stall("an application", 1, str(outcome.refusal))
        waiting = RefundApplication.objects.filter(state=RefundApplication.State.AMOUNT_CONFIRMED)
        for application in waiting.order_by("pk"):
            with self.doors.noted(f"application {application.pk}"):
                request = review.propose(
                    application, actor=self._user("support"), reason="rehearsal"
                )
                review.approve(
                    application,
                    actor=self._user("support", 1),
                    digest=request.digest,
                    reason="rehearsal",
                )

    def _take_answers(self, bank: SimulatedBank) -> None:
        for taken in bank.work(today=payout_batches.today()):
            if taken.refused:
                self.doors.stall(f"bank file {taken.name}", 1, taken.refused)
            for path in taken.answers:
                self._by("treasury_operator", "import_bank_results", str(path))

    # --- doors ------------------------------------------------------------------------------------

    def _by(self, role: str, *words: str) -> dict[str, Any] | None:
        return self.doors.run(*words, by=self.people[role][0], reason="rehearsal")

    def _carry_out_part(self, params: dict[str, Any], *, maker: str = "treasury_operator") -> Any:
        run = self.doors.carry_out(
            "refund_balances",
            maker=self.people[maker][0],
            checker=self.people["treasury_approver"][0],
            reason="rehearsal",
            params=params,
        )
        self.tell(f"refund_balances {params['part']}: {run.state if run else 'did not run'}")
        return run

    def _go_on(self, to: dt.datetime) -> None:
        for _at in time_travel.go_on(to):
            pass


def newest_instant(data: Path) -> dt.datetime:
    """Returns the newest time in the files, or the present time if they have none."""
    newest = dt.datetime.min.replace(tzinfo=dt.UTC)
    for kind in FILES:
        for path in data.glob(f"{kind}*.csv"):
            with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
                for row in csv.DictReader(file):
                    newest = max(newest, *_times(row), newest)
    return newest if newest.year > 1 else clock.now()


def _times(row: dict[str, Any]) -> Sequence[dt.datetime]:
    """Returns the instants of the row that can be read; the loader judges the others."""
    found = []
    for name in TIMES:
        try:
            at = dt.datetime.fromisoformat(row.get(name) or "")
        except ValueError:
            continue
        if at.tzinfo is not None:
            found.append(at)
    return found


def _account(accounts: Accounts, owed: Entitlement, number: int) -> Account:
    quality = QUALITIES[-1] if number % BAD_ACCOUNT_EVERY == 0 else QUALITIES[0]
    holder = owed.wallet.account
    bank, branch, kind, digits = accounts.account(owed.wallet_id, attempt=1, quality=quality)
    return Account(bank, branch, kind, digits, holder.kana_name or "リハーサル")


def _currency() -> str:
    return Programme.current().currency


def _plain(minor: int) -> str:
    """Returns the amount as a person types it."""
    exponent = get_currency_precision(_currency())
    whole, rest = divmod(minor, 10**exponent)
    return f"{whole}.{rest:0{exponent}d}" if exponent else str(whole)


def _value_date(today: dt.date) -> dt.date:
    """Returns a day on which the bank carries out transfers, in a week or soon after."""
    day = today + dt.timedelta(days=7)
    while not business_days.is_open(day, calendar="japan"):
        day += dt.timedelta(days=1)
    return day


def _midnight_after(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)


def _noon(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), zone)
