"""Every line of an answer has its verdict: what it changes, or how it contradicts what we know."""

from __future__ import annotations

import datetime as dt

from refunds.bankfiles.transfer_items import Remitter
from refunds.models import (
    Entitlement,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    Remedy,
    StatementLine,
)
from refunds.payouts import answer_lines, payout_batches
from refunds.payouts.answer_lines import Said, Verdict, execute, fetch
from winddown.errors import LoadRefused, says

_Kind = ReconciliationBreak.Kind
# A line is held against the batch that its reference names, in all that it says.
_SAME = """
    WHEN o.id IS NULL OR b.id IS NULL THEN CASE l.said
        WHEN %(in)s THEN %(credit)s WHEN %(out)s THEN %(debit)s ELSE %(unknown)s END
    WHEN b.state = ANY (%(dead)s) OR o.batch_id IS DISTINCT FROM b.id THEN %(is_dead)s
    WHEN l.amount_minor NOT IN (0, o.amount_minor) THEN %(differs)s
    WHEN l.fingerprint NOT IN ('', p.fingerprint) THEN %(account)s
    WHEN l.name NOT IN ('', p.name_kana,
        rtrim(left(p.name_kana, coalesce(m.name_truncation, 30)))) THEN %(payee)s
    WHEN l.value_mmdd NOT IN ('', to_char(b.value_date, 'MMDD')) THEN %(value_date)s
    WHEN ltrim(l.paid_from, '0') NOT IN ('', ltrim(t.account_number, '0')) THEN %(payer)s
"""
_EARLY = "WHEN b.state <> ALL (%(there)s) OR b.value_date > %(today)s THEN %(early)s"
# The bank's later word counts.
_OF_RESULTS = f"""
    WHEN (t.remitter_code, t.branch_code, t.account_type, t.account_number)
        <> (%(code)s, %(branch)s, %(type)s, %(number)s) THEN %(payer)s
    {_EARLY}
    WHEN o.state = ANY (%(leaving)s) AND l.code = '' THEN %(settle)s
    WHEN o.state = ANY (%(leaving)s) THEN %(return)s
    WHEN o.state = ANY (%(sent_back)s) AND l.code = o.return_reason THEN %(repeated)s
    WHEN coalesce(f.answered_on, %(day)s) = %(day)s
        AND o.state = %(settled)s AND l.code = '' THEN %(repeated)s
    WHEN EXISTS (
        SELECT FROM refunds_replacedresult r
        JOIN refunds_bankfile rf ON rf.id = r.file_id
        WHERE r.payout_id = o.id AND r.return_reason = l.code
            AND NOT EXISTS (
                SELECT FROM refunds_voidedfile v WHERE v.file_id IN (r.file_id, r.by_id))
            AND coalesce(rf.answered_on, %(day)s) = %(day)s) THEN %(repeated)s
    WHEN o.state = %(settled)s AND l.code = '' THEN %(twice)s
    WHEN coalesce(f.answered_on, %(day)s) > %(day)s THEN %(contradicts)s
    WHEN o.state = %(settled)s THEN %(return)s
    WHEN l.code <> '' OR coalesce(f.answered_on, %(day)s) = %(day)s THEN %(contradicts)s
    WHEN o.state = %(returned)s
        AND (e.state = ANY (%(after_return)s) OR y.state = %(remedy_asked)s)
        AND NOT EXISTS (SELECT FROM refunds_payout second WHERE second.live
            AND (second.entitlement_id = e.id OR second.remedy_id = y.id)) THEN %(settle)s
    ELSE %(after_all)s
"""  # noqa: S608  our own words
# A report repeats what an earlier one said. Only "came back" may follow on "paid".
_OF_REPORTS = f"""
    WHEN l.said = %(no_word)s THEN %(no_status)s
    WHEN l.said = %(under_way)s THEN %(noted)s
    {_EARLY}
    WHEN o.state = ANY (%(leaving)s) AND l.code = '' THEN %(settle)s
    WHEN o.state = ANY (%(leaving)s) THEN %(return)s
    WHEN o.state = %(settled)s AND l.code = '' THEN %(repeated)s
    WHEN o.state = ANY (%(sent_back)s) AND l.code <> '' THEN %(repeated)s
    WHEN o.state = %(settled)s AND l.said = %(back)s THEN %(return)s
    ELSE %(contradicts)s
"""
# A statement confirms what an answer said. A second movement of one payout is a break.
_OF_STATEMENTS = f"""
    {_EARLY}
    WHEN EXISTS (SELECT FROM refunds_statementline s
            JOIN refunds_accountstatement k ON k.id = s.statement_id
            WHERE s.payout_id = o.id AND s.direction = l.said
                AND (k.before_minor IS NOT NULL) = %(proved)s
                AND NOT EXISTS (SELECT FROM refunds_voidedfile v WHERE v.file_id = k.file_id))
        OR EXISTS (SELECT FROM refunds_answerline s WHERE s.payout_id = o.id
            AND s.said = l.said AND s.verdict = '' AND s.number < l.number)
        THEN CASE l.said WHEN %(out)s THEN %(twice)s ELSE %(contradicts)s END
    WHEN l.said = %(out)s AND o.state = ANY (%(leaving)s) AND EXISTS (
        SELECT FROM refunds_answerline s
        WHERE s.payout_id = o.id AND s.said = %(in)s AND s.verdict = '') THEN %(noted)s
    WHEN l.said = %(out)s AND o.state = ANY (%(leaving)s) THEN %(settle)s
    WHEN l.said = %(out)s THEN %(repeated)s
    WHEN o.state = ANY (%(leaving)s) THEN %(return)s
    WHEN o.state = %(settled)s THEN %(return)s
    WHEN o.state = ANY (%(sent_back)s) THEN %(repeated)s
    ELSE %(contradicts)s
"""  # noqa: S608  our own words
_WORDS = {
    "in": StatementLine.Direction.IN,
    "out": StatementLine.Direction.OUT,
    "no_word": Said.UNKNOWN,
    "under_way": Said.UNDER_WAY,
    "back": Said.CAME_BACK,
    "leaving": list(Payout.LEAVING),
    "settled": Payout.State.SETTLED,
    "returned": Payout.State.RETURNED,
    "sent_back": list(Payout.SENT_BACK),
    "ended": list(Payout.ENDED),
    "dead": list(PayoutBatch.DEAD),
    "there": list(PayoutBatch.ANSWERABLE),
    "after_return": list(Entitlement.AFTER_A_RETURN),
    "remedy_asked": Remedy.State.ASKED,
    "unknown": _Kind.UNKNOWN_REFERENCE,
    "credit": _Kind.UNKNOWN_CREDIT,
    "debit": _Kind.UNKNOWN_DEBIT,
    "no_status": _Kind.UNKNOWN_STATUS,
    "is_dead": _Kind.DEAD_BATCH,
    "differs": _Kind.AMOUNT_DIFFERS,
    "account": _Kind.ACCOUNT_DIFFERS,
    "payee": _Kind.PAYEE_DIFFERS,
    "value_date": _Kind.VALUE_DATE_DIFFERS,
    "payer": _Kind.PAYER_DIFFERS,
    "contradicts": _Kind.CONTRADICTS,
    "twice": _Kind.PAID_TWICE,
    "after_all": _Kind.PAID_AFTER_ALL,
    "early": Verdict.EARLY,
    "repeated": Verdict.REPEATED,
    "noted": Verdict.NOTED,
    "settle": Verdict.SETTLE,
    "return": Verdict.RETURN,
}


def judge_results(payer: Remitter, *, answered_on: dt.date) -> None:
    """Every line of results of transfers has its verdict. `again` marks a line that replaces an
    earlier result. The line of the same day with the same word is known.
    """
    _judge(
        _OF_RESULTS,
        bank=payer.bank_code,
        code=payer.code,
        branch=payer.branch_code,
        type=payer.account_type,
        number=payer.account_number,
        day=answered_on,
    )


def judge_report() -> None:
    """Every line of a status report has its verdict."""
    _judge(_OF_REPORTS, bank=_bank_of_references())


def judge_statement(*, proved: bool) -> None:
    """Every line of statements, or of notices that are not `proved` by balances, has its verdict if
    it is not known yet. A notice and a statement may tell of the same movement.
    """
    _judge(_OF_STATEMENTS, bank=_bank_of_references(), proved=proved)


def _bank_of_references() -> str:
    """Returns the bank whose files the references name, because banks count their files alike.
    Raises `LoadRefused` for an answer about files of two banks.
    """
    banks = fetch(
        "SELECT DISTINCT b.bank_code FROM refunds_answerline l"
        " JOIN refunds_payout o ON o.id = l.payout_id"
        " JOIN refunds_payoutbatch b ON b.id = o.batch_id AND b.sequence = l.sequence"
    )
    if len(banks) > 1:
        raise LoadRefused(file="the answer", why=says("it answers files of two banks"))
    # Where no payout is in its file any more, the newest file of this number is meant.
    banks = banks or fetch(
        "SELECT b.bank_code FROM refunds_answerline l"
        " JOIN refunds_payoutbatch b ON b.sequence = l.sequence ORDER BY b.id DESC LIMIT 1"
    )
    return str(banks[0][0]) if banks else ""


def _judge(of_kind: str, **words: object) -> None:
    execute(
        f"""
        UPDATE refunds_answerline l SET verdict = j.verdict, payout_id = j.payout_id,
            amount_minor = j.amount_minor,
            batch_id = j.batch_id, again = j.replaces AND j.verdict IN (%(settle)s, %(return)s),
            entitlement_id = j.entitlement_id, remedy_id = j.remedy_id, payee_id = j.payee_id
        FROM (
            SELECT l.number, o.id AS payout_id, b.id AS batch_id, o.entitlement_id, o.remedy_id,
                o.payee_id, o.state = ANY (%(ended)s) AS replaces,
                coalesce(nullif(l.amount_minor, 0), o.amount_minor, 0) AS amount_minor,
                CASE {_SAME} {of_kind} END AS verdict
            FROM refunds_answerline l LEFT JOIN refunds_payout o ON o.id = l.payout_id
            LEFT JOIN refunds_payoutbatch b ON b.bank_code = %(bank)s AND b.sequence = l.sequence
            LEFT JOIN refunds_refundterms t ON t.id = b.terms_id
            LEFT JOIN refunds_bankaccount a ON a.code = t.pays_from
            LEFT JOIN refunds_bankprofile m ON m.id = a.profile_id
            LEFT JOIN refunds_payee p ON p.id = o.payee_id
            LEFT JOIN refunds_entitlement e ON e.id = o.entitlement_id
            LEFT JOIN refunds_remedy y ON y.id = o.remedy_id
            LEFT JOIN refunds_bankfile f ON f.id = o.result_file_id
            WHERE l.verdict = ''
        ) j WHERE j.number = l.number
        """,  # noqa: S608  our own words
        {**_WORDS, "today": payout_batches.today(), **words},
    )
    answer_lines.analyse("verdict", "again", "batch_id", "entitlement_id", "remedy_id")
