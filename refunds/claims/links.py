"""Claims that hang together by what their holders share: a device, a network, a payee or an address.

What a thief shared with many victims is no link: it speaks for the victims.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection

from refunds.models import ClaimNote, FraudClaim
from winddown.errors import GuardNotMet, says

LINKS_MAX = 50


class Kind(StrEnum):
    """What two claims share."""

    DEVICE = "device"
    """Both were reported from it."""
    NETWORK = "network"
    """Both were reported from it."""
    PAYEE = "payee"
    """Both holders gave this bank account."""
    POST = "post"
    """Both holders live there."""
    MAIL = "mail"
    """The addresses differ by a letter."""


@dataclass(frozen=True, slots=True)
class Link:
    """Another claim, what it shares, and whether somebody looked at the two together."""

    other: FraudClaim
    kinds: tuple[Kind, ...]
    is_seen: bool


# Each gives the ids of two claims of different wallets. Dismissed claims are links too.
_OF_KIND = {
    Kind.DEVICE: """
        SELECT a.claim_id, b.claim_id FROM refunds_fraudreport a
        JOIN refunds_fraudreport b ON b.device = a.device AND b.claim_id <> a.claim_id
        WHERE a.claim_id = ANY (%(claims)s) AND a.device <> ''
    """,
    Kind.NETWORK: """
        SELECT a.claim_id, b.claim_id FROM refunds_fraudreport a
        JOIN refunds_fraudreport b ON b.network = a.network AND b.claim_id <> a.claim_id
        WHERE a.claim_id = ANY (%(claims)s) AND a.network <> ''
    """,
    Kind.PAYEE: """
        SELECT c.id, d.id FROM refunds_fraudclaim c
        JOIN wallets_wallet w ON w.id = c.wallet_id
        JOIN refunds_payee p ON p.holder_id = w.account_id AND p.replaced_at IS NULL
            AND p.fingerprint <> ''
        JOIN refunds_payee q ON q.fingerprint = p.fingerprint AND q.replaced_at IS NULL
            AND q.holder_id <> p.holder_id
        JOIN wallets_wallet v ON v.account_id = q.holder_id
        JOIN refunds_fraudclaim d ON d.wallet_id = v.id
        WHERE c.id = ANY (%(claims)s)
    """,
    Kind.POST: """
        SELECT c.id, d.id FROM refunds_fraudclaim c
        JOIN wallets_wallet w ON w.id = c.wallet_id
        JOIN accounts_postaladdress p ON p.user_id = w.account_id AND p.fingerprint <> ''
        JOIN refunds_fraudclaim d ON d.wallet_id <> c.wallet_id
        JOIN wallets_wallet v ON v.id = d.wallet_id
        JOIN accounts_postaladdress q ON q.user_id = v.account_id
            AND q.fingerprint = p.fingerprint
        WHERE c.id = ANY (%(claims)s)
    """,
}
# The halves of two addresses that differ by a letter: one of them is equal.
_MAIL = """
    WITH address AS (
        SELECT c.id, c.wallet_id, u.mail_address AS text, split_part(u.mail_address, '@', 1) AS local,
            split_part(u.mail_address, '@', 2) AS domain
        FROM refunds_fraudclaim c JOIN wallets_wallet w ON w.id = c.wallet_id
        JOIN accounts_user u ON u.id = w.account_id
        WHERE u.mail_address <> ''
    )
    SELECT a.id, b.id, a.local, b.local FROM address a JOIN address b ON b.domain = a.domain
        AND b.wallet_id <> a.wallet_id AND abs(length(a.local) - length(b.local)) <= 1
        AND (left(a.local, length(a.local) / 2) = left(b.local, length(a.local) / 2)
            OR right(a.local, length(a.local) / 2) = right(b.local, length(a.local) / 2))
    WHERE a.id = ANY (%(claims)s)
"""


def of(claim: FraudClaim) -> list[Link]:
    """Returns the claims that hang together with this one, those that nobody looked at first."""
    kinds: dict[int, list[Kind]] = {}
    for kind, _claim_id, other_id in _pairs([claim.pk]):
        found = kinds.setdefault(other_id, [])
        if kind not in found:
            found.append(kind)
    others = FraudClaim.objects.in_bulk(sorted(kinds)[:LINKS_MAX])
    seen = _seen([claim.pk])
    found_links = [
        Link(other, tuple(kinds[number]), (claim.pk, number) in seen)
        for number, other in others.items()
    ]
    return sorted(found_links, key=lambda link: (link.is_seen, link.other.pk))


def refuse_unseen(claim_ids: Collection[int]) -> None:
    """Raises `GuardNotMet` if somebody has still to look at claims that hang together with one of
    these.
    """
    for number, other in unseen(claim_ids)[:1]:
        raise GuardNotMet(
            action=says("propose a decision"),
            why=says(
                "claim {claim} hangs together with claim {other}, and nobody looked at the two",
                claim=number,
                other=other,
            ),
        )


def unseen(claim_ids: Collection[int]) -> list[tuple[int, int]]:
    """Returns each of the claims with another one that hangs together with it, where nobody looked
    at the two.
    """
    seen = _seen(claim_ids)
    found = {(number, other) for _kind, number, other in _pairs(claim_ids)}
    return sorted(found - seen)


def _pairs(claim_ids: Collection[int]) -> Iterable[tuple[Kind, int, int]]:
    given = {"claims": list(claim_ids)}
    with connection.cursor() as cursor:
        for kind, sql in _OF_KIND.items():
            cursor.execute(sql, given)
            for number, other in sorted(set(cursor.fetchall())):
                yield kind, number, other
        cursor.execute(_MAIL, given)
        for number, other, mine, its in sorted(set(cursor.fetchall())):
            if _differ_by_a_letter(mine, its):
                yield Kind.MAIL, number, other


def _seen(claim_ids: Collection[int]) -> set[tuple[int, int | None]]:
    seen = ClaimNote.objects.filter(claim__in=claim_ids, kind=ClaimNote.Kind.LINK_SEEN)
    return set(seen.values_list("claim_id", "other_id"))


def _differ_by_a_letter(one: str, other: str) -> bool:
    """Returns whether one change, one letter more or one less makes the texts equal, or they are."""
    short, long = sorted((one, other), key=len)
    same = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), None)
    if same is None:
        return len(long) - len(short) <= 1
    rest = long[same + 1 :]
    return rest in (short[same:], short[same + 1 :])
