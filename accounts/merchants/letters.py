"""The letters to merchants whom no mail reaches, as sheets to print."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.merchants import notices
from accounts.models import MerchantNotice
from winddown import locks
from winddown.actors import Actor, require
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Milestone
from winddown.programme import letter_files
from winddown.programme.evidence_files import File

_LETTERS = {"channel": MerchantNotice.Channel.LETTER}


def _open() -> QuerySet[MerchantNotice]:
    """Returns the letters to print: the newest of each merchant that has not confirmed the version in
    force.
    """
    text = notices.in_force()
    if text is None:
        return MerchantNotice.objects.none()
    of_version = notices.of_version(text).filter(**_LETTERS)
    newer = of_version.filter(merchant=OuterRef("merchant"), pk__gt=OuterRef("pk"))
    return of_version.filter(
        ~Exists(newer), letter_file=None, merchant__in=notices.without_receipt(text)
    )


def waiting() -> int:
    """Returns how many letters wait for their file."""
    return _open().count()


def any_exists() -> bool:
    """Returns whether a letter waits or is in a file."""
    return MerchantNotice.objects.filter(**_LETTERS).exists()


def export(*, actor: Actor, reason: str, number: int | None = None) -> File:
    """The next letters are in a file, which is returned: each with its slip for the receipt, and the
    poster with the text at the till. A merchant that has confirmed meanwhile gets none.

    With `number` the same letters are returned again, and nothing changes. Raises `GuardNotMet`
    when no letter waits, or the file does not exist.
    """
    require(actor, notices.PERMISSION, action="export the letters")
    with transaction.atomic():
        locks.take(Lock.MERCHANTS)
        letters = MerchantNotice.objects.filter(**_LETTERS)
        file, found = letter_files.filed(letters, waiting=_open(), number=number)
        rows = list(found.select_related("merchant", "mailing"))
        audit.append(
            "merchants.export_letters",
            f"merchant_letters:{file}",
            actor=actor,
            reason=reason,
            letters=len(rows),
            again=number is not None,
        )
    return letter_files.printable(
        f"merchant-letters-{file}.html",
        "accounts/merchant_letters.html",
        letters=rows,
        spend_ends=Milestone.objects.filter(kind=Milestone.Kind.SPEND_ENDS).first(),
    )
