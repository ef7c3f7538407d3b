"""Closing documents are kept by one person and confirmed by a second; the duties before the end
are met by them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.db import transaction
from django.db.models import CharField, Exists, Max, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _

from refunds.models import ClosingDocument, PayoutBatch, Voucher
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval, FundingSource, Programme, Signature
from winddown.programme import evidence_files, stages
from winddown.programme.evidence_files import File
from winddown.programme.gates import GATES, Count, Gate

SUBJECT: Final = "closing_document"
STAGE: Final = "confirm_document"
PERMISSION: Final = "refunds.keep_closing_document"
CONFIRM_WITHIN: Final = dt.timedelta(days=30)
KEY_BITS_MIN: Final = 2048
_Kind = ClosingDocument.Kind


@dataclass(frozen=True, slots=True)
class Given:
    """A document as somebody gave it."""

    kind: str
    subject: str
    owner: str
    retrieval: str
    reviewed_on: dt.date
    file: File
    contact: str = ""
    until_on: dt.date | None = None
    amount_minor: int | None = None


def keep(given: Given, *, actor: Actor, reason: str) -> Approval:
    """The document and its file are stored, and a second person is asked to confirm it.

    Raises `NotPermitted`, and `GuardNotMet` for what does not belong to its kind: a day, an amount,
    a funding source that nobody declared, a certificate that cannot be used, an empty file.
    """
    require(actor, PERMISSION, action="keep a closing document")
    action = says("keep the closing document")
    _refuse(given, action)
    with transaction.atomic():
        document = ClosingDocument(
            kind=given.kind,
            subject=given.subject,
            owner=given.owner,
            contact=given.contact,
            retrieval=given.retrieval,
            reviewed_on=given.reviewed_on,
            until_on=given.until_on,
            amount_minor=given.amount_minor,
            evidence=evidence_files.keep(given.file, action=action),
            recorded_by_id=actor.pk,
        )
        waiting = ClosingDocument.objects.filter(kind=given.kind, subject=given.subject).last()
        if waiting is not None and _content(waiting) == _content(document):
            approvals.refuse_repeated(
                waiting.approval_subject,
                stage=STAGE,
                content=_content(waiting),
                maker=actor,
                reason=reason,
            )
        document.save(force_insert=True)
        asked = approvals.ask(
            document.approval_subject,
            stage=STAGE,
            content=_content(document),
            permission=PERMISSION,
            maker=actor,
            reason=reason,
            valid_for=CONFIRM_WITHIN,
        )
        audit.append(
            "closing_document.keep",
            document.approval_subject,
            actor=actor,
            reason=reason,
            kind=document.kind,
            sha256=document.evidence.sha256,
        )
        return asked


def find(number: int) -> ClosingDocument:
    """Returns the document of the number. Raises `GuardNotMet` if there is none."""
    found = ClosingDocument.objects.select_related("evidence").filter(pk=number).first()
    if found is None:
        raise GuardNotMet(
            action=says("read the document"),
            why=says("there is no document {number}: /console/closing/ lists all", number=number),
        )
    return found


def disclose(document: ClosingDocument, *, actor: Actor, reason: str = "") -> File:
    """The audit journal says that `actor` reads the file of the document, which is returned."""
    require(actor, PERMISSION, action="read a closing document")
    with transaction.atomic():
        audit.append("closing_document.read", document.approval_subject, actor=actor, reason=reason)
    return evidence_files.read(document.evidence)


def confirmed() -> QuerySet[ClosingDocument]:
    """Returns the documents that a second person confirmed."""
    subject = Concat(Value(f"{SUBJECT}:"), Cast(OuterRef("pk"), CharField()))
    signed = Signature.objects.filter(subject=subject, part=Signature.Part.APPROVED)
    return ClosingDocument.objects.filter(Exists(signed))


def in_force(kinds: Iterable[str] = ()) -> list[ClosingDocument]:
    """Returns the newest confirmed document of each kind and subject, of these kinds or of all."""
    rows = confirmed().filter(kind__in=list(kinds) or _Kind.values)
    newest = rows.order_by("kind", "subject", "-pk").distinct("kind", "subject")
    return list(newest.select_related("evidence"))


def state_of(document: ClosingDocument) -> str:
    """Returns how the document stands: waiting, confirmed or rejected."""
    if approvals.standing(document.approval_subject, stage=STAGE) is not None:
        return "waiting"
    return "confirmed" if confirmed().filter(pk=document.pk).exists() else "rejected"


def certificate_of(content: bytes) -> x509.Certificate:
    """Returns the X.509 certificate in PEM. Raises `ValueError` for anything else, and for a key by
    which nothing can be sealed.
    """
    found = x509.load_pem_x509_certificate(content)
    key = found.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise ValueError("the key is not RSA of enough bits")
    return found


def _refuse(given: Given, action: str) -> None:
    """The document is what its kind needs. Raises `GuardNotMet`."""
    why: str = ""
    if (given.until_on is None) == (given.kind in ClosingDocument.UNTIL):
        why = says("a last day belongs to the hosting and to the portal, and only to them")
    elif (given.amount_minor is None) == (given.kind == _Kind.RESIDUAL):
        why = says("an amount belongs to a residual, and only to it")
    elif given.amount_minor is not None and given.amount_minor < 0:
        why = says("the amount is negative")
    elif given.kind in (_Kind.SUCCESSOR, _Kind.RECIPIENT) and not given.contact:
        why = says("say how to reach them")
    elif given.reviewed_on > clock.now().astimezone(Programme.current().zone).date():
        why = says("the day lies in the future")
    elif given.kind == _Kind.RESIDUAL and given.subject not in _sources():
        why = says("name a funding source: {names}", names=", ".join(_sources()))
    elif given.kind == _Kind.RECIPIENT:
        try:
            certificate_of(given.file.content)
        except ValueError:
            why = says(
                "the file is no X.509 certificate in PEM with an RSA key of {bits} bits or more",
                bits=KEY_BITS_MIN,
            )
    if why:
        raise GuardNotMet(action=action, why=why)


def _sources() -> list[str]:
    """Returns the funding sources whose providers may still hold money."""
    held = FundingSource.objects.exclude(kind=FundingSource.Kind.BONUS)
    return list(held.order_by("code").values_list("code", flat=True))


def _content(document: ClosingDocument) -> dict[str, Any]:
    """Returns what is signed of the document."""
    return {
        "kind": document.kind,
        "subject": document.subject,
        "owner": document.owner,
        "contact": document.contact,
        "retrieval": document.retrieval,
        "reviewed_on": document.reviewed_on,
        "until_on": document.until_on,
        "amount_minor": document.amount_minor,
        "sha256": document.evidence.sha256,
    }


def _decided(said: approvals.Decided) -> object:
    """A confirmed document counts, and a rejected one never does."""
    with transaction.atomic():
        document = ClosingDocument.objects.filter(pk=said.key).first()
        if document is None:
            raise NothingToDecide(subject=f"{SUBJECT}:{said.key}")
        approvals.decide(
            document.approval_subject,
            stage=STAGE,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        return audit.append(
            f"closing_document.{'confirm' if said.approve else 'reject'}",
            document.approval_subject,
            actor=said.actor,
            reason=said.reason,
        )


approvals.DECIDERS.add(SUBJECT, _decided)


# --- the duties before the end --------------------------------------------------------------------


def _duties() -> list[Count]:
    """Returns what is shown of the duties: residuals withdrawn, hosting paid until the portal ends,
    the portal open today and beyond the last payment, and a successor named.
    """
    held = in_force(ClosingDocument.DUTIES)
    shown = {each.subject for each in held if each.kind == _Kind.RESIDUAL}
    sources = _sources()
    portal = _until(held, _Kind.PORTAL)
    hosting = _until(held, _Kind.HOSTING)
    last = _last_payment()
    found = len(shown.intersection(sources))
    return [
        Count(
            _("Providers whose residual is withdrawn"),
            found=found,
            missing=len(sources) - found,
            of=len(sources),
        ),
        _yes(_("Portal open beyond the last payment"), portal and portal > last),
        _yes(_("Hosting paid until the portal ends"), portal and hosting and hosting >= portal),
        _yes(
            _("Successor who can serve late claims"),
            any(each.kind == _Kind.SUCCESSOR for each in held),
        ),
    ]


def _last_payment() -> dt.date:
    """Returns the last day on which somebody may be paid by what was sent: the value date of a file,
    and the day on which a postal order or a code expires. It is today at the earliest, because a
    late claim can come on any day.
    """
    paid = PayoutBatch.objects.exclude(state__in=PayoutBatch.DEAD)
    cashed = Voucher.objects.exclude(state=Voucher.State.VOIDED)
    days = (
        clock.now().astimezone(Programme.current().zone).date(),
        paid.aggregate(last=Max("value_date"))["last"],
        cashed.aggregate(last=Max("expires_on"))["last"],
    )
    return max(day for day in days if day is not None)


def _until(held: list[ClosingDocument], kind: str) -> dt.date | None:
    """Returns the last day of what was confirmed last, None if nothing was."""
    found = [each for each in held if each.kind == kind]
    return max(found, key=lambda each: each.pk).until_on if found else None


def _yes(title: Any, holds: object) -> Count:
    return Count(title, found=int(bool(holds)), missing=int(not holds), of=1)


GATES.add("duties", Gate(_("The duties after the end are provided for"), _duties))
stages.CLOSING_PROOFS.add("duties", stages.gate_holds("duties"))
