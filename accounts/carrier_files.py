"""Files with codes for the carriers of messages: stored sealed, and taken once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import transaction

from accounts import person_keys
from accounts.models import CarrierFile
from accounts.models.carrier_file import CarrierFilePart, part_place
from winddown import clock, files
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import Approval
from winddown.personal_data import HOUSE, DataClass

PERMISSION = "accounts.send_reset_notice"
AGAIN = "take_again"


def keep(name: str, lines: Iterable[bytes], *, rows: int) -> CarrierFile:
    """The file is stored, encrypted, and waits for whoever takes it. `lines` are its pieces."""
    file = CarrierFile.objects.create(name=name, made_at=clock.now())
    digest = hashlib.sha256()
    for number, piece in enumerate(lines):
        digest.update(piece)
        CarrierFilePart.objects.create(
            file=file,
            number=number,
            content_sealed=person_keys.seal(
                piece,
                place=part_place(file.pk, number),
                person_id=HOUSE,
                data_class=DataClass.CORRESPONDENCE,
            ),
        )
    file.sha256, file.rows = digest.hexdigest(), rows
    file.save(update_fields=["sha256", "rows"])
    return file


def waiting(stem: str) -> list[CarrierFile]:
    """Returns the files that nobody has taken whose names begin with `stem`, the oldest first."""
    return list(CarrierFile.objects.filter(name__startswith=stem, taken_at=None).order_by("pk"))


def take(file: CarrierFile, *, actor: Actor, reason: str) -> CarrierFile:
    """`actor` has the file, and nobody gets it a second time. Its bytes are those of `content`.

    Raises `NotPermitted`, and `GuardNotMet` if somebody took it.
    """
    require(actor, PERMISSION, action=f"take {file.subject}")
    with transaction.atomic():
        locked = CarrierFile.objects.select_for_update(no_key=True).get(pk=file.pk)
        if locked.taken_at is not None:
            raise GuardNotMet(
                action=says("take the file"),
                why=says(
                    "it was taken at {at}; ask to take it again if it was lost", at=locked.taken_at
                ),
            )
        locked.taken_at, locked.taken_by_id = clock.now(), actor.pk
        locked.save(update_fields=["taken_at", "taken_by"])
        audit.append(
            "carrier_file.take",
            locked.subject,
            actor=actor,
            reason=reason,
            file=locked.name,
            sha256=locked.sha256,
        )
    return locked


def write(file: CarrierFile, directory: Path, *, actor: Actor, reason: str, name: str = "") -> Path:
    """`actor` has taken the file, and it is in `directory`, by its own name or `name`.

    The bytes are on disk before the commit. After a crash between them a second call writes the
    same bytes. Raises what `take` and `write_once` raise.
    """
    with transaction.atomic():
        taken = take(file, actor=actor, reason=reason)
        return files.write_once(directory, name or taken.name, content(taken))


def content(file: CarrierFile) -> Iterator[bytes]:
    """Yields the file's bytes in pieces. Raises `GuardNotMet` if they changed."""
    digest = hashlib.sha256()
    for part in file.parts.order_by("number").iterator(chunk_size=8):
        piece = person_keys.unseal(
            part.content_sealed,
            place=part_place(file.pk, part.number),
            person_id=HOUSE,
            data_class=DataClass.CORRESPONDENCE,
        )
        digest.update(piece)
        yield piece
    if digest.hexdigest() != file.sha256:
        raise GuardNotMet(action=says("read the file"), why=says("its content was changed"))


# --- again --------------------------------------------------------------------------------------


def ask_again(file: CarrierFile, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to let the file be taken once more, because it was lost on its way.

    Raises `NotPermitted`, `AskedAlready`, and `GuardNotMet` if nobody took it.
    """
    require(actor, PERMISSION, action=f"take {file.subject} again")
    with transaction.atomic():
        locked = CarrierFile.objects.select_for_update(no_key=True).get(pk=file.pk)
        asked = _again(locked)
        approvals.refuse_repeated(
            asked.subject, stage=AGAIN, content=asked.content(), maker=actor, reason=reason
        )
        request = asked.ask(maker=actor, reason=reason)
        audit.append("carrier_file.ask_again", locked.subject, actor=actor, reason=reason)
    return request


def _again(file: CarrierFile) -> approvals.SignedList:
    if file.taken_at is None:
        raise GuardNotMet(action=says("take the file again"), why=says("nobody has taken it"))
    return approvals.SignedList(
        subject=approvals.next_subject(file.subject),
        stage=AGAIN,
        permission=PERMISSION,
        content=lambda: {
            "file": file.name,
            "rows": file.rows,
            "sha256": file.sha256,
            "taken_at": file.taken_at,
        },
    )


def _decided(said: approvals.Decided) -> object:
    """If the second person agrees, the file waits again. Both verdicts are in the journal."""
    number = said.key.partition(":")[0]
    with transaction.atomic():
        file = CarrierFile.objects.select_for_update(no_key=True).get(pk=number)
        _again(file).decide(
            actor=said.actor, digest=said.digest, reason=said.reason, approve=said.approve
        )
        if said.approve:
            file.taken_at = file.taken_by = None
            file.save(update_fields=["taken_at", "taken_by"])
        return audit.append(
            "carrier_file.approve_again" if said.approve else "carrier_file.reject_again",
            file.subject,
            actor=said.actor,
            reason=said.reason,
        )


approvals.DECIDERS.add("carrier_file", _decided)
