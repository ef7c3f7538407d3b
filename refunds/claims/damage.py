"""The published figures of the fraud as of any instant. They count confirmed losses, so they are
the same at any later time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Programme, PublishedFigure


@dataclass(frozen=True, slots=True)
class Figure:
    """How many people, and how much."""

    victims: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Damage:
    """The headline as of `as_of` and its breakdowns, each of which sums to it (rule 29).

    A person with losses of more than one kind is counted under the kind of the first loss. Each
    amount is counted under the kind of its own loss.
    """

    as_of: dt.datetime
    total: Figure
    breakdowns: dict[str, dict[str, Figure]]


# The name of a breakdown -> the value of a loss in it. Days are those of the programme's zone.
BY: Final = {
    "day": "to_char(l.hit_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD')",
    "funding": "l.funding",
    "issuer": "coalesce(i.code, '')",
    "channel": "c.channel",
}
KEY: Final = "fraud"


def damage(*, as_of: dt.datetime) -> Damage:
    """Returns victims and damage as they were known at `as_of` inclusive, which any later call
    returns again (rule 28).

    A loss counts from the instant at which a second person confirmed it, which never changes
    afterwards.
    """
    zone = Programme.current().time_zone
    breakdowns = {name: _by(value, as_of=as_of, zone=zone) for name, value in BY.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(DISTINCT c.wallet_id), coalesce(sum(l.amount_minor), 0)
            FROM refunds_loss l JOIN refunds_fraudclaim c ON c.id = l.claim_id
                WHERE l.confirmed_at <= %s
            """,
            [as_of],
        )
        victims, amount = cursor.fetchone()
    return Damage(as_of, Figure(victims, int(amount)), breakdowns)


def _by(value: str, *, as_of: dt.datetime, zone: str) -> dict[str, Figure]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH known AS (
                SELECT c.wallet_id, l.amount_minor, {value} AS value,
                       row_number() OVER (PARTITION BY c.wallet_id ORDER BY l.hit_at, l.id) AS place
                FROM refunds_loss l JOIN refunds_fraudclaim c ON c.id = l.claim_id
                LEFT JOIN refunds_issuer i ON i.id = l.issuer_id
                WHERE l.confirmed_at <= %(as_of)s
            )
            SELECT value, count(*) FILTER (WHERE place = 1), sum(amount_minor)
                FROM known GROUP BY value ORDER BY value
            """,  # noqa: S608  the expression is one of BY
            {"as_of": as_of, "zone": zone},
        )
        return {value: Figure(victims, int(amount)) for value, victims, amount in cursor}


def suspected(*, as_of: dt.datetime) -> Figure:
    """Returns the wallets that a rule pointed at or somebody reported by `as_of`, and the sum of
    the top-ups in the evidence found by then.

    These figures exist in the first hours, before anything is confirmed. They include suspicions
    too weak for a claim, and rejected claims.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH claim AS (SELECT id, wallet_id FROM refunds_fraudclaim
                WHERE opened_at <= %(as_of)s),
            hit AS (
                SELECT h.wallet_id, h.evidence FROM refunds_rulehit h
                WHERE h.found_at <= %(as_of)s AND h.wallet_id IS NOT NULL
                UNION ALL
                SELECT claim.wallet_id, h.evidence FROM refunds_rulehit h
                JOIN claim ON claim.id = h.claim_id WHERE h.found_at <= %(as_of)s
            ),
            charge AS (
                SELECT DISTINCT top_up.id::bigint AS id
                FROM hit, jsonb_array_elements_text(hit.evidence->'top_ups') AS top_up (id)
            )
            SELECT (SELECT count(*) FROM
                       (SELECT wallet_id FROM claim UNION SELECT wallet_id FROM hit) told),
                   (SELECT coalesce(sum(t.amount_minor), 0) FROM charge
                       JOIN wallets_topup t ON t.id = charge.id)
            """,
            {"as_of": as_of},
        )
        victims, amount = cursor.fetchone()
    return Figure(victims, int(amount))


def wait_for_decisions() -> None:
    """Every decision that dates its losses up to now is committed, because decisions take the
    shared side of this lock.
    """
    locks.take(Lock.CLAIM_DECISIONS)


def publish(*, as_of: dt.datetime, actor: Actor, reason: str, exact: bool = True) -> Damage:
    """The headline and every breakdown as of `as_of` are stored as published figures, which never
    change.

    A second call for the same instant returns the same figures and adds nothing. Raises
    `GuardNotMet` for an instant in the future, and if other figures were published for the instant,
    which rule 28 forbids.
    """
    require(actor, "winddown.publish_notice", action="publish figures")
    with transaction.atomic():
        wait_for_decisions()
        if as_of > clock.now():
            raise GuardNotMet(
                action=says("publish the figures of {at}", at=as_of.isoformat()),
                why=says("it is still to come"),
            )
        found = damage(as_of=as_of)
        values = _values(found)
        earlier = {
            row.key: row.value
            for row in PublishedFigure.objects.filter(as_of=as_of, key__startswith=f"{KEY}.")
        }
        if earlier and earlier != values:
            raise GuardNotMet(
                action=says("publish the figures of {at}", at=as_of.isoformat()),
                why=says("other figures were published for that instant"),
            )
        if not earlier:
            PublishedFigure.objects.bulk_create(
                PublishedFigure(
                    key=key, as_of=as_of, value=value, exact=exact, source="confirmed losses"
                )
                for key, value in values.items()
            )
            audit.append(
                "figures.publish",
                "figures:fraud",
                actor=actor,
                reason=reason,
                as_of=as_of,
                victims=found.total.victims,
                amount_minor=found.total.amount_minor,
            )
        return found


def _values(found: Damage) -> dict[str, int]:
    """Returns the figures by key: `fraud.victims`, `fraud.amount_minor`,
    `fraud.victims:funding:credit` and so on."""
    values = {
        f"{KEY}.victims": found.total.victims,
        f"{KEY}.amount_minor": found.total.amount_minor,
    }
    for name, parts in found.breakdowns.items():
        for value, figure in parts.items():
            values[f"{KEY}.victims:{name}:{value}"] = figure.victims
            values[f"{KEY}.amount_minor:{name}:{value}"] = figure.amount_minor
    return values
