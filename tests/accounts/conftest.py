"""People with credentials of every kind, and the two members of staff who decide."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client

from accounts.models import ExternalIdentity
from tests import factories
from tests.accounts.mail_server import Mailbox, mail_server
from tests.accounts.oidc_provider import Provider
from tests.signing_in import sign_in
from winddown import clock
from winddown.runs import control, planning

OLD = "correct horse battery staple"
NEW = "a quite different sentence"


hashed = functools.cache(make_password)


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as mails:
        yield mails


@pytest.fixture
def two(staff: Callable[..., Any]) -> tuple[Any, Any]:
    """A maker and a checker."""
    return staff("incident_commander"), staff("incident_commander")


@pytest.fixture
def started(programme: Any, two: tuple[Any, Any]) -> Callable[..., Any]:
    """`started("reset-all-passwords")` is a running run of which no batch is done."""

    def start(workflow: str, **params: Any) -> Any:
        maker, checker = two
        return factories.started_run(workflow, maker=maker, checker=checker, params=params)

    return start


@pytest.fixture
def done(started: Callable[..., Any]) -> Callable[..., Any]:
    """`done("reset-all-passwords")` is a run at its end."""
    return lambda workflow, **params: factories.worked_off(started(workflow, **params))


@pytest.fixture
def person(switches: None, customer: Callable[..., Any]) -> Callable[..., Any]:
    """`person(provider="line")` is a customer with the password OLD and an identity there."""

    def make(*, provider: str = "", password: str = OLD, **fields: Any) -> Any:
        login_id = factories.unique("person")
        made = customer(
            **{
                "login_id": login_id,
                "password": hashed(password) if password else "!",
                "password_set_at": clock.now(),
                "email": f"{login_id}@example.com",
                "email_verified_at": clock.now(),
                **fields,
            }
        )
        if provider:
            ExternalIdentity.objects.create(
                user=made, provider=provider, subject=login_id, linked_at=clock.now()
            )
        return made

    return make


class Browser:
    """One person's browser."""

    def __init__(self) -> None:
        self.client = Client()

    def sign_in(self, login_id: str, password: str = OLD) -> bool:
        """Through the second factor too, for those who have one."""
        sign_in(self.client, login_id, password)
        return "_auth_user_id" in self.client.session

    def come_back_from(self, provider: str, subject: str) -> bool:
        answer = self.client.post("/callback", {"provider": provider, "subject": subject})
        return answer.status_code == 200

    def who(self) -> str:
        """The login id the service sees, and, when it just refused the session, why."""
        return self.client.get("/who").content.decode()


@pytest.fixture
def browser(settings: Any, database: Any) -> Callable[[], Browser]:
    settings.ROOT_URLCONF = "tests.accounts.doors"
    return Browser


@pytest.fixture
def population(switches: None) -> Callable[..., None]:
    """`population(2000)`: every tenth without a password, every fifth without a channel, every
    fourth with a LINE identity, every twentieth with a Yahoo one; each with a session."""

    def make(number: int) -> None:
        before = clock.now() - dt.timedelta(days=1)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH people AS (
                    INSERT INTO accounts_user (login_id, kind, password, is_superuser, is_staff,
                        is_active, email, email_verified_at, phone, phone_verified_at, display_name,
                        kana_name, staff_number, registered_at, password_set_at, refused_hash)
                    SELECT 'p' || n, 'customer',
                        CASE WHEN n %% 10 = 0 THEN '!' ELSE 'argon2$' || n END, false, false, true,
                        CASE WHEN n %% 2 = 0 THEN 'p' || n || '@example.com' ELSE '' END,
                        CASE WHEN n %% 5 > 0 AND n %% 2 = 0 THEN %(before)s::timestamptz END,
                        CASE WHEN n %% 2 = 1 THEN '090' || lpad(n::text, 8, '0') ELSE '' END,
                        CASE WHEN n %% 5 > 0 AND n %% 2 = 1 THEN %(before)s::timestamptz END,
                        '', '', '', %(before)s, %(before)s, ''
                    FROM generate_series(1, %(number)s) n
                    RETURNING id, substr(login_id, 2)::int AS n
                ), identities AS (
                    INSERT INTO accounts_externalidentity
                        (user_id, provider, subject, state, linked_at)
                    SELECT id, 'line', 'line' || n, 'active', %(before)s
                    FROM people WHERE n %% 4 = 0
                    UNION ALL
                    SELECT id, 'yahoo', 'yahoo' || n, 'active', %(before)s
                    FROM people WHERE n %% 20 = 0
                )
                INSERT INTO accounts_session (session_key, session_data, expire_date, user_id,
                    issued_at, method)
                SELECT 'key' || n, '', now() + interval '1 day', id, %(before)s,
                    CASE WHEN n %% 4 = 0 THEN 'line' ELSE 'password' END FROM people
                """,
                {"before": before, "number": number},
            )

    return make


@pytest.fixture
def plan_of(switches: None, two: tuple[Any, Any]) -> Callable[..., dict[str, Any]]:
    """The content of a plan that is then given up."""

    def plan(workflow: str, **params: Any) -> dict[str, Any]:
        run = planning.plan(workflow, actor=two[0], reason="test", params=params)
        content: dict[str, Any] = run.plans.get().content
        control.abort(run, actor=two[0], reason="test")
        return content

    return plan


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """A provider on this machine, which the settings name as LINE."""
    with Provider() as running:
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {
                **settings.SOCIALACCOUNT_PROVIDERS["openid_connect"],
                "APPS": [running.app("line")],
            }
        }
        yield running
