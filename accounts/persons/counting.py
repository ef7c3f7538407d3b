"""Persons in queries: several accounts of one person count once, and share their limits."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import PersonAccount

ACCOUNTS: Final = """
    ARRAY(SELECT a.id FROM (SELECT {user} AS id OFFSET 0) h CROSS JOIN LATERAL (
        SELECT h.id UNION ALL SELECT o.user_id FROM accounts_personaccount o
        WHERE o.current AND o.user_id <> h.id AND o.person_id = ANY (ARRAY(
            SELECT m.person_id FROM accounts_personaccount m
            WHERE m.current AND m.user_id = h.id))) a)
"""
"""SQL of all accounts of the person of the account `{user}`: it alone, if it is merged with none.

An index is looked up for arrays also where nested loops are off, as they are in triggers. The
account is found once, because a query with OFFSET is not taken apart.
"""


def person_of(user: str) -> Coalesce:
    """Returns the key of the person of the account to which the lookup leads: the same for all
    accounts of one person.
    """
    merged = PersonAccount.objects.filter(user=OuterRef(user), current=True).values("person")[:1]
    return Coalesce(Subquery(merged), 0 - F(user), output_field=BigIntegerField())


def accounts_with(user: str) -> QuerySet[PersonAccount]:
    """Returns the rows of all accounts of the person to whose account the lookup leads, which the
    outer query has. There is none for an account that is merged with no other.
    """
    own = PersonAccount.objects.filter(user=OuterRef(OuterRef(user)), current=True)
    return PersonAccount.objects.filter(current=True, person__in=own.values("person"))


def merged_accounts() -> dict[int, int]:
    """Returns account -> person of all accounts that are merged with others."""
    rows = PersonAccount.objects.filter(current=True)
    return dict(rows.values_list("user_id", "person_id"))


def persons_of(accounts: Iterable[int]) -> dict[int, int]:
    """Returns account -> person of those of the accounts that are merged with others."""
    rows = PersonAccount.objects.filter(current=True, user__in=list(accounts))
    return dict(rows.values_list("user_id", "person_id"))


def accounts_in(persons: Collection[int]) -> dict[int, int]:
    """Returns account -> person of all accounts of the persons."""
    rows = PersonAccount.objects.filter(current=True, person__in=persons)
    return dict(rows.values_list("user_id", "person_id"))
