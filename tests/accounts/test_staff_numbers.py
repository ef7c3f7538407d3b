"""One person has one staff number, in one spelling."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import staff_adding
from accounts.models import User
from accounts.models.staff_number import one_spelling
from winddown.authority import approvals
from winddown.errors import GuardNotMet, SamePerson

pytestmark = pytest.mark.django_db

SPELLINGS = ["１２３ａ", " 123a", "123A ", "\u3000１２３Ａ\t"]


@pytest.mark.parametrize("typed", SPELLINGS)
def test_every_spelling_of_a_staff_number_names_one_person(typed: str, staff: Any) -> None:
    one = staff("compliance", staff_number="123a")
    other = staff("compliance", staff_number=typed)
    assert other.staff_number == one.staff_number == "123a"
    assert User.objects.filter(staff_number=typed).count() == 2


@pytest.mark.parametrize("typed", SPELLINGS)
def test_two_spellings_cannot_sign_for_each_other(typed: str, staff: Any) -> None:
    maker = staff("compliance", staff_number="123a")
    checker = staff("compliance", staff_number=typed)
    asked = approvals.ask(
        "run:1",
        stage="run",
        content={"rows": 1},
        permission="winddown.approve_run",
        maker=maker,
        reason="a test",
    )
    with pytest.raises(SamePerson):
        approvals.decide("run:1", stage="run", actor=checker, digest=asked.digest, reason="a test")


# A filler, a variant of the digit before, and a tag: each looks like the number without it.
UNSEEN = ["12\u200b3", "12\ufeff3", "12\u00ad3", "123\u1160", "12\ufe0f3", "12\U000e00413"]


@pytest.mark.parametrize("typed", [*SPELLINGS, "12 3", *UNSEEN])
def test_the_database_refuses_another_spelling_from_every_writer(typed: str, staff: Any) -> None:
    person = staff("compliance")
    with connection.cursor() as cursor:
        with (
            pytest.raises(IntegrityError, match="staff_number_in_one_spelling"),
            transaction.atomic(),
        ):
            cursor.execute(
                "UPDATE accounts_user SET staff_number = %s WHERE id = %s", [typed, person.pk]
            )
        cursor.execute(
            "UPDATE accounts_user SET staff_number = %s WHERE id = %s", ["社員-12", person.pk]
        )


@pytest.mark.parametrize("typed", [*UNSEEN, "12\u30993"])
def test_a_number_that_looks_like_a_colleagues_is_refused(typed: str) -> None:
    with pytest.raises(GuardNotMet, match="invisible"), transaction.atomic():
        staff_adding.make(
            login_id="second", name="Second", email="s@example.com", staff_number=typed
        )


@pytest.mark.parametrize("typed", [*SPELLINGS, "ＳＴＲＡẞＥ", "ﬁ1", "İ9"])
def test_normalising_a_spelling_twice_changes_nothing(typed: str) -> None:
    assert one_spelling(one_spelling(typed)) == one_spelling(typed)
