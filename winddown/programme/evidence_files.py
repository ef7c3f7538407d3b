"""Files that show something: the publication of a notice, or the receipt of an authority.

They are in the database, not where a web server finds them, and a digest that the database computes
again stands beside each.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import PurePath

from django.db.models import Func, IntegerField

from winddown import card_numbers, texts
from winddown.errors import GuardNotMet, says
from winddown.models import NoticeEvidence

READ = "winddown.read_audit"


@dataclass(frozen=True, slots=True)
class File:
    """A file as somebody gave it."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of a kept file: its name, its type by the name, its bytes and its digest."""

    name: str
    media_type: str
    size: int
    sha256: str


def facts(number: int) -> Facts:
    """Returns what is said of the evidence, without its content."""
    name, sha256, size = (
        NoticeEvidence.objects.filter(pk=number)
        .values_list(
            "file_name",
            "sha256",
            Func("content", function="octet_length", output_field=IntegerField()),
        )
        .get()
    )
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Facts(name=name, media_type=guessed, size=size, sha256=sha256)


def known(file: File, *, action: str) -> NoticeEvidence | None:
    """Returns the evidence that has these bytes, or None. Raises `GuardNotMet` for an empty or too
    large file, and for one that shows a card number.
    """
    if not 0 < len(file.content) <= NoticeEvidence.BYTES_MAX:
        raise GuardNotMet(
            action=action,
            why=says("the file must have 1 to {most} bytes", most=f"{NoticeEvidence.BYTES_MAX:,}"),
        )
    if card_numbers.shown_in_file(file.name, file.content):
        raise GuardNotMet(
            action=action,
            why=says("the file shows a card number: cover it and give the file again"),
        )
    return NoticeEvidence.objects.filter(sha256=file.sha256).first()


def keep(file: File, *, action: str) -> NoticeEvidence:
    """The file is kept, once whatever it shows. Raises what `known` raises."""
    found = known(file, action=action)
    if found is not None:
        return found
    name = texts.storable(PurePath(file.name).name)
    return NoticeEvidence.objects.create(sha256=file.sha256, file_name=name, content=file.content)


def read(evidence: NoticeEvidence) -> File:
    """Returns the file as it was given. Who may read it is the caller's question."""
    return File(name=evidence.file_name, content=bytes(evidence.content))
