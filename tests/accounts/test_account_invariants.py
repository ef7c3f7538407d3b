"""Planted faults in credentials, links and recovery cases: each one is found, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts import addresses, staff_roles
from accounts.models import DeviceToken, OneTimeLink, RecoveryCase, Session
from accounts.recovery import by_link, cases, links
from accounts.recovery.cases import Contact
from tests.accounts.conftest import NEW
from tests.unguarded import past_the_guards
from winddown import clock
from winddown.authority import approvals
from winddown.evidence import invariants

pytestmark = pytest.mark.django_db


def breaches(code: str) -> list[str]:
    return invariants.INVARIANTS[code].breaches()


@pytest.mark.parametrize(
    "planted",
    [
        "INSERT INTO accounts_user_groups (user_id, group_id)"
        " SELECT %s, id FROM auth_group WHERE name = 'compliance'",
        "DELETE FROM accounts_user_groups WHERE user_id = %s",
    ],
)
def test_a_role_that_two_people_did_not_change_is_found(
    staff: Callable[..., Any], planted: str
) -> None:
    """I10i."""
    colleague = staff("support")
    asked = staff_roles.request(
        colleague, wanted=["fraud_analyst", "support"], actor=staff("compliance"), reason="t"
    )
    staff_roles.decide(
        colleague, actor=staff("compliance"), digest=asked.digest, reason="t", approve=True
    )
    assert breaches("I10i") == []

    past_the_guards(planted % colleague.pk)

    (sentence,) = breaches("I10i")
    assert sentence.startswith(f"account {colleague.pk} has other roles than entry ")


@pytest.fixture
def used(person: Callable[..., Any]) -> OneTimeLink:
    """A link by which somebody set a new password."""
    someone = person(provider="line")
    address = addresses.channel_of(someone)
    assert address is not None
    link = links.issue("recover", address=address, user=someone)
    links.hand_over(link)
    by_link.choose_password(link, NEW)
    return OneTimeLink.objects.get()


@pytest.mark.parametrize(
    "table",
    ["devicetoken", "externalidentity", "message", "onetimelink", "resetnotice", "session"],
)
def test_a_credential_of_nobody_is_found(
    used: OneTimeLink, done: Callable[..., Any], table: str
) -> None:
    """I24b: this holds for each table that names an account without a foreign key."""
    at = clock.now()
    DeviceToken.objects.create(user=used.user, digest="x", issued_at=at, method="password")
    Session.objects.create(user=used.user, session_key="x", expire_date=at, issued_at=at)
    done("reset-all-passwords", mail="file")
    # The reset ended the session; it is restored for this test.
    Session.objects.create(user=used.user, session_key="y", expire_date=at, issued_at=at)
    assert breaches("I24b") == []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM accounts_{table} WHERE user_id IS NOT NULL")
        ((row,),) = cursor.fetchall()

    past_the_guards(f"UPDATE accounts_{table} SET user_id = 0 WHERE id = {row}")

    assert breaches("I24b") == [f"{table} {row} names an account that does not exist"]


LINK_FAULTS = {
    "no password was set": ["UPDATE accounts_user SET password_set_at = NULL WHERE id = {user}"],
    "the password is older": [
        "UPDATE accounts_user SET password_set_at = l.used_at - interval '1 microsecond'"
        " FROM accounts_onetimelink l WHERE accounts_user.id = l.user_id"
    ],
    "its time was over": [
        "ALTER TABLE accounts_onetimelink DROP CONSTRAINT link_used_in_its_time",
        "UPDATE accounts_onetimelink SET expires_at = used_at",
    ],
    "a fence had risen": [
        "UPDATE accounts_credentialfence f SET not_before = l.used_at FROM accounts_onetimelink l"
    ],
}


@pytest.mark.parametrize("fault", LINK_FAULTS)
def test_a_used_link_that_set_no_password_is_found(
    used: OneTimeLink, started: Callable[..., Any], fault: str
) -> None:
    """I24c."""
    started("reset-all-passwords")
    assert breaches("I24c") == []

    past_the_guards(*(each.format(user=used.user_id) for each in LINK_FAULTS[fault]))

    assert breaches("I24c") == [f"one-time link {used.pk} was used for nothing, or was dead"]


CASE_FAULTS = {
    "one kind of proof": "DELETE FROM accounts_proofstep WHERE kind = 'call_back'",
    "no approval": "DELETE FROM winddown_signature WHERE part = 'approved'",
    "an approval by the maker": (
        "UPDATE winddown_approval a SET maker_id = s.signer_id FROM winddown_signature s"
        " WHERE s.approval_id = a.id AND s.part = 'approved'"
    ),
    "an approval by a witness": (
        "UPDATE accounts_proofstep p SET recorded_by_id = s.signer_id FROM winddown_signature s"
        " WHERE s.part = 'approved' AND p.kind = 'call_back'"
    ),
}


@pytest.mark.parametrize("fault", CASE_FAULTS)
def test_a_case_without_two_people_and_two_proofs_is_found(
    person: Callable[..., Any], staff: Callable[..., Any], fault: str
) -> None:
    """I24d: the maker recorded no proof, so that each half of the rule is tested alone."""
    maker, witness = staff("support"), staff("support")
    address = addresses.understood("reached@example.com")
    assert address is not None
    contact = Contact("Taro Yamada", "old@example.com", address.text, "the telephone is lost")
    case = cases.open_case(contact, address=address, language="en", network=None)
    case = cases.take(case, actor=witness, reason="test")
    for kind in ("identity_document", "call_back"):
        cases.add_proof(case, kind=kind, note="seen", actor=witness)
    case = cases.propose(case, account=person().login_id, actor=maker, reason="test")
    asked = approvals.standing(case.subject, stage=cases.STAGE)
    assert asked is not None
    checker = staff("fraud_supervisor")
    case = cases.decide(case, actor=checker, digest=asked.digest, reason="test", approve=True)
    assert case.state == RecoveryCase.State.APPROVED
    assert breaches("I24d") == []

    past_the_guards(CASE_FAULTS[fault])

    assert breaches("I24d") == [
        f"recovery case {case.pk} has no approval of another person, or too few proofs"
    ]
