"""Statements of our accounts in any format: money that left, arrived, or came back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from refunds.bankfiles import statements as bank_statements
from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.statements import Direction, LineDetail, LineKind, Statement, StatementFile
from refunds.models import (
    AccountStatement,
    BankAccount,
    BankFile,
    Payout,
    PayoutBatch,
    RefundTerms,
    StatementLine,
)
from refunds.models.payout import inclusion_of, reference_of
from refunds.payouts import answer_lines, line_verdicts, payout_batches, transfer_results
from refunds.payouts.answer_lines import Judged, Verdict, fetch
from winddown.actors import Actor
from winddown.errors import LoadRefused, says

# A reference of ours in the bank's free text.
_REFERENCE = re.compile(r"(?<![0-9])1[0-9]{19}(?![0-9])")
_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class _Part:
    """One transfer of a movement. `verdict` is empty where the line is judged."""

    statement: int
    line: bank_statements.StatementLine
    part: int
    reference: str
    amount_minor: int
    reason: str = ""
    verdict: str = ""
    batch_id: int | None = None
    payout_id: int | None = None
    """A payout that it may be about, for the person who sees to the break."""


def judged(file: StatementFile, sha256: str) -> Judged:
    """Every line has its verdict. Inside the caller's transaction.

    A movement that an earlier file told of is known. Raises `LoadRefused` for an account that is
    not ours, and for balances that do not follow on those of the statement before.
    """
    for statement in file.statements:
        _refuse_other_account(statement, sha256)
    known = _known(file)
    _refuse_gap(file, known, sha256)
    parts = [
        part
        for number, statement in enumerate(file.statements, start=1)
        for part in _parts(number, statement, known)
    ]
    answer_lines.load(
        "number, reference, sequence, payout_id, amount_minor, code, said, paid_from, verdict,"
        " batch_id",
        (_row(number, part) for number, part in enumerate(parts, start=1)),
    )
    line_verdicts.judge_statement(proved=any(each.is_proved for each in file.statements))
    transfer_results.refuse_early(sha256)
    days = [line.booked_on for line in file.lines] or [payout_batches.today()]
    return Judged(
        BankFile.Kind.STATEMENT,
        sum_minor=sum(line.amount_minor for line in file.lines),
        book=lambda kept, actor, reason: _book(kept, actor, reason, file_read=file, parts=parts),
        answered_on=max(days),
    )


# --- whose account, and which movements are new ---------------------------------------------------


def _number(account: str) -> str:
    return account.lstrip("0")


def _refuse_other_account(statement: Statement, sha256: str) -> None:
    ours = {
        _number(number)
        for model in (RefundTerms, BankAccount)
        for number in model._default_manager.values_list("account_number", flat=True)
    }
    if _number(statement.account.number) not in ours:
        raise LoadRefused(file=sha256[:12], why=says("it is about an account that is not ours"))


def _known(file: StatementFile) -> frozenset[str]:
    return frozenset(
        StatementLine.objects.standing()
        .filter(identity__in=[line.identity for line in file.lines])
        .values_list("identity", flat=True)
    )


def _refuse_gap(file: StatementFile, known: frozenset[str], sha256: str) -> None:
    """The first statement of each account begins with the balance that the one before ended with,
    unless they overlap: then the known movements prove it.
    """
    seen: set[str] = set()
    for statement in file.statements:
        account = _number(statement.account.number)
        if not statement.is_proved or account in seen:
            continue
        seen.add(account)
        last_on = _last_on(statement)
        before = (
            AccountStatement.objects.filter(
                account=account, after_minor__isnull=False, file__void=None
            )
            .filter(last_on__lte=last_on)
            .order_by("-last_on", "-pk")
            .first()
        )
        overlaps = any(line.identity in known for line in statement.lines)
        if before is None or overlaps or before.after_minor == statement.balance_before_minor:
            continue
        raise LoadRefused(
            file=sha256[:12],
            why=says(
                "it does not begin with the balance that the statement of {day} ended with: load"
                " the statements in between first",
                day=before.last_on.isoformat() if before.last_on else "-",
            ),
        )


def _last_on(statement: Statement) -> dt.date:
    days = [line.booked_on for line in statement.lines]
    return statement.to_on or max(days, default=None) or statement.made_on or payout_batches.today()


# --- what each movement is about ------------------------------------------------------------------


def _parts(number: int, statement: Statement, known: frozenset[str]) -> Iterator[_Part]:
    for line in statement.lines:
        if line.identity in known:
            yield _Part(number, line, 0, "", line.amount_minor, verdict=Verdict.REPEATED)
        else:
            yield from _transfers(number, line)


def _transfers(number: int, line: bank_statements.StatementLine) -> Iterator[_Part]:
    """Yields the transfers of a new movement: each that the bank names, those of the file that the
    bank names, or the movement itself.
    """
    referred = [(detail, _reference(detail)) for detail in line.details]
    if not any(reference for _detail, reference in referred):
        yield from _of_a_file(number, line) or [_alone(number, line)]
        return
    for part, (detail, reference) in enumerate(referred):
        only = len(referred) == 1
        amount = line.amount_minor if only else detail.amount_minor or 0
        yield _Part(
            number,
            line,
            part,
            reference or detail.reference,
            amount,
            reason=_reason(line, detail),
        )


def _reference(detail: LineDetail) -> str:
    """Returns our reference of a transfer, wherever the bank writes it."""
    for text in (detail.reference, detail.text):
        if found := _REFERENCE.search(text):
            return found[0]
    return ""


def _reason(line: bank_statements.StatementLine, detail: LineDetail) -> str:
    if line.direction is Direction.OUT:
        return ""
    return (detail.reason or ReturnReason.OTHER).value


def _of_a_file(number: int, line: bank_statements.StatementLine) -> list[_Part]:
    """Returns the transfers of the payout file that the movement pays, if it is one of a whole file.

    The file is named by the bank, or is the only one of this account, sum and value date. In the
    second case the money has left, and nothing says yet what arrived.
    """
    if line.direction is Direction.IN:
        return []
    candidates = [
        batch
        for batch in PayoutBatch.objects.filter(
            total_minor=line.amount_minor, state__in=PayoutBatch.ANSWERABLE
        )
        .exclude(
            pk__in=StatementLine.objects.standing().filter(batch__isnull=False).values("batch")
        )
        .select_related("terms")
        if _number(batch.terms.account_number) == _number(line.account.number)
    ]
    names = {name for each in line.details for name in (each.message, each.payment) if name}
    for batch in candidates:
        if any(_calls_itself(batch, name) for name in names):
            return [
                _Part(
                    number,
                    line,
                    part,
                    reference_of(int(batch.sequence or 0), payout),
                    amount,
                    batch_id=batch.pk,
                )
                for part, (payout, amount) in enumerate(
                    Payout.objects.filter(batch=batch)
                    .order_by("pk")
                    .values_list("pk", "amount_minor")
                )
            ]
    of_the_day = [
        batch for batch in candidates if batch.value_date in (line.value_on, line.booked_on)
    ]
    if len(of_the_day) != 1:
        return []
    (batch,) = of_the_day
    whole = _alone(number, line)
    return [replace(whole, verdict=Verdict.NOTED, batch_id=batch.pk)]


def _calls_itself(batch: PayoutBatch, name: str) -> bool:
    first = batch.parts.order_by("number").first()
    if first is None:
        return False
    head = first.opened()
    return f"<MsgId>{name}</MsgId>".encode() in head


def _alone(number: int, line: bank_statements.StatementLine) -> _Part:
    """Returns the movement itself, with what is known of it. Money that the bank calls a return, with
    the payee's name and the amount of one transfer of ours, is that transfer's. Other money of such
    a name only shows the payout to who sees to the break.
    """
    detail = line.details[0]
    alone = _Part(
        number, line, 0, detail.reference, line.amount_minor, reason=_reason(line, detail)
    )
    if line.direction is Direction.OUT or not detail.party_name:
        return alone
    found = list(
        Payout.objects.filter(
            amount_minor=line.amount_minor,
            payee__name_kana=detail.party_name,
            batch__state__in=PayoutBatch.ANSWERABLE,
        ).select_related("batch", "batch__terms")[:2]
    )
    if len(found) != 1:
        return alone
    (payout,) = found
    terms = None if payout.batch is None else payout.batch.terms
    same = terms is not None and _number(terms.account_number) == _number(line.account.number)
    if same and line.kind is LineKind.RETURN:
        return replace(alone, reference=payout.reference)
    return replace(alone, payout_id=payout.pk)


def _row(number: int, part: _Part) -> tuple[object, ...]:
    sequence, payout = inclusion_of(part.reference)
    return (
        number,
        part.reference[:35],
        sequence,
        payout or part.payout_id,
        part.amount_minor,
        part.reason,
        StatementLine.Direction(part.line.direction.value),
        part.line.account.number,
        part.verdict,
        part.batch_id,
    )


# --- booked ---------------------------------------------------------------------------------------


def _book(
    file: BankFile, actor: Actor, reason: str, *, file_read: StatementFile, parts: Sequence[_Part]
) -> None:
    """Payouts say what the statements show, and every new movement is kept."""
    transfer_results.book(file, actor, reason)
    kept = AccountStatement.objects.bulk_create(
        AccountStatement(
            file=file,
            number=number,
            account=_number(statement.account.number),
            last_on=_last_on(statement),
            before_minor=statement.balance_before_minor,
            after_minor=statement.balance_after_minor,
        )
        for number, statement in enumerate(file_read.statements, start=1)
    )
    # A bulk movement may leave out what each of its transfers comes to: then it is the payout's.
    moved: dict[int, tuple[int | None, int]] = {
        number: (payout, amount)
        for number, payout, amount in fetch(
            "SELECT number, CASE WHEN verdict = ANY (%s) THEN payout_id END, amount_minor"
            " FROM refunds_answerline",
            [list(answer_lines.NO_BREAK)],
        )
    }
    StatementLine.objects.bulk_create(
        (
            StatementLine(
                statement=kept[part.statement - 1],
                identity=part.line.identity,
                part=part.part,
                booked_on=part.line.booked_on,
                direction=part.line.direction.value,
                amount_minor=moved[number][1],
                line=number,
                payout_id=moved[number][0],
                batch_id=part.batch_id,
            )
            for number, part in enumerate(parts, start=1)
            if part.verdict != Verdict.REPEATED
        ),
        batch_size=_ROWS,
    )
