"""A customer who signs in with another service can set a first password, unless the service is
stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.credentials import sign_ins
from accounts.credentials.admissions import Admission, Origin
from accounts.errors import PasswordReused, ProviderNotTrusted
from accounts.models import AuthEvent, ExternalIdentity, Message, Session, User
from accounts.recovery import by_link
from tests.accounts.conftest import NEW, OLD
from winddown import clock
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db
NOWHERE = Origin()


@pytest.fixture
def external(person: Callable[..., Any]) -> Any:
    return person(provider="line", password="")


def let_in(someone: Any) -> Admission:
    user = sign_ins.sign_in_external("line", someone.login_id, origin=NOWHERE)
    assert user is not None
    admission: Admission = user.admission
    return admission


def choose(someone: Any, admission: Admission) -> None:
    by_link.set_first_password(
        User.objects.get(pk=someone.pk), NEW, admission=admission, language="en"
    )


def refused(someone: Any, admission: Admission) -> bool:
    with pytest.raises(ProviderNotTrusted):
        choose(someone, admission)
    return not User.objects.get(pk=someone.pk).has_usable_password()


def test_a_customer_let_in_by_a_provider_sets_a_password_and_signs_in(external: Any) -> None:
    choose(external, let_in(external))

    assert not Session.objects.filter(user=external).exists()
    assert Message.objects.get().facts == {"event": "password_changed"}
    assert sign_ins.sign_in(external.login_id, NEW, origin=NOWHERE) is not None


def test_no_first_password_is_set_while_the_provider_is_stopped(
    external: Any, staff: Callable[..., Any]
) -> None:
    """Rule 14: this holds from the commit of the stop on, before any batch."""
    admission = let_in(external)
    capabilities.stop("login_external:line", actor=staff("incident_commander"), reason="t")

    assert refused(external, admission)


def test_no_first_password_is_set_by_a_session_from_before_the_stop(
    external: Any, staff: Callable[..., Any]
) -> None:
    admission = let_in(external)
    one, second = staff("incident_commander"), staff("incident_commander")
    capabilities.stop("login_external:line", actor=one, reason="t")
    capabilities.request_restore("login_external:line", actor=one, reason="t")
    capabilities.restore("login_external:line", actor=second, reason="t")

    assert refused(external, admission)
    choose(external, let_in(external))


def test_no_first_password_is_set_while_the_identity_is_suspended(
    external: Any, done: Callable[..., Any]
) -> None:
    admission = let_in(external)
    done("suspend-external-login", providers=["line"])
    assert ExternalIdentity.objects.get().state == "suspended"

    assert refused(external, admission)


def test_no_first_password_is_set_long_after_the_sign_in(
    external: Any, rehearsal_clock: Any
) -> None:
    admission = let_in(external)
    rehearsal_clock.travel(admission.at + by_link.FRESH_FOR, frozen=True)

    assert refused(external, admission)


def test_no_first_password_is_set_by_a_session_from_before_the_fence(
    external: Any, started: Callable[..., Any]
) -> None:
    from accounts.errors import AuthorityFenced

    admission = let_in(external)
    started("reset-all-passwords")

    with pytest.raises(AuthorityFenced):
        choose(external, admission)


def test_a_provider_cannot_replace_an_existing_password(person: Callable[..., Any]) -> None:
    someone = person(provider="line")
    admission = let_in(someone)

    with pytest.raises(ProviderNotTrusted):
        choose(someone, admission)
    assert sign_ins.sign_in(someone.login_id, OLD, origin=NOWHERE) is not None


def test_a_password_sign_in_cannot_set_a_first_password(person: Callable[..., Any]) -> None:
    someone = person(provider="line", password="")
    by_password = Admission(clock.now(), AuthEvent.PASSWORD, 1)

    assert not by_link.may_set_first_password(someone, by_password)
    assert not by_link.may_set_first_password(someone, None)


def test_the_removed_password_is_refused_as_a_first_password(
    person: Callable[..., Any], done: Callable[..., Any]
) -> None:
    """Rule 11."""
    someone = person(provider="line")
    done("reset-all-passwords")
    admission = let_in(someone)

    with pytest.raises(PasswordReused):
        by_link.set_first_password(
            User.objects.get(pk=someone.pk), OLD, admission=admission, language="en"
        )


def test_the_page_is_offered_only_to_customers_without_a_password(
    person: Callable[..., Any], programme: Any, client: Any
) -> None:
    client.force_login(person())
    assert "/recovery/first-password/" not in client.get("/").content.decode()
    assert client.get("/recovery/first-password/").status_code == 302

    someone = person(provider="line", password="")
    client.force_login(someone)
    session = client.session
    session["admission"] = let_in(someone).as_json()
    session.save()
    assert "/recovery/first-password/" in client.get("/").content.decode()
    answer = client.post("/recovery/first-password/", {"password": NEW, "again": NEW})
    assert answer["Location"] == "/sign-in/"
    assert User.objects.get(pk=someone.pk).check_password(NEW)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_owner_is_told_in_the_language_of_the_page(
    external: Any, programme: Any, client: Any, language: str
) -> None:
    client.force_login(external)
    session = client.session
    session["admission"] = let_in(external).as_json()
    session.save()

    client.post(
        "/recovery/first-password/",
        {"password": NEW, "again": NEW},
        headers={"accept-language": language},
    )

    assert Message.objects.get().language == language


def test_a_visitor_whose_second_step_is_still_asked_for_is_sent_to_the_sign_in(
    external: Any, client: Any
) -> None:
    session = client.session
    session["admission"] = let_in(external).as_json()
    session.save()

    answer = client.post("/recovery/first-password/", {"password": NEW, "again": NEW})

    assert answer["Location"] == "/sign-in/"
    assert not User.objects.get(pk=external.pk).has_usable_password()
