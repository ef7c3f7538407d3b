"""The resolution pack: an outsider with an empty machine can finish the refunds by it alone.

What it consists of is that of FCA CASS 10A (UK, 7 May 2026): an index to every document with its
retrieval class, owner and last review, and the client records. It is sealed for named recipients.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.db import transaction
from django.utils import translation

from refunds.closing import client_records, documents, sealed_parts
from refunds.closing.client_records import Owed
from refunds.closing.document_words import KINDS
from refunds.closing.sealed_parts import CannotOpen, Recipient, Sealed
from refunds.models import ClosingDocument
from refunds.models.closing_document import PACK_EXPORTED
from winddown import clock, encryption, files
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit, backups
from winddown.models import AuditEntry, Programme
from winddown.programme import evidence_files

PERMISSION: Final = "refunds.export_resolution_pack"
INDEX: Final = "index.json"
RECORDS: Final = "client-records.csv"
DATABASE: Final = "database.dump"
KEYS: Final = "keys.json"
REVIEWED_WITHIN: Final = dt.timedelta(days=365)
_SIGNED: Final = "resolution pack"


@dataclass(frozen=True, slots=True)
class Written:
    """Where the index is, what is owed by the pack, and which documents it should have."""

    index: Path
    owed: Owed
    missing: list[str]


# --- export ---------------------------------------------------------------------------------------


def export(directory: Path, *, actor: Actor, reason: str) -> Written:
    """The directory has the pack: client records and database of one instant, the keys, and every
    confirmed document, each sealed for the confirmed recipients; then the index, which alone is
    readable by everybody and has no personal data.

    Raises `NotPermitted`, and `GuardNotMet` without a recipient, with a certificate that is not
    valid today, where the records and the ledger differ, and for a directory that has a pack.
    """
    require(actor, PERMISSION, action="export the resolution pack")
    action = says("export the resolution pack")
    if directory.exists() and any(directory.iterdir()):
        raise GuardNotMet(action=action, why=says("name an empty directory"))
    named = recipients()
    _refuse_unusable(named, action)
    sealer = _Sealer(directory, [certificate for _name, certificate in named])
    owed, told = Owed(), list[Sealed]()

    def read() -> None:
        """The records are those of the snapshot that the dump has."""
        told.append(sealer.seal(RECORDS, client_records.pieces(owed)))
        _refuse_difference(owed, client_records.in_ledger(), action)

    with tempfile.TemporaryDirectory(prefix="winddown-pack-") as kept:
        dump = backups.take(Path(kept), meanwhile=read)
        told.append(sealer.seal(DATABASE, _chunks(dump)))
    told.append(sealer.seal(KEYS, [json.dumps(_keys()).encode()]))
    held = documents.in_force()
    index = _signed(
        {
            "format": 1,
            "programme": Programme.current().name,
            "currency": Programme.current().currency,
            "state": Programme.current().state,
            "as_of": clock.now().isoformat(),
            "owed": owed.as_json(),
            "recipients": [
                {"name": name, "sha256": _fingerprint(certificate)} for name, certificate in named
            ],
            "missing": missing(held),
            "files": [_of_ours(each) for each in told],
            "documents": [_of_document(sealer, each) for each in held],
        }
    )
    path = files.write_once(
        directory, INDEX, [json.dumps(index, indent=1, ensure_ascii=False).encode()]
    )
    with transaction.atomic():
        audit.append(
            PACK_EXPORTED,
            "resolution_pack",
            actor=actor,
            reason=reason,
            hmac=index["hmac"],
            recipients=[name for name, _certificate in named],
            owed=owed.as_json(),
        )
    return Written(path, owed, index["missing"])


def recipients() -> list[tuple[str, x509.Certificate]]:
    """Returns the names and certificates of those for whom a pack is sealed."""
    return [
        (each.subject, documents.certificate_of(bytes(each.evidence.content)))
        for each in documents.in_force([ClosingDocument.Kind.RECIPIENT])
    ]


def missing(held: list[ClosingDocument]) -> list[str]:
    """Returns the kinds of documents that a complete pack has and this one has not."""
    kinds = {each.kind for each in held}
    return [kind for kind in ClosingDocument.OF_THE_PACK if kind not in kinds]


def last_export() -> AuditEntry | None:
    return AuditEntry.objects.filter(action=PACK_EXPORTED).order_by("-seq").first()


@dataclass(frozen=True, slots=True)
class _Sealer:
    directory: Path
    certificates: list[x509.Certificate]

    def seal(self, name: str, pieces: Any) -> Sealed:
        return sealed_parts.seal(self.directory, name, pieces, recipients=self.certificates)


def _refuse_unusable(named: list[tuple[str, x509.Certificate]], action: str) -> None:
    if not named:
        raise GuardNotMet(
            action=action,
            why=says("no recipient is confirmed: keep_closing_document --kind recipient"),
        )
    now = clock.now()
    for name, certificate in named:
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise GuardNotMet(
                action=action,
                why=says("the certificate of {name} is not valid today", name=name),
            )


def _refuse_difference(owed: Owed, ledger: dict[str, int], action: str) -> None:
    """The records come to what the ledger owes. Raises `GuardNotMet`."""
    for name, minor in ledger.items():
        if owed.sums[name] != minor:
            raise GuardNotMet(
                action=action,
                why=says(
                    "{name}: the records come to {records}, the ledger says {ledger}",
                    name=name,
                    records=owed.sums[name],
                    ledger=minor,
                ),
            )


def _keys() -> dict[str, list[str]]:
    """Returns what the sealed columns of the database open with, the newest key first."""
    held = (settings.FIELD_KEY, *settings.FIELD_KEY_FALLBACKS)
    return {"field_keys": [base64.b64encode(each).decode() for each in held]}


def _of_ours(sealed: Sealed) -> dict[str, Any]:
    at_once = sealed.name != DATABASE
    retrieval = ClosingDocument.Retrieval
    return {
        **sealed.as_json(),
        "retrieval": retrieval.AT_ONCE if at_once else retrieval.TWO_DAYS,
    }


def _of_document(sealer: _Sealer, document: ClosingDocument) -> dict[str, Any]:
    """The document is sealed. Returns what the index says of it."""
    content = evidence_files.read(document.evidence)
    titles = {}
    for language in ("en", "ja"):
        with translation.override(language):
            titles[language] = str(KINDS[document.kind])
    sealed = sealer.seal(f"document-{document.pk}", [content.content])
    return {
        **sealed.as_json(),
        "number": document.pk,
        "kind": document.kind,
        "title": titles,
        "file_name": content.name,
        "owner": document.owner,
        "retrieval": document.retrieval,
        "reviewed_on": document.reviewed_on.isoformat(),
        "until_on": document.until_on and document.until_on.isoformat(),
    }


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(sealed_parts.PART_BYTES):
            yield piece


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(SHA256()).hex()


# --- check ----------------------------------------------------------------------------------------


def wrong_with(directory: Path) -> list[str]:
    """Returns a sentence for each thing that is wrong with the pack where it was made: the index is
    not ours, a part is absent or has other bytes, a kind of document is missing, a review is more
    than a year old, or the ledger says another sum by now.
    """
    index = _index(directory)
    if index is None:
        return [f"{directory / INDEX} cannot be read"]
    if not _is_signed(index, encryption.fingerprints(_text(index), of=_SIGNED)):
        return [f"{INDEX} was changed, or written with another field key"]
    said = [f"no document of the kind {kind} is in the pack" for kind in index["missing"]]
    today = clock.now().astimezone(Programme.current().zone).date()
    for each in (*index["files"], *index["documents"]):
        said += _damaged(directory, each)
        reviewed = each.get("reviewed_on")
        if reviewed and today - dt.date.fromisoformat(reviewed) > REVIEWED_WITHIN:
            said.append(f"document {each['number']} was reviewed on {reviewed}")
    now = client_records.in_ledger()
    said += [
        f"{name}: the ledger says {now[name]}, the pack {index['owed'][name]}"
        for name in now
        if now[name] != index["owed"][name]
    ]
    return said


def _damaged(directory: Path, each: dict[str, Any]) -> list[str]:
    said = []
    for part, sha256 in each["parts"]:
        try:
            found = hashlib.sha256((directory / Path(part).name).read_bytes()).hexdigest()
        except OSError as fault:
            said.append(f"{part} cannot be read: {fault.strerror}")
            continue
        if found != sha256:
            said.append(f"{part} has other bytes than were exported")
    return said


# --- open -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A pack that a recipient opened: its index, and the directory with its files in plain."""

    index: dict[str, Any]
    directory: Path
    field_keys: list[bytes]

    @property
    def owed(self) -> dict[str, int]:
        return dict(self.index["owed"])


def open_pack(directory: Path, into: Path, *, recipient: Recipient) -> Opened:
    """`into` has every file of the pack in plain, readable by its owner alone. It takes the pack and
    the recipient's key, and no database.

    Raises `CannotOpen` for a pack that was not sealed for the recipient, was changed, or is not
    whole: then what was opened before stays and is not to be used.
    """
    index = _index(directory)
    if index is None:
        raise CannotOpen(why=f"{directory / INDEX} cannot be read")
    field_keys = _opened_keys(directory, index, recipient)
    known = [encryption.fingerprint_under(key, _text(index), of=_SIGNED) for key in field_keys]
    if not _is_signed(index, known):
        raise CannotOpen(why=f"{INDEX} was changed: its HMAC is another")
    for each in (*index["files"], *index["documents"]):
        digest = hashlib.sha256()
        files.write_once(
            into, each["name"], _noted(_parts_of(directory, each, recipient), digest.update)
        )
        if digest.hexdigest() != each["sha256"]:
            raise CannotOpen(why=f"{each['name']} is not the file of the index")
    return Opened(index, into, field_keys)


def restore(opened: Opened) -> Owed:
    """The configured database, which was empty, is that of the pack. Returns what its rows say is
    owed, counted anew with the keys of the pack.

    Raises `BackupRefused` for a database that is not empty, and `CannotOpen` where the records of
    the restored database are not those of the pack, byte for byte.
    """
    backups.restore_into_empty(opened.directory / DATABASE)
    settings.FIELD_KEY, *settings.FIELD_KEY_FALLBACKS = opened.field_keys
    owed, digest = Owed(), hashlib.sha256()
    for piece in client_records.pieces(owed):
        digest.update(piece)
    records = next(each for each in opened.index["files"] if each["name"] == RECORDS)
    if owed.as_json() != opened.owed or digest.hexdigest() != records["sha256"]:
        raise CannotOpen(
            why=f"the restored database owes {owed.as_json()}, the pack says {opened.owed}"
        )
    return owed


def _opened_keys(directory: Path, index: dict[str, Any], recipient: Recipient) -> list[bytes]:
    try:
        sealed = next(each for each in index["files"] if each["name"] == KEYS)
        told = json.loads(b"".join(_parts_of(directory, sealed, recipient)))
        return [base64.b64decode(each) for each in told["field_keys"]]
    except (StopIteration, KeyError, TypeError, ValueError) as fault:
        raise CannotOpen(why=f"the pack has no keys: {fault!r}") from fault


def _parts_of(directory: Path, each: dict[str, Any], recipient: Recipient) -> Iterator[bytes]:
    return recipient.opened(directory, each["name"], (part for part, _sha256 in each["parts"]))


def _noted(pieces: Iterator[bytes], note: Callable[[bytes], object]) -> Iterator[bytes]:
    for piece in pieces:
        note(piece)
        yield piece


def _index(directory: Path) -> dict[str, Any] | None:
    try:
        index = json.loads((directory / INDEX).read_text())
    except (OSError, ValueError):
        return None
    return index if isinstance(index, dict) else None


def _signed(index: dict[str, Any]) -> dict[str, Any]:
    """Returns the index with the HMAC of its other parts, which takes the field key."""
    return {**index, "hmac": encryption.fingerprint(_text(index), of=_SIGNED)}


def _is_signed(index: dict[str, Any], known: list[str]) -> bool:
    given = str(index.get("hmac"))
    return any(hmac.compare_digest(each.encode(), given.encode()) for each in known)


def _text(index: dict[str, Any]) -> str:
    return json.dumps(
        {name: said for name, said in index.items() if name != "hmac"}, sort_keys=True
    )
