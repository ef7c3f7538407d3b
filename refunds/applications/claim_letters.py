"""The letters with claim numbers and their codes, as pages to print, with the paper form."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from accounts import postal_addresses
from accounts.models import User
from accounts.postal_addresses import Postal
from accounts.recovery import links
from refunds.applications import claim_numbers, reminders
from refunds.models import ClaimLetter, ClaimNumber
from refunds.payouts import refund_limits
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.programme import letter_files
from winddown.programme.evidence_files import File

PERMISSION = reminders.PERMISSION


@dataclass(frozen=True, slots=True)
class Square:
    """A QR code as an SVG path in modules, with its quiet zone."""

    path: str
    side: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: a number with its paper form, or a code. `dead` says why it has neither: it ended
    after the file was made.
    """

    pk: int
    holder: User
    postal: Postal | None
    issued: ClaimNumber
    number: str
    code: str
    square: Square | None
    dead: bool


def square_of(reference: str) -> Square:
    """Returns the QR code of a reference. It carries the ten digits and nothing else."""
    drawn = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    drawn.add_data(reference)
    rows = drawn.get_matrix()
    dark = [
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, filled in enumerate(row) if filled
    ]
    return Square("".join(dark), len(rows))


def _open() -> QuerySet[ClaimLetter]:
    """Returns the letters to print: of living numbers, and no code that was used or has died."""
    living = ClaimNumber.objects.filter(
        pk=OuterRef("number"), ended_at=None, expires_at__gt=clock.now()
    )
    return ClaimLetter.objects.filter(Exists(living), letter_file=None, link__used_at=None)


def waiting() -> int:
    """Returns how many letters wait for their file, with those whose number is not issued yet."""
    return _open().count() + claim_numbers.without_number().count()


def any_exists() -> bool:
    """Returns whether a letter waits or is in a file."""
    return ClaimLetter.objects.exists() or claim_numbers.without_number().exists()


def export(*, actor: Actor, reason: str, number: int | None = None) -> File:
    """The next letters are in a file, which is returned. Everybody whom a letter alone reaches and
    who has no claim number gets one before. The time of a code begins now.

    With `number` the same letters are returned again, and nothing changes; what has ended since is
    left blank. Raises `GuardNotMet` when no letter waits, or the file does not exist.
    """
    require(actor, PERMISSION, action="export the letters")
    with transaction.atomic():
        locks.take(Lock.REMINDERS)
        issued = claim_numbers.issue_to_all() if number is None else 0
        file, found = letter_files.filed(ClaimLetter.objects.all(), waiting=_open(), number=number)
        rows = [
            _letter(each) for each in found.select_related("number__holder__postal_address", "link")
        ]
        audit.append(
            "claim_numbers.export_letters",
            f"letters:{file}",
            actor=actor,
            reason=reason,
            letters=len(rows),
            issued=issued,
            again=number is not None,
        )
    return letter_files.printable(
        f"claim-letters-{file}.html",
        "refunds/claim_letters.html",
        letters=rows,
        by_iban=refund_limits.asks_for_iban(),
    )


def _letter(row: ClaimLetter) -> Letter:
    link, issued = row.link, row.number
    if link is not None:
        links.hand_over(link)
        dead = not links.lives(link)
    else:
        dead = issued.ended_at is not None or issued.expires_at <= clock.now()
    return Letter(
        pk=row.pk,
        holder=issued.holder,
        postal=postal_addresses.of(issued.holder),
        issued=issued,
        number="" if dead or link is not None else claim_numbers.number_of(issued),
        code="" if dead or link is None else links.code(link),
        square=None if dead or link is not None else square_of(issued.reference),
        dead=dead,
    )


def form_for(reference: str, *, actor: Actor, reason: str) -> File:
    """Returns the paper form to print: of one claim number, or blank without a reference. It names
    nobody. Raises `GuardNotMet` for a reference that is unknown.
    """
    require(actor, claim_numbers.PERMISSION, action="print the paper form")
    issued = claim_numbers.by_reference(reference) if reference else None
    if reference and issued is None:
        raise GuardNotMet(
            action=says("print the paper form"),
            why=says("there is no claim number with this reference"),
        )
    with transaction.atomic():
        subject = "paper_form:blank" if issued is None else issued.subject
        audit.append("claim_number.print_form", subject, actor=actor, reason=reason)
    return letter_files.printable(
        "paper-form.html" if issued is None else f"paper-form-{issued.reference}.html",
        "refunds/paper_form.html",
        issued=issued,
        square=None if issued is None else square_of(issued.reference),
        by_iban=refund_limits.asks_for_iban(),
    )
