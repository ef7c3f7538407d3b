"""Tracing: efforts to reach holders who have not applied, and who may be excluded after them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import BooleanField, Count, Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import User
from refunds.models import Entitlement, TracingEffort
from refunds.models.tracing import KEPT, kept
from refunds.payouts import forgotten
from wallets.models import Wallet
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import Programme
from winddown.programme import csv_lines
from winddown.programme.evidence_files import File

RECORD = "refunds.work_application"
LOAD = "winddown.publish_notice"
COLUMNS = ("wallet_ref", "kind", "at", "result")
ROWS_MAX = 1_000_000
_TABLE = "refunds_entitlement"


# --- who may be excluded --------------------------------------------------------------------------


def _is_kept(*codes: str) -> RawSQL:
    return RawSQL(kept(_TABLE, *codes), (), output_field=BooleanField())  # noqa: S611  our own SQL


def to_be_excluded() -> QuerySet[Entitlement]:
    """Returns what nobody applied for and nothing keeps from being excluded."""
    rows = Entitlement.objects.filter(~Q(_is_kept()), state__in=Entitlement.APPLICABLE)
    return rows.exclude(pk__in=forgotten.entitlements())


def kept_from_exclusion() -> dict[str, int]:
    """Returns how many amounts that nobody applied for are not excluded, by the first reason that
    keeps them.
    """
    left = Entitlement.objects.filter(state__in=Entitlement.APPLICABLE)
    counts = {"sent_before_restore": left.filter(pk__in=forgotten.entitlements()).count()}
    left = left.exclude(pk__in=forgotten.entitlements())
    for code in KEPT:
        counts[code] = left.filter(Q(_is_kept(code))).count()
        left = left.filter(~Q(_is_kept(code)))
    return counts


# --- efforts --------------------------------------------------------------------------------------


def record(
    holder: User,
    *,
    kind: str,
    at: dt.datetime,
    result: str,
    evidence: str,
    actor: Actor,
    reason: str,
) -> int:
    """One effort to reach the holder is kept. Returns 1, or 0 where it was recorded before."""
    require(actor, RECORD, action=f"record an effort to reach account {holder.pk}")
    if at > clock.now():
        raise GuardNotMet(
            action=says("record the effort"), why=says("its instant lies in the future")
        )
    with transaction.atomic():
        kept_now = _keep([(holder.pk, kind, at, result)], evidence=evidence, actor=actor)
        audit.append(
            "tracing.record", f"account:{holder.pk}", actor=actor, reason=reason, kind=kind
        )
        return kept_now


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many efforts a file had, and how many of them were new."""

    rows: int
    new: int


def load(file: File, *, evidence: str, actor: Actor, reason: str) -> Loaded:
    """The efforts of the file are kept, all or none. A second load of it changes nothing.

    UTF-8, one row for each effort, under a line with the names wallet_ref, kind, at, result. `at`
    is an instant like 2020-01-08T14:00 in the programme's zone. Raises `LoadRefused` with the line.
    """
    require(actor, LOAD, action="load tracing efforts")
    rows = _read(file)
    accounts = dict(
        Wallet.objects.filter(wallet_ref__in=[ref for ref, *_ in rows]).values_list(
            "wallet_ref", "account_id"
        )
    )
    for number, (ref, *_) in enumerate(rows, start=2):
        if ref not in accounts:
            raise csv_lines.refused(file.name, number, says("there is no such wallet"))
    with transaction.atomic():
        new = _keep(
            [(accounts[ref], kind, at, result) for ref, kind, at, result in rows],
            evidence=evidence,
            sha256=file.sha256,
            actor=actor,
        )
        audit.append(
            "tracing.load",
            "tracing_efforts",
            actor=actor,
            reason=reason,
            sha256=file.sha256,
            efforts=len(rows),
            new=new,
        )
    return Loaded(len(rows), new)


def _read(file: File) -> list[tuple[str, str, dt.datetime, str]]:
    zone, latest = Programme.current().zone, clock.now()
    found = []
    for number, cells in csv_lines.read(file, COLUMNS, most=ROWS_MAX):
        ref, kind, written, result = cells
        try:
            at = clock.instant(written, zone=zone.key)
        except ValueError as fault:
            raise csv_lines.refused(
                file.name, number, says("no instant like 2020-01-08T14:00")
            ) from fault
        if (
            kind not in TracingEffort.Kind.values
            or result not in TracingEffort.Result.values
            or at > latest
        ):
            raise csv_lines.refused(
                file.name, number, says("the kind, the result or the instant is unknown")
            )
        found.append((ref, kind, at, result))
    return found


def _keep(
    efforts: list[tuple[int, str, dt.datetime, str]],
    *,
    evidence: str,
    actor: Actor,
    sha256: str = "",
) -> int:
    """Returns how many of them were not kept before."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO refunds_tracingeffort
                (holder_id, kind, at, result, evidence, file_sha256, recorded_by_id)
            SELECT made.*, %s, %s, %s FROM unnest(
                %s::bigint[], %s::text[], %s::timestamptz[], %s::text[]
            ) AS made ORDER BY 1, 3
            ON CONFLICT (holder_id, kind, at) DO NOTHING
            """,
            [evidence, sha256, actor.pk, *map(list, zip(*efforts, strict=True))]
            if efforts
            else [evidence, sha256, actor.pk, [], [], [], []],
        )
        return int(cursor.rowcount)


def by_kind() -> list[dict[str, Any]]:
    """Returns how many efforts of each kind had each result."""
    counted = TracingEffort.objects.values("kind", "result").annotate(n=Count("pk"))
    return [{**row} for row in counted.order_by("kind", "result")]
