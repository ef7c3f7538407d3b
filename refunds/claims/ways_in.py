"""How thieves came in, as evidence: for each claim the fraudulent sign-in, the way that it took, and
what happened to the account in the thirty days before.

"None found" is said only of a log that was complete for the whole time; every gap is named.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery

from accounts import log_coverage
from accounts.log_coverage import Coverage
from accounts.models import AuthEvent
from refunds.models import FraudClaim, WayIn
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import LoadedFile

BEFORE: Final = dt.timedelta(days=30)
LOGS: Final = tuple(AuthEvent.Event.values)
Way = WayIn.Way


@dataclass(frozen=True, slots=True)
class _Event:
    """One event of an account that has a claim."""

    id: int
    at: dt.datetime
    event: str
    outcome: str
    method: str
    source: tuple[str | None, str]

    def by(self, other: _Event) -> bool:
        """Returns whether the two may have one source. An event without a source may have any."""
        network, device = self.source
        if not network and not device:
            return True
        return (bool(network) and network == other.source[0]) or (
            bool(device) and device == other.source[1]
        )


@dataclass(frozen=True, slots=True)
class _Claim:
    """The instant of the first suspicious movement, and the sign-in that a rule named."""

    id: int
    moved_at: dt.datetime
    named: int | None


def search(*, actor: Actor, reason: str) -> int:
    """Every claim that was not dismissed has its way in, as the logs and their coverage say now.
    Returns how many claims have another answer than before; a second search finds none.

    The sign-in is the one that a rule named, or else the latest success before the first loss.
    """
    require(actor, "refunds.work_claim", action="search the ways in")
    with transaction.atomic():
        locks.take(Lock.CANDIDATES)
        at = clock.now()
        coverage = log_coverage.coverage()
        known = {row.claim_id: row for row in newest()}
        fresh = [
            row
            for row in (_way_in(claim, events, coverage, at=at) for claim, events in _histories())
            if not _same(row, known.get(row.claim_id))
        ]
        WayIn.objects.bulk_create(fresh)
        audit.append("claims.search_ways_in", "claims", actor=actor, reason=reason, n=len(fresh))
        return len(fresh)


def newest() -> QuerySet[WayIn]:
    """Returns the answer that holds for each claim, by the number of the claim."""
    latest = WayIn.objects.filter(claim=OuterRef("claim")).order_by("-pk").values("pk")[:1]
    return WayIn.objects.filter(pk=Subquery(latest)).order_by("claim_id")


def overtaken() -> bool:
    """Returns whether logs, or their coverage, were loaded after the last search."""
    said = WayIn.objects.order_by("-searched_at").values_list("searched_at", flat=True).first()
    loaded = LoadedFile.objects.filter(kind__in=("auth_events", "log_coverage"))
    return said is not None and loaded.filter(loaded_at__gt=said).exists()


@dataclass(frozen=True, slots=True)
class Said:
    """What one log says about a time: how many events it has, and where it has gaps. Without both,
    nothing happened.
    """

    log: str
    events: int
    gaps: list[tuple[dt.datetime, dt.datetime]]

    @property
    def none_found(self) -> bool:
        return not self.events and not self.gaps


def said(row: WayIn) -> list[Said]:
    """Returns what each log says about the thirty days before the sign-in."""
    return [
        Said(
            log,
            len(row.found.get(log, ())),
            [(_instant(since), _instant(until)) for since, until in row.gaps.get(log, ())],
        )
        for log in LOGS
    ]


def counted(rows: Iterable[WayIn]) -> dict[str, int]:
    """Returns how many claims have each way, in the order of the ways."""
    found = Counter(row.way for row in rows)
    return {way: found[way] for way in Way.values if found[way]}


def events_of(row: WayIn) -> QuerySet[AuthEvent]:
    """Returns the rows behind the counts, and the sign-in itself, the oldest first."""
    ids = [number for numbers in row.found.values() for number in numbers]
    if row.event_id is not None:
        ids.append(row.event_id)
    return AuthEvent.objects.filter(pk__in=ids).order_by("occurred_at", "pk")


def _instant(written: str) -> dt.datetime:
    return dt.datetime.fromisoformat(written)


def _same(row: WayIn, before: WayIn | None) -> bool:
    if before is None:
        return False
    told = ("way", "basis", "event_id", "happened_at", "found", "gaps")
    return all(getattr(row, name) == getattr(before, name) for name in told)


def _way_in(claim: _Claim, events: list[_Event], coverage: Coverage, *, at: dt.datetime) -> WayIn:
    """Returns the answer for the claim. `events` are those of its account, the oldest first."""
    opened = [each for each in events if _opens(each) and each.at <= claim.moved_at]
    named = next((each for each in opened if each.id == claim.named), None)
    sign_in = named or (opened[-1] if opened else None)
    until = sign_in.at if sign_in else claim.moved_at
    before = [
        each
        for each in events
        if until - BEFORE <= each.at <= until and (sign_in is None or each.id != sign_in.id)
    ]
    found: dict[str, list[int]] = {}
    for each in before:
        found.setdefault(each.event, []).append(each.id)
    gaps = {log: coverage.gaps(log, until - BEFORE, until) for log in LOGS}
    return WayIn(
        claim_id=claim.id,
        way=_way(sign_in, before) if sign_in else Way.NOT_FOUND,
        basis=WayIn.Basis.NONE
        if sign_in is None
        else (WayIn.Basis.RULE if named else WayIn.Basis.LATEST),
        event_id=sign_in.id if sign_in else None,
        happened_at=until,
        found=found,
        gaps={
            log: [[_written(since), _written(end)] for since, end in spans]
            for log, spans in gaps.items()
            if spans
        },
        searched_at=at,
    )


def _written(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def _opens(event: _Event) -> bool:
    """Returns whether the event opened the account to somebody."""
    return event.outcome == AuthEvent.Outcome.SUCCESS and event.event in (
        AuthEvent.Event.SIGN_IN,
        AuthEvent.Event.TOKEN,
    )


# What the source of the sign-in did before it, the strongest sign first.
_PREPARED: Final = (
    (AuthEvent.Event.CONTACT_CHANGE, AuthEvent.Outcome.SUCCESS, Way.CONTACT_CHANGE),
    (AuthEvent.Event.RESET, AuthEvent.Outcome.SUCCESS, Way.RESET),
    (AuthEvent.Event.LINK, AuthEvent.Outcome.SUCCESS, Way.LINK),
)


def _way(sign_in: _Event, before: list[_Event]) -> str:
    """Returns the way of the sign-in, out of what its own source did to the account before."""
    if sign_in.event == AuthEvent.Event.TOKEN:
        return Way.TOKEN
    if sign_in.method not in AuthEvent.OWN_METHODS:
        return Way.PROVIDER
    did = {(each.event, each.outcome) for each in before if each.by(sign_in)}
    for event, outcome, way in _PREPARED:
        if (event, outcome) in did:
            return way
    if sign_in.method == AuthEvent.PASSKEY:
        return Way.PASSKEY
    if (AuthEvent.Event.SIGN_IN, AuthEvent.Outcome.WRONG_PASSWORD) in did:
        return Way.GUESSED
    return Way.PASSWORD


def _histories() -> Iterable[tuple[_Claim, list[_Event]]]:
    """Yields each claim that was not dismissed with the events of its account that may matter."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        given: dict[str, Any] = {"dismissed": list(FraudClaim.DISMISSED), "before": 2 * BEFORE}
        cursor.execute(_HISTORIES, given)
        for claim_id, moved_at, named, events in cursor.fetchall():
            found = json.loads(events) if events else []
            yield _Claim(claim_id, moved_at, named), [_event(each) for each in found]


def _event(row: Mapping[str, Any]) -> _Event:
    return _Event(
        id=row["id"],
        at=_instant(row["at"]),
        event=row["event"],
        outcome=row["outcome"],
        method=row["method"],
        source=(row["network"], row["device"]),
    )


# A loss may be found a while after the sign-in, so twice the time is read.
_HISTORIES: Final = """
    WITH claim AS MATERIALIZED (
        SELECT c.id, w.account_id,
            coalesce((SELECT min(l.hit_at) FROM refunds_loss l
                WHERE l.claim_id = c.id AND l.dropped_at IS NULL), c.hit_at, c.opened_at)
                AS moved_at,
            (SELECT (h.evidence->>'auth_event')::bigint FROM refunds_rulehit h
                WHERE h.claim_id = c.id AND h.evidence->>'auth_event' IS NOT NULL
                ORDER BY h.hit_at, h.id LIMIT 1) AS named
        FROM refunds_fraudclaim c JOIN wallets_wallet w ON w.id = c.wallet_id
        WHERE c.state <> ALL (%(dismissed)s)
    ), span AS MATERIALIZED (
        SELECT min(moved_at) - %(before)s AS since, max(moved_at) AS until FROM claim
    ), near AS (
        SELECT claim.id AS claim_id, jsonb_agg(jsonb_build_object(
            'id', e.id, 'at', e.occurred_at, 'event', e.event, 'outcome', e.outcome,
            'method', e.method, 'network', host(e.network), 'device', e.device_ref)
            ORDER BY e.occurred_at, e.id) AS events
        FROM accounts_authevent e JOIN claim ON claim.account_id = e.user_id
            AND e.occurred_at > claim.moved_at - %(before)s AND e.occurred_at <= claim.moved_at
        WHERE e.occurred_at > (SELECT since FROM span)
            AND e.occurred_at <= (SELECT until FROM span)
        GROUP BY claim.id
    )
    SELECT claim.id, claim.moved_at, claim.named, near.events
    FROM claim LEFT JOIN near ON near.claim_id = claim.id ORDER BY claim.id
"""
