"""The bank's answers booked: each file once, each line by reference and amount or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from refunds.applications.payees import Account
from refunds.bankfiles import zengin_result
from refunds.bankfiles.zengin_result import AccountCheck, ResultReader
from refunds.models import BankFile, PayoutBatch, ReconciliationBreak
from refunds.models.payout import PAYEE_NUMBERS_FROM, PAYOUT_NUMBERS_FROM
from refunds.payouts import payout_batches, refund_limits
from refunds.remedies import slots
from wallets.models import LedgerAccount
from wallets.movements import posting
from winddown import clock, locks
from winddown.actors import require
from winddown.errors import LoadRefused
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import named, transition_one

_KIND_AT = 103


@dataclass(frozen=True, slots=True)
class Imported:
    """What one answer changed. `repeated` lines were known before; `breaks` fit nothing of ours."""

    file_id: int
    lines: int
    settled: int = 0
    settled_minor: int = 0
    returned: int = 0
    returned_minor: int = 0
    matched: int = 0
    refused: int = 0
    repeated: int = 0
    breaks: int = 0
    known_before: bool = False


def import_file(source: Path | bytes, *, actor: Any, reason: str) -> Imported:
    """The answer is booked: results of transfers or account-name checks, as its header says.

    The same file again changes nothing. Raises `LoadRefused` or `BankFileError`, and then nothing
    of the file was believed.
    """
    require(actor, "refunds.reconcile", by_system=True, action="import the bank's answer")
    content = source.read_bytes() if isinstance(source, Path) else source
    sha256 = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        # One answer at a time: two files about one payout must not pass each other.
        locks.take(Lock.BANK_ANSWER)
        before = BankFile.objects.filter(sha256=sha256).first()
        if before is not None:
            if before.kind == BankFile.Kind.CHECK_ASKED:
                raise LoadRefused(file=sha256[:12], why="it is our question, not the bank's answer")
            return Imported(before.pk, before.lines, known_before=True)
        checks = content[_KIND_AT : _KIND_AT + 1] == b"K"
        done = (
            _import_checks(content, sha256, actor=actor, reason=reason)
            if checks
            else _import_results(content, sha256, actor=actor, reason=reason)
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


def _file(kind: str, sha256: str, *, lines: int, sum_minor: int, actor: Any) -> BankFile:
    return BankFile.objects.create(
        kind=kind,
        sha256=sha256,
        lines=lines,
        sum_minor=sum_minor,
        actor_id=actor.pk,
        at=clock.now(),
    )


def _refuse_others(remitter_code: str, sha256: str) -> None:
    if remitter_code != refund_limits.current().remitter_code:
        raise LoadRefused(file=sha256[:12], why="it answers another remitter")


# --- results and returns of transfers -------------------------------------------------------------


def _import_results(content: bytes, sha256: str, *, actor: Any, reason: str) -> Imported:
    reader = ResultReader(content)
    _refuse_others(reader.header.remitter.code, sha256)
    _copy(
        "CREATE TEMP TABLE result_line (number int, reference text, payout_id bigint,"
        " amount_minor bigint, code text, verdict text, batch_id bigint, entitlement_id bigint,"
        " remedy_id bigint, payee_id bigint) ON COMMIT DROP",
        "COPY result_line (number, reference, payout_id, amount_minor, code) FROM STDIN",
        _result_rows(reader),
    )
    file = _file(
        BankFile.Kind.RESULTS, sha256, lines=reader.count, sum_minor=reader.sum_minor, actor=actor
    )
    _judge_results()
    _carry_out(actor=actor)
    _book_results(file, actor=actor, reason=reason)
    _complete_batches(actor=actor)
    return _count(file)


def _result_rows(reader: ResultReader) -> Iterator[tuple[Any, ...]]:
    for number, (item, why) in enumerate(reader, start=1):
        reference = int(item.reference)
        inside = PAYOUT_NUMBERS_FROM < reference < PAYEE_NUMBERS_FROM
        payout = reference - PAYOUT_NUMBERS_FROM if inside else None
        yield number, item.reference, payout, item.amount_minor, why.value if why else ""


def _copy(create: str, copy: str, rows: Iterable[tuple[Any, ...]]) -> None:
    table = create.split()[3]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(create)
        with cursor.copy(copy) as channel:
            for row in rows:
                channel.write_row(row)
        cursor.execute(f"ANALYZE {table}")


def _judge_results() -> None:
    """Every line knows what it does: settle, return, repeat, or break; never by amount alone."""
    _execute(
        """
        UPDATE result_line l SET verdict = j.verdict, payout_id = j.payout_id,
            batch_id = j.batch_id,
            entitlement_id = j.entitlement_id, remedy_id = j.remedy_id, payee_id = j.payee_id
        FROM (
            SELECT l.number, o.id AS payout_id, o.batch_id, o.entitlement_id, o.remedy_id,
                o.payee_id, CASE
                WHEN o.id IS NULL THEN 'unknown_reference'
                WHEN o.amount_minor <> l.amount_minor THEN 'amount_differs'
                WHEN o.state = 'settled' AND l.code = '' THEN 'repeated'
                WHEN o.state IN ('returned', 'uncollectable') AND l.code = o.return_reason
                    THEN 'repeated'
                WHEN o.state IN ('settled', 'returned', 'uncollectable', 'recalled')
                    THEN 'contradicts'
                WHEN o.state NOT IN ('exported', 'executed') OR b.state <> ALL (%s)
                    THEN 'not_at_the_bank'
                WHEN b.value_date > %s THEN 'before_value_date'
                WHEN l.code = '' THEN 'settle'
                ELSE 'return' END AS verdict
            FROM result_line l LEFT JOIN refunds_payout o ON o.id = l.payout_id
            LEFT JOIN refunds_payoutbatch b ON b.id = o.batch_id
        ) j WHERE j.number = l.number
        """,
        [list(PayoutBatch.AT_THE_BANK), payout_batches.today()],
    )
    _execute("ANALYZE result_line")


def _touched() -> list[PayoutBatch]:
    return list(
        PayoutBatch.objects.raw(
            "SELECT * FROM refunds_payoutbatch WHERE id IN"
            " (SELECT batch_id FROM result_line WHERE verdict IN ('settle', 'return')) ORDER BY id"
        )
    )


def _carry_out(*, actor: Any) -> None:
    """A batch with results was accepted and carried out, whether or not somebody said so before."""
    for batch in _touched():
        if batch.state == PayoutBatch.State.TRANSMITTED:
            batch = transition_one(batch, "accept", actor=actor)
        if batch.state == PayoutBatch.State.BANK_ACCEPTED:
            batch = payout_batches.execute(batch, actor=actor)
        if batch.state == PayoutBatch.State.EXECUTED:
            transition_one(batch, "begin_reconciliation", actor=actor)


def _book_results(file: BankFile, *, actor: Any, reason: str) -> None:
    """Payouts, what they were for, who applied, and the ledger all say what the bank said."""
    at = clock.now()

    def move(name: str, sql: str, *params: Any) -> None:
        with named(name, actor=actor, reason=reason):
            _execute(sql, params)

    settled = "FROM result_line l WHERE l.verdict = 'settle' AND"
    returned = "FROM result_line l WHERE l.verdict = 'return' AND"
    move(
        "settle",
        f"UPDATE refunds_payout o SET state = 'settled', result_file_id = %s, result_at = %s"  # noqa: S608
        f" {settled} o.id = l.payout_id",
        file.pk,
        at,
    )
    move(
        "give_back",
        "UPDATE refunds_payout o SET state = 'returned', live = false, return_reason = l.code,"  # noqa: S608
        f" result_file_id = %s, result_at = %s {returned} o.id = l.payout_id",
        file.pk,
        at,
    )
    move(
        "settle",
        f"UPDATE refunds_entitlement e SET state = 'paid' {settled} e.id = l.entitlement_id",  # noqa: S608
    )
    move(
        "give_back",
        "UPDATE refunds_entitlement e SET state = 'returned', returns = returns + 1,"  # noqa: S608
        f" postal_order_offered = returns + 1 >= %s {returned} e.id = l.entitlement_id",
        refund_limits.current().returns_before_postal_order,
    )
    for name, source in (("settle", "entitled"), ("settle_late", "excluded")):
        move(
            name,
            "UPDATE wallets_wallet w SET state = 'settled' FROM result_line l"
            " JOIN refunds_entitlement e ON e.id = l.entitlement_id"
            " WHERE l.verdict = 'settle' AND w.id = e.wallet_id AND w.state = %s",
            source,
        )
    move(
        "close",
        "UPDATE refunds_refundapplication a SET state = 'closed', live = false"  # noqa: S608
        f" {settled} a.entitlement_id = l.entitlement_id AND a.live AND a.state = 'approved'",
    )
    move(
        "ask_again",
        "UPDATE refunds_refundapplication a SET state = 'needs_info', asked_for = 'bank_account'"  # noqa: S608
        f" {returned} a.entitlement_id = l.entitlement_id AND a.live AND a.state = 'approved'",
    )
    move(
        "refuse",
        "UPDATE refunds_payee p SET state = 'refused', answer = r.code, answered_at = %s FROM ("
        " SELECT payee_id, min(code) AS code FROM result_line WHERE verdict = 'return' "
        " GROUP BY 1) r"
        " WHERE p.id = r.payee_id AND p.state IN ('matched', 'overridden')",
        at,
    )
    _post(file, at=at, actor=actor)
    _keep_breaks(file, at=at)
    done = [
        row[0]
        for row in _rows(
            "SELECT remedy_id FROM result_line WHERE verdict = 'settle' AND remedy_id IS NOT NULL"
        )
    ]
    slots.finish(done, at=at, actor=actor, reason=reason)


def _post(file: BankFile, *, at: Any, actor: Any) -> None:
    """One journal per kind of outcome: what arrived left the bank, what came back is owed again."""
    for of, kind, verdict, account in (
        ("entitlement_id", "refund_settle", "settle", LedgerAccount.BANK),
        ("entitlement_id", "refund_return", "return", LedgerAccount.REFUNDS_PAYABLE),
        ("remedy_id", "remedy_settle", "settle", LedgerAccount.BANK),
        ("remedy_id", "remedy_return", "return", LedgerAccount.FRAUD_SUSPENSE),
    ):
        ((amount,),) = _rows(
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


def _keep_breaks(file: BankFile, *, at: Any) -> None:
    _execute(
        """
        INSERT INTO refunds_reconciliationbreak (file_id, line, kind, state, reference,
            amount_minor,
            expected_minor, answer, payout_id, found_at, resolution)
        SELECT %s, l.number, l.verdict, 'open', l.reference, l.amount_minor, o.amount_minor,
               CASE l.code WHEN '' THEN 'paid' ELSE l.code END, o.id, %s, ''
        FROM result_line l LEFT JOIN refunds_payout o ON o.id = l.payout_id
        WHERE l.verdict NOT IN ('settle', 'return', 'repeated') ORDER BY l.number
        """,
        [file.pk, at],
    )


def _complete_batches(*, actor: Any) -> None:
    for batch in _touched():
        ((open_items,),) = _rows(
            "SELECT count(*) FROM refunds_payout WHERE batch_id = %s AND state IN"
            " ('batched', 'exported', 'executed')",
            [batch.pk],
        )
        if not open_items and batch.state == PayoutBatch.State.RECONCILING:
            transition_one(batch, "reconcile", actor=actor)


def _count(file: BankFile) -> Imported:
    counts = {
        verdict: (n, int(amount))
        for verdict, n, amount in _rows(
            "SELECT verdict, count(*), sum(amount_minor) FROM result_line GROUP BY 1"
        )
    }
    settled, returned = counts.get("settle", (0, 0)), counts.get("return", (0, 0))
    repeated = counts.get("repeated", (0, 0))[0]
    return Imported(
        file.pk,
        file.lines,
        settled=settled[0],
        settled_minor=settled[1],
        returned=returned[0],
        returned_minor=returned[1],
        repeated=repeated,
        breaks=file.lines - settled[0] - returned[0] - repeated,
    )


# --- account-name checks --------------------------------------------------------------------------


def _import_checks(content: bytes, sha256: str, *, actor: Any, reason: str) -> Imported:
    answer = zengin_result.read_checks(content)
    _refuse_others(answer.header.remitter.code, sha256)
    _copy(
        "CREATE TEMP TABLE check_line (number int, reference text, payee_id bigint,"
        " fingerprint text, answer text, verdict text) ON COMMIT DROP",
        "COPY check_line (number, reference, payee_id, fingerprint, answer) FROM STDIN",
        _check_rows(answer.lines),
    )
    file = _file(BankFile.Kind.CHECK_ANSWERED, sha256, lines=answer.count, sum_minor=0, actor=actor)
    _execute(
        """
        UPDATE check_line l SET verdict = j.verdict FROM (
            SELECT l.number, CASE
                WHEN p.id IS NULL THEN 'unknown_reference'
                WHEN p.fingerprint <> l.fingerprint THEN 'account_differs'
                WHEN p.state = 'asked' AND l.answer = 'matched' THEN 'match'
                WHEN p.state = 'asked' THEN 'refuse'
                WHEN p.state = 'entered' THEN 'not_at_the_bank'
                WHEN (p.state = 'matched') = (l.answer = 'matched') THEN 'repeated'
                ELSE 'contradicts' END AS verdict
            FROM check_line l LEFT JOIN refunds_payee p ON p.id = l.payee_id
        ) j WHERE j.number = l.number
        """
    )
    _book_checks(file, actor=actor, reason=reason)
    counts = dict(_rows("SELECT verdict, count(*) FROM check_line GROUP BY 1"))
    known = [counts.get(verdict, 0) for verdict in ("match", "refuse", "repeated")]
    return Imported(
        file.pk,
        file.lines,
        matched=known[0],
        refused=known[1],
        repeated=known[2],
        breaks=file.lines - sum(known),
    )


def _check_rows(lines: Iterable[zengin_result.CheckLine]) -> Iterator[tuple[Any, ...]]:
    for number, (item, answer) in enumerate(lines, start=1):
        reference = int(item.reference)
        payee = reference - PAYEE_NUMBERS_FROM if reference > PAYEE_NUMBERS_FROM else None
        account = Account(
            item.bank_code, item.branch_code, item.account_type, item.account_number, ""
        )
        yield number, item.reference, payee, account.fingerprint, _ANSWERS[answer]


_ANSWERS = {
    AccountCheck.MATCHED: "matched",
    AccountCheck.NO_SUCH_ACCOUNT: "no_such_account",
    AccountCheck.NAME_DIFFERS: "name_differs",
    AccountCheck.OTHER: "other",
}


def _book_checks(file: BankFile, *, actor: Any, reason: str) -> None:
    """Payees are matched or refused; whoever gave a refused one is asked for another (rule 56)."""
    at = clock.now()
    for name, verdict, state in (("match", "match", "matched"), ("refuse", "refuse", "refused")):
        with named(name, actor=actor, reason=reason):
            _execute(
                "UPDATE refunds_payee p SET state = %s, answer = l.answer, answered_at = %s"
                " FROM check_line l WHERE l.verdict = %s AND p.id = l.payee_id",
                [state, at, verdict],
            )
    with named("ask_again", actor=actor, reason=reason):
        _execute(
            "UPDATE refunds_refundapplication a SET state = 'needs_info', "
            " asked_for = 'bank_account'"
            " FROM check_line l JOIN refunds_payee p ON p.id = l.payee_id"
            " WHERE l.verdict = 'refuse' AND p.replaced_at IS NULL AND a.applicant_id = p.holder_id"
            " AND a.live AND a.state = 'approved'"
        )
    _execute(
        """
        INSERT INTO refunds_reconciliationbreak (file_id, line, kind, state, reference,
            amount_minor,
            answer, found_at, resolution)
        SELECT %s, number, verdict, 'open', reference, 0, answer, %s, '' FROM check_line
        WHERE verdict NOT IN ('match', 'refuse', 'repeated') ORDER BY number
        """,
        [file.pk, at],
    )


# --- breaks ---------------------------------------------------------------------------------------


def resolve_break(
    found: ReconciliationBreak, *, resolution: str, actor: Any, reason: str
) -> ReconciliationBreak:
    """A person explained what the line was; nothing else changes by it."""
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


def _execute(sql: str, params: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def _rows(sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
