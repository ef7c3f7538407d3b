"""The bank's answers as files that people upload: kept encrypted, looked at, and booked."""

from __future__ import annotations

from django.db import transaction

from accounts import person_keys
from refunds.bankfiles.errors import BankFileError
from refunds.models import BankFile, UploadedAnswer
from refunds.models.answer import content_place
from refunds.payouts import results
from refunds.payouts.answer_lines import Imported
from refunds.payouts.results import Preview
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import LoadRefused, NothingToDecide, says
from winddown.evidence import audit
from winddown.personal_data import HOUSE, DataClass


def upload(content: bytes, *, actor: Actor, reason: str) -> str:
    """The file waits for somebody who looks at it and books it. Returns its SHA-256.

    The same bytes again change nothing, also those that were booked already. Raises `LoadRefused`
    for a file that could not be booked now, with what to do first; it is not kept.
    """
    require(actor, results.PERMISSION, action="upload the bank's answer")
    sha256 = results.sha256_of(content)
    if len(content) > UploadedAnswer.BYTES_MAX:
        raise LoadRefused(
            file=sha256[:12],
            why=says(
                "it has more than {most} bytes: load it with manage.py import_bank_results",
                most=f"{UploadedAnswer.BYTES_MAX:,}",
            ),
        )
    with transaction.atomic():
        if _preview(content, actor=actor).would.known_before:
            return sha256
        _row, made = UploadedAnswer.objects.get_or_create(
            sha256=sha256,
            defaults={
                "content_sealed": person_keys.seal(
                    content,
                    place=content_place(sha256),
                    person_id=HOUSE,
                    data_class=DataClass.MONEY_RECORDS,
                ),
                "actor_id": actor.pk,
                "at": clock.now(),
            },
        )
        if made:
            audit.append(
                "bank_file.upload", f"bank_answer:{sha256}", actor=actor, reason=reason,
                bytes=len(content),
            )  # fmt: skip
    return sha256


def look(sha256: str, *, actor: Actor) -> Preview:
    """Returns what the file would change now, or did when it was booked. Raises `LoadRefused` for a
    file that cannot be booked now, and `NothingToDecide` for an unknown one.
    """
    if (done := results.done_before(sha256)) is not None:
        return Preview(sha256, done, sum_minor=0, batches=(), conflicts=())
    return _preview(_content(sha256), actor=actor)


def book(sha256: str, *, shown: str, actor: Actor, reason: str) -> Imported:
    """The uploaded file is booked as its preview of the digest `shown` said. Raises what
    `results.import_file` raises.
    """
    try:
        return results.import_file(_content(sha256), actor=actor, reason=reason, shown=shown)
    except BankFileError as refusal:
        raise LoadRefused(file=sha256[:12], why=str(refusal)) from refusal


def waiting() -> list[UploadedAnswer]:
    """Returns the files that nobody booked yet, the newest first."""
    booked = BankFile.objects.values("sha256")
    return list(
        UploadedAnswer.objects.exclude(sha256__in=booked)
        .defer("content_sealed")
        .select_related("actor")
        .order_by("-pk")
    )


def _preview(content: bytes, *, actor: Actor) -> Preview:
    try:
        return results.preview(content, actor=actor)
    except BankFileError as refusal:
        sha256 = results.sha256_of(content)
        raise LoadRefused(file=sha256[:12], why=str(refusal)) from refusal


def _content(sha256: str) -> bytes:
    kept = UploadedAnswer.objects.filter(sha256=sha256).first()
    if kept is None:
        raise NothingToDecide(subject=f"bank_answer:{sha256[:12]}")
    return person_keys.unseal(
        kept.content_sealed,
        place=content_place(sha256),
        person_id=HOUSE,
        data_class=DataClass.MONEY_RECORDS,
    )
