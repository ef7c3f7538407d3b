"""Every wallet of the sealed snapshot is entitled, part by part where a hold keeps some of it."""

from __future__ import annotations

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum

from refunds.models import Entitlement
from refunds.payouts import funding
from refunds.workflows.refund_balances import outline
from refunds.workflows.refund_balances.outline import BATCH_ROWS, Part
from wallets.models import LedgerAccount, Posting, Snapshot, Wallet
from wallets.models.snapshot import taken_since_seal
from wallets.movements import closing
from wallets.movements.closing import Emptied
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import says
from winddown.machines.move import transition_one
from winddown.models import Batch, Capability, Milestone, Programme, PublicNotice, Run
from winddown.programme import declared
from winddown.runs.registry import Moved, PlanContent, Step


class Entitle(Part):
    name = "entitle"

    def plan(self, run: Run) -> PlanContent:
        snapshot = refuse_to_open()
        counts, sums, expiring = _counted()
        needed = sum(sums.values()) + _owed() + funding.reserve_minor()
        safeguarded = Programme.current().safeguarded_minor
        if safeguarded < needed:
            raise outline.refused(
                says(
                    "safeguarded funds are {lacking} short of the {needed} owed (rule 41)",
                    lacking=needed - safeguarded,
                    needed=needed,
                )
            )
        uncertain = Wallet.objects.filter(
            state__in=(*Wallet.ENDED, *Wallet.EMPTIED), held_minor__gt=0
        )
        return PlanContent(
            counts=counts,
            sums_minor=sums | {"bonus_expiring": expiring},
            excluded={"wallets_with_active_holds": uncertain.count()},
            terms={"snapshot": snapshot.digest},
        )

    def steps(self) -> list[Step]:
        return [
            Step("settle_empty_wallets", _empty, _settle_empty, batch_rows=BATCH_ROWS),
            Step("entitle_wallets", _entitled, _entitle, batch_rows=BATCH_ROWS),
            Step("entitle_held_wallets", _entitled_held, _entitle_held, batch_rows=BATCH_ROWS),
            Step("entitle_freed_parts", _freed, _entitle_freed, batch_rows=BATCH_ROWS),
        ]

    def verify(self, run: Run) -> list[str]:
        gaps = []
        left_over, _sums, _expiring = _counted()
        if left := left_over["entitled"] + left_over["empty"]:
            gaps.append(f"{left} closed wallets are neither entitled nor settled")
        if left := left_over["held"]:
            gaps.append(f"{left} wallets that were closed while held are not entitled")
        if left := left_over["freed"]:
            gaps.append(f"{left} wallets hold what no hold keeps any more")
        entitled = Entitlement.objects.aggregate(total=Sum("amount_minor"))["total"] or 0
        posted = _posted(LedgerAccount.REFUNDS_PAYABLE, "entitle")
        if entitled != posted:
            gaps.append(f"entitlements come to {entitled}, the ledger says {posted}")
        snapshot = _snapshot()
        left = Wallet.objects.aggregate(total=Sum("paid_minor"))["total"] or 0
        taken = _taken_since_seal()
        if entitled + left + taken != snapshot.paid_minor:
            gaps.append(
                f"entitlements {entitled}, wallets {left} and {taken} clawed back differ from the "
                f"snapshot {snapshot.paid_minor}"
            )
        return gaps

    def at_end(self, run: Run) -> None:
        programme = Programme.current()
        if programme.state == Programme.State.BALANCE_FIXED:
            transition_one(programme, "open_refunds", actor=SYSTEM, reason=run.reason, run=run)


def refuse_to_open() -> Snapshot:
    """All that the law asks for before refunds open is there. Raises `GuardNotMet` with what is
    missing. Returns the sealed snapshot.
    """
    programme = Programme.current()
    if programme.state not in (Programme.State.BALANCE_FIXED, *Programme.REFUNDS_OPENED):
        raise outline.refused(
            says("the programme is {stage}, not balance_fixed", stage=programme.state)
        )
    at = clock.now()
    ended = set(Milestone.objects.filter(at__lte=at).values_list("ends_capability", flat=True))
    issuing = ["spend", *(f"top_up:{source}" for source in declared.sources())]
    on = [
        switch.code
        for switch in Capability.objects.filter(code__in=issuing, state=Capability.State.ENABLED)
        if switch.code not in ended
    ]
    if on:
        raise outline.refused(
            says("{names} must have ended before balances are refunded (L2)", names=", ".join(on))
        )
    if not PublicNotice.objects.filter(published_at__lte=at).exists():
        raise outline.refused(says("no public notice of the refund is published (L4)"))
    return _snapshot()


def _snapshot() -> Snapshot:
    snapshot = Snapshot.objects.order_by("-as_of").first()
    if snapshot is None:
        raise outline.refused(says("no closing snapshot is sealed"))
    return snapshot


# Value under an active hold stays where it is until the hold is released or taken.
_SOMETHING_FREE = Q(paid_minor__gt=F("held_minor"))


_ENTITLED = _SOMETHING_FREE & Q(state=Wallet.State.CLOSED)
_HELD = _SOMETHING_FREE & Q(state=Wallet.State.HELD_CLOSED)
_FREED = _SOMETHING_FREE & Q(state__in=Wallet.EMPTIED)
_EMPTY = Q(state__in=Wallet.ENDED, paid_minor=0)


def _entitled(run: Run) -> QuerySet[Wallet]:
    return Wallet.objects.filter(_ENTITLED)


def _entitled_held(run: Run) -> QuerySet[Wallet]:
    return Wallet.objects.filter(_HELD)


def _freed(run: Run) -> QuerySet[Wallet]:
    return Wallet.objects.filter(_FREED)


def _empty(run: Run) -> QuerySet[Wallet]:
    return Wallet.objects.filter(_EMPTY)


def _counted() -> tuple[dict[str, int], dict[str, int], int]:
    """Returns the wallets of each kind, what of them becomes owed, and the bonus value that
    expires. The wallets are read once.
    """
    kinds = {"entitled": _ENTITLED, "held": _HELD, "freed": _FREED}
    counts = {
        name: Count("pk", filter=which) for name, which in (*kinds.items(), ("empty", _EMPTY))
    }
    found = Wallet.objects.aggregate(
        **counts,
        **{
            f"free_{name}": Sum(F("paid_minor") - F("held_minor"), filter=which)
            for name, which in kinds.items()
        },
        bonus=Sum("bonus_minor", filter=_ENTITLED | _HELD | _FREED | _EMPTY),
    )
    return (
        {name: found[name] for name in counts},
        {name: int(found[f"free_{name}"] or 0) for name in kinds},
        int(found["bonus"] or 0),
    )


def _settle_empty(run: Run, batch: Batch, rows: QuerySet[Wallet]) -> Moved:
    done = closing.empty_closed_wallets(rows, "settle_empty", run=run, at=run.as_of or clock.now())
    return Moved(rows=done.wallets)


def _entitle(run: Run, batch: Batch, rows: QuerySet[Wallet]) -> Moved:
    at = run.as_of or clock.now()
    done = closing.empty_closed_wallets(rows, "entitle", run=run, at=at)
    return _owe(done, state=Entitlement.State.COMPUTED)


def _entitle_held(run: Run, batch: Batch, rows: QuerySet[Wallet]) -> Moved:
    at = run.as_of or clock.now()
    done = closing.empty_closed_wallets(rows, "entitle_held", run=run, at=at)
    return _owe(done, state=Entitlement.State.HELD)


def _entitle_freed(run: Run, batch: Batch, rows: QuerySet[Wallet]) -> Moved:
    at = run.as_of or clock.now()
    return _owe_more(closing.empty_freed_wallets(rows, batch=batch, run=run, at=at))


def _owe(done: Emptied, *, state: str) -> Moved:
    """Each line that took paid value out of a wallet for the first time is an entitlement."""
    return _insert(done, part="1", state="%(state)s", of="", words={"state": state})


def _owe_more(done: Emptied) -> Moved:
    """Each line that took paid value out of a wallet again is one more entitlement, held where the
    wallet is.
    """
    return _insert(
        done,
        part="1 + (SELECT count(*) FROM refunds_entitlement e WHERE e.wallet_id = p.wallet_id)",
        state="CASE w.state WHEN %(held_wallet)s THEN %(held)s ELSE %(computed)s END",
        of="JOIN wallets_wallet w ON w.id = p.wallet_id",
        words={
            "held_wallet": Wallet.State.HELD_ENTITLED,
            "held": Entitlement.State.HELD,
            "computed": Entitlement.State.COMPUTED,
        },
    )


def _insert(done: Emptied, *, part: str, state: str, of: str, words: dict[str, str]) -> Moved:
    """`part` and `state` are SQL over the line `p`, and over what `of` joins to it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO refunds_entitlement
                (wallet_id, part, snapshot_id, amount_minor, state, returns, postal_order_offered,
                    notice_undeliverable)
            SELECT p.wallet_id, {part}, %(snapshot)s, -p.amount_minor, {state}, 0, false, false
            FROM wallets_posting p {of}
            WHERE p.journal_id = %(journal)s AND p.account = %(account)s ORDER BY p.wallet_id
            """,  # noqa: S608  our own words
            {
                **words,
                "snapshot": _snapshot().pk,
                "journal": done.journal_id,
                "account": LedgerAccount.WALLET_PAID,
            },
        )
    return Moved(rows=done.wallets, amount_minor=done.paid_minor)


def _taken_since_seal() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(amount_minor), 0) FROM"  # noqa: S608  our own names
            f" ({taken_since_seal('SELECT id FROM wallets_wallet')}) k"
        )
        (taken,) = cursor.fetchone()
    return int(taken)


def _owed() -> int:
    owed = Entitlement.objects.exclude(state__in=Entitlement.DISCHARGED)
    return int(owed.aggregate(total=Sum("amount_minor"))["total"] or 0)


def _posted(account: str, kind: str) -> int:
    lines = Posting.objects.filter(account=account, journal__kind=kind)
    return int(lines.aggregate(total=Sum("amount_minor"))["total"] or 0)
