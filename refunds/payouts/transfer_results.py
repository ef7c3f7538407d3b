"""Results and returns of transfers: each line is held against the one inclusion that it names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from refunds.bank_accounts import fingerprinter
from refunds.bankfiles.answers import Results
from refunds.models import (
    BankFile,
    Entitlement,
    Payee,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
)
from refunds.models.payout import inclusion_of
from refunds.payouts import answer_lines, line_verdicts, methods, payout_batches, wallet_ends
from refunds.payouts.answer_lines import Judged, Verdict, execute, fetch
from refunds.payouts.methods import vouchers
from refunds.remedies import slots
from wallets.models import LedgerAccount, Wallet
from wallets.movements import posting
from winddown import clock
from winddown.actors import Actor
from winddown.errors import LoadRefused, says
from winddown.machines.move import named, transition_one
from winddown.registries import Registry

BOOKED = (Verdict.SETTLE, Verdict.RETURN)
AFTER_RETURNS: Registry[Callable[[Sequence[int], str], object]] = Registry(
    "what follows returns",
    entries_are="what is done, in the same transaction, for entitlements whose money came back",
    owner=__name__,
)


def judged(answer: Results, sha256: str) -> Judged:
    """Every line has its verdict. Inside the caller's transaction. Raises `LoadRefused` for a line
    that cannot be judged yet.
    """
    payer, today = answer.remitter, payout_batches.today()
    answer_lines.refuse_others(payer.code, sha256)
    answer_lines.load(
        "number, reference, sequence, payout_id, fingerprint, name, amount_minor, code, value_mmdd",
        _result_rows(answer),
    )
    answered_on = answer.answered_on(near=today)
    line_verdicts.judge_results(payer, answered_on=answered_on)
    refuse_early(sha256)
    return Judged(
        BankFile.Kind.RESULTS,
        sum_minor=answer.sum_minor,
        book=book,
        answered_on=answered_on,
    )


def _result_rows(answer: Results) -> Iterator[tuple[object, ...]]:
    fingerprint = fingerprinter()
    for number, (item, why, value_mmdd) in enumerate(answer, start=1):
        sequence, payout = inclusion_of(item.reference)
        yield (
            number,
            item.reference,
            sequence,
            payout,
            fingerprint(item.bank_code, item.branch_code, item.account_type, item.account_number),
            item.payee_kana,
            item.amount_minor,
            why.value if why else "",
            value_mmdd,
        )


def refuse_early(sha256: str) -> None:
    """Every line can be judged now. Raises `LoadRefused` with what to do first, and the file may be
    loaded again after that.
    """
    early = fetch(
        "SELECT b.id, b.state, b.value_date FROM refunds_payoutbatch b WHERE b.id IN"
        " (SELECT batch_id FROM refunds_answerline WHERE verdict = %s) ORDER BY b.id LIMIT 1",
        [Verdict.EARLY],
    )
    for batch, state, value_date in early:
        why = says(
            "the value date of payout batch {number} is {day}: load the file again on that day",
            number=batch,
            day=value_date.isoformat(),
        )
        if state not in PayoutBatch.ANSWERABLE:
            why = says(
                "payout batch {number} is not recorded as sent to the bank: record that first"
                " (transmit_payout_batch), then load the file again",
                number=batch,
            )
        raise LoadRefused(file=sha256[:12], why=why)


def _batches_with(*verdicts: Verdict) -> list[PayoutBatch]:
    return list(
        PayoutBatch.objects.raw(
            "SELECT * FROM refunds_payoutbatch WHERE id IN"
            " (SELECT batch_id FROM refunds_answerline WHERE verdict = ANY (%s)) ORDER BY id",
            [list(verdicts)],
        )
    )


def _carry_out(*, actor: Actor) -> list[PayoutBatch]:
    """A batch of which the bank says anything counts as accepted, and one with results as carried
    out, even if nobody recorded that before. Returns those of which this answer is the first word:
    their payouts without a result follow when the results are booked, so that no payout is written
    twice.
    """
    first = []
    for batch in _batches_with(Verdict.NOTED, *BOOKED):
        if batch.state == PayoutBatch.State.TRANSMITTED:
            transition_one(batch, "accept", actor=actor)
    for batch in _batches_with(*BOOKED):
        if batch.state == PayoutBatch.State.BANK_ACCEPTED:
            batch = transition_one(batch, "execute", actor=actor)
            first.append(batch)
        if batch.state == PayoutBatch.State.EXECUTED:
            transition_one(batch, "begin_reconciliation", actor=actor)
    return first


def book(
    file: BankFile, actor: Actor, reason: str, *, source: tuple[str, int] | None = None
) -> None:
    """Payouts, entitlements, applications and the ledger say what the bank said. `source` is what
    the journals name if it is not the file.
    """
    carried_out = _carry_out(actor=actor)
    at = clock.now()
    _replace(file)
    _book_settled(file, at=at, actor=actor, reason=reason)
    _book_returned(file, at=at, actor=actor, reason=reason)
    for batch in carried_out:
        payout_batches.execute_payouts(batch, actor=actor)
    _post(source or ("bank_file", file.pk), at=at, actor=actor)
    vouchers.follow_answer(actor=actor, reason=reason)
    returned = fetch(
        "SELECT entitlement_id FROM refunds_answerline"
        " WHERE verdict = %s AND entitlement_id IS NOT NULL ORDER BY 1",
        [Verdict.RETURN],
    )
    for follow in AFTER_RETURNS.values():
        follow([entitlement for (entitlement,) in returned], reason)
    answer_lines.keep_breaks(
        file,
        at=at,
        amount_minor="l.amount_minor",
        expected_minor="o.amount_minor",
        answer=f"coalesce(nullif(l.code, ''), '{ReconciliationBreak.NO_RETURN}')",
        payout_id="o.id",
    )
    slots.owe_again(_remedies_with(Verdict.RETURN), actor=actor, reason=reason)
    slots.finish(_remedies_with(Verdict.SETTLE), at=at, actor=actor, reason=reason)
    _complete_batches(actor=actor)


def _remedies_with(verdict: Verdict) -> list[int]:
    found = fetch(
        "SELECT remedy_id FROM refunds_answerline WHERE verdict = %s AND remedy_id IS NOT NULL"
        " ORDER BY 1",
        [verdict],
    )
    return [remedy for (remedy,) in found]


def _replace(file: BankFile) -> None:
    """What the bank had said before of the payouts that it now says something else of is kept."""
    execute(
        "INSERT INTO refunds_replacedresult"
        " (payout_id, file_id, state, return_reason, result_at, by_id)"
        " SELECT o.id, o.result_file_id, o.state, o.return_reason, o.result_at, %s"
        " FROM refunds_answerline l JOIN refunds_payout o ON o.id = l.payout_id"
        " WHERE l.again ORDER BY o.id",
        [file.pk],
    )


def _book_settled(file: BankFile, *, at: dt.datetime, actor: Actor, reason: str) -> None:
    """Payouts, entitlements, wallets and applications say that the money arrived."""
    with named("settle", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_payout o SET state = %s, result_file_id = %s, result_at = %s,"
            " live = true, return_reason = ''"
            " FROM refunds_answerline l WHERE l.verdict = %s AND o.id = l.payout_id",
            [Payout.State.SETTLED, file.pk, at, Verdict.SETTLE],
        )
        execute(
            "UPDATE refunds_entitlement e SET state = %s"
            " FROM refunds_answerline l WHERE l.verdict = %s AND e.id = l.entitlement_id",
            [Entitlement.State.PAID, Verdict.SETTLE],
        )
    wallets = answer_lines.stream(
        "SELECT DISTINCT e.wallet_id FROM refunds_answerline l JOIN refunds_entitlement e"
        " ON e.id = l.entitlement_id WHERE l.verdict = %s ORDER BY 1",
        [Verdict.SETTLE],
    )
    wallet_ends.follow((wallet for (wallet,) in wallets), actor=actor, reason=reason)
    with named("close", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_refundapplication a SET state = %s, live = false"
            " FROM refunds_answerline l WHERE l.verdict = %s"
            " AND a.entitlement_id = l.entitlement_id AND a.live"
            " AND (a.state = ANY (%s) OR l.again AND a.state <> %s)",
            [
                RefundApplication.State.CLOSED,
                Verdict.SETTLE,
                list(RefundApplication.PAYOUT_MADE),
                RefundApplication.State.DRAFT,
            ],
        )


def _book_returned(file: BankFile, *, at: dt.datetime, actor: Actor, reason: str) -> None:
    """The money that came back is owed again, and its holder is asked for another account. This
    holds as well for money that the bank had reported as paid.
    """
    with named("give_back", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_payout o SET state = %s, live = false, return_reason = l.code,"
            " result_file_id = %s, result_at = %s"
            " FROM refunds_answerline l WHERE l.verdict = %s AND o.id = l.payout_id",
            [Payout.State.RETURNED, file.pk, at, Verdict.RETURN],
        )
        execute(
            "UPDATE refunds_entitlement e SET state = %s,"
            " returns = returns + (b.method = %s)::int,"
            " postal_order_offered ="
            " returns + (b.method = %s)::int >= t.returns_before_postal_order"
            " FROM refunds_answerline l JOIN refunds_payoutbatch b ON b.id = l.batch_id"
            " JOIN refunds_refundterms t ON t.id = b.terms_id"
            " WHERE l.verdict = %s AND e.id = l.entitlement_id",
            [Entitlement.State.RETURNED, methods.BANK, methods.BANK, Verdict.RETURN],
        )
    with named("owe_again", actor=actor, reason=reason):
        execute(
            "UPDATE wallets_wallet w SET state = %s FROM refunds_answerline l"
            " JOIN refunds_entitlement e ON e.id = l.entitlement_id"
            " WHERE l.verdict = %s AND l.again AND w.id = e.wallet_id AND w.state = ANY (%s)",
            [Wallet.State.ENTITLED, Verdict.RETURN, list(Wallet.DISCHARGED)],
        )
    with named("ask_again", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_refundapplication a SET state = %s, live = true,"
            " asked_for = CASE a.method WHEN %s THEN %s ELSE %s END"
            " FROM refunds_answerline l WHERE l.verdict = %s"
            " AND a.entitlement_id = l.entitlement_id"
            " AND (a.live AND a.state = %s OR l.again AND a.state = %s AND a.id ="
            " (SELECT max(x.id) FROM refunds_refundapplication x"
            " WHERE x.entitlement_id = l.entitlement_id))",
            [
                RefundApplication.State.NEEDS_INFO,
                methods.BANK,
                RefundApplication.BANK_ACCOUNT,
                RefundApplication.VOUCHER,
                Verdict.RETURN,
                RefundApplication.State.APPROVED,
                RefundApplication.State.CLOSED,
            ],
        )
    with named("refuse", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_payee p SET state = %s, answer = r.code, answered_at = %s FROM ("
            " SELECT payee_id, min(code) AS code FROM refunds_answerline WHERE verdict = %s"
            " GROUP BY 1) r"
            " WHERE p.id = r.payee_id AND p.state = ANY (%s)",
            [Payee.State.REFUSED, at, Verdict.RETURN, list(Payee.PAYABLE)],
        )


def _post(source: tuple[str, int], *, at: dt.datetime, actor: Actor) -> None:
    """One journal is written for each kind of result: money that arrived has left the bank, money
    that came back is owed again. It was in flight, or where an earlier result had put it.
    """
    bank, payable = LedgerAccount.BANK, LedgerAccount.REFUNDS_PAYABLE
    suspense = LedgerAccount.FRAUD_SUSPENSE
    for of, kind, verdict, account, before in (
        ("entitlement_id", "refund_settle", Verdict.SETTLE, bank, payable),
        ("entitlement_id", "refund_return", Verdict.RETURN, payable, bank),
        ("remedy_id", "remedy_settle", Verdict.SETTLE, bank, suspense),
        ("remedy_id", "remedy_return", Verdict.RETURN, suspense, bank),
    ):
        sums = {
            again: int(amount)
            for again, amount in fetch(
                "SELECT again, sum(amount_minor) FROM refunds_answerline"  # noqa: S608
                f" WHERE verdict = %s AND {of} IS NOT NULL GROUP BY 1",
                [verdict],
            )
        }
        if not sums:
            continue
        posting.post(
            [
                (LedgerAccount.PAYOUTS_IN_FLIGHT, None, -sums.get(False, 0)),
                (before, None, -sums.get(True, 0)),
                (account, None, sum(sums.values())),
            ],
            source=source[0],
            source_id=source[1],
            kind=kind,
            occurred_at=at,
            actor=actor,
        )


def _complete_batches(*, actor: Actor) -> None:
    for batch in _batches_with(*BOOKED):
        ((open_items,),) = fetch(
            "SELECT count(*) FROM refunds_payout WHERE batch_id = %s AND state = ANY (%s)",
            [batch.pk, list(Payout.LEAVING)],
        )
        if not open_items and batch.state == PayoutBatch.State.RECONCILING:
            transition_one(batch, "reconcile", actor=actor)
