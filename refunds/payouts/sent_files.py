"""The payout files that were sent, recorded in a directory outside the database.

A database that is restored from yesterday's backup has forgotten the files of today. The directory
of the audit heads has not: payouts stay stopped until two people have confirmed what it knows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from refunds.models import PayoutBatch
from refunds.models.payout_batch import FILE_NUMBERS, RESTORE_CONFIRMED
from refunds.payouts import forgotten
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.authority.approvals import SignedList, digest_of
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit, backups, restores
from winddown.files import write_once
from winddown.models import Approval

_STAGE = "restore"
ASKS, DECIDES = "refunds.make_payout_batch", "refunds.approve_payout_batch"


def keep(batch: PayoutBatch) -> None:
    """The directory has the number and the hash of the batch's file, and a line for each payout in
    it. The lines have numbers and amounts and name no person. A rehearsal keeps nothing.
    """
    if clock.is_rehearsal():
        return
    said = {
        "bank_code": batch.bank_code,
        "sequence": batch.sequence,
        "sha256": batch.sha256,
        "payouts": forgotten.lines_of(batch),
    }
    name = _name(batch.bank_code, batch.sequence, batch.sha256)
    write_once(settings.AUDIT_HEADS_DIR, name, [(json.dumps(said) + "\n").encode()])


def _name(bank_code: str, sequence: int | None, sha256: str | None) -> str:
    return f"payout-file-{bank_code}-{sequence:06d}-{str(sha256)[:12]}.json"


def unknown() -> list[dict[str, Any]]:
    """Returns each file and each head that the directory knows and the database does not, in the
    order of their names. What was confirmed is known.

    The newest head is not enough. A restored database exports one of its own on the next day.
    """
    directory: Path = settings.AUDIT_HEADS_DIR
    if clock.is_rehearsal():
        return []
    known = _confirmed() | _exported()
    heads, files = (
        [
            {"name": path.name, **json.loads(path.read_text())}
            for path in sorted(directory.glob(f"{kind}-*.json"))
            if path.name not in known
        ]
        for kind in ("audit-head", "payout-file")
    )
    return [*audit.not_in_the_chain(heads), *files]


def _confirmed() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT file->>'name' FROM winddown_auditentry,"
            " jsonb_array_elements(facts->'files') file"
            " WHERE subject LIKE 'restore:%%' AND action = %s",
            [RESTORE_CONFIRMED],
        )
        return {name for (name,) in cursor.fetchall()}


def _exported() -> set[str]:
    sent = PayoutBatch.objects.filter(exported_at__isnull=False)
    return {_name(*batch) for batch in sent.values_list("bank_code", "sequence", "sha256")}


def notice() -> None:
    """The journal says that the database was restored while it has forgotten a file or a head."""
    if found := unknown():
        restores.notice(_key(found), names=[each["name"] for each in found])


def refuse_when_unknown(action: str) -> None:
    """The database knows all that the directory knows. Raises `GuardNotMet`, which says what to do."""
    if found := unknown():
        raise GuardNotMet(
            action=action,
            why=says(
                "{directory} has {file}, which this database does not know: it was restored from an"
                " older backup. Ask the bank which files it has, then open /console/restored/ or run"
                " manage.py confirm_restore",
                directory=settings.AUDIT_HEADS_DIR,
                file=found[-1]["name"],
            ),
        )


def _list(key: str) -> SignedList:
    return SignedList(
        subject=f"restore:{key}",
        stage=_STAGE,
        permission=DECIDES,
        content=lambda: {"files": unknown()},
    )


def ask(*, actor: Actor, reason: str) -> Approval:
    """A request to confirm what the directory knows waits for a second person.

    Raises `NothingToDecide` when the database knows all of it, and `GuardNotMet` for a file that
    does not say whom it pays.
    """
    require(actor, ASKS, action="confirm a restore")
    found = unknown()
    if not found:
        raise NothingToDecide(subject="restore")
    for each in found:
        if "bank_code" in each and "payouts" not in each:
            raise GuardNotMet(
                action=says("confirm a restore"),
                why=says("{file} does not say whom the file pays", file=each["name"]),
            )
    key = _key(found)
    with transaction.atomic():
        asked = _list(key).ask(maker=actor, reason=reason)
        audit.append("payouts.ask_restore", f"restore:{key}", actor=actor, reason=reason)
        return asked


def waiting() -> Approval | None:
    """Returns the open request about what the directory knows now and the database does not."""
    found = unknown()
    return approvals.standing(f"restore:{_key(found)}", stage=_STAGE) if found else None


def decide(*, actor: Actor, digest: str, reason: str, approve: bool) -> None:
    """The second person's verdict is in the journal. With an approval the files are known, and what
    they pay is kept from every other file.

    Raises what `approvals.decide` raises.
    """
    with transaction.atomic():
        files = unknown()
        key = _key(files)
        _list(key).decide(actor=actor, digest=digest, reason=reason, approve=approve)
        if approve:
            forgotten.skip_numbers(files)
        audit.append(
            RESTORE_CONFIRMED if approve else "payouts.reject_restore",
            f"restore:{key}",
            actor=actor,
            reason=reason,
            files=files,
        )


def _key(files: list[dict[str, Any]]) -> str:
    return digest_of(files)[:12]


def _decided(said: approvals.Decided) -> None:
    if said.key != _key(unknown()):
        raise NothingToDecide(subject=f"restore:{said.key}")
    decide(actor=said.actor, digest=said.digest, reason=said.reason, approve=said.approve)


@backups.FACTS.entry("payout_files")
def last_numbers() -> dict[str, int]:
    """Returns the last file number of each bank that pays for us."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT bank_code, max(sequence) FROM ({FILE_NUMBERS}) used GROUP BY 1 ORDER BY 1"  # noqa: S608
        )
        return dict(cursor.fetchall())


@backups.NEWER_OUTSIDE.entry("payout files and heads")
def newer_outside() -> list[str]:
    return [f"{settings.AUDIT_HEADS_DIR / each['name']}" for each in unknown()]


approvals.DECIDERS.add("restore", _decided)
