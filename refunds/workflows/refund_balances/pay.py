"""Approved refunds and remedies are booked, filled into batches, and sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery, Sum

from refunds.bankfiles import item_checks
from refunds.bankfiles.transfer_items import Limits
from refunds.models import Entitlement, Payee, Payout, PayoutBatch, Remedy
from refunds.payouts import caps, methods, payable, payout_batches, refund_limits, sent_files, waves
from refunds.payouts.methods import costs, vouchers
from refunds.remedies import own_funds
from refunds.workflows.refund_balances import outline
from refunds.workflows.refund_balances.outline import BATCH_ROWS, Part
from wallets.models import LedgerAccount
from wallets.movements import posting
from winddown import clock, locks
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, says
from winddown.locks import Lock
from winddown.machines.move import named, transition_set
from winddown.models import Batch, Capability, Plan, Run
from winddown.runs.registry import Moved, PlanContent, Step


@dataclass(frozen=True, slots=True)
class Payable:
    """The rows that may be paid: how many, their sum, and the digest over every id and amount."""

    rows: int
    amount_minor: int
    digest: str


class Pay(Part):
    """Pays what was approved before the plan and nothing later, because exactly the signed amounts
    are paid.
    """

    name = "pay"

    def check(self, params: dict[str, Any]) -> dict[str, Any]:
        if strange := set(params) - {"part", "value_date"}:
            raise outline.refused(says("{names} not understood", names=", ".join(sorted(strange))))
        try:
            value_date = dt.date.fromisoformat(str(params.get("value_date", "")))
        except ValueError:
            raise outline.refused(says("value_date must be a day like 2019-11-15")) from None
        payout_batches.check_value_date(value_date)
        at = clock.now()
        return {
            "part": self.name,
            "value_date": value_date.isoformat(),
            "approved_until": at.isoformat(),
            "terms": refund_limits.current().pk,
        } | _of_wave(value_date, at)

    def plan(self, run: Run) -> PlanContent:
        if Capability.objects.get(code="payout").state != Capability.State.ENABLED:
            raise outline.refused(says("payouts are stopped"))
        sent_files.refuse_when_unknown("plan payouts")
        parts = {
            "refunds": _payable(payable.payable_refunds(run)),
            "compensations": _payable(payable.payable_remedies(run), amount="to_pay"),
            "waiting_payouts": _payable(payable.payable_again(run)),
            "vouchers": _payable(payable.payable_vouchers(run)),
            "waiting_vouchers": _payable(payable.vouchers_again(run)),
        }
        return PlanContent(
            counts={name: part.rows for name, part in parts.items()},
            sums_minor={name: part.amount_minor for name, part in parts.items()},
            estimates=lambda: {
                **{f"left_out_{reason}": n for reason, n in payable.left_out(run).items()},
                **_without_account(),
                **_above_the_day(run, sum(part.amount_minor for part in parts.values())),
                **costs.of_plan(payable.payable_refunds(run), payable.payable_vouchers(run)),
            },
            terms={"value_date": run.params["value_date"]}
            | {f"{name}_digest": part.digest for name, part in parts.items()},
        )

    def at_once(self, run: Run) -> None:
        payout_batches.check_value_date(_value_date(run))
        sent_files.refuse_when_unknown("start payouts")

    def steps(self) -> list[Step]:
        return [
            Step("book_refunds", payable.payable_refunds, _book_refunds, batch_rows=BATCH_ROWS),
            Step(
                "book_compensations",
                payable.payable_remedies,
                _book_remedies,
                batch_rows=BATCH_ROWS,
            ),
            Step("book_vouchers", payable.payable_vouchers, _book_vouchers, batch_rows=BATCH_ROWS),
            Step("check_payees", payable.payable_again, _check_payees, batch_rows=BATCH_ROWS),
            Step("check_vouchers", payable.vouchers_again, _check_vouchers, batch_rows=BATCH_ROWS),
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


def _of_wave(value_date: dt.date, at: dt.datetime) -> dict[str, Any]:
    """Returns what the wave of the day adds to the parameters; nothing while no wave is planned."""
    wave = waves.of_value_date(value_date)
    if wave is None:
        return {}
    applied_before, cut_off = waves.bounds(wave)
    return {
        "wave": wave.pk,
        "applied_before": applied_before.isoformat(),
        "approved_until": min(at, cut_off - dt.timedelta(microseconds=1)).isoformat(),
        "planned_at": at.isoformat(),
    }


def _value_date(run: Run) -> dt.date:
    return dt.date.fromisoformat(run.params["value_date"])


def _checked_payouts(run: Run) -> QuerySet[Payout]:
    return Payout.objects.filter(state=Payout.State.CHECKED, batch=None)


def _open_batches(run: Run) -> QuerySet[PayoutBatch]:
    return PayoutBatch.objects.filter(run=run, state=PayoutBatch.State.OPEN)


def _without_account() -> dict[str, int]:
    """Returns how many compensations have no account to be paid to, if there are any."""
    found = own_funds.without_account().count()
    return {"compensations_without_account": found} if found else {}


def _above_the_day(run: Run, planned_minor: int) -> dict[str, int]:
    """Returns by how much the plan and the agreed files of its value date are above the cap of a day,
    if they are: so much cannot leave on that day.
    """
    day = planned_minor + caps.taken(_value_date(run))
    above = day - refund_limits.current().day_max_minor
    return {"above_day_cap_minor": above} if above > 0 else {}


def _payable(
    rows: QuerySet[Entitlement] | QuerySet[Remedy] | QuerySet[Payout],
    *,
    amount: str = "amount_minor",
) -> Payable:
    inner, params = rows.order_by("pk").values("pk", amount).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(amount), 0),"  # noqa: S608  the queryset's own SQL
            " winddown_rows_digest(string_agg(concat_ws(':', id, amount), ',' ORDER BY id))"
            f" FROM ({inner}) AS payable (id, amount)",
            params,
        )
        rows_n, total, digest = cursor.fetchone()
    return Payable(rows_n, int(total), digest)


def _book_refunds(run: Run, batch: Batch, rows: QuerySet[Entitlement]) -> Moved:
    """Each entitlement has one new payout. The sum moved from owed to in flight."""
    inner, params = rows.values("pk").query.sql_with_params()
    return _booked(
        f"""
        WITH chosen AS MATERIALIZED (
            SELECT e.id, e.amount_minor, p.id AS payee_id, p.holder_id
            FROM refunds_entitlement e JOIN wallets_wallet w ON w.id = e.wallet_id
            JOIN refunds_payee p ON p.holder_id = w.account_id AND p.replaced_at IS NULL
            WHERE e.id IN ({inner}) AND e.state = ANY (%s)
            ORDER BY e.id FOR NO KEY UPDATE OF e FOR SHARE OF p
        ), moved AS (
            UPDATE refunds_entitlement e SET state = %s FROM chosen c WHERE e.id = c.id
        ), made AS (
            INSERT INTO refunds_payout (entitlement_id, holder_id, payee_id, amount_minor,
                attempt, state, live,
                method, return_reason, booked_at)
            SELECT c.id, c.holder_id, c.payee_id, c.amount_minor,
                   1 + (SELECT count(*) FROM refunds_payout o WHERE o.entitlement_id = c.id),
                   %s, true, %s, '', winddown_now()
            FROM chosen c ORDER BY c.id RETURNING id, amount_minor
        )
        SELECT count(*), min(id), coalesce(sum(amount_minor), 0) FROM made
        """,  # noqa: S608  the queryset's own SQL
        [
            *params,
            list(Entitlement.PAYABLE),
            Entitlement.State.PAYING,
            Payout.State.CHECKED,
            methods.BANK,
        ],
        name="pay",
        kind="refund_book",
        debit=LedgerAccount.REFUNDS_PAYABLE,
        run=run,
    )


def _book_vouchers(run: Run, batch: Batch, rows: QuerySet[Entitlement]) -> Moved:
    """As `_book_refunds`, for what is paid by the other methods. Expired vouchers of the same
    entitlements are replaced by it.
    """
    ids = list(rows.values_list("pk", flat=True))
    moved = _booked(
        """
        WITH chosen AS MATERIALIZED (
            SELECT e.id, e.amount_minor, a.method, w.account_id AS holder_id
            FROM refunds_entitlement e JOIN wallets_wallet w ON w.id = e.wallet_id
            JOIN refunds_refundapplication a ON a.entitlement_id = e.id AND a.live
            WHERE e.id = ANY (%s) AND e.state = ANY (%s) AND a.method <> %s
            ORDER BY e.id FOR NO KEY UPDATE OF e FOR SHARE OF a
        ), moved AS (
            UPDATE refunds_entitlement e SET state = %s FROM chosen c WHERE e.id = c.id
        ), made AS (
            INSERT INTO refunds_payout (entitlement_id, holder_id, amount_minor, attempt, state,
                live, method, return_reason, booked_at)
            SELECT c.id, c.holder_id, c.amount_minor,
                   1 + (SELECT count(*) FROM refunds_payout o WHERE o.entitlement_id = c.id),
                   %s, true, c.method, '', winddown_now()
            FROM chosen c ORDER BY c.id RETURNING id, amount_minor
        )
        SELECT count(*), min(id), coalesce(sum(amount_minor), 0) FROM made
        """,
        [
            ids,
            list(Entitlement.PAYABLE),
            methods.BANK,
            Entitlement.State.PAYING,
            Payout.State.CHECKED,
        ],
        name="pay",
        kind="refund_book",
        debit=LedgerAccount.REFUNDS_PAYABLE,
        run=run,
    )
    vouchers.note_reissued(ids)
    return moved


def _check_vouchers(run: Run, batch: Batch, rows: QuerySet[Payout]) -> Moved:
    """Each waiting payout by voucher waits for its list."""
    return Moved(rows=transition_set(rows, "check_payee", run=run))


def _book_remedies(run: Run, batch: Batch, rows: QuerySet[Remedy]) -> Moved:
    """Each loss that the operator pays has one new payout. The sum left suspense."""
    inner, params = rows.values("pk").query.sql_with_params()
    return _booked(
        f"""
        WITH chosen AS MATERIALIZED (
            SELECT r.id, r.amount_minor - r.netted_minor AS amount_minor, p.id AS payee_id,
                p.holder_id
            FROM refunds_remedy r JOIN refunds_loss l ON l.id = r.loss_id
            JOIN refunds_fraudclaim c ON c.id = l.claim_id
                JOIN wallets_wallet w ON w.id = c.wallet_id
            JOIN refunds_payee p ON p.holder_id = w.account_id AND p.replaced_at IS NULL
            WHERE r.id IN ({inner}) ORDER BY r.id FOR NO KEY UPDATE OF r FOR SHARE OF p
        ), made AS (
            INSERT INTO refunds_payout (remedy_id, holder_id, payee_id, amount_minor, attempt,
                state, live,
                method, return_reason, booked_at)
            SELECT c.id, c.holder_id, c.payee_id, c.amount_minor,
                   1 + (SELECT count(*) FROM refunds_payout o WHERE o.remedy_id = c.id),
                   %s, true, %s, '', winddown_now()
            FROM chosen c ORDER BY c.id RETURNING id, amount_minor
        )
        SELECT count(*), min(id), coalesce(sum(amount_minor), 0) FROM made
        """,  # noqa: S608  the queryset's own SQL
        [*params, Payout.State.CHECKED, methods.BANK],
        name="",
        kind="remedy_book",
        debit=LedgerAccount.FRAUD_SUSPENSE,
        run=run,
    )


def _booked(
    sql: str, params: Sequence[Any], *, name: str, kind: str, debit: str, run: Run
) -> Moved:
    # Before the restore is confirmed, a new payout could take a number that a forgotten file has.
    sent_files.refuse_when_unknown("book payouts")
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


def _check_payees(run: Run, batch: Batch, rows: QuerySet[Payout]) -> Moved:
    """Each waiting payout goes to its holder's current payee."""
    current = Payee.objects.filter(holder_id=OuterRef("holder_id"), replaced_at=None)
    waiting = Payout.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))
    waiting.update(payee=Subquery(current.values("pk")[:1]))
    return Moved(rows=transition_set(waiting, "check_payee", run=run))


def _fill(run: Run, batch: Batch, rows: QuerySet[Payout]) -> Moved:
    """Every payout of the set is in an open batch of the run. The lock makes workers wait for each
    other, so that no batch is begun before the last one is full.
    """
    locks.take(Lock.PAYOUT_BATCHES, key=run.pk)
    chosen = rows.order_by("pk").select_for_update(no_key=True)
    by_method: dict[str, list[tuple[int, int]]] = {}
    for pk, amount, method in chosen.values_list("pk", "amount_minor", "method"):
        by_method.setdefault(method, []).append((pk, amount))
    total = 0
    moved = 0
    portions = (
        each for method, some in by_method.items() for each in _portions(run, some, method=method)
    )
    for target, portion in portions:
        ids, amount = [pk for pk, _ in portion], sum(amount for _, amount in portion)
        with named("put_in_batch", actor=SYSTEM, run=run), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE refunds_payout SET state = %s, batch_id = %s"
                " WHERE id = ANY (%s) AND state = %s AND batch_id IS NULL",
                [Payout.State.BATCHED, target.pk, ids, Payout.State.CHECKED],
            )
            moved += cursor.rowcount
        target.items = (target.items or 0) + len(ids)
        target.total_minor = (target.total_minor or 0) + amount
        target.save(update_fields=["items", "total_minor"])
        total += amount
    return Moved(rows=moved, amount_minor=total)


def _portions(
    run: Run, chosen: Sequence[tuple[int, int]], *, method: str
) -> Iterator[tuple[PayoutBatch, Sequence[tuple[int, int]]]]:
    """Yields the payouts in order, in portions that each fit into one open batch (rule 50)."""
    target = _open_batches(run).filter(method=method).order_by("-pk").first()
    start = 0
    while start < len(chosen):
        target = target or _open_batch(run, method=method)
        fit = _limits(target).fitting(
            (amount for _, amount in islice(chosen, start, None)),
            count=target.items or 0,
            sum_minor=target.total_minor or 0,
        )
        if not (fit or target.items):
            raise GuardNotMet(
                action=says("put a payout into a file"),
                why=says(
                    "payout {number} is more than one file of the bank may come to",
                    number=chosen[start][0],
                ),
            )
        if fit:
            yield target, chosen[start : start + fit]
        target = None
        start += fit


def _limits(target: PayoutBatch) -> Limits:
    """Returns what one file to the bank, or one list to a provider, holds at most."""
    if target.method != methods.BANK:
        return item_checks.LIMITS
    return refund_limits.of_a_file(target.terms)


def _open_batch(run: Run, *, method: str) -> PayoutBatch:
    limits = refund_limits.current()
    return PayoutBatch.objects.create(
        bank_code=methods.METHODS[method].listed_as or limits.bank_code,
        method=method,
        value_date=_value_date(run),
        run=run,
        terms=limits,
        maker=run.maker,
        opened_at=clock.now(),
    )


def _seal(run: Run, batch: Batch, rows: QuerySet[PayoutBatch]) -> Moved:
    sealed = [payout_batches.seal(each, run=run) for each in rows.order_by("pk")]
    return Moved(rows=len(sealed), amount_minor=sum(each.total_minor or 0 for each in sealed))
