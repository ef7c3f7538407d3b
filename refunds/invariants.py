"""The invariants of what is owed and paid out."""

from __future__ import annotations

import hashlib

from accounts.person_keys import DataDeleted
from refunds.models import (
    Entitlement,
    MethodTerms,
    Payout,
    PayoutBatch,
    PayoutView,
    PayoutViewPart,
    RefundApplication,
    Voucher,
)
from refunds.models.payout_batch import FILE_NUMBERS
from wallets.models import LedgerAccount, Wallet
from wallets.models.snapshot import taken_since_seal
from winddown import encryption
from winddown.evidence.invariants import SHOWN_MAX, About, invariant, rows
from winddown.models import Signature

_TAKEN = taken_since_seal("SELECT id FROM wallets_wallet")


@invariant(
    "I2",
    "No refund twice: one payout per entitlement or remedy lives or arrived",
    about=About.MONEY,
)
def refunds_twice() -> list[str]:
    found = []
    for of in ("entitlement", "remedy"):
        found += rows(
            f"SELECT {of}_id, count(*) FROM refunds_payout WHERE {of}_id IS NOT NULL"  # noqa: S608
            " AND state <> ALL (%(dead)s)"
            " GROUP BY 1 HAVING count(*) > 1",
            f"{of} {{0}} has {{1}} payouts that live or arrived",
            {"dead": list(Payout.DEAD)},
        )
    return found


@invariant(
    "I3",
    "Never more than what is owed: payouts, entitlements and snapshot agree",
    about=About.MONEY,
)
def above_entitlement() -> list[str]:
    return (
        rows(
            "SELECT o.id, o.amount_minor, e.amount_minor FROM refunds_payout o"
            " JOIN refunds_entitlement e ON e.id = o.entitlement_id"
            " WHERE o.amount_minor <> e.amount_minor",
            "payout {0} is {1}, its entitlement {2}",
        )
        + rows(
            "SELECT o.id, o.amount_minor, r.amount_minor - r.netted_minor FROM refunds_payout o"
            " JOIN refunds_remedy r ON r.id = o.remedy_id"
            " WHERE o.amount_minor <> r.amount_minor - r.netted_minor",
            "payout {0} is {1}, its remedy {2}",
        )
        + rows(
            f"""
            SELECT e.wallet_id, e.amount, w.paid_minor, coalesce(k.amount_minor, 0), l.paid_minor
            FROM (SELECT wallet_id, sum(amount_minor) AS amount FROM refunds_entitlement
                GROUP BY 1) e
            JOIN wallets_wallet w ON w.id = e.wallet_id
            LEFT JOIN wallets_snapshotline l ON l.wallet_id = e.wallet_id
            LEFT JOIN ({_TAKEN}) k ON k.wallet_id = e.wallet_id
            WHERE l.paid_minor IS DISTINCT FROM
                e.amount + w.paid_minor + coalesce(k.amount_minor, 0)
            """,  # noqa: S608  our own names
            "wallet {0} is entitled to {1}, holds {2} and lost {3} to a clawback, the sealed"
            " snapshot says {4}",
        )
        + rows(
            "SELECT wallet_id, count(*), min(part), max(part) FROM refunds_entitlement"
            " GROUP BY 1 HAVING min(part) <> 1 OR max(part) <> count(*)",
            "wallet {0} has {1} entitlements, their parts go from {2} to {3}",
        )
    )


@invariant("I3b", "No payout or entitlement dangles", about=About.MONEY)
def dangling() -> list[str]:
    return rows(
        "SELECT o.id FROM refunds_payout o LEFT JOIN refunds_entitlement e ON e.id = "
        "o.entitlement_id"
        " LEFT JOIN accounts_user u ON u.id = o.holder_id"
        " WHERE u.id IS NULL OR (o.entitlement_id IS NOT NULL AND e.id IS NULL)",
        "payout {0} dangles",
    ) + rows(
        "SELECT e.id FROM refunds_entitlement e LEFT JOIN wallets_wallet w ON w.id = e.wallet_id"
        " LEFT JOIN wallets_snapshot s ON s.id = e.snapshot_id WHERE w.id IS NULL OR s.id IS NULL",
        "entitlement {0} dangles",
    )


@invariant("I3c", "A payout went to an account of its own holder", about=About.MONEY)
def strangers_paid() -> list[str]:
    return rows(
        "SELECT o.id FROM refunds_payout o JOIN refunds_payee p ON p.id = o.payee_id"
        " WHERE p.holder_id <> o.holder_id",
        "payout {0} goes to another holder's account",
    ) + rows(
        "SELECT o.id FROM refunds_payout o JOIN refunds_entitlement e ON e.id = o.entitlement_id"
        " JOIN wallets_wallet w ON w.id = e.wallet_id WHERE w.account_id <> o.holder_id",
        "payout {0} goes to somebody else than the wallet's holder",
    )


@invariant(
    "I10g",
    "No file was released without the approvals of others than its maker",
    about=About.APPROVAL,
)
def unapproved_files() -> list[str]:
    return rows(
        """
        SELECT b.id, count(DISTINCT s.staff_number), b.approvals_needed FROM refunds_payoutbatch b
        JOIN accounts_user m ON m.id = b.maker_id
        LEFT JOIN winddown_signature s ON s.subject = 'payout_batch:' || b.id
            AND s.part = %(approved)s
            AND s.digest = b.digest AND s.staff_number <> m.staff_number
        WHERE b.state = ANY (%(signed)s)
        GROUP BY b.id HAVING count(DISTINCT s.staff_number) < b.approvals_needed
        """,
        "payout batch {0} has {1} of {2} approvals",
        {"signed": list(PayoutBatch.SIGNED), "approved": Signature.Part.APPROVED},
    ) + rows(
        """
        SELECT b.id FROM refunds_payoutbatch b JOIN accounts_user t ON t.id = b.transmitted_by_id
        JOIN winddown_signature s ON s.subject = 'payout_batch:' || b.id
            AND s.staff_number = t.staff_number
        """,
        "payout batch {0} was transmitted by somebody who made or approved it",
    )


@invariant(
    "I10h", "What people decided about an application, two of them decided", about=About.APPROVAL
)
def applications_of_one_person() -> list[str]:
    return rows(
        """
        SELECT a.id FROM refunds_refundapplication a
        WHERE a.decided_by_id IS NOT NULL AND (SELECT count(DISTINCT s.staff_number)
            FROM winddown_signature s
            WHERE s.subject = 'application:' || a.id AND s.part = ANY (%(parts)s)) < 2
        """,
        "application {0} was decided by one person",
        {"parts": [Signature.Part.MAKER, Signature.Part.APPROVED]},
    ) + rows(
        "SELECT id FROM refunds_refundapplication WHERE late AND decided_at IS NOT NULL"
        " AND decided_by_id IS NULL",
        "late claim {0} was decided by nobody",
    )


@invariant(
    "I11", "A sealed batch is its payouts: count, sum, and the file's own totals", about=About.MONEY
)
def batches_differ() -> list[str]:
    return rows(
        """
        SELECT b.id, b.items, b.total_minor, count(o.id), coalesce(sum(o.amount_minor), 0)
        FROM refunds_payoutbatch b LEFT JOIN refunds_payout o ON o.batch_id = b.id
        WHERE b.state = ANY (%(holding)s) GROUP BY b.id
        HAVING b.items <> count(o.id) OR b.total_minor <> coalesce(sum(o.amount_minor), 0)
        """,
        "payout batch {0} says {1} payouts of {2}, it holds {3} of {4}",
        {"holding": list(PayoutBatch.HOLDING)},
    )


@invariant(
    "I11b", "Files left within the caps that were in force when they left", about=About.MONEY
)
def above_the_caps() -> list[str]:
    """Of each value date, all files that left by the last one count against its caps."""
    return rows(
        """
        SELECT b.id, b.total_minor FROM refunds_payoutbatch b
        JOIN LATERAL (SELECT * FROM refunds_refundterms t WHERE t.adopted_at <= b.exported_at
            ORDER BY t.id DESC LIMIT 1) t ON true
        WHERE b.state = ANY (%(released)s) AND (b.total_minor > t.batch_max_minor
            OR EXISTS (SELECT FROM refunds_payout o WHERE o.batch_id = b.id
                AND o.amount_minor > t.line_max_minor)
            OR t.day_max_minor < (SELECT sum(d.total_minor) FROM refunds_payoutbatch d
                WHERE d.value_date = b.value_date AND d.exported_at <= b.exported_at
                AND d.state = ANY (%(released)s)))
        """,
        "payout batch {0} of {1} left above a cap",
        {"released": list(PayoutBatch.RELEASED)},
    )


@invariant("I52", "A sealed file has the bytes and the digest that were signed", about=About.MONEY)
def files_changed() -> list[str]:
    found = []
    for batch in PayoutBatch.objects.exclude(sha256=None).order_by("pk"):
        hashed = hashlib.sha256()
        try:
            for part in batch.parts.order_by("number").iterator(chunk_size=16):
                hashed.update(part.opened())
        except DataDeleted:
            # Its digest stays, and nobody reads its bytes any more.
            continue
        except encryption.SealBroken as broken:
            found.append(str(broken))
            continue
        if hashed.hexdigest() != batch.sha256:
            found.append(f"the bytes of payout batch {batch.pk} are not those of its hash")
    return found[:SHOWN_MAX] + rows(
        """
        SELECT b.id FROM refunds_payoutbatch b WHERE b.digest <> '' AND NOT EXISTS (
            SELECT FROM winddown_approval a WHERE a.subject = 'payout_batch:' || b.id
                AND a.digest = b.digest AND a.summary ->> 'sha256' = b.sha256
                AND (a.summary ->> 'total_minor')::bigint = b.total_minor
                AND (a.summary ->> 'sequence')::int = b.sequence
                AND (a.summary ->> 'value_date')::date = b.value_date
                AND a.maker_id = b.maker_id)
        """,
        "payout batch {0} is not what was asked to be signed",
    )


@invariant("I12", "File numbers of a bank are gapless", about=About.MONEY)
def file_numbers() -> list[str]:
    return rows(
        f"SELECT bank_code, count(*), max(sequence) FROM ({FILE_NUMBERS}) used"  # noqa: S608
        " GROUP BY 1 HAVING max(sequence) <> count(*)",
        "bank {0} has {1} files, the last number is {2}",
    )


@invariant(
    "I13",
    "A result comes from a bank's file, once, and matches what the ledger booked for it",
    about=About.MONEY,
)
def results_booked() -> list[str]:
    return rows(
        """
        WITH said AS (
            SELECT result_file_id AS file, entitlement_id, state, amount_minor
            FROM refunds_payout WHERE result_file_id IS NOT NULL
            UNION ALL
            SELECT r.file_id, o.entitlement_id, r.state, o.amount_minor
            FROM refunds_replacedresult r JOIN refunds_payout o ON o.id = r.payout_id
            WHERE NOT EXISTS (
                SELECT FROM refunds_voidedfile v WHERE v.file_id IN (r.file_id, r.by_id))
        ), results AS (
            SELECT file, CASE WHEN entitlement_id IS NULL THEN 'remedy_' ELSE 'refund_' END
                   || CASE state WHEN %(settled)s THEN 'settle' ELSE 'return' END AS kind,
                   sum(amount_minor) AS amount
            FROM said GROUP BY 1, 2
        ), booked AS (
            SELECT coalesce(k.file_id, t.source_id) AS file, j.kind,
                   sum(p.amount_minor) FILTER (WHERE p.account = CASE j.kind
                       WHEN 'refund_return' THEN %(payable)s
                       WHEN 'remedy_return' THEN %(suspense)s
                       ELSE %(bank)s END) AS amount
            FROM wallets_journal j JOIN wallets_posting p ON p.journal_id = j.id
            JOIN wallets_journal t
                ON t.id = CASE j.source WHEN 'void' THEN j.reverses_id ELSE j.id END
            LEFT JOIN refunds_reconciliationbreak k ON t.source = 'break' AND k.id = t.source_id
            WHERE t.source IN ('bank_file', 'break') GROUP BY 1, 2
        )
        SELECT coalesce(r.file, b.file), coalesce(r.kind, b.kind), r.amount, b.amount
        FROM results r FULL JOIN booked b USING (file, kind)
        WHERE coalesce(r.amount, 0) <> coalesce(b.amount, 0)
        """,
        "bank file {0}: {1} comes to {2}, the ledger booked {3}",
        {
            "settled": Payout.State.SETTLED,
            "bank": LedgerAccount.BANK,
            "payable": LedgerAccount.REFUNDS_PAYABLE,
            "suspense": LedgerAccount.FRAUD_SUSPENSE,
        },
    )


@invariant(
    "I17", "After the close every wallet stands where its entitlement does", about=About.MONEY
)
def wallets_in_two_buckets() -> list[str]:
    return rows(
        """
        SELECT w.id, w.state, e.states FROM wallets_wallet w
        LEFT JOIN LATERAL (
            SELECT string_agg(e.state, ', ' ORDER BY e.part) AS states,
                bool_or(e.state <> ALL (%(ended)s)) AS some_open,
                bool_and(e.state = %(held)s) AS all_held,
                bool_and(e.state = %(paid)s) AS all_paid,
                bool_or(e.state = %(transferred)s) AND bool_and(e.state = ANY (%(to_transferred)s))
                    AS transferred,
                bool_or(e.state = %(deposited)s) AND bool_and(e.state = ANY (%(discharged)s))
                    AS deposited,
                bool_and(e.state = ANY (%(discharged)s)) AS discharged,
                bool_and(e.state = ANY (%(discharged)s) OR e.state = ANY (%(behind_exclusion)s))
                    AS behind
            FROM refunds_entitlement e WHERE e.wallet_id = w.id
        ) e ON true
        WHERE w.state = ANY (%(emptied)s)
            AND NOT CASE w.state
            WHEN %(entitled)s THEN e.some_open
            WHEN %(held_entitled)s THEN e.all_held
            WHEN %(settled)s THEN coalesce(e.all_paid, true)
            WHEN %(wallet_transferred)s THEN e.transferred
            WHEN %(wallet_deposited)s THEN e.deposited
            WHEN %(excluded)s THEN e.behind AND NOT e.discharged
            END IS TRUE
        """,
        "wallet {0} is {1}, its entitlements {2}",
        {
            "emptied": list(Wallet.EMPTIED),
            "entitled": Wallet.State.ENTITLED,
            "held_entitled": Wallet.State.HELD_ENTITLED,
            "settled": Wallet.State.SETTLED,
            "wallet_transferred": Wallet.State.TRANSFERRED,
            "wallet_deposited": Wallet.State.DEPOSITED,
            "excluded": Wallet.State.EXCLUDED,
            "ended": list(Entitlement.ENDED),
            "held": Entitlement.State.HELD,
            "paid": Entitlement.State.PAID,
            "transferred": Entitlement.State.TRANSFERRED,
            "to_transferred": [Entitlement.State.PAID, Entitlement.State.TRANSFERRED],
            "deposited": Entitlement.State.DEPOSITED,
            "discharged": list(Entitlement.DISCHARGED),
            "behind_exclusion": list(Entitlement.BEHIND_EXCLUSION),
        },
    ) + rows(
        "SELECT e.id, w.state FROM refunds_entitlement e JOIN wallets_wallet w ON w.id = "
        "e.wallet_id"
        " WHERE w.state = ANY (%(not_emptied)s)",
        "entitlement {0} exists while its wallet is {1}",
        {"not_emptied": list(Wallet.NOT_EMPTIED)},
    )


# One statement reads the rows and the ledger of the same moment.
_REFUND_IDENTITY = """
    WITH e AS (
        SELECT coalesce(sum(amount_minor), 0) AS entitled,
            coalesce(sum(amount_minor) FILTER (WHERE state = ANY (%(owed)s)), 0) AS owed,
            coalesce(sum(amount_minor) FILTER (WHERE state = %(paying)s), 0) AS paying,
            coalesce(sum(amount_minor) FILTER (WHERE state = %(paid)s), 0) AS paid,
            coalesce(sum(amount_minor) FILTER (WHERE state = %(excluded)s), 0) AS excluded,
            coalesce(sum(amount_minor) FILTER (WHERE state = %(transferred)s), 0)
                AS transferred,
            coalesce(sum(amount_minor) FILTER (WHERE state = %(deposited)s), 0) AS deposited
        FROM refunds_entitlement
    ), o AS (
        SELECT coalesce(sum(amount_minor) FILTER (WHERE remedy_id IS NOT NULL
            AND state = %(settled)s), 0) AS remedied,
            coalesce(sum(amount_minor) FILTER (WHERE state = %(settled)s), 0) AS settled,
            coalesce(sum(amount_minor) FILTER (WHERE state = ANY (%(in_flight)s)), 0)
                AS in_flight,
            coalesce(sum(amount_minor) FILTER (WHERE remedy_id IS NULL
                AND state = ANY (%(in_flight)s)), 0) AS refunds_in_flight
        FROM refunds_payout
    ), p AS (
        SELECT coalesce(sum(p.amount_minor) FILTER (WHERE account = %(payable_account)s
                AND j.kind = 'entitle'), 0) AS entitled,
            coalesce(sum(p.amount_minor) FILTER (WHERE account = %(payable_account)s), 0)
                AS payable,
            coalesce(sum(p.amount_minor) FILTER (WHERE account = %(in_flight_account)s), 0)
                AS in_flight,
            coalesce(sum(p.amount_minor) FILTER (WHERE account = %(bank_account)s), 0)
                AS bank,
            coalesce(sum(p.amount_minor) FILTER (WHERE account = %(unclaimed_account)s), 0)
                AS unclaimed,
            coalesce(sum(p.amount_minor) FILTER (WHERE account = %(transferred_account)s), 0)
                AS transferred,
            coalesce(sum(p.amount_minor) FILTER (WHERE account = %(deposited_account)s), 0)
                AS deposited
        FROM wallets_posting p JOIN wallets_journal j ON j.id = p.journal_id
        WHERE p.account IN (%(payable_account)s, %(in_flight_account)s, %(bank_account)s,
            %(unclaimed_account)s, %(transferred_account)s, %(deposited_account)s)
    )
    SELECT bucket, ledger, counted FROM e, o, p, LATERAL (VALUES
        ('all that is entitled', p.entitled, e.entitled),
        ('owed', p.payable, e.owed),
        ('in flight', p.in_flight, o.in_flight),
        ('refunds in flight', o.refunds_in_flight, e.paying),
        ('at the bank', p.bank, o.settled),
        ('refunds paid', p.bank - o.remedied, e.paid),
        ('unclaimed', p.unclaimed, e.excluded),
        ('taken over', p.transferred, e.transferred),
        ('with the authority', p.deposited, e.deposited),
        ('all buckets', e.entitled,
            e.owed + e.paying + e.paid + e.excluded + e.transferred + e.deposited)
    ) AS b (bucket, ledger, counted) WHERE ledger <> counted
"""


@invariant(
    "I60",
    "Entitled = owed (held and returned too) + in flight + paid + transferred + excluded + deposited",
    about=About.MONEY,
)
def refund_identity() -> list[str]:
    """Each control account says what the rows of its bucket say (rule 60)."""
    return rows(
        _REFUND_IDENTITY,
        "{0}: the ledger says {1}, the rows {2}",
        {
            "owed": list(Entitlement.OWED),
            "paying": Entitlement.State.PAYING,
            "paid": Entitlement.State.PAID,
            "excluded": Entitlement.State.EXCLUDED,
            "transferred": Entitlement.State.TRANSFERRED,
            "deposited": Entitlement.State.DEPOSITED,
            "settled": Payout.State.SETTLED,
            "in_flight": list(Payout.IN_FLIGHT),
            "payable_account": LedgerAccount.REFUNDS_PAYABLE,
            "in_flight_account": LedgerAccount.PAYOUTS_IN_FLIGHT,
            "bank_account": LedgerAccount.BANK,
            "unclaimed_account": LedgerAccount.UNCLAIMED,
            "transferred_account": LedgerAccount.TRANSFERRED,
            "deposited_account": LedgerAccount.DEPOSITED,
        },
    )


@invariant("I61", "Every amount that is not ended is moved on by somebody", about=About.WORK)
def without_a_door() -> list[str]:
    """The rows that no verb and no run can move any more."""
    over: dict[str, str | list[str]] = {
        "draft": RefundApplication.State.DRAFT,
        "asked": [
            Entitlement.State.APPLIED,
            Entitlement.State.APPROVED,
            Entitlement.State.LATE_APPROVED,
            Entitlement.State.RETURNED,
        ],
        "paying": Entitlement.State.PAYING,
        "in_flight": list(Payout.IN_FLIGHT),
        "applicable": list(Entitlement.APPLICABLE),
        "discharged": list(Entitlement.DISCHARGED),
        "excluded": Entitlement.State.EXCLUDED,
        "closed": [Wallet.State.CLOSED, Wallet.State.HELD_CLOSED],
    }
    return (
        rows(
            "SELECT e.id, e.state FROM refunds_entitlement e WHERE e.state = ANY (%(asked)s)"
            " AND NOT EXISTS (SELECT FROM refunds_refundapplication a"
            " WHERE a.entitlement_id = e.id AND a.live AND a.state <> %(draft)s)",
            "entitlement {0} is {1}, and no application is under way",
            over,
        )
        + rows(
            "SELECT e.id FROM refunds_entitlement e WHERE e.state = %(paying)s"
            " AND NOT EXISTS (SELECT FROM refunds_payout o WHERE o.entitlement_id = e.id"
            " AND o.live AND o.state = ANY (%(in_flight)s))",
            "entitlement {0} is being paid, and no payout is under way",
            over,
        )
        + rows(
            "SELECT o.id, o.state, e.state FROM refunds_payout o JOIN refunds_entitlement e"
            " ON e.id = o.entitlement_id WHERE o.state = ANY (%(in_flight)s)"
            " AND e.state <> %(paying)s",
            "payout {0} is {1}, its entitlement {2}",
            over,
        )
        + rows(
            "SELECT a.id, a.state, e.state FROM refunds_refundapplication a"
            " JOIN refunds_entitlement e ON e.id = a.entitlement_id"
            " WHERE a.live AND a.state <> %(draft)s AND (e.state = ANY (%(discharged)s)"
            " OR NOT a.late AND (e.state = ANY (%(applicable)s) OR e.state = %(excluded)s))",
            "application {0} is {1}, its entitlement {2}",
            over,
        )
        + rows(
            "SELECT w.id FROM wallets_wallet w JOIN wallets_snapshotline l ON l.wallet_id = w.id"  # noqa: S608
            f" LEFT JOIN ({_TAKEN}) k ON k.wallet_id = w.id"
            " WHERE w.state = ANY (%(closed)s)"
            " AND (w.paid_minor + coalesce(k.amount_minor, 0), w.bonus_minor)"
            " IS DISTINCT FROM (l.paid_minor, l.bonus_minor)",
            "wallet {0} differs from the sealed snapshot and is never entitled",
            over,
        )
    )


@invariant(
    "I62",
    "A voucher says what its payout says: money is out only when it was cashed",
    about=About.MONEY,
)
def vouchers_differ() -> list[str]:
    return rows(
        """
        SELECT o.id, o.state, coalesce(v.state, 'none') FROM refunds_payout o
        LEFT JOIN refunds_voucher v ON v.payout_id = o.id AND v.batch_id = o.batch_id
        WHERE o.method <> %(bank)s AND o.batch_id IS NOT NULL
            AND NOT coalesce(CASE
                WHEN o.state = %(batched)s THEN v.state = %(made)s OR v.state IS NULL
                WHEN o.state = ANY (%(leaving)s) THEN v.state = ANY (%(out)s)
                WHEN o.state = %(settled)s THEN v.state = %(cashed)s
                ELSE v.state = ANY (%(ended)s) END, false)
        """,
        "payout {0} is {1}, its voucher {2}",
        {
            "bank": MethodTerms.BANK,
            "batched": Payout.State.BATCHED,
            "made": Voucher.State.MADE,
            "leaving": list(Payout.AT_THE_BANK),
            "out": [Voucher.State.MADE, *Voucher.OUT],
            "settled": Payout.State.SETTLED,
            "cashed": Voucher.State.CASHED,
            "ended": list(Voucher.ENDED),
        },
    )


@invariant(
    "I70", "The lists of a payout view have the bytes that were hashed", about=About.EVIDENCE
)
def view_lists_differ() -> list[str]:
    found = []
    for view in PayoutView.objects.order_by("pk"):
        for name in PayoutViewPart.List.values:
            digest = hashlib.sha256()
            for piece in view.pieces(name):
                digest.update(piece)
            if digest.hexdigest() != getattr(view, f"{name}_sha256"):
                found.append(f"{view}: the {name} list has other bytes than were hashed")
    return found


@invariant(
    "I82",
    "No application was approved before every document that was asked for was accepted",
    about=About.APPROVAL,
)
def approved_without_documents() -> list[str]:
    return rows(
        """
        SELECT a.id, d.id FROM refunds_applicationdocument d
        JOIN refunds_refundapplication a ON a.id = d.application_id
        WHERE a.decided_at IS NOT NULL AND a.state = ANY (%(decided)s)
          AND d.accepted IS DISTINCT FROM true AND NOT EXISTS (
              SELECT FROM refunds_applicationdocument n WHERE n.application_id = d.application_id
              AND n.code = d.code AND n.accepted)
        """,
        "application {0} was approved without document {1}",
        {"decided": [RefundApplication.State.APPROVED, RefundApplication.State.CLOSED]},
    )
