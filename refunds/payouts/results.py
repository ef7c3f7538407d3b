"""The bank's answers are booked: each file once, and each line only if reference and amount fit."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from refunds.bankfiles.answers import Checks, Results
from refunds.models import (
    BankFile,
    Entitlement,
    Payee,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
)
from refunds.models.payout import PAYEE_NUMBERS_FROM, PAYOUT_NUMBERS_FROM
from refunds.payouts import account_checks, answer_lines, payout_batches, refund_limits
from refunds.payouts.answer_lines import Imported, Verdict, execute, fetch
from refunds.remedies import slots
from wallets.models import LedgerAccount, Wallet
from wallets.movements import posting
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.errors import LoadRefused
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import named, transition_one

BOOKED = (Verdict.SETTLE, Verdict.RETURN)


def import_file(source: Path | bytes, *, actor: Actor, reason: str) -> Imported:
    """The answer is booked: results of transfers or account-name checks, as its header says.

    The same file again changes nothing. Raises `LoadRefused` or `BankFileError`, and then nothing
    of the file was booked.
    """
    require(actor, "refunds.reconcile", by_system=True, action="import the bank's answer")
    content = source.read_bytes() if isinstance(source, Path) else source
    sha256 = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        # One answer at a time, because two files may be about one payout.
        locks.take(Lock.BANK_ANSWER)
        before = BankFile.objects.filter(sha256=sha256).first()
        if before is not None:
            if before.kind == BankFile.Kind.CHECK_ASKED:
                raise LoadRefused(file=sha256[:12], why="it is our question, not the bank's answer")
            return Imported(before.pk, before.lines, known_before=True)
        answer = refund_limits.bank_format(refund_limits.current()).read_answer(content)
        done = (
            account_checks.import_checks(answer, sha256, actor=actor, reason=reason)
            if isinstance(answer, Checks)
            else _import_results(answer, sha256, actor=actor, reason=reason)
        )
        audit.append(
            "bank_file.import",
            f"bank_file:{done.file_id}",
            actor=actor,
            reason=reason,
            sha256=sha256,
            lines=done.lines,
            settled_minor=done.settled_minor,
            returned_minor=done.returned_minor,
            breaks=done.breaks,
        )
        return done


# --- results and returns of transfers -------------------------------------------------------------


def _import_results(answer: Results, sha256: str, *, actor: Actor, reason: str) -> Imported:
    answer_lines.refuse_others(answer.remitter.code, sha256)
    answer_lines.load(
        "result_line",
        "number int, reference text, payout_id bigint, amount_minor bigint, code text,"
        " verdict text, batch_id bigint, entitlement_id bigint, remedy_id bigint, payee_id bigint",
        "number, reference, payout_id, amount_minor, code",
        _result_rows(answer),
    )
    file = answer_lines.keep_file(
        BankFile.Kind.RESULTS, sha256, lines=answer.count, sum_minor=answer.sum_minor, actor=actor
    )
    _judge_results()
    _carry_out(actor=actor)
    _book_results(file, actor=actor, reason=reason)
    _complete_batches(actor=actor)
    return _count(file)


def _result_rows(answer: Results) -> Iterator[tuple[object, ...]]:
    for number, (item, why) in enumerate(answer, start=1):
        reference = int(item.reference)
        inside = PAYOUT_NUMBERS_FROM < reference < PAYEE_NUMBERS_FROM
        payout = reference - PAYOUT_NUMBERS_FROM if inside else None
        yield number, item.reference, payout, item.amount_minor, why.value if why else ""


def _judge_results() -> None:
    """Every line has its verdict: settled, returned, repeated, or a kind of break. An amount alone
    never decides.
    """
    kinds = ReconciliationBreak.Kind
    execute(
        """
        UPDATE result_line l SET verdict = j.verdict, payout_id = j.payout_id,
            batch_id = j.batch_id,
            entitlement_id = j.entitlement_id, remedy_id = j.remedy_id, payee_id = j.payee_id
        FROM (
            SELECT l.number, o.id AS payout_id, o.batch_id, o.entitlement_id, o.remedy_id,
                o.payee_id, CASE
                WHEN o.id IS NULL THEN %(unknown)s
                WHEN o.amount_minor <> l.amount_minor THEN %(differs)s
                WHEN o.state = %(settled)s AND l.code = '' THEN %(repeated)s
                WHEN o.state = ANY (%(sent_back)s) AND l.code = o.return_reason
                    THEN %(repeated)s
                WHEN o.state = ANY (%(ended)s) THEN %(contradicts)s
                WHEN o.state <> ALL (%(payouts_there)s) OR b.state <> ALL (%(batches_there)s)
                    THEN %(not_there)s
                WHEN b.value_date > %(today)s THEN %(too_soon)s
                WHEN l.code = '' THEN %(settle)s
                ELSE %(return)s END AS verdict
            FROM result_line l LEFT JOIN refunds_payout o ON o.id = l.payout_id
            LEFT JOIN refunds_payoutbatch b ON b.id = o.batch_id
        ) j WHERE j.number = l.number
        """,
        {
            "settled": Payout.State.SETTLED,
            "sent_back": list(Payout.SENT_BACK),
            "ended": list(Payout.ENDED),
            "payouts_there": list(Payout.AT_THE_BANK),
            "batches_there": list(PayoutBatch.AT_THE_BANK),
            "today": payout_batches.today(),
            "unknown": kinds.UNKNOWN_REFERENCE,
            "differs": kinds.AMOUNT_DIFFERS,
            "contradicts": kinds.CONTRADICTS,
            "not_there": kinds.NOT_AT_THE_BANK,
            "too_soon": kinds.BEFORE_VALUE_DATE,
            "repeated": Verdict.REPEATED,
            "settle": Verdict.SETTLE,
            "return": Verdict.RETURN,
        },
    )
    execute("ANALYZE result_line")


def _batches_with_results() -> list[PayoutBatch]:
    return list(
        PayoutBatch.objects.raw(
            "SELECT * FROM refunds_payoutbatch WHERE id IN"
            " (SELECT batch_id FROM result_line WHERE verdict = ANY (%s)) ORDER BY id",
            [list(BOOKED)],
        )
    )


def _carry_out(*, actor: Actor) -> None:
    """A batch with results counts as accepted and carried out, even if nobody recorded that before."""
    for batch in _batches_with_results():
        if batch.state == PayoutBatch.State.TRANSMITTED:
            batch = transition_one(batch, "accept", actor=actor)
        if batch.state == PayoutBatch.State.BANK_ACCEPTED:
            batch = payout_batches.execute(batch, actor=actor)
        if batch.state == PayoutBatch.State.EXECUTED:
            transition_one(batch, "begin_reconciliation", actor=actor)


def _book_results(file: BankFile, *, actor: Actor, reason: str) -> None:
    """Payouts, entitlements, applications and the ledger say what the bank said."""
    at = clock.now()
    _book_settled(file, at=at, actor=actor, reason=reason)
    _book_returned(file, at=at, actor=actor, reason=reason)
    _post(file, at=at, actor=actor)
    answer_lines.keep_breaks(
        file,
        "result_line",
        at=at,
        booked=BOOKED,
        amount_minor="l.amount_minor",
        expected_minor="o.amount_minor",
        answer=f"coalesce(nullif(l.code, ''), '{ReconciliationBreak.NO_RETURN}')",
        payout_id="o.id",
    )
    remedies = fetch(
        "SELECT remedy_id FROM result_line WHERE verdict = %s AND remedy_id IS NOT NULL",
        [Verdict.SETTLE],
    )
    slots.finish([remedy for (remedy,) in remedies], at=at, actor=actor, reason=reason)


def _book_settled(file: BankFile, *, at: dt.datetime, actor: Actor, reason: str) -> None:
    """Payouts, entitlements, wallets and applications say that the money arrived."""
    with named("settle", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_payout o SET state = %s, result_file_id = %s, result_at = %s"
            " FROM result_line l WHERE l.verdict = %s AND o.id = l.payout_id",
            [Payout.State.SETTLED, file.pk, at, Verdict.SETTLE],
        )
        execute(
            "UPDATE refunds_entitlement e SET state = %s"
            " FROM result_line l WHERE l.verdict = %s AND e.id = l.entitlement_id",
            [Entitlement.State.PAID, Verdict.SETTLE],
        )
    for name, source in (
        ("settle", Wallet.State.ENTITLED),
        ("settle_late", Wallet.State.EXCLUDED),
    ):
        with named(name, actor=actor, reason=reason):
            execute(
                "UPDATE wallets_wallet w SET state = %s FROM result_line l"
                " JOIN refunds_entitlement e ON e.id = l.entitlement_id"
                " WHERE l.verdict = %s AND w.id = e.wallet_id AND w.state = %s",
                [Wallet.State.SETTLED, Verdict.SETTLE, source],
            )
    with named("close", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_refundapplication a SET state = %s, live = false"
            " FROM result_line l WHERE l.verdict = %s"
            " AND a.entitlement_id = l.entitlement_id AND a.live AND a.state = %s",
            [
                RefundApplication.State.CLOSED,
                Verdict.SETTLE,
                RefundApplication.State.APPROVED,
            ],
        )


def _book_returned(file: BankFile, *, at: dt.datetime, actor: Actor, reason: str) -> None:
    """The money that came back is owed again, and its holder is asked for another account."""
    with named("give_back", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_payout o SET state = %s, live = false, return_reason = l.code,"
            " result_file_id = %s, result_at = %s"
            " FROM result_line l WHERE l.verdict = %s AND o.id = l.payout_id",
            [Payout.State.RETURNED, file.pk, at, Verdict.RETURN],
        )
        execute(
            "UPDATE refunds_entitlement e SET state = %s, returns = returns + 1,"
            " postal_order_offered = returns + 1 >= %s"
            " FROM result_line l WHERE l.verdict = %s AND e.id = l.entitlement_id",
            [
                Entitlement.State.RETURNED,
                refund_limits.current().returns_before_postal_order,
                Verdict.RETURN,
            ],
        )
    with named("ask_again", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_refundapplication a SET state = %s, asked_for = %s"
            " FROM result_line l WHERE l.verdict = %s"
            " AND a.entitlement_id = l.entitlement_id AND a.live AND a.state = %s",
            [
                RefundApplication.State.NEEDS_INFO,
                RefundApplication.BANK_ACCOUNT,
                Verdict.RETURN,
                RefundApplication.State.APPROVED,
            ],
        )
    with named("refuse", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_payee p SET state = %s, answer = r.code, answered_at = %s FROM ("
            " SELECT payee_id, min(code) AS code FROM result_line WHERE verdict = %s"
            " GROUP BY 1) r"
            " WHERE p.id = r.payee_id AND p.state = ANY (%s)",
            [Payee.State.REFUSED, at, Verdict.RETURN, list(Payee.PAYABLE)],
        )


def _post(file: BankFile, *, at: dt.datetime, actor: Actor) -> None:
    """One journal is written for each kind of result: money that arrived has left the bank, money
    that came back is owed again.
    """
    for of, kind, verdict, account in (
        ("entitlement_id", "refund_settle", Verdict.SETTLE, LedgerAccount.BANK),
        ("entitlement_id", "refund_return", Verdict.RETURN, LedgerAccount.REFUNDS_PAYABLE),
        ("remedy_id", "remedy_settle", Verdict.SETTLE, LedgerAccount.BANK),
        ("remedy_id", "remedy_return", Verdict.RETURN, LedgerAccount.FRAUD_SUSPENSE),
    ):
        ((amount,),) = fetch(
            f"SELECT coalesce(sum(amount_minor), 0) FROM result_line"  # noqa: S608
            f" WHERE verdict = %s AND {of} IS NOT NULL",
            [verdict],
        )
        if amount:
            posting.post(
                [
                    (LedgerAccount.PAYOUTS_IN_FLIGHT, None, -int(amount)),
                    (account, None, int(amount)),
                ],
                source="bank_file",
                source_id=file.pk,
                kind=kind,
                occurred_at=at,
                actor=actor,
            )


def _complete_batches(*, actor: Actor) -> None:
    for batch in _batches_with_results():
        ((open_items,),) = fetch(
            "SELECT count(*) FROM refunds_payout WHERE batch_id = %s AND state = ANY (%s)",
            [batch.pk, list(Payout.LEAVING)],
        )
        if not open_items and batch.state == PayoutBatch.State.RECONCILING:
            transition_one(batch, "reconcile", actor=actor)


def _count(file: BankFile) -> Imported:
    counts = {
        verdict: (n, int(amount))
        for verdict, n, amount in fetch(
            "SELECT verdict, count(*), sum(amount_minor) FROM result_line GROUP BY 1"
        )
    }
    settled, returned, repeated = (
        counts.get(verdict, (0, 0)) for verdict in (*BOOKED, Verdict.REPEATED)
    )
    return Imported(
        file.pk,
        file.lines,
        settled=settled[0],
        settled_minor=settled[1],
        returned=returned[0],
        returned_minor=returned[1],
        repeated=repeated[0],
        breaks=file.lines - settled[0] - returned[0] - repeated[0],
    )


# --- breaks ---------------------------------------------------------------------------------------


def resolve_break(
    found: ReconciliationBreak, *, resolution: str, actor: Actor, reason: str
) -> ReconciliationBreak:
    """A person explained what the line was. Nothing else changes."""
    with transaction.atomic():
        done = transition_one(
            found,
            "resolve",
            actor=actor,
            reason=reason,
            resolution=resolution,
            resolved_at=clock.now(),
        )
        audit.append("break.resolve", f"break:{done.pk}", actor=actor, reason=reason)
        return done
