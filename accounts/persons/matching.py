"""Accounts of one person are found by their signals, in one statement over all accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from accounts.birth_dates import NAME
from accounts.models import PersonMatch, User
from winddown import clock, locks
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock

PERMISSION: Final = "accounts.match_persons"
Signal = PersonMatch.Signal

# The accounts with their signals. `birth` is the fingerprint of name and birth date together.
_SIGNALS = f"""
    SELECT u.id, u.phone_number AS telephone, {NAME.format("u.kana_name")} AS kana,
        b.fingerprint AS birth
    FROM accounts_user u LEFT JOIN accounts_birthdate b ON b.user_id = u.id
    WHERE u.kind = %(customer)s
"""  # noqa: S608  our own SQL

# A telephone number that only one account has matches nothing, so most names are never spelled out.
# Several people of one name may share a number, as father and son: where birth dates contradict
# each other, only accounts with the same one match.
_FOUND = f"""
    WITH shared AS MATERIALIZED (
        SELECT phone_number FROM accounts_user
        WHERE phone_number IS NOT NULL AND kind = %(customer)s
        GROUP BY 1 HAVING count(*) > 1
    ), known AS MATERIALIZED (
        {_SIGNALS} AND u.phone_number IN (SELECT phone_number FROM shared) AND u.kana_name <> ''
    ), by_name AS (
        SELECT array_agg(id ORDER BY id) AS accounts,
            CASE WHEN count(birth) = count(*) THEN %(all)s::text[] ELSE %(two)s::text[] END
                AS signals
        FROM known WHERE kana <> '' GROUP BY telephone, kana
        HAVING count(*) > 1 AND count(DISTINCT birth) <= 1
    ), by_birth AS (
        SELECT array_agg(id ORDER BY id), %(all)s::text[]
        FROM known WHERE birth IS NOT NULL GROUP BY telephone, kana, birth HAVING count(*) > 1
    ), found AS (
        SELECT DISTINCT ON (accounts) * FROM (
            SELECT * FROM by_name UNION ALL SELECT * FROM by_birth
        ) each ORDER BY accounts, cardinality(signals) DESC
    )
"""  # noqa: S608  our own SQL

# The accounts are one person already. Then nothing is proposed.
_IS_MERGED = """
    EXISTS (
        SELECT FROM accounts_personaccount p WHERE p.current AND p.user_id = ANY (f.accounts)
        GROUP BY p.person_id HAVING count(*) = cardinality(f.accounts)
    )
"""


@dataclass(frozen=True, slots=True)
class Found:
    """How many matches are new, and how many groups were too large to be one person's."""

    new: int
    too_large: int


def find(*, actor: Actor = SYSTEM, reason: str = "") -> Found:
    """Accounts whose signals are equal are proposed as one person's. A second call proposes nothing
    twice.

    The telephone number and the name in kana must be equal, and so must the birth date where it is
    known of several. The number alone is a family's, and the name alone is anybody's. Groups of
    more than `PersonMatch.ACCOUNTS_MAX` accounts are counted only: no person has so many.
    """
    require(actor, PERMISSION, by_system=True, action="find accounts of one person")
    given = {
        "customer": User.Kind.CUSTOMER,
        "all": [Signal.BIRTH_DATE, Signal.KANA, Signal.TELEPHONE],
        "two": [Signal.KANA, Signal.TELEPHONE],
        "most": PersonMatch.ACCOUNTS_MAX,
        "at": clock.now(),
        "by": actor.pk if actor is not SYSTEM else None,
    }
    with transaction.atomic():
        locks.take(Lock.PERSONS)
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                {_FOUND}, proposed AS (
                    INSERT INTO accounts_personmatch (accounts, signals, found_at, found_by_id)
                    SELECT f.accounts, f.signals, %(at)s, %(by)s FROM found f
                    WHERE cardinality(f.accounts) <= %(most)s AND NOT {_IS_MERGED}
                    ON CONFLICT (accounts) DO NOTHING RETURNING id
                )
                SELECT (SELECT count(*) FROM proposed),
                    (SELECT count(*) FROM found WHERE cardinality(accounts) > %(most)s)
                """,  # noqa: S608  our own SQL
                given,
            )
            done = Found(*cursor.fetchone())
        if done.new:
            audit.append(
                "person.find", "person_matches", actor=actor, reason=reason, matches=done.new
            )
    return done


def signals_of(accounts: Sequence[int]) -> list[str]:
    """Returns the signals that are known and equal in all of the accounts, in their usual order. A
    birth date that is known of some only is no signal, and one that differs takes the others' force:
    then the list is empty.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT telephone, kana, birth FROM ({_SIGNALS} AND u.id = ANY (%(accounts)s)) s",  # noqa: S608
            {"customer": User.Kind.CUSTOMER, "accounts": list(accounts)},
        )
        rows = cursor.fetchall()
    telephones, names, births = (list(column) for column in zip(*rows, strict=True))
    if len({each for each in births if each}) > 1:
        return []
    found = {Signal.BIRTH_DATE: births, Signal.KANA: names, Signal.TELEPHONE: telephones}
    return [name for name, values in found.items() if all(values) and len({*values}) == 1]


def name(accounts: Sequence[int], *, actor: Actor, reason: str) -> PersonMatch:
    """The accounts are proposed as one person's by somebody who found them otherwise.

    Two of the signals must be equal in all of them. Raises `GuardNotMet` otherwise, and returns the
    match that is there for accounts that were proposed before.
    """
    require(actor, PERMISSION, action="name accounts of one person")
    action = says("propose the accounts as one person's")
    chosen = sorted({*accounts})
    if not 2 <= len(chosen) <= PersonMatch.ACCOUNTS_MAX:
        raise GuardNotMet(
            action=action,
            why=says("2 to {most} accounts expected", most=PersonMatch.ACCOUNTS_MAX),
        )
    if User.objects.customers().filter(pk__in=chosen).count() != len(chosen):
        raise GuardNotMet(action=action, why=says("one of them is no customer's account"))
    signals = signals_of(chosen)
    if len(signals) < 2:
        raise GuardNotMet(
            action=action,
            why=says(
                "two of telephone number, name in kana and birth date must be equal in all of them,"
                " and no birth date may differ"
            ),
        )
    with transaction.atomic():
        locks.take(Lock.PERSONS)
        match, made = PersonMatch.objects.get_or_create(
            accounts=chosen,
            defaults={"signals": signals, "found_at": clock.now(), "found_by_id": actor.pk},
        )
        if made:
            audit.append("person.name", match.subject, actor=actor, reason=reason)
    return match
