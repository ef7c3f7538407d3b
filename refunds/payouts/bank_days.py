"""Each bank day is tied: what left our accounts by the ledger, by the statements, and by what
customers are shown. What differs has a name, or somebody has to look (FCA CASS 15; DOMAIN rule 60).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Sum

from refunds.models import (
    AccountStatement,
    BankDayDifference,
    BankDayTie,
    BankFile,
    Entitlement,
    MethodTerms,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    Remedy,
)
from refunds.models.bank_day import total_of
from refunds.payouts import funding, payout_batches
from refunds.payouts.answer_lines import fetch
from wallets.models import LedgerAccount, Posting
from winddown import business_days, clock
from winddown.actors import SYSTEM, Actor, require
from winddown.evidence import audit
from winddown.models import Programme
from winddown.one_instant import one_instant
from winddown.programme import jurisdictions

PERMISSION: Final = "refunds.reconcile"
_Kind = BankDayDifference.Kind
_READ: Final = (
    "bank_day",
    "ledger_minor",
    "statement_minor",
    "customers_minor",
    "named_minor",
    "stated_until",
    "owed_minor",
    "reserve_minor",
    "funds_minor",
)
# The provider of postal orders and codes takes its money in lumps, which are lines of their own.
# Notices prove no balance, and their statements follow.
_LINES = """
    booked AS (
        SELECT s.payout_id, s.batch_id, s.line, k.file_id,
            CASE s.direction WHEN 'out' THEN s.amount_minor ELSE -s.amount_minor END AS net
        FROM refunds_statementline s JOIN refunds_accountstatement k ON k.id = s.statement_id
        WHERE k.before_minor IS NOT NULL
            AND NOT EXISTS (SELECT FROM refunds_voidedfile v WHERE v.file_id = k.file_id)
    ), matched AS (
        SELECT m.payout_id, m.amount_minor * sign(b.net) AS net, k.file_id, k.line
        FROM refunds_breakmatch m JOIN refunds_reconciliationbreak k ON k.id = m.found_id
        JOIN booked b ON b.file_id = k.file_id AND b.line = k.line
    ), lines AS (
        SELECT payout_id, batch_id, line, file_id, net FROM booked b WHERE NOT EXISTS (
            SELECT FROM matched m WHERE m.file_id = b.file_id AND m.line = b.line)
        UNION ALL SELECT payout_id, NULL, line, file_id, net FROM matched
    ), whole AS (
        SELECT DISTINCT l.batch_id FROM lines l JOIN refunds_payoutbatch b ON b.id = l.batch_id
        WHERE l.payout_id IS NULL AND l.net = b.total_minor
    )
"""
_OF_PAYOUTS = f"""
    WITH {_LINES}, said AS (
        SELECT payout_id, sum(net) AS net FROM lines WHERE payout_id IS NOT NULL GROUP BY 1
    ), covered AS (
        SELECT account, max(last_on) AS until FROM refunds_accountstatement
        WHERE before_minor IS NOT NULL AND file_id NOT IN (SELECT file_id FROM refunds_voidedfile)
        GROUP BY 1
    ), held AS (
        SELECT o.batch_id, o.state, s.net IS NULL AND w.batch_id IS NULL AS unseen,
            o.method <> %(bank)s AS of_provider,
            coalesce(b.value_date <= c.until, false) AS covered,
            coalesce(s.net, 0) + CASE WHEN w.batch_id IS NULL THEN 0 ELSE o.amount_minor END
                - CASE WHEN o.state = %(settled)s THEN o.amount_minor ELSE 0 END AS net
        FROM refunds_payout o JOIN refunds_payoutbatch b ON b.id = o.batch_id
        JOIN refunds_refundterms t ON t.id = b.terms_id
        LEFT JOIN covered c ON c.account = ltrim(t.account_number, '0')
        LEFT JOIN said s ON s.payout_id = o.id
        LEFT JOIN whole w ON w.batch_id = o.batch_id
    )
    SELECT CASE
            WHEN net > 0 AND state = ANY (%(leaving)s) THEN %(not_answered)s
            WHEN net > 0 AND state = ANY (%(came_back)s) THEN %(return_under_way)s
            WHEN net < 0 AND unseen AND (of_provider OR NOT covered) THEN %(not_stated_yet)s
            WHEN net < 0 AND unseen THEN %(not_stated)s
            ELSE %(contradicts)s END, batch_id, count(*), sum(net)
    FROM held WHERE net <> 0 GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608  our own words
_OF_LINES = f"""
    WITH {_LINES}
    SELECT CASE k.state WHEN %(resolved)s THEN %(explained)s ELSE %(line_open)s END AS kind,
        CASE k.state WHEN %(resolved)s THEN NULL ELSE k.id END, count(*), sum(l.net)
    FROM lines l LEFT JOIN refunds_reconciliationbreak k
        ON k.file_id = l.file_id AND k.line = l.line
    WHERE l.payout_id IS NULL AND NOT EXISTS (
        SELECT FROM whole w JOIN refunds_payoutbatch b ON b.id = w.batch_id
        WHERE w.batch_id = l.batch_id AND l.net = b.total_minor)
    GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608  our own words


def ended() -> dt.date:
    """Returns the last bank day that is over."""
    programme = Programme.current()
    calendar = jurisdictions.pack(programme.jurisdiction).calendar
    return business_days.last_before(payout_batches.today(), calendar=calendar)


def tie(*, actor: Actor, reason: str) -> BankDayTie:
    """The last bank day that is over is tied as the books stand now, with each difference by its
    name. A later call ties it again, and the newest counts; while nothing has changed it returns
    the newest.
    """
    require(actor, PERMISSION, by_system=True, action="tie the bank day")
    with one_instant():
        read, differences = _read()
    before = newest()
    if before is not None and _says_the_same(before, read, differences):
        return before
    read.taken_by_id = actor.pk
    with transaction.atomic():
        read.save(force_insert=True)
        for each in differences:
            each.tie = read
        BankDayDifference.objects.bulk_create(differences)
        audit.append(
            "bank_day.tie",
            read.subject,
            actor=actor,
            reason=reason,
            ledger_minor=read.ledger_minor,
            statement_minor=read.statement_minor,
            customers_minor=read.customers_minor,
            unexplained_minor=read.unexplained_minor,
            differences=len(differences),
        )
    return read


def _says_the_same(
    before: BankDayTie, read: BankDayTie, differences: Sequence[BankDayDifference]
) -> bool:
    def row(each: BankDayDifference) -> tuple[Any, ...]:
        return each.kind, each.batch_id, each.found_id, each.rows, each.amount_minor

    return all(getattr(before, name) == getattr(read, name) for name in _READ) and {
        row(each) for each in before.differences.all()
    } == {row(each) for each in differences}


def follow_up() -> int:
    """Each bank day is tied once it is over, and again after an answer of the bank was booked. Returns
    how many ties were taken. Before the first file went to the bank there is nothing to tie.
    """
    if not is_due():
        return 0
    tie(actor=SYSTEM, reason="the bank day is over")
    return 1


def is_due() -> bool:
    """Returns whether the last bank day is not tied, or an answer of the bank was booked since."""
    if not PayoutBatch.objects.filter(state__in=PayoutBatch.ANSWERABLE).exists():
        return False
    before = newest()
    if before is None or before.bank_day < ended():
        return True
    return BankFile.objects.filter(at__gt=before.as_of).exists()


def newest() -> BankDayTie | None:
    return BankDayTie.objects.order_by("-pk").first()


def days_without_statement() -> int:
    """Returns how many bank days since the first value date no statement covers yet."""
    first = (
        PayoutBatch.objects.filter(state__in=PayoutBatch.ANSWERABLE)
        .order_by("value_date")
        .values_list("value_date", flat=True)
        .first()
    )
    if first is None:
        return 0
    programme, until, days = Programme.current(), _stated_until(), 0
    calendar, day = jurisdictions.pack(programme.jurisdiction).calendar, ended()
    while day >= first and (until is None or day > until):
        days += 1
        day = business_days.last_before(day, calendar=calendar)
    return days


def _read() -> tuple[BankDayTie, list[BankDayDifference]]:
    differences = [
        *(
            BankDayDifference(kind=kind, batch_id=batch, rows=rows, amount_minor=int(net))
            for kind, batch, rows, net in fetch(_OF_PAYOUTS, _WORDS)
        ),
        *(
            BankDayDifference(kind=kind, found_id=found, rows=rows, amount_minor=int(net))
            for kind, found, rows, net in fetch(_OF_LINES, _WORDS)
        ),
    ]
    ((stated,),) = fetch(f"WITH {_LINES} SELECT coalesce(sum(net), 0) FROM lines")  # noqa: S608
    read = BankDayTie(
        bank_day=ended(),
        as_of=clock.now(),
        ledger_minor=Posting.objects.balance_minor(LedgerAccount.BANK),
        statement_minor=int(stated),
        customers_minor=_shown_to_customers(),
        named_minor=total_of(differences),
        stated_until=_stated_until(),
        owed_minor=funding.owed_to_holders(),
        reserve_minor=funding.reserve_minor(),
        funds_minor=Programme.current().safeguarded_minor,
    )
    return read, differences


def _shown_to_customers() -> int:
    refunded = Entitlement.objects.filter(state=Entitlement.State.PAID)
    paid = Remedy.objects.filter(state__in=Remedy.DONE, kind=Remedy.Kind.COMPENSATION_PAYOUT)
    return int(
        refunded.aggregate(total=Sum("amount_minor", default=0))["total"]
        + paid.aggregate(total=Sum(F("amount_minor") - F("netted_minor"), default=0))["total"]
    )


def _stated_until() -> dt.date | None:
    """Returns the last day that the statements of each account that paid cover."""
    paying = set(
        PayoutBatch.objects.filter(state__in=PayoutBatch.ANSWERABLE)
        .values_list("terms__account_number", flat=True)
        .distinct()
    )
    until: dict[str, dt.date] = {}
    for account, day in AccountStatement.objects.filter(
        before_minor__isnull=False, file__void=None
    ).values_list("account", "last_on"):
        if day is not None:
            until[account] = max(day, until.get(account, day))
    days = [until.get(number.lstrip("0")) for number in paying]
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None


_WORDS = {
    "bank": MethodTerms.BANK,
    "settled": Payout.State.SETTLED,
    "leaving": list(Payout.LEAVING),
    "came_back": list(Payout.CAME_BACK),
    "resolved": ReconciliationBreak.State.RESOLVED,
    **{kind.value: kind.value for kind in _Kind},
}
