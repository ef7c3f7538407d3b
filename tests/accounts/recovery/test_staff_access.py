"""Password, second factor and roles of staff change by two people, from page and command."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from accounts import member_page, staff_roles
from accounts.errors import NotForOneself, RolesExclude
from accounts.models import OneTimeLink, Session, User
from accounts.recovery import staff_recovery
from accounts.sign_in import second_factor
from tests import factories
from tests.accounts.conftest import NEW, OLD
from tests.config.test_every_door import browser_of
from tests.signing_in import code_typed
from tests.told import told
from winddown.errors import (
    AskedAlready,
    GuardNotMet,
    NothingToDecide,
    NotPermitted,
    PlanChanged,
    SamePerson,
)
from winddown.models import Approval, AuditEntry, Signature

pytestmark = pytest.mark.django_db
Staff = Callable[..., Any]
SECRET = re.compile(r"http\S+/recovery/link/[\w-]+/")


@pytest.fixture
def lost(staff: Staff, programme: Any) -> Any:
    """A colleague with a password and a second factor."""
    person = staff("support", display_name="Lost")
    person.set_password(OLD)
    person.save()
    second_factor.add_app(person)
    return person


@pytest.fixture
def one(staff: Staff) -> Any:
    return staff("incident_commander", display_name="One")


@pytest.fixture
def second(staff: Staff) -> Any:
    return staff("incident_commander", display_name="Second")


def decided_at(browser: Client, person: Any, verb: str, **given: Any) -> Any:
    """The answer to the form that the page shows, filled in."""
    address = f"/console/staff/{person.pk}/{verb}/"
    shown = browser.get(address)
    assert shown.status_code == 200
    digest = shown.context["form"]["digest"].value() or ""
    return browser.post(address, {"reason": "seen", "digest": digest, **given})


def acts(person: Any) -> list[str]:
    subjects = [f"staff_recovery:{person.pk}", f"staff_roles:{person.pk}"]
    found = AuditEntry.objects.filter(subject__in=subjects).order_by("seq")
    return list(found.values_list("action", flat=True))


# --- account recovery ------------------------------------------------------------------------------


def test_two_colleagues_recover_an_account_and_the_link_enrols_a_new_factor(
    lost: Any, one: Any, second: Any
) -> None:
    old = browser_of(lost)
    decided_at(browser_of(one), lost, "recover", second_factor_lost="lost")
    answer = decided_at(browser_of(second), lost, "agree")

    (link,) = set(SECRET.findall(answer.content.decode()))
    assert not lost.authenticator_set.exists()
    assert not Session.objects.filter(user=lost).exists()
    assert not User.objects.get(pk=lost.pk).check_password(OLD)
    assert old.get("/console/").status_code == 302
    browser = Client()
    browser.get(urlsplit(link).path)
    # The old password is known to who knows what; it does not come back.
    again = browser.post("/recovery/password/", {"password": OLD, "again": OLD})
    assert again.status_code == 200
    browser.post("/recovery/password/", {"password": NEW, "again": NEW})
    browser.post("/sign-in/", {"login_id": lost.login_id, "password": NEW})
    assert browser.get("/console/")["Location"].startswith("/account/second-factor/")
    assert Client().get(urlsplit(link).path).status_code in (302, 410)
    assert OneTimeLink.objects.get().used_at is not None
    assert acts(lost) == ["staff_recovery.request", "staff_recovery.agree"]
    agreed = AuditEntry.objects.get(action="staff_recovery.agree")
    assert (agreed.actor, agreed.reason) == (second, "seen")
    assert agreed.facts["second_factor_removed"] is True
    token = link.rstrip("/").rpartition("/")[2]
    assert token not in str(list(AuditEntry.objects.values()))


def test_a_lost_password_leaves_the_second_factor(lost: Any, one: Any, second: Any) -> None:
    decided_at(browser_of(one), lost, "recover", second_factor_lost="kept")
    answer = decided_at(browser_of(second), lost, "agree")

    assert SECRET.search(answer.content.decode())
    assert lost.authenticator_set.count() == 1
    assert User.objects.get(pk=lost.pk).check_password(OLD)


def test_a_rejected_request_changes_nothing_and_the_next_one_is_another(
    lost: Any, one: Any, second: Any
) -> None:
    decided_at(browser_of(one), lost, "recover", second_factor_lost="lost")
    decided_at(browser_of(second), lost, "refuse")

    assert lost.authenticator_set.count() == 1
    assert staff_recovery.waiting(lost) is None
    assert not OneTimeLink.objects.exists()
    # Who rejected one may ask for the next.
    staff_recovery.request(lost, actor=second, reason="again")
    asked = staff_recovery.waiting(lost)
    assert asked is not None
    staff_recovery.agree(lost, actor=one, digest=asked.digest, reason="seen")
    assert acts(lost)[1] == "staff_recovery.reject"


def test_whoever_asked_does_not_agree_and_the_page_says_so(lost: Any, one: Any) -> None:
    browser = browser_of(one, headers={"accept-language": "en"})
    decided_at(browser, lost, "recover", second_factor_lost="lost")
    page = browser.get(f"/console/staff/{lost.pk}/").content.decode()
    assert "Your own request: a second person decides." in page
    assert f"/console/staff/{lost.pk}/agree/" not in page
    asked = staff_recovery.waiting(lost)
    assert asked is not None

    answer = browser.post(
        f"/console/staff/{lost.pk}/agree/", {"reason": "me", "digest": asked.digest}
    )

    assert "A second person must decide" in told(answer)
    assert lost.authenticator_set.count() == 1
    assert not OneTimeLink.objects.exists()
    assert AuditEntry.objects.filter(action="refused", actor=one).exists()


def test_another_request_than_the_page_showed_is_not_agreed_to(
    lost: Any, one: Any, second: Any
) -> None:
    staff_recovery.request(lost, actor=one, reason="password only")
    shown = staff_recovery.waiting(lost)
    staff_recovery.request(lost, actor=one, reason="and the factor", second_factor_lost=True)
    assert shown is not None

    with pytest.raises(PlanChanged), transaction.atomic():
        staff_recovery.agree(lost, actor=second, digest=shown.digest, reason="seen")

    assert lost.authenticator_set.count() == 1


def test_the_command_asks_agrees_and_rejects(lost: Any, one: Any, second: Any) -> None:
    def run(*arguments: str, by: Any) -> str:
        out = StringIO()
        with code_typed(by):
            call_command(
                "recover_staff",
                lost.login_id,
                *arguments,
                by=by.login_id,
                reason="t",
                stdout=out,
            )
        return out.getvalue()

    def seen() -> str:
        request = staff_recovery.waiting(lost)
        assert request is not None
        return f"--digest={request.digest[:32]}"

    run("--second-factor-lost", by=one)
    run("--reject", seen(), by=second)
    assert lost.authenticator_set.count() == 1
    run(by=one)
    shown = seen()
    run("--second-factor-lost", by=one)
    with pytest.raises(SystemExit):
        run("--agree", shown, by=second)
    with pytest.raises(CommandError, match="--digest is missing"):
        run("--agree", by=second)
    assert lost.authenticator_set.count() == 1
    with pytest.raises(SystemExit):
        run("--agree", seen(), by=one)
    assert "/recovery/link/" in run("--agree", seen(), by=second)
    assert not lost.authenticator_set.exists()


# --- roles --------------------------------------------------------------------------------------


def test_two_colleagues_change_the_roles(lost: Any, one: Any, staff: Staff) -> None:
    checker = staff("compliance")
    decided_at(browser_of(one), lost, "roles", roles=["fraud_analyst", "compliance"])
    assert staff_roles.roles_of(lost) == ["support"]
    page = browser_of(checker).get(f"/console/staff/{lost.pk}/approve-roles/").content.decode()
    assert "Fraud analyst" in page or "不正調査担当" in page

    decided_at(browser_of(checker), lost, "approve-roles")

    assert staff_roles.roles_of(lost) == ["fraud_analyst", "compliance"]
    assert not User.objects.get(pk=lost.pk).has_perm("accounts.work_recovery_case")
    assert acts(lost) == ["staff_roles.request", "staff_roles.approve"]
    changed = AuditEntry.objects.get(action="staff_roles.approve")
    assert (changed.facts["before"], changed.facts["after"]) == (
        ["support"],
        ["fraud_analyst", "compliance"],
    )


def test_all_roles_can_be_taken_away_and_a_request_rejected(
    lost: Any, one: Any, second: Any
) -> None:
    decided_at(browser_of(one), lost, "roles", roles=[])
    decided_at(browser_of(second), lost, "reject-roles")
    assert staff_roles.roles_of(lost) == ["support"]
    assert not AuditEntry.objects.filter(action="access.roles_changed").exists()

    decided_at(browser_of(second), lost, "roles", roles=[])
    decided_at(browser_of(one), lost, "approve-roles")

    assert staff_roles.roles_of(lost) == []
    assert Signature.objects.filter(subject__startswith=f"staff_roles:{lost.pk}:").count() == 4


def test_whoever_asked_does_not_approve_the_roles(lost: Any, one: Any) -> None:
    asked = staff_roles.request(lost, wanted=["fraud_analyst"], actor=one, reason="t")

    answer = browser_of(one, headers={"accept-language": "en"}).post(
        f"/console/staff/{lost.pk}/approve-roles/", {"reason": "me", "digest": asked.digest}
    )

    assert "A second person must decide" in told(answer)
    assert staff_roles.roles_of(lost) == ["support"]


def test_nobody_asks_or_decides_for_themselves_under_whatever_account(
    one: Any, second: Any, staff: Staff, programme: Any
) -> None:
    alias = staff("incident_commander", staff_number=one.staff_number)
    for actor in (one, alias):
        with pytest.raises(NotForOneself):
            staff_roles.request(one, wanted=[], actor=actor, reason="t")
    asked = staff_roles.request(one, wanted=[], actor=second, reason="t")
    with pytest.raises(NotForOneself):
        staff_roles.decide(alias, actor=one, digest=asked.digest, reason="t", approve=True)
    page = browser_of(one, headers={"accept-language": "en"}).get(f"/console/staff/{one.pk}/")
    assert page.content.decode().count("This is your own account: two colleagues decide.") >= 3


def test_roles_that_exclude_each_other_are_refused_when_asked_and_when_given(
    lost: Any, one: Any, second: Any, staff: Staff
) -> None:
    browser = browser_of(one, headers={"accept-language": "en"})
    answer = decided_at(browser, lost, "roles", roles=["fraud_analyst", "fraud_supervisor"])
    assert "exclude each other" in told(answer)
    assert staff_roles.waiting(lost) is None
    asked = staff_roles.request(lost, wanted=["fraud_analyst"], actor=one, reason="t")
    # Meanwhile another account of the same person gets the role that does not go with it.
    staff("fraud_supervisor", staff_number=lost.staff_number)

    with pytest.raises(RolesExclude):
        staff_roles.decide(lost, actor=second, digest=asked.digest, reason="t", approve=True)

    assert staff_roles.roles_of(lost) == ["support"]
    with pytest.raises(RolesExclude):
        staff_roles.request(lost, wanted=["fraud_analyst"], actor=one, reason="t")


def test_a_change_of_roles_fits_only_the_roles_that_it_was_asked_for(
    lost: Any, one: Any, second: Any
) -> None:
    asked = staff_roles.request(lost, wanted=["fraud_analyst"], actor=one, reason="t")
    lost.groups.add(Group.objects.get(name="compliance"))

    with pytest.raises(PlanChanged), transaction.atomic():
        staff_roles.decide(lost, actor=second, digest=asked.digest, reason="t", approve=True)

    assert staff_roles.roles_of(lost) == ["compliance", "support"]


@pytest.mark.parametrize("wanted", [["support"], ["emperor"]])
def test_what_would_change_nothing_or_is_no_role_is_refused(
    lost: Any, one: Any, wanted: list[str]
) -> None:
    with pytest.raises(GuardNotMet):
        staff_roles.request(lost, wanted=wanted, actor=one, reason="t")


def test_a_colleague_without_any_role_can_be_asked_for_on_the_page(lost: Any, one: Any) -> None:
    browser_of(one).post(f"/console/staff/{lost.pk}/roles/", {"reason": "leaves"})
    asked = staff_roles.waiting(lost)
    assert asked is not None
    assert asked.summary["after"] == []


def test_the_same_request_sent_twice_asks_once(lost: Any, one: Any) -> None:
    staff_roles.request(lost, wanted=["compliance"], actor=one, reason="new desk")
    with pytest.raises(AskedAlready):
        staff_roles.request(lost, wanted=["compliance"], actor=one, reason="new desk")
    staff_recovery.request(lost, actor=one, reason="phone stolen")
    with pytest.raises(AskedAlready):
        staff_recovery.request(lost, actor=one, reason="phone stolen")
    assert acts(lost) == ["staff_roles.request", "staff_recovery.request"]


def test_customers_have_no_roles(one: Any, programme: Any) -> None:
    customer = factories.make_customer()
    with pytest.raises(GuardNotMet):
        staff_roles.request(customer, wanted=["support"], actor=one, reason="t")
    assert browser_of(one).get(f"/console/staff/{customer.pk}/").status_code == 404


def test_the_command_asks_and_approve_decides(lost: Any, one: Any, second: Any) -> None:
    signed = f"--by={one.login_id}", "--reason=t"
    call_command("staff", "roles", lost.login_id, "--role=compliance", *signed)
    request = Approval.objects.get()
    for person in (one, second):
        with code_typed(person):
            decide = {"by": person.login_id, "reason": "t", "digest": request.digest}
            if person == one:
                with pytest.raises(SystemExit):
                    call_command("approve", request.subject, **decide)
                assert staff_roles.roles_of(lost) == ["support"]
            else:
                call_command("approve", request.subject, **decide)
    assert staff_roles.roles_of(lost) == ["compliance"]
    with pytest.raises(CommandError):
        call_command("staff", "roles", "nobody", *signed)


def test_nothing_is_decided_where_nothing_waits(lost: Any, one: Any) -> None:
    with pytest.raises(NothingToDecide):
        staff_roles.decide(lost, actor=one, digest="", reason="t", approve=True)
    with pytest.raises(NothingToDecide), transaction.atomic():
        staff_recovery.agree(lost, actor=one, digest="", reason="t")
    answer = browser_of(one).get(f"/console/staff/{lost.pk}/agree/")
    assert answer["Location"] == f"/console/staff/{lost.pk}/"


# --- who may see and act ------------------------------------------------------------------------

VERBS = ("recover", "agree", "refuse", "roles", "approve-roles", "reject-roles")


def test_the_pages_take_a_permission(lost: Any, one: Any, staff: Staff) -> None:
    support = browser_of(staff("support"))
    for address in ("", f"{lost.pk}/", *(f"{lost.pk}/{verb}/" for verb in VERBS)):
        assert support.get(f"/console/staff/{address}").status_code == 403
        assert Client().get(f"/console/staff/{address}").status_code == 302
    assert browser_of(one).get("/console/staff/").status_code == 200
    assert browser_of(staff("compliance")).get(f"/console/staff/{lost.pk}/").status_code == 200
    assert 'href="/console/staff/"' not in support.get("/console/").content.decode()
    assert browser_of(one).get(f"/console/staff/{lost.pk}/promote/").status_code == 404


def test_each_verb_takes_its_own_permission(lost: Any, one: Any, staff: Staff) -> None:
    """Compliance changes roles, and opens no account."""
    compliance = staff("compliance")
    asked = staff_recovery.request(lost, actor=one, reason="t", second_factor_lost=True)
    browser = browser_of(compliance, headers={"accept-language": "en"})

    answer = browser.post(
        f"/console/staff/{lost.pk}/agree/", {"reason": "t", "digest": asked.digest}
    )

    assert (answer.status_code, told(answer)) == (403, "")
    assert lost.authenticator_set.count() == 1
    assert AuditEntry.objects.filter(action="refused", actor=compliance).exists()
    for verb in (staff_roles.request, staff_roles.decide):
        given: dict[str, Any] = {"actor": staff("support"), "reason": "t"}
        given |= {"wanted": []} if verb is staff_roles.request else {"digest": "", "approve": True}
        with pytest.raises(NotPermitted):
            verb(lost, **given)


@pytest.mark.parametrize("verb", VERBS)
def test_a_stale_sign_in_or_a_forged_form_changes_nothing(
    lost: Any, one: Any, second: Any, verb: str
) -> None:
    second_factor.add_app(second)
    staff_recovery.request(lost, actor=one, reason="t", second_factor_lost=True)
    staff_roles.request(lost, wanted=["compliance"], actor=one, reason="t")
    before = AuditEntry.objects.count()
    digest = Approval.objects.latest("pk").digest
    sent = {"reason": "t", "digest": digest, "second_factor_lost": "lost", "roles": "auditor"}
    address = f"/console/staff/{lost.pk}/{verb}/"

    stale = browser_of(second, shown_s_ago=3_600)
    assert stale.get(address).status_code == 200
    assert stale.post(address, sent)["Location"].startswith("/account/confirm/")
    forged = browser_of(second, enforce_csrf_checks=True)
    assert forged.post(address, sent).status_code == 403

    assert AuditEntry.objects.count() == before
    assert lost.authenticator_set.count() == 1
    assert staff_roles.roles_of(lost) == ["support"]


def test_a_disabled_account_is_not_recovered(lost: Any, one: Any, second: Any) -> None:
    asked = staff_recovery.request(lost, actor=one, reason="t", second_factor_lost=True)
    User.objects.filter(pk=lost.pk).update(is_active=False)
    lost.refresh_from_db()

    with pytest.raises(GuardNotMet, match="disabled"):
        staff_recovery.request(lost, actor=second, reason="t")
    with pytest.raises(GuardNotMet, match="disabled"), transaction.atomic():
        staff_recovery.agree(lost, actor=second, digest=asked.digest, reason="t")

    assert lost.authenticator_set.count() == 1
    assert not OneTimeLink.objects.exists()


def test_a_superuser_is_shown_as_one(one: Any, staff: Staff, programme: Any) -> None:
    root = staff(is_superuser=True)
    browser = browser_of(one, headers={"accept-language": "en"})
    for address in ("", f"{root.pk}/"):
        assert "Superuser" in browser.get(f"/console/staff/{address}").content.decode()
    usual = browser.get(f"/console/staff/{one.pk}/").content.decode()
    assert "Superuser" not in usual


def test_nothing_is_asked_without_a_reason(lost: Any, one: Any) -> None:
    browser = browser_of(one, headers={"accept-language": "en"})
    for verb in ("recover", "roles"):
        answer = browser.post(
            f"/console/staff/{lost.pk}/{verb}/",
            {"reason": " ", "second_factor_lost": "lost", "roles": "compliance"},
        )
        assert "<title>Error:" in answer.content.decode()
    assert not Approval.objects.exists()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_pages_are_in_both_languages(lost: Any, one: Any, language: str) -> None:
    browser = browser_of(one, headers={"accept-language": language})
    for address in ("", f"{lost.pk}/", f"{lost.pk}/recover/", f"{lost.pk}/roles/"):
        said = browser.get(f"/console/staff/{address}").content.decode()
        assert f'<html lang="{language}">' in said
        assert ("職員" in said) is (language == "ja")


def test_a_request_waits_in_the_inbox_with_its_page(
    lost: Any, one: Any, second: Any, staff: Staff
) -> None:
    staff_recovery.request(lost, actor=one, reason="t")
    said = browser_of(second).get("/console/").content.decode()
    assert f'href="/console/staff/{lost.pk}/"' in said


def test_a_second_agreement_finds_nothing(lost: Any, one: Any, second: Any, staff: Staff) -> None:
    asked = staff_recovery.request(lost, actor=one, reason="t")
    staff_recovery.agree(lost, actor=second, digest=asked.digest, reason="t")
    with pytest.raises(NothingToDecide):
        staff_recovery.agree(
            lost, actor=staff("incident_commander"), digest=asked.digest, reason="t"
        )
    assert OneTimeLink.objects.count() == 1


def test_the_same_person_is_refused_by_the_verbs_too(lost: Any, one: Any, staff: Staff) -> None:
    alias = staff("incident_commander", staff_number=one.staff_number)
    link = staff_recovery.request(lost, actor=one, reason="t")
    change = staff_roles.request(lost, wanted=[], actor=one, reason="t")
    for actor in (one, alias):
        with pytest.raises(SamePerson), transaction.atomic():
            staff_recovery.agree(lost, actor=actor, digest=link.digest, reason="t")
        with pytest.raises(SamePerson):
            staff_roles.decide(lost, actor=actor, digest=change.digest, reason="t", approve=True)


@pytest.mark.parametrize(
    ("language", "onward", "said"),
    [("en", "Next page", "members of staff in all"), ("ja", "次のページ", "職員は全部で")],
)
def test_the_list_of_staff_has_pages_and_leaves_nobody_out(
    one: Any, staff: Staff, monkeypatch: pytest.MonkeyPatch, language: str, onward: str, said: str
) -> None:
    monkeypatch.setattr(member_page, "SHOWN_MAX", 3)
    people = {one.login_id} | {staff("support").login_id for _ in range(6)}
    browser = browser_of(one, headers={"accept-language": language})

    shown = [browser.get(f"/console/staff/?page={n}").content.decode() for n in (1, 2, 3)]

    for login_id in people:
        assert sum(login_id in each.partition("<main")[2] for each in shown) == 1
    assert [onward in each for each in shown] == [True, True, False]
    assert all(said in each for each in shown)


@pytest.mark.parametrize("page", ["0", "-1", "x", "9999999", "\u0663", ""])
def test_any_number_of_a_page_is_answered(one: Any, page: str) -> None:
    assert browser_of(one).get("/console/staff/", {"page": page}).status_code == 200


def test_the_list_of_staff_is_refused_to_others(staff: Staff, programme: Any) -> None:
    assert browser_of(staff("auditor")).get("/console/staff/?page=2").status_code == 403
