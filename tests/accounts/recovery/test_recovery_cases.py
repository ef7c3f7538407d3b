"""Support helps a customer whom no link reaches: from the case to the new password."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.models import RecoveryCase
from accounts.recovery import cases
from accounts.sign_in import second_factor
from tests.accounts.conftest import NEW
from tests.accounts.mail_server import Mailbox, link_in, text_of
from tests.accounts.recovery.casework import (
    NEW_ADDRESS,
    approved,
    collecting,
    console,
    digest,
    opened,
    proposed,
)
from tests.accounts.recovery.visiting import EN
from tests.signing_in import code_typed
from winddown import clock
from winddown.errors import (
    GuardNotMet,
    NotPermitted,
)
from winddown.evidence import invariants
from winddown.models import AuditEntry
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db

# --- the whole way ------------------------------------------------------------------------------


def test_a_case_goes_through_portal_and_console_to_a_new_password(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox, programme: Any
) -> None:
    visitor, support, second = Client(headers=EN), console(helper), console(supervisor)
    wrote = {"name": "Taro Yamada", "who": NEW_ADDRESS, "account": "?", "story": "lost it all"}
    shown = visitor.post("/recovery/help/", wrote, follow=True)
    case = RecoveryCase.objects.get()
    assert case.reference in shown.content.decode()

    page = f"/console/recovery/{case.pk}/"
    support.post(f"{page}take/", {"reason": "mine"})
    for kind in ("identity_document", "past_transactions"):
        support.post(f"{page}proof/", {"kind": kind, "note": "matches what we know"})
    support.post(f"{page}propose/", {"account": locked_out.login_id, "reason": "it is them"})
    inbox = second.get("/console/").content.decode()
    assert f'href="{page}"' in inbox
    answer = second.post(
        f"{page}approve/", {"reason": "agreed", "digest": digest(case)}, follow=True
    )
    assert "Done: Approve" in answer.content.decode()

    clockwork.tick()
    (told,) = mailbox.to(NEW_ADDRESS)
    assert case.reference in text_of(told)
    assert "http" not in text_of(told)
    assert "approved" in visitor.get("/recovery/case/").content.decode().lower()
    visitor.post("/recovery/case/link/")
    clockwork.tick()
    visitor.get(urlsplit(link_in(mailbox.to(NEW_ADDRESS)[-1])).path)
    assert visitor.post("/recovery/password/", {"password": NEW, "again": NEW}).status_code == 302

    clockwork.tick()
    case.refresh_from_db()
    locked_out.refresh_from_db()
    assert case.state == "completed"
    assert locked_out.email == NEW_ADDRESS
    assert locked_out.channel_changed_at is not None
    assert locked_out.check_password(NEW)
    (warned,) = mailbox.to("old@example.com")
    assert NEW_ADDRESS not in text_of(warned)
    assert "another address" in text_of(warned)
    visitor.post("/sign-in/", {"login_id": locked_out.login_id, "password": NEW})
    assert "_auth_user_id" in visitor.session
    acts = AuditEntry.objects.filter(subject=case.subject).order_by("seq")
    assert [each.action.partition(".")[2] for each in acts] == [
        "open", "take", "proof", "proof", "propose", "approve", "complete",
    ]  # fmt: skip
    assert invariants.breached() == {}


# --- a lost second factor -----------------------------------------------------------------------


def with_factors(someone: Any) -> Any:
    second_factor.add_app(someone)
    RecoveryCodes.activate(someone)
    return someone


def completed(case: RecoveryCase, address: str, mailbox: Mailbox) -> None:
    """The person uses the link of the approved case."""
    visitor = Client(headers=EN)
    visitor.post("/recovery/case/", {"reference": case.reference})
    visitor.post("/recovery/case/link/")
    clockwork.tick()
    visitor.get(urlsplit(link_in(mailbox.to(address)[-1])).path)
    assert visitor.post("/recovery/password/", {"password": NEW, "again": NEW}).status_code == 302


def signed_in(someone: Any) -> bool:
    browser = Client(headers=EN)
    browser.post("/sign-in/", {"login_id": someone.login_id, "password": NEW})
    return "_auth_user_id" in browser.session


@pytest.mark.parametrize("address", [NEW_ADDRESS, "own@example.com"])
def test_lost_factors_are_removed_by_the_last_step_of_the_person_and_not_before(
    address: str, person: Any, helper: Any, supervisor: Any, mailbox: Mailbox, programme: Any
) -> None:
    """This holds for a person who still reads the old mail too: a plain reset would not help."""
    at = clock.now() - dt.timedelta(days=1)
    someone = with_factors(person(email="own@example.com", email_verified_at=at))
    case = collecting(helper, "identity_document", "call_back", address=address)
    browser = console(helper)
    sent = {"account": someone.login_id, "second_factor_lost": "lost", "reason": "telephone lost"}
    browser.post(f"/console/recovery/{case.pk}/propose/", sent)
    case.refresh_from_db()
    shown = console(supervisor).get(f"/console/recovery/{case.pk}/approve/").content.decode()
    assert "Is lost: app, passkeys and recovery codes are removed" in shown

    cases.decide(case, actor=supervisor, digest=digest(case), reason="agreed", approve=True)
    assert Authenticator.objects.filter(user_id=someone.pk).count() == 2
    completed(case, address, mailbox)

    assert not Authenticator.objects.filter(user_id=someone.pk).exists()
    assert signed_in(someone)
    someone.refresh_from_db()
    assert (someone.email, someone.channel_changed_at is not None) == (address, True)
    entry = AuditEntry.objects.get(subject=case.subject, action="recovery.complete")
    assert entry.facts["second_factor_removed"] is True


def test_factors_that_are_not_reported_lost_stay(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox, programme: Any
) -> None:
    with_factors(locked_out)
    completed(approved(helper, supervisor, locked_out), NEW_ADDRESS, mailbox)

    assert Authenticator.objects.filter(user_id=locked_out.pk).count() == 2
    assert not signed_in(locked_out), "the second step is asked for"


def test_an_account_without_a_second_factor_cannot_report_one_lost(
    locked_out: Any, helper: Any
) -> None:
    case = collecting(helper, "identity_document", "call_back")
    with pytest.raises(GuardNotMet, match="no second factor"):
        cases.propose(
            case, account=locked_out.login_id, actor=helper, reason="t", second_factor_lost=True
        )


def test_a_case_is_worked_by_commands_too(locked_out: Any, helper: Any, supervisor: Any) -> None:
    case = opened()

    def run(*arguments: str, by: Any = helper) -> str:
        out = StringIO()
        with code_typed(by):
            call_command(*arguments, f"--by={by.login_id}", "--reason=test", stdout=out)
        return out.getvalue()

    assert case.reference in run("recovery_cases", "--list")
    run("recovery_cases", case.reference.lower(), "--take")
    run("recovery_cases", case.reference, "--proof=call_back", "--note=answered")
    run("recovery_cases", case.reference, "--proof=card_last4", "--note=right")
    run("recovery_cases", case.reference, f"--propose={locked_out.account_ref}")
    with pytest.raises(SystemExit):
        run("approve", case.subject, f"--digest={digest(case)[:32]}")
    run("approve", case.subject, f"--digest={digest(case)[:32]}", by=supervisor)

    case.refresh_from_db()
    assert case.state == "approved"


def test_a_rejected_person_gets_the_reason_by_message_and_on_the_page(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox
) -> None:
    """Rule 24 asks the same for claims."""
    case = proposed(helper, locked_out)
    cases.decide(case, actor=supervisor, digest=digest(case), reason="weak", approve=False)

    clockwork.tick()

    why = "What we received does not prove that it is your account."
    assert why in text_of(mailbox.to(NEW_ADDRESS)[0])
    visitor = Client(headers=EN)
    shown = visitor.post("/recovery/case/", {"reference": case.reference}, follow=True)
    assert why in shown.content.decode()
    assert "weak" not in shown.content.decode()


# --- the data of people -------------------------------------------------------------------------


def test_contact_data_is_sealed_and_masked_and_each_reading_is_recorded(
    locked_out: Any, helper: Any, staff: Callable[..., Any]
) -> None:
    """Rule 64."""
    case = opened()
    with connection.cursor() as cursor:
        cursor.execute("SELECT c::text FROM accounts_recoverycase c")
        assert "reached@" not in str(cursor.fetchall())
    browser = console(helper)
    page = f"/console/recovery/{case.pk}/"
    for place in (page, "/console/recovery/", f"{page}contact/"):
        shown = browser.get(place).content.decode()
        assert NEW_ADDRESS not in shown
        assert "Taro" not in shown
    assert "r***@e***.com" in browser.get(page).content.decode()

    unexplained = browser.post(f"{page}contact/", {"reason": ""})
    assert NEW_ADDRESS not in unexplained.content.decode()
    shown = browser.post(f"{page}contact/", {"reason": "to call them"})
    assert NEW_ADDRESS in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]

    (read,) = AuditEntry.objects.filter(action="recovery.read_contact")
    assert (read.actor, read.reason) == (helper, "to call them")
    with pytest.raises(NotPermitted):
        cases.disclose_contact(case, actor=staff("auditor"), reason="curious")


def test_the_contact_is_told_at_the_terminal_for_a_reason_and_recorded(
    staff: Callable[..., Any], helper: Any
) -> None:
    case = opened()

    def told(person: Any) -> str:
        out = StringIO()
        words = ("--contact", "--by", person.login_id, "--reason", "to call them")
        with code_typed(person):
            call_command("recovery_cases", case.reference, *words, stdout=out)
        return out.getvalue()

    assert NEW_ADDRESS in told(helper)

    (read,) = AuditEntry.objects.filter(action="recovery.read_contact")
    assert (read.actor, read.reason) == (helper, "to call them")
    assert read.facts["command"]["name"] == "recovery_cases"
    assert NEW_ADDRESS not in str(read.facts)
    with pytest.raises(SystemExit):
        told(staff("auditor"))
    assert AuditEntry.objects.filter(action="recovery.read_contact").count() == 1


def test_the_queue_is_shown_only_to_those_who_work_on_it(
    staff: Callable[..., Any], helper: Any
) -> None:
    case = opened()
    for place in ("/console/recovery/", f"/console/recovery/{case.pk}/"):
        assert console(helper).get(place).status_code == 200
        assert console(staff("treasury_operator")).get(place).status_code == 403
    assert AuditEntry.objects.filter(action="refused").count() == 2


def test_the_queue_is_filtered_by_the_query_of_its_url(helper: Any, rehearsal_clock: Any) -> None:
    old = opened()
    rehearsal_clock.travel(clock.now() + dt.timedelta(days=4))
    young = collecting(helper)
    browser = console(helper)

    def listed(query: str) -> list[int]:
        return [each.pk for each in browser.get(f"/console/recovery/{query}").context["seen"].cases]

    assert listed("") == [old.pk, young.pk]
    assert listed("?days=3") == [old.pk]
    assert listed("?state=collecting") == [young.pk]
    assert listed("?state=nonsense&days=x&page=-1") == [old.pk, young.pk]


def test_an_unknown_reference_gets_an_answer_that_tells_nothing() -> None:
    visitor = Client(headers=EN)
    answer = visitor.post("/recovery/case/", {"reference": "AAAA-BBBB-CCCC"})

    assert answer.status_code == 200
    assert "There is no case with this reference." in answer.content.decode()
