"""Roles that exclude each other are refused when the second one is given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction

from accounts.credentials import access
from accounts.errors import RolesExclude
from accounts.models import User
from tests.unguarded import give_past_the_guards, past_the_guards
from winddown.authority.roles import INCOMPATIBLE, ROLES, clashes
from winddown.evidence.invariants import rows_rewritten
from winddown.sqlstates import SqlState, sqlstate_of

Staff = Callable[..., Any]
PAIRS = pytest.mark.parametrize("pair", list(INCOMPATIBLE), ids=" and ".join)


def refused(give: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            give()
    except DatabaseError as refusal:
        return sqlstate_of(refusal) == SqlState.ROLES_EXCLUDE
    return False


@PAIRS
def test_the_second_role_is_refused_in_either_order(staff: Staff, pair: tuple[str, str]) -> None:
    for first, second in (pair, pair[::-1]):
        person = staff(first)
        role = Group.objects.get(name=second)
        assert refused(lambda: person.groups.add(role))
        assert [group.name for group in person.groups.all()] == [first]


@PAIRS
def test_the_roles_of_all_accounts_of_a_person_count_together(
    staff: Staff, pair: tuple[str, str]
) -> None:
    one = staff(pair[0], staff_number="P-17")
    assert refused(lambda: staff(pair[1], staff_number="ｐ-17 "))
    other = staff(pair[1])
    assert refused(lambda: User.objects.filter(pk=other.pk).update(staff_number=one.staff_number))


def test_roles_that_do_not_exclude_each_other_are_given(staff: Staff) -> None:
    person = staff("support", "fraud_supervisor", "compliance")
    assert clashes(group.name for group in person.groups.all()) == []
    assert not refused(lambda: staff(*[role for role in ROLES if role == "auditor"]))


def test_sql_cannot_give_the_second_role(staff: Staff) -> None:
    person = staff("treasury_operator")
    with connection.cursor() as cursor:
        assert refused(
            lambda: cursor.execute(
                "INSERT INTO accounts_user_groups (user_id, group_id)"
                " SELECT %s, id FROM auth_group WHERE name = 'treasury_approver'",
                [person.pk],
            )
        )


def test_a_disabled_account_with_the_other_role_cannot_be_enabled(staff: Staff) -> None:
    staff("treasury_operator", staff_number="P-17")
    other = staff("treasury_approver", staff_number="P-17", is_active=False)
    commander = staff("incident_commander")

    with pytest.raises(RolesExclude, match="treasury_operator and treasury_approver"):
        access.enable(other, actor=commander, reason="back from leave")

    other.refresh_from_db()
    assert not other.is_active


def test_one_of_two_excluding_roles_given_at_once_is_refused(own_database: Any) -> None:
    from tests import factories

    accounts = [factories.make_staff(staff_number="P-17") for _ in range(2)]
    given: list[bool] = []
    barrier = threading.Barrier(2)

    def give(account: Any, role: str) -> None:
        try:
            group = Group.objects.get(name=role)
            barrier.wait(10)
            given.append(not refused(lambda: account.groups.add(group)))
        finally:
            connection.close()

    pair = ("treasury_operator", "treasury_approver")
    threads = [
        threading.Thread(target=give, args=(account, role))
        for account, role in zip(accounts, pair, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == [False, True]


def test_a_role_given_past_every_guard_is_found(staff: Staff) -> None:
    person = staff("support")
    person.groups.add(Group.objects.get(name="compliance"))
    person.groups.remove(Group.objects.get(name="compliance"))
    assert rows_rewritten() == []

    give_past_the_guards(person, "treasury_approver")

    assert len(rows_rewritten()) == 1


def test_a_role_taken_past_every_guard_is_found(staff: Staff) -> None:
    person = staff("support")

    past_the_guards(f"DELETE FROM accounts_user_groups WHERE user_id = {person.pk}")

    assert len(rows_rewritten()) == 1
