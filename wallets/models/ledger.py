"""The ledger: journals of signed postings that sum to zero, append-only, in minor units."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from winddown.evidence import audit
from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState


class LedgerAccount(models.TextChoices):
    """The chart of accounts. The first two exist once per wallet; the others are control accounts.
    Each funding source of the programme adds one more (`funding_account`).

    A positive posting credits the account (the operator owes more), a negative one debits it.
    """

    WALLET_PAID = "wallet_paid"
    WALLET_BONUS = "wallet_bonus"
    RESERVATIONS = "reservations"
    MERCHANTS = "merchants"
    FRAUD_SUSPENSE = "fraud_suspense"
    FRAUD_LOSS = "fraud_loss"
    REFUNDS_PAYABLE = "refunds_payable"
    PAYOUTS_IN_FLIGHT = "payouts_in_flight"
    BANK = "bank"
    UNCLAIMED = "unclaimed"
    BONUS_EXPIRED = "bonus_expired"
    TRANSFERRED = "transferred"
    DEPOSITED = "deposited"


FUNDING = "funding_"
"""How the account of each funding source begins."""


def funding_account(source: str) -> str:
    """Returns the control account from which top-ups of the funding source come."""
    return f"{FUNDING}{source}"


POSTING_CONTENT = "concat_ws(':', journal_id, account, wallet_id, amount_minor)"
JOURNAL_CONTENT = (
    "concat_ws(':', id, source, source_id, kind, extract(epoch FROM occurred_at), extract(epoch FROM recorded_at),"
    " coalesce(reverses_id::text, '-'), coalesce(actor_id::text, '-'), coalesce(run_id::text, '-'))"
)
# Deadlines depend on the dates of a journal, so a journal can no more be changed than its postings.
audit.SEALED_TABLES.add("wallets_posting", POSTING_CONTENT)
audit.SEALED_TABLES.add("wallets_journal", JOURNAL_CONTENT)
WALLET_ACCOUNTS = (LedgerAccount.WALLET_PAID, LedgerAccount.WALLET_BONUS)


class Journal(models.Model):
    """One movement of money, or one batch of equal ones: `(source, source_id, kind)` is its
    idempotency key.

    `occurred_at` is when it happened, `recorded_at` when it was written; `reverses` names the
    journal it undoes.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=20)
    source_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=RawSQL("winddown_now()", ()))
    reverses = models.ForeignKey("self", null=True, on_delete=models.PROTECT, db_index=False)
    actor_id = models.BigIntegerField(null=True)
    run_id = models.BigIntegerField(null=True)
    xact_id = models.BigIntegerField(db_default=RawSQL("pg_current_xact_id()::text::bigint", ()))

    class Meta:
        default_permissions = ()
        triggers = append_only()
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_id", "kind"], name="journal_idempotency"
            ),
        ]
        indexes = [
            BrinIndex(fields=["occurred_at"], name="journal_by_time", autosummarize=True),
            BrinIndex(fields=["xact_id"], name="journal_by_xact", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source} {self.source_id}"


class PostingQuerySet(models.QuerySet["Posting"]):
    """Sets of postings and what they come to."""

    def balance_minor(self, account: str) -> int:
        """Returns the balance of `account`; of all wallets together, if each wallet has one."""
        return (
            self.filter(account=account).aggregate(total=models.Sum("amount_minor"))["total"] or 0
        )


class Posting(models.Model):
    """One signed line of a journal.

    One statement inserts all postings of a journal, in the transaction that wrote the journal. The
    trigger refuses a posting that comes in any other way, and a journal that does not sum to zero.
    The trigger and an invariant check the keys to journal and wallet, in place of a foreign key per
    row.
    """

    id = models.BigAutoField(primary_key=True)
    journal = models.ForeignKey(
        Journal, on_delete=models.PROTECT, db_constraint=False, related_name="postings"
    )
    account = models.CharField(max_length=24)
    wallet = models.ForeignKey(
        "wallets.Wallet",
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="postings",
    )
    amount_minor = models.BigIntegerField()
    xact_id = models.BigIntegerField(db_default=RawSQL("pg_current_xact_id()::text::bigint", ()))

    objects = PostingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~Q(amount_minor=0), name="posting_not_zero"),
            models.CheckConstraint(
                condition=Q(account__in=LedgerAccount.values) | Q(account__startswith=FUNDING),
                name="posting_account_known",
            ),
            models.CheckConstraint(
                condition=Q(account__in=WALLET_ACCOUNTS, wallet__isnull=False)
                | (~Q(account__in=WALLET_ACCOUNTS) & Q(wallet__isnull=True)),
                name="posting_wallet_where_needed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["wallet"], condition=Q(wallet__isnull=False), name="posting_of_wallet"
            ),
            BrinIndex(fields=["xact_id"], name="posting_by_xact", autosummarize=True),
        ]
        triggers = [
            *append_only(),
            Guard(
                name="journals_balance",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="after"),
                declare=[
                    ("wrong", "bigint"),
                    ("sums", "bigint"),
                    ("known", "bigint"),
                    ("rows", "bigint"),
                    ("first_id", "bigint"),
                    ("last_id", "bigint"),
                    ("digest", "text"),
                ],
                func=f"""
                    WITH sums AS (SELECT journal_id, sum(amount_minor) AS total FROM after GROUP BY journal_id)
                    SELECT min(s.journal_id) FILTER (WHERE s.total <> 0), count(*), count(j.id)
                    INTO wrong, sums, known
                    FROM sums s LEFT JOIN wallets_journal j
                        ON j.id = s.journal_id AND j.xact_id = pg_current_xact_id()::text::bigint;
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.JOURNAL_NOT_BALANCED}',
                            MESSAGE = format('journal %s does not sum to zero', wrong);
                    END IF;
                    IF sums <> known THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.POSTING_OF_ANOTHER_TRANSACTION}',
                            MESSAGE = 'postings belong to a journal of the same transaction';
                    END IF;
                    SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(
                        {POSTING_CONTENT}, ',' ORDER BY id))
                    INTO rows, first_id, last_id, digest FROM after;
                    IF rows > 0 THEN
                        PERFORM winddown_note_rows('wallets_posting', first_id, last_id, rows, digest);
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount_minor}"
