"""Two people void a file of the bank: all that it changed is undone, and its rows are kept.

The newest is voided first. What people or the bank built on a file has to be undone before it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Model, Q

from refunds.models import (
    AccountStatement,
    BankFile,
    Entitlement,
    MethodTerms,
    Payee,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
    Remedy,
    ReplacedResult,
    VoidedFile,
    Voucher,
)
from refunds.payouts import wallet_ends
from refunds.payouts.answer_lines import fetch
from refunds.payouts.methods import vouchers
from refunds.remedies import slots
from wallets.models import Journal, Wallet
from wallets.movements import posting
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import named
from winddown.models import Approval

PERMISSION: Final = "refunds.reconcile"
STAGE: Final = "void_file"
VALID_FOR: Final = dt.timedelta(days=7)
_Kind = BankFile.Kind
VOIDABLE: Final = (_Kind.RESULTS, _Kind.REPORT, _Kind.STATEMENT)
# Of a payout whose present result the file told: what an earlier file had told, if any had.
_RESULTS = """
    refunds_payout o LEFT JOIN refunds_replacedresult r
        ON r.payout_id = o.id AND r.by_id = o.result_file_id AND r.file_id <> r.by_id
"""


def ask_void(file: BankFile, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree that the file is not to be believed. Until then it counts.

    Raises `NothingToDecide` for a file that is void or brings no results, and `GuardNotMet` with
    what was built on it.
    """
    require(actor, PERMISSION, action=f"void file {file.pk} of the bank")
    with transaction.atomic():
        _refuse(file)
        subject = approvals.next_subject(f"bank_file:{file.pk}:void")
        content = _content(file)
        approvals.refuse_repeated(subject, stage=STAGE, content=content, maker=actor, reason=reason)
        request = approvals.ask(
            subject,
            stage=STAGE,
            content=content,
            permission=PERMISSION,
            maker=actor,
            reason=reason,
            valid_for=VALID_FOR,
        )
        audit.append("bank_file.ask_void", f"bank_file:{file.pk}", actor=actor, reason=reason)
    return request


def _content(file: BankFile) -> dict[str, object]:
    ((results, minor),) = fetch(
        "SELECT count(*), coalesce(sum(amount_minor), 0)::bigint FROM refunds_payout"
        " WHERE result_file_id = %s",
        [file.pk],
    )
    return {
        "file": file.pk,
        "kind": file.kind,
        "sha256": file.sha256,
        "lines": file.lines,
        "results": results,
        "results_minor": minor,
    }


def _decided(said: approvals.Decided) -> object:
    """The second person agreed, and the file is void; or did not, and it counts."""
    number, _word, _round = said.key.split(":")
    subject = f"bank_file:{said.key}"
    with transaction.atomic():
        # No answer is booked meanwhile.
        locks.take(Lock.BANK_ANSWER)
        file = BankFile.objects.filter(pk=number).first()
        if file is None or approvals.standing(subject, stage=STAGE) is None:
            raise NothingToDecide(subject=subject)
        approvals.decide(
            subject,
            stage=STAGE,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        changed = _void(file, actor=said.actor, reason=said.reason) if said.approve else {}
        return audit.append(
            "bank_file.void" if said.approve else "bank_file.keep",
            f"bank_file:{file.pk}",
            actor=said.actor,
            reason=said.reason,
            sha256=file.sha256,
            rows=sum(changed.values()),
            changed=changed,
        )


approvals.DECIDERS.add("bank_file", _decided)


# --- what keeps a file ----------------------------------------------------------------------------


def _refuse(file: BankFile) -> None:
    """Nothing was built on the file. Raises `GuardNotMet` with what has to be undone first."""
    if file.kind not in VOIDABLE or VoidedFile.objects.filter(file=file).exists():
        raise NothingToDecide(subject=f"bank_file:{file.pk}")
    later = _later_file(file)
    if later is not None:
        why = says("file {later} was booked on top of it: void that one first", later=later)
    elif settled := _settled_after_all(file):
        why = says("two people settled a payout by break {number} of it", number=settled)
    elif built := _built_on_it(file):
        why = says(
            "{n} of its payouts went on since: their holders gave another account, another payout"
            " was made, or their batch is closed",
            n=built,
        )
    else:
        return
    raise GuardNotMet(action=says("void file {number} of the bank", number=file.pk), why=why)


def _settled_after_all(file: BankFile) -> int | None:
    """Returns a break by which a second payment was stopped."""
    after_all = ReconciliationBreak.objects.filter(
        file=file, kind=ReconciliationBreak.Kind.PAID_AFTER_ALL
    )
    booked = Journal.objects.filter(source="break", source_id__in=after_all.values("pk"))
    return booked.values_list("source_id", flat=True).first()


def _later_file(file: BankFile) -> int | None:
    """Returns a file that replaced results of this one, or continued its statements."""
    replaced = (
        ReplacedResult.objects.filter(file=file, by__void=None)
        .exclude(by=file)
        .values_list("by_id", flat=True)
    )
    accounts = AccountStatement.objects.filter(file=file).values("account")
    continued = AccountStatement.objects.filter(
        account__in=accounts, file_id__gt=file.pk, file__void=None
    ).values_list("file_id", flat=True)
    return max((*replaced, *continued), default=None)


def _built_on_it(file: BankFile) -> int:
    """Returns how many payouts of the file cannot simply be open again."""
    ((found,),) = fetch(
        f"""
        SELECT count(*) FROM {_RESULTS}
        LEFT JOIN refunds_entitlement e ON e.id = o.entitlement_id
        LEFT JOIN refunds_payoutbatch b ON b.id = o.batch_id
        LEFT JOIN refunds_remedy y ON y.id = o.remedy_id
        WHERE o.result_file_id = %(file)s AND (
            o.state <> ALL (%(told)s)
            OR e.state <> ALL (%(after)s)
            OR o.state = %(returned)s AND e.id IS NOT NULL AND NOT EXISTS (
                SELECT FROM refunds_refundapplication a WHERE a.entitlement_id = e.id
                    AND a.live AND a.state = %(needs_info)s AND a.asked_for = ANY (%(not_paid)s))
            OR y.state <> CASE o.state WHEN %(settled)s THEN %(remedied)s ELSE %(remedy_asked)s END
            OR o.state = %(returned)s AND EXISTS (SELECT FROM refunds_payout second
                WHERE second.remedy_id = y.id AND second.live)
            OR EXISTS (SELECT FROM refunds_chargeback k WHERE k.credited_by_id = y.id)
            OR r.id IS NULL AND b.state = %(closed)s)
        """,  # noqa: S608  our own words
        {
            "file": file.pk,
            "told": [Payout.State.SETTLED, Payout.State.RETURNED],
            "after": [Entitlement.State.PAID, Entitlement.State.RETURNED],
            "returned": Payout.State.RETURNED,
            "needs_info": RefundApplication.State.NEEDS_INFO,
            "not_paid": list(RefundApplication.NOT_PAID),
            "settled": Payout.State.SETTLED,
            "remedied": Remedy.State.REMEDIED,
            "remedy_asked": Remedy.State.ASKED,
            "closed": PayoutBatch.State.CLOSED,
        },
    )
    return int(found)


# --- undone ---------------------------------------------------------------------------------------


class _Undoing:
    """The updates that undo one file, and how many rows each kind of thing had."""

    def __init__(self, *, actor: Actor, reason: str) -> None:
        self.actor, self.reason = actor, reason
        self.rows: Counter[str] = Counter()

    def update(self, name: str, model: type[Model], clause: str, **given: Any) -> None:
        """Rows of the model move by the transition `name`."""
        table = model._meta.db_table
        with (
            named(name, actor=self.actor, reason=self.reason),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE {table} t {clause}", {**_WORDS, **given})
            self.rows[table] += cursor.rowcount


def _void(file: BankFile, *, actor: Actor, reason: str) -> dict[str, int]:
    """Everything is as it was before the file. Returns the number of rows changed by table."""
    _hold_still(file)
    _refuse(file)
    VoidedFile.objects.create(file=file, at=clock.now())
    told = fetch(
        f"SELECT o.id, o.entitlement_id, r.state FROM {_RESULTS} WHERE o.result_file_id = %s",  # noqa: S608
        [file.pk],
    )
    undoing = _Undoing(actor=actor, reason=reason)
    for earlier in (None, Payout.State.SETTLED, Payout.State.RETURNED):
        rows = [(payout, owed) for payout, owed, state in told if state == earlier]
        if rows:
            payouts, owed = map(list, zip(*rows, strict=True))
            _undo_refused_payees(undoing, payouts)
            if earlier is None:
                _undo_to_open(undoing, payouts, owed)
            elif earlier == Payout.State.SETTLED:
                _undo_to_paid(undoing, file, payouts, owed)
            else:
                _undo_to_returned(undoing, file, payouts, owed)
            undoing.rows[Voucher._meta.db_table] += vouchers.follow(
                payouts, actor=actor, reason=reason
            )
            _undo_remedies(undoing, payouts)
    undoing.update(
        "resolve",
        ReconciliationBreak,
        "SET state = %(resolved)s, resolution = %(reason)s, resolved_at = %(at)s"
        " WHERE t.file_id = %(file)s AND t.state = %(break_open)s",
        file=file.pk,
        reason=reason,
        at=clock.now(),
    )
    _reverse(file, undoing)
    return dict(undoing.rows)


def _hold_still(file: BankFile) -> None:
    """No holder and no member of staff builds on the file from here on: what they change waits. The
    applications come first, as in the verbs about them.
    """
    owed = "SELECT o.entitlement_id FROM refunds_payout o WHERE o.result_file_id = %s"
    for sql in (
        f"SELECT a.id FROM refunds_refundapplication a WHERE a.entitlement_id IN ({owed})"  # noqa: S608
        " ORDER BY a.id FOR NO KEY UPDATE",
        f"SELECT e.id FROM refunds_entitlement e WHERE e.id IN ({owed})"  # noqa: S608
        " ORDER BY e.id FOR NO KEY UPDATE",
    ):
        fetch(sql, [file.pk])


def _undo_refused_payees(undoing: _Undoing, payouts: list[int]) -> None:
    undoing.update(
        "void_result",
        Payee,
        "SET state = %(matched)s, answer = %(not_checked)s FROM refunds_payout o"
        " WHERE o.id = ANY (%(payouts)s) AND o.state = %(returned)s AND t.id = o.payee_id"
        " AND t.state = %(refused)s AND t.answered_at = o.result_at AND t.replaced_at IS NULL",
        payouts=payouts,
    )


def _undo_to_open(undoing: _Undoing, payouts: list[int], owed: list[int]) -> None:
    """Nothing is known of these payouts any more."""
    _owe_one_return_less(undoing, "void_result", Entitlement.State.PAYING, payouts, owed)
    undoing.update(
        "void_result",
        RefundApplication,
        "SET state = %(approved)s, live = true, asked_for = '' WHERE t.id IN (SELECT max(x.id)"
        " FROM refunds_refundapplication x WHERE x.entitlement_id = ANY (%(owed)s)"
        " AND x.state IN (%(app_closed)s, %(needs_info)s) GROUP BY x.entitlement_id)",
        owed=owed,
    )
    undoing.update(
        "void_result",
        Payout,
        "SET state = %(executed)s, live = true, result_file_id = NULL, result_at = NULL,"
        " return_reason = '' WHERE t.id = ANY (%(payouts)s)",
        payouts=payouts,
    )
    undoing.update(
        "void_result",
        PayoutBatch,
        "SET state = %(reconciling)s WHERE t.state = %(reconciled)s AND t.id IN"
        " (SELECT o.batch_id FROM refunds_payout o WHERE o.id = ANY (%(payouts)s))",
        payouts=payouts,
    )
    _open_wallets(undoing, owed)


def _undo_to_paid(undoing: _Undoing, file: BankFile, payouts: list[int], owed: list[int]) -> None:
    """The return is void: the money had arrived."""
    _owe_one_return_less(undoing, "settle", Entitlement.State.PAID, payouts, owed)
    undoing.update(
        "close",
        RefundApplication,
        "SET state = %(app_closed)s, live = false, asked_for = ''"
        " WHERE t.entitlement_id = ANY (%(owed)s) AND t.live AND t.state = %(needs_info)s",
        owed=owed,
    )
    _earlier_results(undoing, "settle", file, payouts)
    wallets = Entitlement.objects.filter(pk__in=owed).values_list("wallet_id", flat=True)
    wallet_ends.follow(list(wallets), actor=undoing.actor, reason=undoing.reason)


def _undo_to_returned(
    undoing: _Undoing, file: BankFile, payouts: list[int], owed: list[int]
) -> None:
    """That it was paid after all is void: it had come back."""
    undoing.update(
        "give_back",
        Entitlement,
        "SET state = %(owed_returned)s WHERE t.id = ANY (%(owed)s)",
        owed=owed,
    )
    undoing.update(
        "ask_again",
        RefundApplication,
        "SET state = %(needs_info)s, live = true,"
        " asked_for = CASE t.method WHEN %(bank)s THEN %(asked_for)s ELSE %(asked_voucher)s END"
        " WHERE t.id IN"
        " (SELECT max(x.id) FROM refunds_refundapplication x WHERE"
        " x.entitlement_id = ANY (%(owed)s) GROUP BY x.entitlement_id) AND t.state = %(app_closed)s",
        owed=owed,
    )
    _earlier_results(undoing, "give_back", file, payouts)
    _open_wallets(undoing, owed)


def _undo_remedies(undoing: _Undoing, payouts: list[int]) -> None:
    """A compensation is owed, or made good, as its payout says now."""
    paid = Payout.objects.filter(pk__in=payouts, remedy__isnull=False)
    for arrived in (False, True):
        chosen = (
            paid.filter(state=Payout.State.SETTLED)
            if arrived
            else paid.exclude(state=Payout.State.SETTLED)
        )
        ids = list(chosen.values_list("remedy_id", flat=True))
        undoing.rows[Remedy._meta.db_table] += (
            slots.finish(ids, at=clock.now(), actor=undoing.actor, reason=undoing.reason)
            if arrived
            else slots.owe_again(ids, actor=undoing.actor, reason=undoing.reason)
        )


def _owe_one_return_less(
    undoing: _Undoing, name: str, state: str, payouts: list[int], owed: list[int]
) -> None:
    """The refunds are in the state, and a transfer that had come back is not counted any more. A
    voucher that expired was never counted.
    """
    undoing.update(
        name,
        Entitlement,
        "SET state = %(state)s,"
        " returns = returns - (t.state = %(owed_returned)s AND EXISTS (SELECT FROM refunds_payout o"
        " WHERE o.id = ANY (%(payouts)s) AND o.entitlement_id = t.id"
        " AND o.method = %(bank)s))::int,"
        " postal_order_offered = postal_order_offered AND t.state <> %(owed_returned)s"
        " WHERE t.id = ANY (%(owed)s)",
        state=state,
        payouts=payouts,
        owed=owed,
    )


def _earlier_results(undoing: _Undoing, name: str, file: BankFile, payouts: list[int]) -> None:
    undoing.update(
        name,
        Payout,
        "SET state = r.state, live = r.state = %(settled)s, result_file_id = r.file_id,"
        " result_at = r.result_at, return_reason = r.return_reason FROM refunds_replacedresult r"
        " WHERE t.id = ANY (%(payouts)s) AND r.payout_id = t.id AND r.by_id = %(file)s",
        payouts=payouts,
        file=file.pk,
    )


def _open_wallets(undoing: _Undoing, owed: list[int]) -> None:
    undoing.update(
        "owe_again",
        Wallet,
        "SET state = %(entitled)s FROM refunds_entitlement e WHERE e.id = ANY (%(owed)s)"
        " AND t.id = e.wallet_id AND t.state = ANY (%(wallet_discharged)s)",
        owed=owed,
    )


def _reverse(file: BankFile, undoing: _Undoing) -> None:
    """Each journal of the file has its reverse."""
    matched = ReconciliationBreak.objects.filter(file=file).values("pk")
    journals = Journal.objects.filter(
        Q(source="bank_file", source_id=file.pk) | Q(source="break", source_id__in=matched)
    )
    for journal in journals.order_by("pk"):
        lines: posting.Lines = [
            (line.account, line.wallet_id, -line.amount_minor)
            for line in journal.postings.order_by("pk")
        ]
        posting.post(
            lines,
            source="void",
            source_id=journal.pk,
            kind=journal.kind,
            occurred_at=clock.now(),
            actor=undoing.actor,
            reverses=journal.pk,
        )
        undoing.rows[Journal._meta.db_table] += 1


_WORDS: Final[dict[str, Any]] = {
    "executed": Payout.State.EXECUTED,
    "settled": Payout.State.SETTLED,
    "returned": Payout.State.RETURNED,
    "owed_returned": Entitlement.State.RETURNED,
    "paid": Entitlement.State.PAID,
    "approved": RefundApplication.State.APPROVED,
    "app_closed": RefundApplication.State.CLOSED,
    "needs_info": RefundApplication.State.NEEDS_INFO,
    "asked_for": RefundApplication.BANK_ACCOUNT,
    "asked_voucher": RefundApplication.VOUCHER,
    "bank": MethodTerms.BANK,
    "matched": Payee.State.MATCHED,
    "refused": Payee.State.REFUSED,
    "not_checked": Payee.NOT_CHECKED,
    "reconciled": PayoutBatch.State.RECONCILED,
    "reconciling": PayoutBatch.State.RECONCILING,
    "wallet_discharged": list(Wallet.DISCHARGED),
    "entitled": Wallet.State.ENTITLED,
    "resolved": ReconciliationBreak.State.RESOLVED,
    "break_open": ReconciliationBreak.State.OPEN,
}
