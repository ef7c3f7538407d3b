"""The bank's answers about names and accounts: payees are matched or refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import BigIntegerField

from refunds.bank_accounts import fingerprinter
from refunds.bankfiles.answers import AccountCheck, CheckLine, Checks
from refunds.models import BankFile, Payee, ReconciliationBreak, RefundApplication
from refunds.models.payout import PAYEE_NUMBERS_FROM
from refunds.payouts import answer_lines
from refunds.payouts.answer_lines import Judged, Verdict, execute
from winddown import clock
from winddown.actors import Actor
from winddown.machines.move import named


def judged(answer: Checks, sha256: str) -> Judged:
    """Every line has its verdict. Inside the caller's transaction."""
    answer_lines.refuse_others(answer.remitter.code, sha256)
    answer_lines.load("number, reference, payee_id, fingerprint, code", _rows(answer.lines))
    _judge()
    return Judged(BankFile.Kind.CHECK_ANSWERED, sum_minor=0, book=_book)


def _rows(lines: Iterable[CheckLine]) -> Iterator[tuple[object, ...]]:
    fingerprint = fingerprinter()
    for number, (item, answer) in enumerate(lines, start=1):
        payee = int(item.reference) - PAYEE_NUMBERS_FROM
        inside = 0 < payee <= BigIntegerField.MAX_BIGINT
        yield (
            number,
            item.reference,
            payee if inside else None,
            fingerprint(item.bank_code, item.branch_code, item.account_type, item.account_number),
            answer.value,
        )


def _judge() -> None:
    """Every line has its verdict: match, refuse, repeated, or a kind of break."""
    kinds = ReconciliationBreak.Kind
    execute(
        """
        UPDATE refunds_answerline l SET verdict = j.verdict FROM (
            SELECT l.number, CASE
                WHEN p.id IS NULL THEN %(unknown)s
                WHEN p.fingerprint <> l.fingerprint THEN %(differs)s
                WHEN p.state = %(asked)s AND l.code = %(yes)s THEN %(match)s
                WHEN p.state = %(asked)s THEN %(refuse)s
                WHEN p.state = %(entered)s THEN %(not_asked)s
                WHEN (p.state = %(matched)s) = (l.code = %(yes)s) THEN %(repeated)s
                ELSE %(contradicts)s END AS verdict
            FROM refunds_answerline l LEFT JOIN refunds_payee p ON p.id = l.payee_id
        ) j WHERE j.number = l.number
        """,
        {
            "entered": Payee.State.ENTERED,
            "asked": Payee.State.ASKED,
            "matched": Payee.State.MATCHED,
            "yes": AccountCheck.MATCHED,
            "unknown": kinds.UNKNOWN_REFERENCE,
            "differs": kinds.ACCOUNT_DIFFERS,
            "not_asked": kinds.NOT_AT_THE_BANK,
            "contradicts": kinds.CONTRADICTS,
            "match": Verdict.MATCH,
            "refuse": Verdict.REFUSE,
            "repeated": Verdict.REPEATED,
        },
    )


def _book(file: BankFile, actor: Actor, reason: str) -> None:
    """Payees are matched or refused. The holder of a refused one is asked for another (rule 56)."""
    at = clock.now()
    for name, verdict, state in (
        ("match", Verdict.MATCH, Payee.State.MATCHED),
        ("refuse", Verdict.REFUSE, Payee.State.REFUSED),
    ):
        with named(name, actor=actor, reason=reason):
            execute(
                "UPDATE refunds_payee p SET state = %s, answer = l.code, answered_at = %s"
                " FROM refunds_answerline l WHERE l.verdict = %s AND p.id = l.payee_id",
                [state, at, verdict],
            )
    with named("ask_again", actor=actor, reason=reason):
        execute(
            "UPDATE refunds_refundapplication a SET state = %s, asked_for = %s"
            " FROM refunds_answerline l JOIN refunds_payee p ON p.id = l.payee_id"
            " WHERE l.verdict = %s AND p.replaced_at IS NULL AND a.applicant_id = p.holder_id"
            " AND a.live AND a.state = %s",
            [
                RefundApplication.State.NEEDS_INFO,
                RefundApplication.BANK_ACCOUNT,
                Verdict.REFUSE,
                RefundApplication.State.APPROVED,
            ],
        )
    answer_lines.keep_breaks(file, at=at, amount_minor="0", answer="l.code")
