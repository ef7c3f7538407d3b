"""Documents of applicants who are not the holder alone: asked for, taken in, and checked."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from accounts import addresses, outbox, person_keys
from accounts.models import Message
from refunds.applications import payees
from refunds.models import ApplicationDocument, RefundApplication
from refunds.models.document import document_place
from winddown import card_numbers, clock
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, WinddownError, says
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.personal_data import DataClass
from winddown.programme import jurisdictions
from winddown.programme.evidence_files import File

WORK: Final = "refunds.work_application"
ASKED_FOR: Final = "documents"
LANGUAGE: Final = "ja"
State = RefundApplication.State
Type = ApplicationDocument.Type
_BEGINS: Final = {
    Type.PDF: b"%PDF-",
    Type.PNG: b"\x89PNG\r\n\x1a\n",
    Type.JPEG: b"\xff\xd8\xff",
}
_OPEN: Final = (State.IDENTITY_CHECK, State.NEEDS_INFO, State.VERIFIED, State.AMOUNT_CONFIRMED)


class DocumentRefused(WinddownError):
    """The file cannot be taken: {why}."""


def demand(
    application: RefundApplication, *, applicant: str, actor: Actor, reason: str
) -> list[ApplicationDocument]:
    """The applicant must show the documents of this kind of applicant, and is told at the verified
    address that the account has. Nobody approves the application before all are accepted.

    Returns what was asked for. A second call asks for nothing twice, and for another kind it adds
    what is missing. Raises `GuardNotMet` for a kind without a list, and for an application that is
    decided.
    """
    require(actor, WORK, action=f"ask for documents of application {application.pk}")
    action = says("ask for documents")
    duties = [each for each in jurisdictions.current().documents if each.applicant == applicant]
    if not duties:
        raise GuardNotMet(action=action, why=says("the law of the programme has no list for it"))
    with transaction.atomic():
        locked = _locked(application)
        if locked.decided_at is not None:
            raise GuardNotMet(action=action, why=says("it is decided: hold the refund instead"))
        if locked.state not in _OPEN:
            raise GuardNotMet(action=action, why=says("it is {state}", state=locked.state))
        there = set(_standing(locked).values_list("code", flat=True))
        made = [
            _ask(locked, applicant=applicant, code=code, source=duty.source, actor=actor)
            for duty in duties
            for code in duty.codes
            if code not in there
        ]
        if made:
            _wait(locked, actor=actor, reason=reason)
            _tell(locked)
            audit.append(
                "document.demand",
                locked.subject,
                actor=actor,
                reason=reason,
                applicant=applicant,
                documents=len(made),
            )
        return made


def receive(
    document: ApplicationDocument, file: File, *, actor: Actor, reason: str = ""
) -> ApplicationDocument:
    """The file is the document, sealed, until somebody else checks it. When none is missing any more,
    the identity is checked again.

    Anybody but the applicant needs `refunds.work_application`. Raises `DocumentRefused` for a file
    that is no PDF, PNG or JPEG by its content, is too large, or shows a card number, and
    `GuardNotMet` for a document that is there.
    """
    holder = document.application.applicant_id
    if actor is SYSTEM or payees.is_another(holder, actor):
        require(actor, WORK, action=f"take in document {document.pk}")
    media_type = _type_of(file)
    with transaction.atomic():
        application = _locked(document.application)
        locked = ApplicationDocument.objects.select_for_update(no_key=True).get(pk=document.pk)
        if locked.received_at is not None:
            raise GuardNotMet(action=says("take in the document"), why=says("it is there already"))
        if not application.live:
            raise GuardNotMet(
                action=says("take in the document"), why=says("the application ended")
            )
        ApplicationDocument.objects.filter(pk=locked.pk).update(
            content_sealed=person_keys.seal(
                file.content,
                place=document_place(locked.pk),
                person_id=application.applicant_id,
                data_class=DataClass.IDENTITY,
            ),
            sha256=file.sha256,
            media_type=media_type,
            received_at=clock.now(),
            received_by_id=actor.pk,
        )
        audit.append(
            "document.receive", locked.subject, actor=actor, reason=reason, sha256=file.sha256
        )
        if application.asked_for == ASKED_FOR and not missing(application):
            transition_one(application, "answer", actor=actor, reason=reason, asked_for="")
        return ApplicationDocument.objects.get(pk=locked.pk)


def check(
    document: ApplicationDocument, *, accept: bool, actor: Actor, reason: str
) -> ApplicationDocument:
    """Somebody else than who took it in found the document right, or not: then it is asked for again.

    Raises `GuardNotMet` for one that is not there, that is checked, or that the person took in.
    """
    require(actor, WORK, action=f"check document {document.pk}")
    action = says("check the document")
    with transaction.atomic():
        application = _locked(document.application)
        locked = ApplicationDocument.objects.select_for_update(no_key=True).get(pk=document.pk)
        if locked.received_at is None:
            raise GuardNotMet(action=action, why=says("it is not there yet"))
        if locked.checked_at is not None:
            raise GuardNotMet(action=action, why=says("it is checked"))
        if locked.received_by_id == actor.pk:
            raise GuardNotMet(action=action, why=says("you took it in: another person checks it"))
        ApplicationDocument.objects.filter(pk=locked.pk).update(
            checked_at=clock.now(), checked_by_id=actor.pk, accepted=accept
        )
        audit.append(
            "document.accept" if accept else "document.refuse",
            locked.subject,
            actor=actor,
            reason=reason,
        )
        if not accept and application.state in _OPEN:
            _ask(
                application,
                applicant=locked.applicant,
                code=locked.code,
                source=locked.source,
                actor=actor,
            )
            _wait(application, actor=actor, reason=reason)
            _tell(application)
        return ApplicationDocument.objects.get(pk=locked.pk)


def disclose(document: ApplicationDocument, *, actor: Actor, reason: str) -> File:
    """Returns the file. The audit journal says who read it, and why."""
    require(actor, WORK, action=f"read document {document.pk}")
    if document.content_sealed is None:
        raise GuardNotMet(action=says("read the document"), why=says("it is not there yet"))
    with transaction.atomic():
        audit.append("document.read", document.subject, actor=actor, reason=reason)
    content = person_keys.unseal(
        document.content_sealed,
        place=document_place(document.pk),
        person_id=document.application.applicant_id,
        data_class=DataClass.IDENTITY,
    )
    suffix = document.media_type.partition("/")[2]
    return File(name=f"document-{document.pk}.{suffix}", content=content)


def find(number: int) -> ApplicationDocument:
    """Returns the document. Raises `GuardNotMet` if there is none of this number."""
    found = ApplicationDocument.objects.filter(pk=number).first()
    if found is None:
        raise GuardNotMet(
            action=says("find the document"),
            why=says("there is no document {number}", number=number),
        )
    return found


def missing(application: RefundApplication) -> list[ApplicationDocument]:
    """Returns what the applicant has still to show."""
    return list(_standing(application).filter(received_at=None).order_by("pk"))


def refuse_incomplete(application: RefundApplication) -> None:
    """Every document that was asked for is accepted. Raises `GuardNotMet` with how many are not."""
    left = _standing(application).filter(accepted=None).count()
    if left:
        raise GuardNotMet(
            action=says("approve the application"),
            why=says("{n} of its documents are missing or not checked", n=left),
        )


def _standing(application: RefundApplication) -> QuerySet[ApplicationDocument]:
    return ApplicationDocument.objects.filter(application=application).exclude(accepted=False)


def _locked(application: RefundApplication) -> RefundApplication:
    return RefundApplication.objects.select_for_update(no_key=True).get(pk=application.pk)


def _ask(
    application: RefundApplication, *, applicant: str, code: str, source: str, actor: Actor
) -> ApplicationDocument:
    return ApplicationDocument.objects.create(
        application=application,
        applicant=applicant,
        code=code,
        source=source,
        asked_at=clock.now(),
        asked_by_id=actor.pk,
    )


def _wait(application: RefundApplication, *, actor: Actor, reason: str) -> None:
    """An application whose identity is checked waits for the documents."""
    if application.state == State.IDENTITY_CHECK:
        transition_one(application, "ask", actor=actor, reason=reason, asked_for=ASKED_FOR)


def _tell(application: RefundApplication) -> None:
    """The holder hears of it at the verified address of the account, whoever applied."""
    address = addresses.channel_of(application.applicant)
    if address is not None:
        outbox.queue_many(
            Message.Kind.DOCUMENTS_ASKED,
            [outbox.Recipient(address, user=application.applicant)],
            language=LANGUAGE,
            facts={"number": application.pk},
        )


def _type_of(file: File) -> str:
    most = ApplicationDocument.BYTES_MAX
    if not 0 < len(file.content) <= most:
        raise DocumentRefused(why=says("it must have 1 to {most} bytes", most=f"{most:,}"))
    found = next((kind for kind, head in _BEGINS.items() if file.content.startswith(head)), None)
    if found is None:
        raise DocumentRefused(why=says("only PDF, PNG and JPEG are taken"))
    if card_numbers.shown_in_file(file.name, file.content):
        raise DocumentRefused(why=says("it shows a card number: cover it and send it again"))
    return str(found)
