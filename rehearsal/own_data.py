"""An operator's own programme and files, rehearsed to the completion report: what would stall."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from babel.numbers import get_currency_precision
from django.db.models import Count, Sum

from accounts.models import ExternalIdentity, ResetNotice
from refunds.models import Entitlement, FraudClaim
from rehearsal import carrier, publishing, stalls
from rehearsal.browser import Browser
from rehearsal.customers import Customers
from rehearsal.doors import Stall
from rehearsal.own_claims import OwnClaims
from rehearsal.own_duties import OwnDuties
from rehearsal.own_refunds import OwnRefunds
from rehearsal.own_staff import WHY, Staff
from rehearsal.people import home_network
from rehearsal.serving import RehearsedSite, free_port
from wallets.models import Snapshot
from winddown import business_days, clock
from winddown.models import Programme
from winddown.programme import jurisdictions
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
SEED = 7
DECIDED_AFTER = dt.timedelta(days=5)
SPENDS_FOR_DAYS = 30
# The workflows that this rehearsal runs from the incident to the deadline, after the stop.
AT_ONCE = ("freeze_charges", "reset_all_passwords", "suspend_external_login")


@dataclass(slots=True)
class Findings:
    """What the rehearsal found, with numbers. Amounts are in minor units of `currency`."""

    stalls: list[Stall] = field(default_factory=list)
    loaded: dict[str, int] = field(default_factory=dict)
    currency: str = ""
    unreachable: int = 0
    passwords: int = 0
    """How many people chose a password by the pages; at most 200 try."""
    forms: dict[str, int] = field(default_factory=dict)
    claims: int = 0
    refunds: dict[str, dict[str, int]] = field(default_factory=dict)
    commands: int = 0
    state: str = ""
    """How far the programme has come: `reported` is the end."""

    @property
    def unpaid(self) -> dict[str, dict[str, int]]:
        """Returns the refunds that did not arrive, by state."""
        return {state: of for state, of in self.refunds.items() if state != Entitlement.State.PAID}

    @property
    def total(self) -> dict[str, int]:
        """Returns how many lines stall, and the sum of what they hold up: no amount is in two."""
        return {
            "stalls": len(self.stalls),
            "amount_minor": sum(each.amount_minor for each in self.stalls),
        }

    @property
    def not_exercised(self) -> list[str]:
        """Returns the desks that had nothing to do, so that the rehearsal says nothing of them."""
        return [] if self.claims else ["fraud claims and card issuers (--claims NUMBER)"]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"total": self.total, "not_exercised": self.not_exercised}


class OwnData:
    """One pass through the operator's programme. `play` says what happens and what stalls.

    `claimed` holders say that the newest top-up of their card was not theirs; the data are not
    changed for it.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        data: Path,
        out: Path,
        tell: Callable[[str], object],
        claimed: int = 0,
    ) -> None:
        self.rows = rows
        self.data = data
        self.out = out
        self.tell = tell
        self.staff = Staff(tell=tell)
        self.found = Findings(stalls=self.staff.doors.stalls)
        self.claims = OwnClaims(self.staff, out=out, claimed=claimed)
        self.refunds = OwnRefunds(self.staff, out=out)
        self.duties = OwnDuties(self.staff, out=out)

    def play(self) -> Findings:
        """The programme was rehearsed in this empty database. The files of an earlier rehearsal in
        `out` are gone.
        """
        for name in ("notices", "papers", "to-issuers", "from-issuers", "to-bank", "from-bank"):
            shutil.rmtree(self.out / name, ignore_errors=True)
        begins_at = newest_instant(self.data) + dt.timedelta(hours=1)
        beginning.begin(self.rows, reason=WHY, rehearsal=True, at=begins_at)
        self.found.currency = _currency()
        self.staff.note_who_is_missing()
        self.staff.bring_in()
        self._load()
        self._stop()
        self.duties.file_reports()
        self._come_back()
        self.claims.work()
        if self._end():
            self._refund()
        self.claims.follow_up()
        self.duties.file_reports()
        self.duties.keep_documents()
        self._close()
        self.found.stalls += stalls.found()
        self._count()
        return self.found

    def _close(self) -> None:
        """The end is proved, completed and reported; or what is still open is a stall."""
        asked = self.staff.act("treasury_operator", "closing_proof")
        self.staff.decide(asked, "treasury_approver")
        if self.staff.act("compliance", "complete_programme") is not None:
            self.duties.file_reports()
            self.staff.act("compliance", "report_completion")

    def _count(self) -> None:
        found = self.found
        found.state = Programme.current().state
        found.unreachable = stalls.unreachable().count()
        found.claims = FraudClaim.objects.count()
        found.commands = self.staff.doors.through.total()
        sums = Entitlement.objects.values("state").annotate(n=Count("pk"), sum=Sum("amount_minor"))
        found.refunds = {
            row["state"]: {"holders": row["n"], "amount_minor": row["sum"]}
            for row in sums.order_by("state")
        }

    # --- to the deadline --------------------------------------------------------------------------

    def _load(self) -> None:
        for kind in FILES:
            for path in sorted(self.data.glob(f"{kind}*.csv")):
                if path.name.endswith(".refused.csv"):
                    continue
                told = self.staff.act("incident_commander", f"load_{kind}", str(path))
                if told is not None:
                    self.found.loaded[path.name] = int(told["rows"])
                    self.tell(f"{path.name}: {told['rows']:,} rows")

    def _stop(self) -> None:
        told = self.staff.act("incident_commander", "stop_capability", "top_up:credit_card")
        self.staff.decide(told, "incident_commander", number=1)
        self.staff.act("incident_commander", "declare_incident")
        providers = sorted(set(ExternalIdentity.objects.values_list("provider", flat=True)))
        params: dict[str, dict[str, Any]] = {
            "reset_all_passwords": {"mail": "file"},
            "suspend_external_login": {"providers": providers},
        }
        for command in AT_ONCE:
            if command != "suspend_external_login" or providers:
                self.staff.carry_out(
                    command,
                    params.get(command, {}),
                    maker="incident_commander",
                    checker="incident_commander",
                    second=1,
                )

    def _come_back(self) -> None:
        """The notices of the reset are carried, and people choose a password by the pages of a real
        site. Who has no verified channel cannot.
        """
        notices, by = self.out / "notices", self.staff.login("incident_commander")
        notices.mkdir(parents=True, exist_ok=True)
        for channel in ResetNotice.Channel.values:
            carrier.carry(channel, act=self.staff.doors.run, directory=notices, by=by, seed=SEED)
        forms: Counter[str] = Counter()
        with RehearsedSite(port=free_port(), logs=self.out, tick_s=2) as site:
            site.wait()
            people = Customers(
                lambda person: Browser(site.address, sent=forms, network=home_network(person.pk)),
                notices=notices,
                doors=self.staff.doors,
                by=by,
            )
            customers = people.come_back()
        self.found.forms = dict(sorted(forms.items()))
        for why, number in Counter(each.refused for each in customers).items():
            if why:
                self.staff.doors.stall(
                    "people who were stopped at a page",
                    number,
                    why,
                    role="support",
                    door="recovery_cases",
                )
            else:
                self.found.passwords = number
        self.tell(f"{self.found.passwords:,} people chose a password and saw their balance.")

    def _end(self) -> bool:
        """The end is announced and the balances are sealed. Returns whether they are."""
        self.staff.go_on(clock.now() + DECIDED_AFTER)
        asked = self.staff.act("compliance", "announce_end")
        self.staff.decide(asked, "incident_commander")
        zone = Programme.current().zone
        today = clock.now().astimezone(zone).date()
        last_day = today + dt.timedelta(days=SPENDS_FOR_DAYS)
        self.staff.act(
            "compliance",
            "set_milestone",
            "--kind=spend_ends",
            f"--at={last_day}T24:00",
            "--ends-capability=spend",
            "--workflow=shut-down-by-deadline",
        )
        self._publish(last_day + dt.timedelta(days=1))
        self.duties.tell_merchants()
        self.duties.file_reports()
        self.staff.doors.approved(
            "shut_down_by_deadline",
            maker=self.staff.login("incident_commander"),
            checker=self.staff.login("incident_commander", 1),
            reason=WHY,
            params={},
        )
        self.staff.go_on(_midnight_after(last_day, zone))
        sealed = Snapshot.objects.first()
        if sealed is None:
            self.staff.doors.stall(
                "shut_down_by_deadline",
                1,
                "the balances are not sealed",
                role="incident_commander",
                door="shut_down_by_deadline",
            )
            return False
        self.tell(f"Sealed: {sealed.wallets:,} wallets")
        self.staff.act("compliance", "report_funds", f"--amount={_plain(sealed.paid_minor)}")
        return True

    def _publish(self, first_day: dt.date) -> None:
        pack = jurisdictions.current()
        last_day = first_day + dt.timedelta(days=pack.number("window_days_min"))
        self.window_ends_on = business_days.roll_forward(last_day, calendar=pack.calendar)
        name = Programme.current().name
        self.staff.act(
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
                self.staff.act("compliance", "record_publication", *said)

    def _refund(self) -> None:
        self.refunds.pay()
        ends_at = _midnight_after(self.window_ends_on, Programme.current().zone)
        self.refunds.exclude(max(ends_at, clock.now()))


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


def _currency() -> str:
    return Programme.current().currency


def _plain(minor: int) -> str:
    """Returns the amount as a person types it."""
    exponent = get_currency_precision(_currency())
    whole, rest = divmod(minor, 10**exponent)
    return f"{whole}.{rest:0{exponent}d}" if exponent else str(whole)


def _midnight_after(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
