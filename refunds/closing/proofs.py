"""The closing proof is taken by one person and confirmed by a second, and holds until something
moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from refunds.closing import buckets
from refunds.closing.buckets import Counted
from refunds.models import ClosingProof
from winddown import clock, money
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.authority.approvals import SignedList
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval, Programme, Signature
from winddown.one_instant import one_instant
from winddown.programme import stages
from winddown.words import Text

SUBJECT: Final = "closing_proof"
STAGE: Final = "confirm_proof"
PERMISSION: Final = "refunds.take_closing_proof"
STATES: Final = (Programme.State.SETTLING, *Programme.ENDED)
"""Before, the exclusion is not posted, and wallets wait for it."""

# While these are locked no money of a holder moves: each movement changes a row of one of them.
_LOCKED: Final = ("refunds_entitlement", "refunds_payout", "wallets_wallet")
# Each change of those rows leaves a row in one of these.
_MARKED: Final = (
    "refunds_entitlementtransition",
    "refunds_payouttransition",
    "wallets_holdtransition",
    "wallets_journal",
    "wallets_wallettransition",
)
_NEWEST: Final = ", ".join(
    f"(SELECT coalesce(max(id), 0) FROM {table})"  # noqa: S608  our own names
    for table in _MARKED
)


def take(*, actor: Actor, reason: str) -> Approval:
    """The proof of this instant is stored, and a second person is asked to confirm it.

    While the wallets are counted, their money does not move. Raises `NotPermitted`, and
    `GuardNotMet` before the exclusion is posted, while a wallet has not ended, and where the rows
    and the ledger differ. A second call when nothing has moved raises it too.
    """
    require(actor, PERMISSION, action="take the closing proof")
    action = says("take the closing proof")
    with transaction.atomic():
        if Programme.current().state not in STATES:
            raise GuardNotMet(action=action, why=says("the exclusion is not posted yet"))
        _lock()
        before = newest()
        if before is not None and before.marks == _marks() and state_of(before) != "rejected":
            raise GuardNotMet(
                action=action,
                why=says("nothing has moved since proof {number}: use it", number=before.pk),
            )
        found = buckets.counted()
        _refuse_open(found, action)
        proof = ClosingProof(
            as_of=clock.now(),
            rules=buckets.RULES,
            currency=Programme.current().currency,
            wallets=found.wallets,
            buckets=found.buckets,
            ledger=found.ledger,
            rows_digest=found.rows_digest,
            marks=_marks(),
            taken_by_id=actor.pk,
        )
        proof.digest = approvals.digest_of(_content(proof))
        proof.save(force_insert=True)
        asked = _signed(proof).ask(maker=actor, reason=reason)
        audit.append(
            "closing_proof.take", proof.subject, actor=actor, reason=reason, digest=proof.digest
        )
        return asked


def newest() -> ClosingProof | None:
    return ClosingProof.objects.order_by("-pk").first()


def confirmed() -> QuerySet[ClosingProof]:
    """Returns the proofs that a second person confirmed."""
    subject = Concat(Value(f"{SUBJECT}:"), Cast(OuterRef("pk"), CharField()))
    return ClosingProof.objects.filter(
        Exists(
            Signature.objects.filter(
                subject=subject, part=Signature.Part.APPROVED, digest=OuterRef("digest")
            )
        )
    )


def current() -> ClosingProof | None:
    """Returns the newest confirmed proof, if nothing has moved since it was taken."""
    proof = confirmed().order_by("-pk").first()
    return proof if proof is not None and proof.marks == _marks() else None


def found_again(proof: ClosingProof) -> list[str]:
    """Returns a sentence for each thing that the rows and the ledger say otherwise now; none if they
    give the same digest.
    """
    with one_instant():
        found = buckets.counted()
    if approvals.digest_of(_content(proof, found)) == proof.digest:
        return []
    said = [
        f"{name}: the rows come to {now}, the proof says {then}"
        for name in buckets.SUMS
        if (now := found.total(name)) != (then := buckets.total(proof.buckets, name))
    ]
    said += [
        f"{name}: the ledger says {now}, the rows {rows}"
        for name, (rows, now) in found.differences().items()
    ]
    return said or ["the wallets are in other buckets, or the proof was changed"]


def _content(proof: ClosingProof, found: Counted | None = None) -> dict[str, Any]:
    """Returns what is signed of the proof, with what was `found` since in place of its numbers."""
    said: Any = found or proof
    return {
        "as_of": proof.as_of.isoformat(),
        "rules": proof.rules,
        "currency": proof.currency,
        "wallets": said.wallets,
        "buckets": said.buckets,
        "ledger": said.ledger,
        "rows_digest": said.rows_digest,
    }


def _signed(proof: ClosingProof) -> SignedList:
    """The wallets are counted anew for each signature."""
    return SignedList(
        subject=proof.subject,
        stage=STAGE,
        permission=PERMISSION,
        content=lambda: _content(proof, buckets.counted()),
    )


def _decided(said: approvals.Decided) -> object:
    """A confirmed proof is the proof of the end, and a rejected one stays without effect."""
    with transaction.atomic():
        proof = ClosingProof.objects.filter(pk=said.key).first()
        if proof is None:
            raise NothingToDecide(subject=f"{SUBJECT}:{said.key}")
        _lock()
        _signed(proof).decide(
            actor=said.actor, digest=said.digest, reason=said.reason, approve=said.approve
        )
        return audit.append(
            f"closing_proof.{'confirm' if said.approve else 'reject'}",
            proof.subject,
            actor=said.actor,
            reason=said.reason,
            digest=proof.digest,
        )


def state_of(proof: ClosingProof) -> str:
    """Returns how the proof stands: waiting, rejected, confirmed, or confirmed and overtaken."""
    if approvals.standing(proof.subject, stage=STAGE) is not None:
        return "waiting"
    if not confirmed().filter(pk=proof.pk).exists():
        return "rejected"
    return "confirmed" if proof.marks == _marks() else "overtaken"


def not_now() -> Text:
    """Returns why no proof can be taken now; an empty text if one can be tried."""
    if Programme.current().state not in STATES:
        return _("The exclusion is not posted yet.")
    return ""


def _refuse_open(found: Counted, action: str) -> None:
    """Every wallet has ended, and the rows and the ledger agree. Raises `GuardNotMet`."""
    if left := found.buckets.get(buckets.OPEN):
        raise GuardNotMet(
            action=action,
            why=says(
                "{n} wallets are in no terminal bucket, as wallet {first}",
                n=left["wallets"],
                first=found.open_wallets[0],
            ),
        )
    for name, (rows, ledger) in found.differences().items():
        spoken = partial(money.spoken, currency=Programme.current().currency, locale="en")
        raise GuardNotMet(
            action=action,
            why=says(
                "{name}: the rows come to {rows}, the ledger says {ledger}",
                name=name,
                rows=spoken(rows),
                ledger=spoken(ledger),
            ),
        )


def _lock() -> None:
    """Until this transaction ends, nobody moves the money of a holder."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(_LOCKED)} IN SHARE MODE")


def _marks() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_NEWEST}")
        return dict(zip(_MARKED, cursor.fetchone(), strict=True))


@stages.CLOSING_PROOFS.entry("closing_proof")
def _open() -> Sequence[object]:
    """Returns why no closing proof holds."""
    if current() is not None:
        return []
    proof = newest()
    if proof is None:
        return [_("No closing proof was taken")]
    if proof.marks != _marks():
        return [format_lazy(_("Something moved since closing proof {number}"), number=proof.pk)]
    return [format_lazy(_("Nobody confirmed closing proof {number}"), number=proof.pk)]


approvals.DECIDERS.add(SUBJECT, _decided)
