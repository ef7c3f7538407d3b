"""Rows from before the witnesses: two people have them witnessed, and nobody else can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from tests.config.test_every_door import browser_of
from tests.owning import as_owner
from tests.unguarded import past_the_guards
from winddown.errors import GuardNotMet, NothingToDecide
from winddown.evidence import invariants, witnessing
from winddown.models import Approval, AuditEntry, RowDigest

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(rehearsal_clock: Any, programme: Any, staff: Callable[..., Any]) -> tuple[Any, Any]:
    return staff("treasury_operator"), staff("incident_commander")


@pytest.fixture
def older(people: tuple[Any, Any], wallet: Callable[..., Any]) -> None:
    """The database was filled before its tables had witnesses."""
    wallet(paid_minor=1_000)
    past_the_guards("DELETE FROM winddown_rowdigest")
    assert "is not what its last writer wrote" in invariants.rows_rewritten()[0]


def say(command: str, *words: str, by: Any) -> None:
    call_command(command, *words, by=by.login_id, reason="migrated with rows")


def asked(by: Any) -> Approval:
    say("witness_rows", by=by)
    return Approval.objects.latest("pk")


def approve(request: Approval, *words: str, by: Any) -> None:
    say("approve", request.subject, f"--digest={request.digest}", *words, by=by)


@pytest.mark.usefixtures("older")
def test_two_people_have_older_rows_witnessed(people: tuple[Any, Any]) -> None:
    one, other = people
    there = sum(rows for rows, _ in witnessing.unwitnessed().values())
    request = asked(one)
    approve(request, by=other)
    with as_owner():
        say("witness_rows", "--apply", by=one)
    assert invariants.rows_rewritten() == []
    assert RowDigest.objects.count() >= there
    entry = AuditEntry.objects.get(action="witness.rows")
    assert entry.facts["tables"] == request.summary["tables"]
    assert entry.facts["tables"]["wallets_wallet"][0] == 1

    past_the_guards("UPDATE wallets_wallet SET wallet_ref = 'another'")
    (sentence,) = invariants.rows_rewritten()
    assert sentence.startswith("Wallet ")
    with pytest.raises(GuardNotMet, match="every row has a digest"):
        witnessing.ask(actor=one, reason="the edited row has a digest")
    with as_owner(), pytest.raises(NothingToDecide):
        witnessing.witness(actor=one, reason="the edited row has a digest")


@pytest.mark.usefixtures("older")
def test_rows_that_nobody_else_approved_are_not_witnessed(
    people: tuple[Any, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    request = asked(people[0])
    with as_owner(), pytest.raises(SystemExit):
        say("witness_rows", "--apply", by=people[0])
    assert f"no second person approved {request.subject}" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        approve(request, by=people[0])
    assert not AuditEntry.objects.filter(action="witness.rows").exists()


@pytest.mark.usefixtures("older")
@pytest.mark.parametrize(("words", "verdict"), [([], "approve"), (["--reject"], "reject")])
def test_the_journal_says_what_the_second_person_decided(
    people: tuple[Any, Any], words: list[str], verdict: str
) -> None:
    request = asked(people[0])
    approve(request, *words, by=people[1])
    entry = AuditEntry.objects.latest("seq")
    assert (entry.action, entry.subject) == (f"witness.{verdict}", request.subject)
    assert (entry.actor, entry.reason) == (people[1], "migrated with rows")


@pytest.mark.usefixtures("older")
def test_an_approval_is_of_the_rows_as_they_were(
    people: tuple[Any, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    request = asked(people[0])
    approve(request, by=people[1])
    past_the_guards("UPDATE wallets_wallet SET wallet_ref = 'another'")
    with as_owner(), pytest.raises(SystemExit):
        say("witness_rows", "--apply", by=people[0])
    assert "no second person approved" in capsys.readouterr().out


@pytest.mark.usefixtures("older")
def test_only_the_owner_of_the_tables_writes_the_digests(people: tuple[Any, Any]) -> None:
    request = asked(people[0])
    approve(request, by=people[1])
    with pytest.raises(DatabaseError, match="must be owner|permission denied"):
        say("witness_rows", "--apply", by=people[0])


def test_the_guard_stands_again_afterwards(older: None, people: tuple[Any, Any]) -> None:
    approve(asked(people[0]), by=people[1])
    with as_owner():
        say("witness_rows", "--apply", by=people[0])
    with pytest.raises(DatabaseError, match="only triggers write"):
        RowDigest.objects.create(table_name="wallets_wallet", row_id=1, digest=b"")


@pytest.mark.usefixtures("older")
def test_older_rows_are_asked_for_on_a_page_and_approved_on_another(
    people: tuple[Any, Any],
) -> None:
    one, other = people
    browser = browser_of(one, headers={"accept-language": "en"})
    assert "/console/invariants/witness/" in browser.get("/console/invariants/").content.decode()
    given = {"reason": "migrated with rows"}
    browser.post("/console/invariants/witness/", given)
    request = Approval.objects.latest("pk")
    again = browser.post("/console/invariants/witness/", given, follow=True).content.decode()
    assert "You asked for exactly this" in again
    assert Approval.objects.latest("pk") == request

    address = f"/console/approvals/{request.pk}/approve/"
    second = browser_of(other, headers={"accept-language": "en"})
    shown = second.get(address).content.decode()
    assert "<dt>wallets_wallet</dt><dd>1</dd>" in shown
    second.post(address, {"digest": request.digest, "reason": "seen"})
    with as_owner():
        say("witness_rows", "--apply", by=one)
    assert invariants.rows_rewritten() == []
    said = browser.post("/console/invariants/witness/", given, follow=True).content.decode()
    assert "There is no open approval request" not in said
    assert "every row has a digest" in said


def test_who_loads_no_data_asks_for_no_witness(programme: Any, staff: Callable[..., Any]) -> None:
    answer = browser_of(staff("support")).post("/console/invariants/witness/", {"reason": "x"})
    assert answer.status_code == 403
    assert not Approval.objects.exists()
