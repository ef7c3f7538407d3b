"""shut-down-by-deadline: spending ends by the clock, what is in flight is settled, and the balances
are sealed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from wallets.models import LedgerAccount, Payment, Posting, Snapshot, SnapshotLine, Wallet
from wallets.models.snapshot import SEALED_LINES
from wallets.movements import spending
from winddown import clock, money
from winddown.actors import SYSTEM, Actor
from winddown.errors import GuardNotMet, says
from winddown.machines.move import transition_one, transition_set
from winddown.models import Batch, Capability, Milestone, Programme, Run
from winddown.programme import capabilities
from winddown.registries import Registry
from winddown.runs.params_form import ParamsForm
from winddown.runs.registry import Moved, PlanContent, Step, Workflow, workflow


@dataclass(frozen=True, slots=True)
class BeforeSealing:
    """What has to be right before balances are sealed.

    `recompute` makes it right for the wallets with ids from the first to the second number, in the
    transaction that writes their lines, or raises `GuardNotMet` with the wallet that it cannot do.
    `wrong` returns a sentence for each wallet that is not right, at most a few.
    """

    recompute: Callable[[int, int], object]
    wrong: Callable[[], list[str]]


SEALING: Final[Registry[BeforeSealing]] = Registry(
    "what is recomputed before balances are sealed",
    entries_are="recomputes it for some wallets, and names those that are not right",
    owner=__name__,
)


class ShutDownForm(ParamsForm):
    in_flight = forms.ChoiceField(
        label=_("Payments in flight are"),
        choices=[
            ("capture", _("posted to their merchants")),
            ("void", _("given back to the wallets")),
        ],
    )


@workflow
class ShutDownByDeadline(Workflow):
    """From the milestone's instant on, payments are refused without this run. The tick starts it;
    it settles what was authorised before, closes every wallet, and seals the balances as a snapshot
    equal to the ledger.

    Parameter `in_flight`: `capture` posts authorised payments to their merchants (the default: the
    goods were handed over), `void` gives them back to the wallet.
    """

    name = "shut-down-by-deadline"
    stages = (*Programme.IN_SERVICE, *Programme.CLOSING_DOWN)
    form = ShutDownForm

    def check_params(self, params: dict[str, Any]) -> dict[str, Any]:
        in_flight = params.get("in_flight", "capture")
        if set(params) - {"in_flight"} or in_flight not in ("capture", "void"):
            raise GuardNotMet(
                action=says("plan shut-down-by-deadline"), why=says("in_flight is capture or void")
            )
        return {"in_flight": in_flight}

    def plan(self, run: Run) -> PlanContent:
        deadline = _deadline()
        if Snapshot.objects.filter(as_of=deadline.at).exists():
            raise GuardNotMet(
                action=says("shut-down-by-deadline"), why=says("the balances are sealed already")
            )
        wallets = Wallet.objects.filter(state__in=Wallet.IN_SERVICE).aggregate(
            rows=Count("pk"),
            held=Count("pk", filter=Q(state=Wallet.State.HELD)),
            paid=Sum("paid_minor"),
            bonus=Sum("bonus_minor"),
        )
        return PlanContent(
            counts={"wallets": wallets["rows"]},
            terms={"spend_ends_at": deadline.at.isoformat(), "in_flight": run.params["in_flight"]},
            estimates=lambda: {
                "wallets_held": wallets["held"],
                "paid_minor": wallets["paid"] or 0,
                "bonus_minor": wallets["bonus"] or 0,
                "payments_in_flight": Payment.objects.filter(state__in=Payment.IN_FLIGHT).count(),
            },
        )

    def approval_valid_for(self, run: Run) -> dt.timedelta:
        return max(_deadline().at - clock.now(), dt.timedelta()) + dt.timedelta(hours=24)

    def at_once(self, run: Run, *, actor: Actor) -> None:
        deadline = _deadline()
        if clock.now() < deadline.at:
            raise GuardNotMet(
                action=says("shut down"),
                why=says("spending lasts until {at}", at=deadline.at.isoformat()),
            )
        programme = Programme.current()
        if programme.state == Programme.State.ANNOUNCED:
            transition_one(programme, "start_closing", actor=SYSTEM, reason=run.reason, run=run)

    def steps(self, run: Run) -> list[Step]:
        return [
            Step("start_closing", _open_wallets, _start_closing, batch_rows=5_000),
            Step("settle_in_flight", _in_flight, _settle, batch_rows=200),
            Step("close_wallets", _closing_wallets, _close, batch_rows=5_000),
        ]

    def verify(self, run: Run) -> list[str]:
        gaps = []
        if left := Wallet.objects.open().count():
            gaps.append(f"{left} wallets are not closed")
        if left := Payment.objects.filter(state__in=Payment.IN_FLIGHT).count():
            gaps.append(f"{left} payments are still in flight")
        late = Payment.objects.filter(
            switch_version__isnull=False, occurred_at__gte=_deadline().at
        ).count()
        if late:
            gaps.append(f"{late} payments bear a ledger time at or after the deadline")
        for each in SEALING.values():
            gaps += each.wrong()
        lines = SnapshotLine.objects.aggregate(
            rows=Count("pk"), paid=Sum("paid_minor"), bonus=Sum("bonus_minor")
        )
        wallets = Wallet.objects.count()
        if lines["rows"] != wallets:
            gaps.append(f"{wallets} wallets, {lines['rows']} lines in the snapshot")
        for account, total in (
            (LedgerAccount.WALLET_PAID, lines["paid"] or 0),
            (LedgerAccount.WALLET_BONUS, lines["bonus"] or 0),
        ):
            posted = Posting.objects.balance_minor(account)
            if posted != total:
                gaps.append(f"{account}: the ledger says {posted}, the snapshot {total}")
        return gaps

    def left(self, run: Run) -> list[str]:
        currency = Programme.current().currency
        sealed = Snapshot.objects.filter(run_id=run.pk).first()
        if sealed is None:
            return []
        paid, bonus, held = (
            money.spoken(minor, currency=currency, locale="en")
            for minor in (sealed.paid_minor, sealed.bonus_minor, sealed.held_minor)
        )
        return [
            f"Sealed: {sealed.wallets:,} wallets, {paid} to refund, {bonus} of bonus, {held} held,"
            f" digest {sealed.digest}."
        ]

    def at_end(self, run: Run) -> None:
        seal(run)
        programme = Programme.current()
        if programme.state == Programme.State.CLOSING:
            programme = transition_one(programme, "close", actor=SYSTEM, reason=run.reason, run=run)
        if programme.state == Programme.State.CLOSED:
            transition_one(programme, "fix_balance", actor=SYSTEM, reason=run.reason, run=run)


def _deadline() -> Milestone:
    deadline = Milestone.objects.filter(kind=Milestone.Kind.SPEND_ENDS).first()
    if deadline is None:
        raise GuardNotMet(
            action=says("shut-down-by-deadline"), why=says("the milestone spend_ends is not set")
        )
    return deadline


def _open_wallets(run: Run) -> QuerySet[Wallet]:
    return Wallet.objects.filter(state__in=Wallet.IN_SERVICE)


def _closing_wallets(run: Run) -> QuerySet[Wallet]:
    return Wallet.objects.filter(state__in=Wallet.AWAITING_SEAL, snapshotline=None)


def _in_flight(run: Run) -> QuerySet[Payment]:
    return Payment.objects.filter(state__in=Payment.IN_FLIGHT)


def _start_closing(run: Run, batch: Batch, rows: QuerySet[Wallet]) -> Moved:
    moved = transition_set(rows, "start_closing", run=run)
    return Moved(rows=moved + transition_set(rows, "close_held", run=run))


def _settle(run: Run, batch: Batch, rows: QuerySet[Payment]) -> Moved:
    captured = run.params["in_flight"] == "capture"
    amount_minor = 0
    settled = 0
    for payment in rows.order_by("wallet_id", "pk"):
        spending.settle(payment, captured=captured, actor=SYSTEM, run=run, at=_deadline().at)
        amount_minor += payment.amount_minor
        settled += 1
    return Moved(rows=settled, amount_minor=amount_minor)


def _close(run: Run, batch: Batch, rows: QuerySet[Wallet]) -> Moved:
    """The batch's wallets are closed, and each has its line in the snapshot.

    Raises `GuardNotMet` for a wallet whose balance cannot be made right before it is sealed.
    """
    for each in SEALING.values():
        each.recompute(batch.first_id, batch.last_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH line AS (
                INSERT INTO wallets_snapshotline (wallet_id, run_id, paid_minor, bonus_minor, held_minor)
                SELECT id, %s, paid_minor, bonus_minor,
                       CASE WHEN state = %s THEN paid_minor ELSE held_minor END
                FROM wallets_wallet w
                WHERE id BETWEEN %s AND %s AND state = ANY (%s)
                  AND NOT EXISTS (SELECT FROM wallets_snapshotline l WHERE l.wallet_id = w.id)
                RETURNING paid_minor
            )
            SELECT count(*), coalesce(sum(paid_minor), 0) FROM line
            """,
            [
                run.pk,
                Wallet.State.HELD_CLOSED,
                batch.first_id,
                batch.last_id,
                list(Wallet.AWAITING_SEAL),
            ],
        )
        lines, paid_minor = cursor.fetchone()
    transition_set(
        Wallet.objects.filter(pk__gte=batch.first_id, pk__lte=batch.last_id), "close", run=run
    )
    return Moved(rows=lines, amount_minor=int(paid_minor))


def seal(run: Run) -> Snapshot:
    """The closing balances are sealed: totals, and SHA-256 over the digests of every ten thousand
    lines.
    """
    with connection.cursor() as cursor:
        cursor.execute(SEALED_LINES)
        paid, bonus, held, digest = cursor.fetchone()
    return Snapshot.objects.create(
        as_of=_deadline().at,
        wallets=SnapshotLine.objects.count(),
        paid_minor=paid,
        bonus_minor=bonus,
        held_minor=held,
        digest=digest,
        run_id=run.pk,
        sealed_at=clock.now(),
    )


def late_payments(switch: Capability) -> int:
    """Returns how many payments passed the switch and have a ledger time after its stop. The number
    must be 0.
    """
    return Payment.objects.filter(
        occurred_at__gte=switch.since, switch_version__isnull=False
    ).count()


capabilities.LEAKS.add("spend", late_payments)
