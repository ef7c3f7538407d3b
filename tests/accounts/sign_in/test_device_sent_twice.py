"""A request for a device token that is sent twice with one key makes one token."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import DeviceToken, Message
from tests.accounts.conftest import OLD
from tests.accounts.sign_in.signing import make_stale
from tests.accounts.sign_in.test_endings import works
from tests.signing_in import sign_in
from winddown import clock

pytestmark = pytest.mark.django_db


def asked(browser: Client, **given: Any) -> Any:
    body = json.dumps({"device_name": "phone", **given})
    return browser.post("/account/devices/", body, content_type="application/json")


@pytest.fixture
def signed_in(person: Callable[..., Any]) -> Client:
    browser = Client()
    sign_in(browser, person().login_id, OLD)
    return browser


def test_the_same_key_returns_the_same_token_and_tells_once(signed_in: Client) -> None:
    first, second = (asked(signed_in, once="a key") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert works(first.json()["token"])
    assert DeviceToken.objects.count() == Message.objects.count() == 1


@pytest.mark.parametrize("again", [{"once": "another"}, {"once": ""}, {}, {"device_name": "pad"}])
def test_another_request_is_another_token(signed_in: Client, again: dict[str, Any]) -> None:
    first = asked(signed_in, once="a key").json()
    second = asked(signed_in, **({"once": "a key", **again} if "device_name" in again else again))

    assert second.json()["token"] != first["token"]
    assert DeviceToken.objects.count() == 2


def test_two_people_with_one_key_have_two_tokens(person: Callable[..., Any]) -> None:
    tokens = set()
    for _ in range(2):
        browser = Client()
        sign_in(browser, person().login_id, OLD)
        tokens.add(asked(browser, once="1").json()["token"])

    assert len(tokens) == 2


def test_a_revoked_token_does_not_come_back(signed_in: Client) -> None:
    made = asked(signed_in, once="a key").json()
    signed_in.post(f"/account/devices/{made['number']}/revoke/")

    assert asked(signed_in, once="a key").status_code == 403
    assert not works(made["token"])


def test_a_key_is_good_for_exactly_ten_minutes(rehearsal_clock: Any, signed_in: Client) -> None:
    at = clock.now()
    answers = []
    for later in (
        dt.timedelta(),
        dt.timedelta(minutes=10),
        dt.timedelta(minutes=10, microseconds=1),
    ):
        rehearsal_clock.travel(at + later, frozen=True)
        answers.append(asked(signed_in, once="a key"))

    assert [each.status_code for each in answers] == [201, 201, 403]
    assert answers[0].json() == answers[1].json()


def test_a_key_is_no_way_round_the_fresh_proof_or_the_ten_minutes(
    rehearsal_clock: Any, signed_in: Client
) -> None:
    asked(signed_in, once="a key")
    rehearsal_clock.travel(clock.now() + dt.timedelta(minutes=11))
    assert asked(signed_in, once="a key").status_code == 403

    make_stale(signed_in)
    assert asked(signed_in, once="a key").status_code == 403
