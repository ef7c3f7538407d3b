"""The regulator pack: each figure as of one instant, with the rows behind it, and its recomputation."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.utils import translation

from refunds.closing import proofs
from refunds.models import ClosingProof
from winddown import clock, encryption, files
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import Programme
from winddown.one_instant import one_instant
from winddown.programme.filing_kinds import FIGURES, Rows

PERMISSION: Final = "winddown.file_filing"
INDEX: Final = "figures.json"
_SIGNED: Final = "regulator pack"


@dataclass(frozen=True, slots=True)
class Written:
    """Where the pack is, as of which instant, and its figures by code."""

    index: Path
    as_of: dt.datetime
    figures: dict[str, int]


def export(directory: Path, *, actor: Actor, reason: str) -> Written:
    """The directory has a CSV file of rows for each figure, and an index with the figures, their
    instant, the hashes of the files, and an HMAC with the field key.

    No row has a name, an address or an account number. Raises `NotPermitted`, and `GuardNotMet`
    when the rows of a figure do not come to it: then there is no index.
    """
    require(actor, PERMISSION, action="export the regulator pack")
    with one_instant():
        at = clock.now()
        told = {code: _write(directory, code, at) for code in _codes()}
        proof = proofs.newest()
        index = signed(_index(at, told, proof))
        path = files.write_once(
            directory, INDEX, [json.dumps(index, indent=1, ensure_ascii=False).encode()]
        )
    with transaction.atomic():
        audit.append(
            "regulator_pack.export",
            "regulator_pack",
            actor=actor,
            reason=reason,
            as_of=at,
            hmac=index["hmac"],
        )
    return Written(path, at, {code: each["value"] for code, each in told.items()})


def found_again(directory: Path, *, in_database: bool = True) -> list[str]:
    """Returns a sentence for each thing that is wrong: the index is not ours, a file has other
    bytes, its rows come to another figure, or the database counts another one as of that instant.
    """
    try:
        index = json.loads((directory / INDEX).read_text())
    except (OSError, ValueError) as fault:
        return [f"{directory / INDEX} cannot be read: {fault}"]
    if not isinstance(index, dict) or not _is_ours(index):
        return [f"{INDEX} was changed, or written with another field key"]
    said = []
    at = dt.datetime.fromisoformat(index["as_of"])
    for code, figure in index["figures"].items():
        said += _differs(directory, code, figure)
        if in_database and (now := FIGURES[code].value(at)) != figure["value"]:
            said.append(f"{code}: the database counts {now}, the pack says {figure['value']}")
    return said


def _codes() -> list[str]:
    """Returns the figures that have rows. Those of an attack's sign-ins have none of their own."""
    return sorted(code for code, figure in FIGURES.items() if figure.rows is not None)


def _write(directory: Path, code: str, at: dt.datetime) -> dict[str, Any]:
    """The file of the figure is written. Returns what the index says of it."""
    figure = FIGURES[code]
    behind = figure.rows
    if behind is None:
        raise AssertionError("only figures with rows are in the pack")
    name, value = f"{code}.csv", figure.value(at)
    digest, total, rows = hashlib.sha256(), 0, 0

    def pieces() -> Iterator[bytes]:
        nonlocal total, rows
        for piece, number in _lines(behind(at)):
            digest.update(piece)
            total, rows = total + number, rows + 1
            yield piece

    files.write_once(directory, name, pieces())
    if total != value:
        raise GuardNotMet(
            action=says("export the regulator pack"),
            why=says("the rows of {code} come to {total}, the figure is {value}", code=code,
                     total=total, value=value),
        )  # fmt: skip
    titles = {}
    for language in ("en", "ja"):
        with translation.override(language):
            titles[language] = str(figure.title)
    return {
        "title": titles,
        "value": value,
        "is_amount": figure.is_amount,
        "as_of": at.isoformat(),
        "file": name,
        "rows": rows - 1,
        "sha256": digest.hexdigest(),
    }


def _lines(rows: Rows) -> Iterator[tuple[bytes, int]]:
    """Yields each line of the file with the number that it adds, the title line with 0."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.columns)
    yield text.getvalue().encode(), 0
    for line in rows.lines:
        text.seek(0)
        text.truncate()
        writer.writerow(_plain(each) for each in line)
        yield text.getvalue().encode(), int(line[-1])


def _plain(value: Any) -> Any:
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else value


def _index(
    at: dt.datetime, told: dict[str, dict[str, Any]], proof: ClosingProof | None
) -> dict[str, Any]:
    programme = Programme.current()
    return {
        "programme": programme.name,
        "currency": programme.currency,
        "state": programme.state,
        "as_of": at.isoformat(),
        "figures": told,
        "closing_proof": None
        if proof is None
        else {
            "number": proof.pk,
            "as_of": proof.as_of.isoformat(),
            "digest": proof.digest,
            "state": proofs.state_of(proof),
        },
    }


def signed(index: dict[str, Any]) -> dict[str, Any]:
    """Returns the index with the HMAC of its other parts, which takes the field key."""
    return {**index, "hmac": encryption.fingerprint(_text(index), of=_SIGNED)}


def _text(index: dict[str, Any]) -> str:
    return json.dumps(
        {name: said for name, said in index.items() if name != "hmac"}, sort_keys=True
    )


def _is_ours(index: dict[str, Any]) -> bool:
    known = encryption.fingerprints(_text(index), of=_SIGNED)
    given = str(index.get("hmac"))
    return any(hmac.compare_digest(each.encode(), given.encode()) for each in known)


def _differs(directory: Path, code: str, figure: dict[str, Any]) -> list[str]:
    """Returns what is wrong with the file of the figure, read row by row."""
    digest, total, rows = hashlib.sha256(), 0, -1
    try:
        with (directory / figure["file"]).open("rb") as file:
            for line in file:
                digest.update(line)
                rows += 1
                total += int(line.decode().rstrip("\n").rpartition(",")[2]) if rows else 0
    except (OSError, ValueError) as fault:
        return [f"{code}: {figure['file']} cannot be read: {fault}"]
    said = []
    if digest.hexdigest() != figure["sha256"]:
        said.append(f"{code}: {figure['file']} has other bytes than were exported")
    if (total, rows) != (figure["value"], figure["rows"]):
        said.append(
            f"{code}: {rows} rows come to {total}, the pack says {figure['rows']} and"
            f" {figure['value']}"
        )
    return said
