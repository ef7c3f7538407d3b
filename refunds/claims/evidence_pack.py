"""The evidence of one claim in one file: what is known, what issuers were asked and answered, and what
people gave, with the digest of each part."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from refunds.claims import files
from refunds.models import FraudClaim, IssuerAction, IssuerAnswer, Loss, Remedy
from winddown.actors import Actor, require
from winddown.evidence import audit
from winddown.programme.evidence_files import File

PERMISSION: Final = "refunds.work_claim"
HASHES: Final = "SHA256SUMS"
# Of each table the columns that go into the pack, with the names that an outsider reads.
_LOSSES: Final = (
    "pk",
    "funding",
    "amount_minor",
    "hit_at",
    "top_up_id",
    "payment_id",
    "dropped_at",
)
_REMEDIES: Final = ("pk", "loss_id", "kind", "state", "amount_minor", "proposed_at", "remedied_at")
_REQUESTS: Final = (
    "pk", "remedy_id", "issuer__code", "key", "kind", "amount_minor", "state", "attempt",
    "deadline_at", "sent_at", "answered_at", "refund_arn", "statement_on",
)  # fmt: skip
_ANSWERS: Final = (
    "action_id", "attempt", "code", "answered_at", "statement_on", "refund_arn", "note", "applied",
    "file__sequence", "file__sha256", "line",
)  # fmt: skip


def take(claim: FraudClaim, *, actor: Actor, reason: str) -> File:
    """Returns the pack as a zip file. `SHA256SUMS` in it has the digest of each part, as `sha256sum
    --check` reads it. The same state of the claim gives the same bytes.

    The audit journal says who took it, with its digest, and that each file in it was read.
    """
    require(actor, PERMISSION, action=f"take the evidence of {claim.reference}")
    with transaction.atomic():
        parts = _parts(claim, actor=actor, reason=reason)
        parts[HASHES] = "".join(
            f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in parts.items()
        ).encode()
        pack = File(name=f"{claim.reference}.zip", content=_zipped(parts))
        audit.append(
            "claim.take_pack", claim.subject, actor=actor, reason=reason, sha256=pack.sha256
        )
        return pack


def _parts(claim: FraudClaim, *, actor: Actor, reason: str) -> dict[str, bytes]:
    """Returns the content of each part by its name."""
    requests = IssuerAction.objects.filter(remedy__loss__claim=claim)
    answers = IssuerAnswer.objects.filter(action__in=requests)
    parts = {
        "claim.json": _json(claim),
        "losses.csv": _table(_LOSSES, Loss.objects.filter(claim=claim)),
        "remedies.csv": _table(_REMEDIES, Remedy.objects.filter(loss__claim=claim)),
        "requests.csv": _table(_REQUESTS, requests),
        "answers.csv": _table(_ANSWERS, answers),
    }
    for kept in claim.files.select_related("claim__wallet").order_by("pk"):
        parts[kept.name] = files.disclose(kept, actor=actor, reason=reason).content
    return parts


def _json(claim: FraudClaim) -> bytes:
    facts: dict[str, Any] = {
        "claim": claim.reference,
        "state": claim.state,
        "channel": claim.channel,
        "evidence": claim.evidence,
        "confirmed_at": claim.confirmed_at,
        "rejected_at": claim.rejected_at,
    }
    text = json.dumps(facts, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode()


def _table(columns: tuple[str, ...], rows: Any) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    found: Iterable[tuple[Any, ...]] = rows.order_by("pk").values_list(*columns)
    writer.writerows([_cell(value) for value in row] for row in found)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            # Without an instant of its own, equal parts make equal files.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return out.getvalue()
