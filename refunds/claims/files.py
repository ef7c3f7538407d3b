"""Files of evidence: kept sealed with a claim, and read by staff with a reason."""

from __future__ import annotations

import uuid
from typing import Final

from django.db import transaction

from accounts import person_keys
from refunds.claims import reports
from refunds.models import ClaimFile, FraudClaim
from refunds.models.claim_file import file_place
from winddown import card_numbers, clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, WinddownError, says
from winddown.evidence import audit
from winddown.programme.evidence_files import File

Type = ClaimFile.Type
_BEGINS: Final = {
    Type.PDF: b"%PDF-",
    Type.PNG: b"\x89PNG\r\n\x1a\n",
    Type.JPEG: b"\xff\xd8\xff",
}
WORK: Final = "refunds.work_claim"
_TEXT_NAMES: Final = {".csv": Type.CSV, ".txt": Type.TEXT}


class ClaimFileRefused(WinddownError):
    """The file cannot be taken: {why}."""


def keep(claim: FraudClaim, file: File, *, actor: Actor, reason: str = "") -> ClaimFile:
    """The claim keeps the file, sealed, with its type by content, its size and its SHA-256.

    Anybody but the holder needs `refunds.report_claim`. The same file of a
    claim is kept once. Raises `ClaimFileRefused` for one that is no PDF, PNG, JPEG, CSV or text, is
    too large, is one too many, or shows a card number in its text or its name.
    """
    if actor.pk != claim.wallet.account_id:
        require(actor, "refunds.report_claim", action=f"keep a file of {claim}")
    media_type = _type_of(file)
    with transaction.atomic():
        FraudClaim.objects.select_for_update(no_key=True).get(pk=claim.pk)
        same = ClaimFile.objects.filter(claim=claim, sha256=file.sha256).first()
        if same is not None:
            return same
        if claim.files.count() >= ClaimFile.FILES_MAX:
            raise ClaimFileRefused(
                why=says("a claim keeps at most {most} files", most=ClaimFile.FILES_MAX)
            )
        key = uuid.uuid4()
        kept = ClaimFile.objects.create(
            key=key,
            claim=claim,
            media_type=media_type,
            size=len(file.content),
            sha256=file.sha256,
            content_sealed=person_keys.seal(
                file.content,
                place=file_place(key),
                person_id=claim.wallet.account_id,
                data_class=reports.CLASS,
            ),
            given_at=clock.now(),
            given_by_id=actor.pk,
        )
        audit.append(
            "claim_file.keep", claim.subject, actor=actor, reason=reason, sha256=file.sha256
        )
        return kept


def disclose(kept: ClaimFile, *, actor: Actor, reason: str) -> File:
    """Returns the file. The audit journal says who read it, and why."""
    require(actor, WORK, action=f"read {kept}")
    with transaction.atomic():
        audit.append(
            "claim_file.read", kept.claim.subject, actor=actor, reason=reason, file=kept.pk
        )
    content = person_keys.unseal(
        kept.content_sealed,
        place=file_place(kept.key),
        person_id=kept.claim.wallet.account_id,
        data_class=reports.CLASS,
    )
    return File(name=kept.name, content=content)


def find(number: int) -> ClaimFile:
    """Returns the file. Raises `GuardNotMet` if there is none of this number."""
    found = ClaimFile.objects.filter(pk=number).select_related("claim__wallet").first()
    if found is None:
        raise GuardNotMet(
            action=says("find the file"), why=says("there is no file {number}", number=number)
        )
    return found


def _type_of(file: File) -> str:
    most = ClaimFile.BYTES_MAX
    if not 0 < len(file.content) <= most:
        raise ClaimFileRefused(why=says("it must have 1 to {most} bytes", most=f"{most:,}"))
    shown = says("it shows a card number: cover it and send it again")
    if card_numbers.shown_in_file(file.name, file.content):
        raise ClaimFileRefused(why=shown)
    found = next((kind for kind, head in _BEGINS.items() if file.content.startswith(head)), None)
    if found is not None:
        # What is packed inside a picture cannot be read here: who works on the claim looks.
        return str(found)
    ending = file.name[-4:].lower()
    text = _text_in(file.content) if ending in _TEXT_NAMES else None
    if text is None:
        raise ClaimFileRefused(why=says("only PDF, PNG, JPEG, CSV and text are taken"))
    if card_numbers.told_in(text):
        raise ClaimFileRefused(why=shown)
    return str(_TEXT_NAMES[ending])


def _text_in(content: bytes) -> str | None:
    """Returns the text in one of the encodings that people's computers write; None for no text."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\x00" in text else text
    return None
