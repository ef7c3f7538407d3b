"""Tracing efforts: what was done to reach a holder who has not applied, and what must be done
before the amount is excluded.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from accounts.persons.counting import ACCOUNTS
from winddown.guards import append_only
from winddown.witness import witnessed


class TracingEffort(models.Model):
    """Somebody tried to reach one holder, whatever came of it. Append-only.

    A reminder that was sent counts as an effort too and has no row here.
    """

    class Kind(models.TextChoices):
        LETTER = "letter"
        EMAIL = "email"
        TELEPHONE = "telephone"
        REGISTER = "register"
        OTHER = "other"

    class Result(models.TextChoices):
        REACHED = "reached"
        NOT_REACHED = "not_reached"
        NEW_ADDRESS = "new_address"
        UNKNOWN = "unknown"

    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField(help_text="When it was made.")
    result = models.CharField(max_length=12, choices=Result.choices)
    evidence = models.CharField(
        max_length=200, help_text="Where it stands: a list, a receipt, a file number."
    )
    file_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the file that it was loaded from."
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=RawSQL("winddown_now()", ()))

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(fields=["holder", "kind", "at"], name="effort_once"),
            models.CheckConstraint(condition=~Q(evidence=""), name="effort_has_evidence"),
            models.CheckConstraint(
                condition=Q(at__lte=F("recorded_at")), name="effort_was_made_before"
            ),
        ]

    def __str__(self) -> str:
        return f"tracing effort {self.pk}"


EFFORTS_MIN: Final = "tracing_efforts_min"
LARGE_FROM: Final = "tracing_large_minor"
EFFORTS_LARGE: Final = "tracing_efforts_large"


def _law(name: str) -> str:
    """Returns SQL of a number of the law of the programme."""
    return (
        "(SELECT r.value FROM winddown_lawrule r JOIN winddown_programme p"
        f" ON p.jurisdiction = r.jurisdiction WHERE r.name = '{name}' ORDER BY r.id DESC LIMIT 1)"
    )


# {e} is the entitlement.
_HOLDER = "(SELECT w.account_id FROM wallets_wallet w WHERE w.id = {e}.wallet_id)"
# All accounts of the person: who was reached at one of them was reached.
_ACCOUNTS = ACCOUNTS.format(user=_HOLDER)
_EFFORTS = f"""
    (SELECT count(*) FROM refunds_tracingeffort t WHERE t.holder_id = ANY ({_ACCOUNTS}))
    + (SELECT count(*) FROM refunds_reminder m LEFT JOIN accounts_message s ON s.id = m.message_id
        WHERE m.holder_id = ANY ({_ACCOUNTS})
            AND (m.letter_file IS NOT NULL OR s.sent_at IS NOT NULL))
"""
# All that the person is owed or was paid.
_AMOUNT = f"""
    (SELECT sum(y.amount_minor) FROM refunds_entitlement y WHERE y.wallet_id = ANY (ARRAY(
        SELECT v.id FROM wallets_wallet v WHERE v.account_id = ANY ({_ACCOUNTS}))))
"""
KEPT: Final[dict[str, str]] = {
    "notice_undeliverable": "{e}.notice_undeliverable",
    "application_under_way": """
        EXISTS (SELECT FROM refunds_refundapplication x WHERE x.entitlement_id = {e}.id
            AND x.live AND NOT x.late AND x.submitted_at IS NOT NULL)
    """,
    "open_hold": """
        EXISTS (SELECT FROM wallets_wallet w WHERE w.id = {e}.wallet_id AND w.held_minor > 0)
    """,
    "payment_blocked": f"""
        EXISTS (SELECT FROM refunds_paymentblock k WHERE k.holder_id = ANY ({_ACCOUNTS})
            AND k.lifted_at IS NULL AND k.ends_at > winddown_now())
    """,
    "not_traced": f"""
        {_EFFORTS} < CASE WHEN {_AMOUNT} >= {_law(LARGE_FROM)}
            THEN {_law(EFFORTS_LARGE)} ELSE {_law(EFFORTS_MIN)} END
    """,
}
"""Why an amount that nobody applied for is not excluded, in the order in which a plan counts them:
SQL about the entitlement `{e}`.
"""


def kept(entitlement: str, *codes: str) -> str:
    """Returns SQL of whether one of these reasons, of all if none is named, keeps the entitlement."""
    chosen = [KEPT[code] for code in codes or KEPT]
    return "(" + " OR ".join(f"({each.format(e=entitlement)})" for each in chosen) + ")"
