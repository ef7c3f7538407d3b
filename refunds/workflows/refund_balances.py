"""refund-balances: balances become entitlements, are paid by bank file, or are excluded."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum

from refunds import payouts, remedies, terms
from refunds.bankfiles.records import SUM_MAX_MINOR
from refunds.models import (
    BankDataset,
    Branch,
    Entitlement,
    FraudClaim,
    Payee,
    Payout,
    PayoutBatch,
    RefundApplication,
    Remedy,
)
from wallets.models import LedgerAccount, Posting, Snapshot, Wallet
from wallets.movements import closing, posting
from winddown import clock, locks
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet
from winddown.locks import Lock
from winddown.machines.move import named, transition_one, transition_set
from winddown.models import Batch, Capability, Milestone, Plan, Programme, PublicNotice, Run
from winddown.programme import capabilities
from winddown.programme.capabilities import FUNDING_SOURCES
from winddown.runs.registry import Moved, PlanContent, Step, Workflow, workflow

BATCH_ROWS = 5_000
UNDECIDED = (
    *FraudClaim.UNDER_WORK,
    FraudClaim.State.PROPOSED_CONFIRM,
    FraudClaim.State.PROPOSED_REJECT,
)


@workflow
class RefundBalances(Workflow):
    """One workflow in three parts, each a run of its own, by the parameter `part`:

    `entitle`: every closed wallet's paid value, as sealed in the snapshot, is owed as a refund and
        no longer in the wallet; bonus value expires. Opens the refunds.
    `pay`: what was approved before the run was planned, and losses to be compensated, get their
        payout, and the payouts their sealed bank files for `value_date`; each file then takes
        approvals of its own.
    `exclude`: after the end of the window, what nobody applied for is no longer owed.
    """

    name = "refund-balances"
    title = "Refund balances"

    def check_params(self, params: dict[str, Any]) -> dict[str, Any]:
        return _part(params).check(params)

    def plan(self, run: Run) -> PlanContent:
        return _part(run.params).plan(run)

    def at_once(self, run: Run, *, actor: Any) -> None:
        _part(run.params).at_once(run)

    def steps(self, run: Run) -> list[Step]:
        return _part(run.params).steps()

    def verify(self, run: Run) -> list[str]:
        return _part(run.params).verify(run)

    def at_end(self, run: Run) -> None:
        _part(run.params).at_end(run)


class Part:
    """One part of the workflow, under its name."""

    name: ClassVar[str]

    def check(self, params: dict[str, Any]) -> dict[str, Any]:
        if strange := set(params) - {"part"}:
            raise _refused(f"{', '.join(sorted(strange))} not understood")
        return {"part": self.name}

    def plan(self, run: Run) -> PlanContent:
        raise NotImplementedError

    def at_once(self, run: Run) -> None:
        """Nothing, unless the part begins with a state of the programme."""

    def steps(self) -> list[Step]:
        raise NotImplementedError

    def verify(self, run: Run) -> list[str]:
        raise NotImplementedError

    def at_end(self, run: Run) -> None:
        """Nothing, unless the part ends with a state of the programme."""


def _refused(why: str) -> GuardNotMet:
    return GuardNotMet(action="refund-balances", why=why)


# --- entitle --------------------------------------------------------------------------------------


class Entitle(Part):
    name = "entitle"

    def plan(self, run: Run) -> PlanContent:
        snapshot = refuse_to_open()
        entitled, held, empty = _entitled(run), _entitled_held(run), _empty(run)
        sums = {
            "entitled": _paid(entitled),
            "held": _paid(held),
            "bonus_expiring": sum(_bonus(rows) for rows in (entitled, held, empty)),
        }
        needed = sums["entitled"] + sums["held"] + _owed()
        safeguarded = Programme.current().safeguarded_minor
        if safeguarded < needed:
            raise _refused(
                f"safeguarded funds are {needed - safeguarded} short of the {needed} owed (rule 41)"
            )
        uncertain = Wallet.objects.filter(state__in=["closed", "held_closed"], held_minor__gt=0)
        return PlanContent(
            counts={"entitled": entitled.count(), "held": held.count(), "empty": empty.count()},
            sums_minor=sums,
            excluded={"wallets_with_active_holds": uncertain.count()},
            terms={"snapshot": snapshot.digest},
        )

    def steps(self) -> list[Step]:
        return [
            Step("settle_empty_wallets", _empty, _settle_empty, batch_rows=BATCH_ROWS),
            Step("entitle_wallets", _entitled, _entitle, batch_rows=BATCH_ROWS),
            Step("entitle_held_wallets", _entitled_held, _entitle_held, batch_rows=BATCH_ROWS),
        ]

    def verify(self, run: Run) -> list[str]:
        gaps = []
        if left := Wallet.objects.filter(state="closed", held_minor=0).count():
            gaps.append(f"{left} closed wallets are neither entitled nor settled")
        entitled = Entitlement.objects.aggregate(total=Sum("amount_minor"))["total"] or 0
        posted = _posted(LedgerAccount.REFUNDS_PAYABLE, "entitle")
        if entitled != posted:
            gaps.append(f"entitlements come to {entitled}, the ledger says {posted}")
        snapshot = _snapshot()
        left = Wallet.objects.aggregate(total=Sum("paid_minor"))["total"] or 0
        if entitled + left != snapshot.paid_minor:
            gaps.append(
                f"entitlements {entitled} and wallets {left} differ from the snapshot "
                f"{snapshot.paid_minor}"
            )
        return gaps

    def at_end(self, run: Run) -> None:
        programme = Programme.current()
        if programme.state == Programme.State.BALANCE_FIXED:
            transition_one(programme, "open_refunds", actor=SYSTEM, reason=run.reason, run=run)


def refuse_to_open() -> Snapshot:
    """What the law asks for before refunds open is there, or `GuardNotMet` names what is not.

    Returns the sealed snapshot.
    """
    programme = Programme.current()
    if programme.state not in (Programme.State.BALANCE_FIXED, Programme.State.REFUNDING):
        raise _refused(f"the programme is {programme.state}, not balance_fixed")
    at = clock.now()
    ended = set(Milestone.objects.filter(at__lte=at).values_list("ends_capability", flat=True))
    issuing = ["spend", *(f"top_up:{source}" for source in FUNDING_SOURCES)]
    on = [
        switch.code
        for switch in Capability.objects.filter(code__in=issuing, state="enabled")
        if switch.code not in ended
    ]
    if on:
        raise _refused(f"{', '.join(on)} must have ended before balances are refunded (L2)")
    if not PublicNotice.objects.filter(published_at__lte=at).exists():
        raise _refused("no public notice of the refund is published (L4)")
    return _snapshot()


def _snapshot() -> Snapshot:
    snapshot = Snapshot.objects.order_by("-as_of").first()
    if snapshot is None:
        raise _refused("no closing snapshot is sealed")
    return snapshot


def _closed(state: str) -> QuerySet[Any]:
    # Value under an active hold stays where it is until the hold is released or taken.
    rows: QuerySet[Any] = Wallet.objects.filter(state=state, held_minor=0)
    return rows


def _entitled(run: Run) -> QuerySet[Any]:
    return _closed("closed").filter(paid_minor__gt=0)


def _empty(run: Run) -> QuerySet[Any]:
    return _closed("closed").filter(paid_minor=0)


def _entitled_held(run: Run) -> QuerySet[Any]:
    return _closed("held_closed")


def _settle_empty(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    done = closing.empty_closed_wallets(rows, "settle_empty", run=run, at=run.as_of or clock.now())
    return Moved(rows=done.wallets)


def _entitle(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    return _owe(rows, "entitle", Entitlement.State.COMPUTED, run=run)


def _entitle_held(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    return _owe(rows, "entitle_held", Entitlement.State.HELD, run=run)


def _owe(rows: QuerySet[Any], name: str, state: str, *, run: Run) -> Moved:
    """The wallets are empty; each line that took paid value out of one is an entitlement."""
    done = closing.empty_closed_wallets(rows, name, run=run, at=run.as_of or clock.now())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO refunds_entitlement
                (wallet_id, snapshot_id, amount_minor, state, returns, postal_order_offered,
                    notice_undeliverable)
            SELECT wallet_id, %s, -amount_minor, %s, 0, false, false FROM wallets_posting
            WHERE journal_id = %s AND account = 'wallet_paid' ORDER BY wallet_id
            """,
            [_snapshot().pk, state, done.journal_id],
        )
    return Moved(rows=done.wallets, amount_minor=done.paid_minor)


def _paid(rows: QuerySet[Any]) -> int:
    return int(rows.aggregate(total=Sum("paid_minor"))["total"] or 0)


def _bonus(rows: QuerySet[Any]) -> int:
    return int(rows.aggregate(total=Sum("bonus_minor"))["total"] or 0)


def _owed() -> int:
    owed = Entitlement.objects.exclude(state__in=["paid", "transferred"])
    return int(owed.aggregate(total=Sum("amount_minor"))["total"] or 0)


def _posted(account: str, kind: str) -> int:
    lines = Posting.objects.filter(account=account, journal__kind=kind)
    return int(lines.aggregate(total=Sum("amount_minor"))["total"] or 0)


# --- pay ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Payable:
    """What may be paid: rows, their sum, and the digest over every id and amount."""

    rows: int
    amount_minor: int
    digest: str


class Pay(Part):
    """Takes what was approved before the plan, nothing later: what was signed is what is paid."""

    name = "pay"

    def check(self, params: dict[str, Any]) -> dict[str, Any]:
        if strange := set(params) - {"part", "value_date"}:
            raise _refused(f"{', '.join(sorted(strange))} not understood")
        try:
            value_date = dt.date.fromisoformat(str(params.get("value_date", "")))
        except ValueError:
            raise _refused("value_date must be a day like 2019-11-15") from None
        payouts.check_value_date(value_date)
        return {
            "part": self.name,
            "value_date": value_date.isoformat(),
            "approved_until": clock.now().isoformat(),
            "terms": terms.current().pk,
        }

    def plan(self, run: Run) -> PlanContent:
        if Capability.objects.get(code="payout").state != Capability.State.ENABLED:
            raise _refused("payouts are stopped")
        parts = {
            "refunds": _payable(_payable_refunds(run), "amount_minor"),
            "compensations": _payable(_payable_remedies(run), "amount_minor"),
            "waiting_payouts": _payable(_waiting_payouts(run), "amount_minor"),
        }
        return PlanContent(
            counts={name: part.rows for name, part in parts.items()},
            sums_minor={name: part.amount_minor for name, part in parts.items()},
            estimates={f"left_out_{reason}": n for reason, n in _left_out(run).items()},
            terms={"value_date": run.params["value_date"]}
            | {f"{name}_digest": part.digest for name, part in parts.items()},
        )

    def at_once(self, run: Run) -> None:
        payouts.check_value_date(_value_date(run))

    def steps(self) -> list[Step]:
        return [
            Step("book_refunds", _payable_refunds, _book_refunds, batch_rows=BATCH_ROWS),
            Step("book_compensations", _payable_remedies, _book_remedies, batch_rows=BATCH_ROWS),
            Step("check_payees", _waiting_payouts, _check_payees, batch_rows=BATCH_ROWS),
            Step("fill_batches", _checked_payouts, _fill, batch_rows=BATCH_ROWS),
            Step("seal_batches", _open_batches, _seal, batch_rows=1),
        ]

    def verify(self, run: Run) -> list[str]:
        gaps = []
        planned = Plan.objects.filter(run=run).order_by("-pk").values_list("content", flat=True)[0]
        wanted = (sum(planned["counts"].values()), sum(planned["sums_minor"].values()))
        rows = Payout.objects.filter(batch__run=run)
        done = (rows.count(), rows.aggregate(total=Sum("amount_minor"))["total"] or 0)
        if wanted != done:
            gaps.append(
                f"planned {wanted[0]} payouts of {wanted[1]}, in batches {done[0]} of {done[1]}"
            )
        if left := _open_batches(run).count():
            gaps.append(f"{left} batches are not sealed")
        if left := _checked_payouts(run).count():
            gaps.append(f"{left} checked payouts are in no batch")
        return gaps


def _until(run: Run) -> dt.datetime:
    return dt.datetime.fromisoformat(run.params["approved_until"])


def _value_date(run: Run) -> dt.date:
    return dt.date.fromisoformat(run.params["value_date"])


def _channels_until(run: Run) -> dt.datetime:
    """Channels changed later than this have not cooled off."""
    return _until(run) - dt.timedelta(hours=terms.current().cooling_off_hours)


def _usable_payees(run: Run, **holder: Any) -> QuerySet[Payee]:
    """Current payees that may be paid: checked, cooled off, in the bank data, nobody else's.

    A new channel of the holder cools off as long as a new account does (rule 57): whoever was let
    in by an assisted case gets no money out before the old channel had a day to object.
    """
    until = _until(run)
    known = Branch.objects.filter(
        dataset__in=BankDataset.objects.filter(active=True),
        bank_code=OuterRef("bank_code"),
        code=OuterRef("branch_code"),
    )
    # One look into the index for each payee: a list of all shared accounts would be made anew for
    # each batch.
    sharing = (
        Payee.objects.filter(
            fingerprint=OuterRef("fingerprint"), replaced_at=None, entered_at__lte=until
        )
        .order_by()
        .values("fingerprint")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return Payee.objects.alias(holders=Subquery(sharing)).filter(
        Exists(known),
        ~Exists(_compromised(OuterRef("holder_id"), OuterRef("entered_at"))),
        Q(holders__lte=terms.current().holders_per_account_max) | Q(shared_cleared_at__lte=until),
        Q(holder__channel_changed_at=None)
        | Q(holder__channel_changed_at__lte=_channels_until(run)),
        replaced_at=None,
        state__in=Payee.PAYABLE,
        usable_from__lte=until,
        answered_at__lte=until,
        **holder,
    )


def _compromised(holder: Any, entered_at: Any) -> QuerySet[FraudClaim]:
    """Confirmed claims of the holder in whose time of compromise the account was entered (I5)."""
    return FraudClaim.objects.filter(
        Q(secured_at=None) | Q(secured_at__gt=entered_at),
        wallet__account=holder,
        confirmed_at__isnull=False,
        compromised_from__lte=entered_at,
    )


def _undecided(wallet: Any) -> QuerySet[FraudClaim]:
    """Claims about the wallet that nobody has decided: its money stays until somebody does (I5)."""
    return FraudClaim.objects.filter(wallet=wallet, state__in=UNDECIDED)


def _shared_accounts(run: Run) -> list[str]:
    """Accounts that more holders gave than the terms allow without a look (rule 58)."""
    limits = terms.current()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT fingerprint FROM refunds_payee WHERE replaced_at IS NULL AND entered_at <= %s"
            " GROUP BY 1 HAVING count(*) > %s ORDER BY 1",
            [_until(run), limits.holders_per_account_max],
        )
        return [row[0] for row in cursor.fetchall()]


def _payable_refunds(run: Run) -> QuerySet[Any]:
    approved = RefundApplication.objects.filter(
        entitlement=OuterRef("pk"), live=True, state="approved", decided_at__lte=_until(run)
    )
    usable = _usable_payees(run, holder_id=OuterRef("wallet__account_id"))
    return Entitlement.objects.filter(
        Exists(approved),
        Exists(usable),
        ~Exists(_undecided(OuterRef("wallet"))),
        state__in=["approved", "late_approved"],
    )


def _payable_remedies(run: Run) -> QuerySet[Any]:
    usable = _usable_payees(run, holder_id=OuterRef("loss__claim__wallet__account_id"))
    live = Payout.objects.filter(remedy=OuterRef("pk"), live=True)
    return (
        Remedy.objects.filter(pk__in=remedies.compensations().values("pk"))
        .filter(Exists(usable), ~Exists(live), asked_at__lte=_until(run))
        .order_by("pk")
    )


def _waiting_payouts(run: Run) -> QuerySet[Any]:
    """Payouts taken out of a batch that was not paid, whose holders can be paid."""
    usable = _usable_payees(run, holder_id=OuterRef("holder_id"))
    return Payout.objects.filter(
        Exists(usable),
        ~Exists(_undecided(OuterRef("entitlement__wallet"))),
        state=Payout.State.READY,
        live=True,
        booked_at__lte=_until(run),
    )


def _checked_payouts(run: Run) -> QuerySet[Any]:
    return Payout.objects.filter(state=Payout.State.CHECKED, batch=None)


def _open_batches(run: Run) -> QuerySet[Any]:
    return PayoutBatch.objects.filter(run=run, state=PayoutBatch.State.OPEN)


def _payable(rows: QuerySet[Any], amount: str) -> _Payable:
    inner, params = rows.order_by("pk").values("pk", amount).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(amount), 0),"  # noqa: S608  the queryset's own SQL
            " winddown_rows_digest(string_agg(concat_ws(':', id, amount), ',' ORDER BY id))"
            f" FROM ({inner}) AS payable (id, amount)",
            params,
        )
        rows_n, total, digest = cursor.fetchone()
    return _Payable(rows_n, int(total), digest)


def _left_out(run: Run) -> dict[str, int]:
    """Approved refunds not paid now, by the first reason that applies, and those held.

    Beside the plan and not in its digest: customers go on changing these counts, and whom the run
    pays is fixed by the digests over ids and amounts.
    """
    until = _until(run)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT reason, count(*) FROM (
                SELECT CASE
                    WHEN e.state = 'held' THEN 'held'
                    WHEN a.decided_at > %(until)s THEN NULL
                    WHEN p.state = 'refused' THEN 'payee_refused'
                    WHEN a.id IS NULL THEN 'application_not_approved'
                    WHEN p.id IS NULL THEN 'no_payee'
                    WHEN p.usable_from > %(until)s OR u.channel_changed_at > %(channels)s
                        THEN 'cooling_off'
                    WHEN p.state NOT IN ('matched', 'overridden') OR p.answered_at > %(until)s
                        THEN 'payee_not_checked'
                    WHEN p.fingerprint = ANY (%(shared)s)
                        AND (p.shared_cleared_at IS NULL OR p.shared_cleared_at > %(until)s)
                            THEN 'shared_account'
                    WHEN b.id IS NULL THEN 'branch_not_in_bank_data'
                    WHEN EXISTS (SELECT FROM refunds_fraudclaim c WHERE c.wallet_id = e.wallet_id
                        AND c.state = ANY (%(undecided)s)) THEN 'claim_undecided'
                    WHEN EXISTS (
                        SELECT FROM refunds_fraudclaim c JOIN wallets_wallet v ON v.id = c.wallet_id
                        WHERE v.account_id = w.account_id AND c.confirmed_at IS NOT NULL
                          AND c.compromised_from <= p.entered_at
                          AND (c.secured_at IS NULL OR c.secured_at > p.entered_at)
                    ) THEN 'entered_during_compromise'
                    END AS reason
                FROM refunds_entitlement e JOIN wallets_wallet w ON w.id = e.wallet_id
                JOIN accounts_user u ON u.id = w.account_id
                LEFT JOIN refunds_refundapplication a ON a.entitlement_id = e.id AND a.live
                    AND a.state = 'approved'
                LEFT JOIN refunds_payee p ON p.holder_id = w.account_id AND p.replaced_at IS NULL
                LEFT JOIN refunds_bankdataset d ON d.active
                LEFT JOIN refunds_branch b ON b.dataset_id = d.id AND b.bank_code = p.bank_code
                    AND b.code = p.branch_code
                WHERE e.state IN ('approved', 'late_approved', 'held')
            ) judged WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 1
            """,
            {
                "until": until,
                "channels": _channels_until(run),
                "shared": _shared_accounts(run),
                "undecided": list(UNDECIDED),
            },
        )
        return dict(cursor.fetchall())


def _book_refunds(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    """Each entitlement is being paid by one new payout; the sum moved from owed to in flight."""
    inner, params = rows.values("pk").query.sql_with_params()
    return _booked(
        f"""
        WITH chosen AS MATERIALIZED (
            SELECT e.id, e.amount_minor, p.id AS payee_id, p.holder_id
            FROM refunds_entitlement e JOIN wallets_wallet w ON w.id = e.wallet_id
            JOIN refunds_payee p ON p.holder_id = w.account_id AND p.replaced_at IS NULL
            WHERE e.id IN ({inner}) AND e.state IN ('approved', 'late_approved')
            ORDER BY e.id FOR NO KEY UPDATE OF e FOR SHARE OF p
        ), moved AS (
            UPDATE refunds_entitlement e SET state = 'paying' FROM chosen c WHERE e.id = c.id
        ), made AS (
            INSERT INTO refunds_payout (entitlement_id, holder_id, payee_id, amount_minor,
                attempt, state, live,
                return_reason, booked_at)
            SELECT c.id, c.holder_id, c.payee_id, c.amount_minor,
                   1 + (SELECT count(*) FROM refunds_payout o WHERE o.entitlement_id = c.id),
                   'checked', true, '', winddown_now()
            FROM chosen c ORDER BY c.id RETURNING id, amount_minor
        )
        SELECT count(*), min(id), coalesce(sum(amount_minor), 0) FROM made
        """,  # noqa: S608  the queryset's own SQL
        params,
        name="pay",
        kind="refund_book",
        debit=LedgerAccount.REFUNDS_PAYABLE,
        run=run,
    )


def _book_remedies(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    """Each loss that the operator pays has one new payout; the sum left suspense."""
    inner, params = rows.values("pk").query.sql_with_params()
    return _booked(
        f"""
        WITH chosen AS MATERIALIZED (
            SELECT r.id, r.amount_minor, p.id AS payee_id, p.holder_id
            FROM refunds_remedy r JOIN refunds_loss l ON l.id = r.loss_id
            JOIN refunds_fraudclaim c ON c.id = l.claim_id
                JOIN wallets_wallet w ON w.id = c.wallet_id
            JOIN refunds_payee p ON p.holder_id = w.account_id AND p.replaced_at IS NULL
            WHERE r.id IN ({inner}) ORDER BY r.id FOR NO KEY UPDATE OF r FOR SHARE OF p
        ), made AS (
            INSERT INTO refunds_payout (remedy_id, holder_id, payee_id, amount_minor, attempt,
                state, live,
                return_reason, booked_at)
            SELECT c.id, c.holder_id, c.payee_id, c.amount_minor,
                   1 + (SELECT count(*) FROM refunds_payout o WHERE o.remedy_id = c.id),
                   'checked', true, '', winddown_now()
            FROM chosen c ORDER BY c.id RETURNING id, amount_minor
        )
        SELECT count(*), min(id), coalesce(sum(amount_minor), 0) FROM made
        """,  # noqa: S608  the queryset's own SQL
        params,
        name="",
        kind="remedy_book",
        debit=LedgerAccount.FRAUD_SUSPENSE,
        run=run,
    )


def _booked(sql: str, params: Any, *, name: str, kind: str, debit: str, run: Run) -> Moved:
    with named(name, actor=SYSTEM, run=run, reason=run.reason), connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows, first_id, amount = cursor.fetchone()
    if rows:
        posting.post(
            [(debit, None, -int(amount)), (LedgerAccount.PAYOUTS_IN_FLIGHT, None, int(amount))],
            source="payout",
            source_id=first_id,
            kind=kind,
            occurred_at=clock.now(),
            actor=SYSTEM,
            run_id=run.pk,
        )
    return Moved(rows=rows, amount_minor=int(amount))


def _check_payees(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    """Each waiting payout goes to its holder's current payee."""
    current = Payee.objects.filter(holder_id=OuterRef("holder_id"), replaced_at=None)
    waiting = Payout.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))
    waiting.update(payee=Subquery(current.values("pk")[:1]))
    return Moved(rows=transition_set(waiting, "check_payee", run=run))


def _fill(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    """Every payout of the set is in one open batch of the run; a full one is followed by another.

    The lock makes workers take turns, so that no batch is begun before the last one is full.
    """
    locks.hold(Lock.PAYOUT_BATCHES, key=run.pk)
    chosen = rows.order_by("pk").select_for_update(no_key=True).values_list("pk", "amount_minor")
    total = 0
    moved = 0
    for target, ids, amount in _portions(run, list(chosen)):
        with named("put_in_batch", actor=SYSTEM, run=run), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE refunds_payout SET state = 'batched', batch_id = %s"
                " WHERE id = ANY (%s) AND state = 'checked' AND batch_id IS NULL",
                [target.pk, ids],
            )
            moved += cursor.rowcount
        target.items = (target.items or 0) + len(ids)
        target.total_minor = (target.total_minor or 0) + amount
        target.save(update_fields=["items", "total_minor"])
        total += amount
    return Moved(rows=moved, amount_minor=total)


def _portions(run: Run, chosen: list[tuple[int, int]]) -> Any:
    """The payouts in order, in portions that each fit into one open batch (rule 50)."""
    target = _open_batches(run).order_by("-pk").first()
    ids: list[int] = []
    amount = 0
    for pk, amount_minor in chosen:
        if target is None or not _fits(target, len(ids) + 1, amount + amount_minor):
            if target is not None and ids:
                yield target, ids, amount
            target, ids, amount = _open_batch(run), [], 0
        ids.append(pk)
        amount += amount_minor
    if target is not None and ids:
        yield target, ids, amount


def _fits(target: PayoutBatch, more: int, amount_minor: int) -> bool:
    items, total = (target.items or 0) + more, (target.total_minor or 0) + amount_minor
    return items <= target.terms.file_records_max and total <= SUM_MAX_MINOR


def _open_batch(run: Run) -> PayoutBatch:
    limits = terms.current()
    return PayoutBatch.objects.create(
        bank_code=limits.bank_code,
        value_date=_value_date(run),
        run=run,
        terms=limits,
        maker=run.maker,
        opened_at=clock.now(),
    )


def _seal(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    sealed = [payouts.seal(each, run=run) for each in rows.order_by("pk")]
    return Moved(rows=len(sealed), amount_minor=sum(each.total_minor or 0 for each in sealed))


# --- exclude --------------------------------------------------------------------------------------


class Exclude(Part):
    """Only what nobody applied for by the end of the window: what is in process, returned, held, or
    whose notice did not arrive, stays owed (rule 42).
    """

    name = "exclude"

    def plan(self, run: Run) -> PlanContent:
        refuse_to_exclude()
        rows = _unclaimed(run)
        undeliverable = Entitlement.objects.filter(
            state__in=Entitlement.APPLICABLE, notice_undeliverable=True
        )
        others = Entitlement.objects.exclude(state__in=Entitlement.APPLICABLE)
        kept = others.filter(state__in=[*Entitlement.OWED, "paying"]).count()
        return PlanContent(
            counts={"excluded": rows.count()},
            sums_minor={"excluded": _amount(rows)},
            excluded={"notice_undeliverable": undeliverable.count()},
            estimates={"in_process_returned_or_held": kept},
        )

    def at_once(self, run: Run) -> None:
        programme = Programme.current()
        if programme.state == Programme.State.REFUNDING:
            transition_one(programme, "close_window", actor=SYSTEM, reason=run.reason, run=run)

    def steps(self) -> list[Step]:
        return [Step("exclude_unclaimed", _unclaimed, _exclude, batch_rows=BATCH_ROWS)]

    def verify(self, run: Run) -> list[str]:
        gaps = []
        if left := _unclaimed(run).count():
            gaps.append(f"{left} unclaimed entitlements are not excluded")
        return gaps

    def at_end(self, run: Run) -> None:
        programme = Programme.current()
        if programme.state == Programme.State.REFUND_CLOSED:
            transition_one(programme, "settle", actor=SYSTEM, reason=run.reason, run=run)


def refuse_to_exclude() -> None:
    """The window is over and refunds were open; raises `GuardNotMet` otherwise."""
    ends = Milestone.objects.filter(kind=Milestone.Kind.REFUND_WINDOW_ENDS).first()
    if ends is None:
        raise _refused("the milestone refund_window_ends is not set")
    if clock.now() < ends.at:
        raise _refused(f"the window lasts until {ends.at.isoformat()}")
    programme = Programme.current()
    if programme.state not in (Programme.State.REFUNDING, Programme.State.REFUND_CLOSED):
        raise _refused(f"the programme is {programme.state}")


def _unclaimed(run: Run) -> QuerySet[Any]:
    return Entitlement.objects.filter(state__in=Entitlement.APPLICABLE, notice_undeliverable=False)


def _exclude(run: Run, batch: Batch, rows: QuerySet[Any]) -> Moved:
    """The entitlements and their wallets are excluded; the sum moved from owed to unclaimed."""
    inner, params = rows.values("pk").query.sql_with_params()
    with named("exclude", actor=SYSTEM, run=run, reason=run.reason), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH chosen AS MATERIALIZED (
                SELECT e.id, e.wallet_id, e.amount_minor FROM refunds_entitlement e
                WHERE e.id IN ({inner}) AND e.state IN ('computed', 'notified')
                ORDER BY e.id FOR NO KEY UPDATE
            ), moved AS (
                UPDATE refunds_entitlement e SET state = 'excluded' FROM chosen c WHERE e.id = c.id
            ), wallets AS (
                UPDATE wallets_wallet w SET state = 'excluded' FROM chosen c
                WHERE w.id = c.wallet_id AND w.state = 'entitled'
            )
            SELECT count(*), min(id), coalesce(sum(amount_minor), 0) FROM chosen
            """,  # noqa: S608  the queryset's own SQL
            params,
        )
        excluded, first_id, amount = cursor.fetchone()
    if excluded:
        posting.post(
            [
                (LedgerAccount.REFUNDS_PAYABLE, None, -int(amount)),
                (LedgerAccount.UNCLAIMED, None, int(amount)),
            ],
            source="entitlement",
            source_id=first_id,
            kind="refund_exclude",
            occurred_at=run.as_of or clock.now(),
            actor=SYSTEM,
            run_id=run.pk,
        )
    return Moved(rows=excluded, amount_minor=int(amount))


def _amount(rows: QuerySet[Any]) -> int:
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)


_PARTS: dict[str, Part] = {part.name: part for part in (Entitle(), Pay(), Exclude())}


def _part(params: dict[str, Any]) -> Part:
    part = _PARTS.get(str(params.get("part", "")))
    if part is None:
        raise _refused(f"part is one of {', '.join(_PARTS)}")
    return part


def _leaks(switch: Capability) -> int:
    """Files exported after payouts were stopped: must be 0."""
    return PayoutBatch.objects.filter(exported_at__gte=switch.since).count()


capabilities.LEAKS["payout"] = _leaks
