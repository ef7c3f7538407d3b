"""Whatever a switch stops is counted if it happened all the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import Session
from refunds.models import PayoutBatch, RefundApplication
from tests import factories
from tests.owning import as_owner
from wallets.models import Payment, TopUp
from winddown.models import Capability
from winddown.programme import capabilities

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("programme")]

CODES = (
    *capabilities.OWN,
    *(f"top_up:{source}" for source in factories.SOURCES),
    *(f"login_external:{provider}" for provider in factories.PROVIDERS),
)
# No verb of the service asks these switches: the operator's own system carries them out.
ASKED_ELSEWHERE = {"transfer", "withdraw"}
JUST = dt.timedelta(microseconds=1)


def _registration(code: str, at: dt.datetime) -> None:
    factories.make_customer(registered_at=at)


def _top_up(code: str, at: dt.datetime) -> None:
    TopUp.objects.create(
        top_up_ref=factories.unique("t"),
        wallet=factories.make_wallet(),
        source=code.removeprefix("top_up:"),
        amount_minor=1,
        occurred_at=at,
        switch_version=1,
    )


def _payment(code: str, at: dt.datetime) -> None:
    Payment.objects.create(
        payment_ref=factories.unique("p"),
        wallet=factories.make_wallet(),
        merchant_ref="m",
        amount_minor=1,
        paid_part_minor=1,
        bonus_part_minor=0,
        occurred_at=at,
        switch_version=1,
    )


def _session(code: str, at: dt.datetime) -> None:
    Session.objects.create(
        session_key=factories.unique("k"),
        session_data="",
        user=factories.make_customer(),
        method=code.removeprefix("login_external:").removeprefix("login_"),
        issued_at=at,
        expire_date=at + dt.timedelta(days=1),
    )


def _application(code: str, at: dt.datetime) -> None:
    RefundApplication.objects.create(
        entitlement_id=Capability.objects.count() + RefundApplication.objects.count(),
        applicant=factories.make_customer(),
        state=RefundApplication.State.WITHDRAWN,
        live=False,
        started_at=at,
        submitted_at=at,
    )


def _file(code: str, at: dt.datetime) -> None:
    maker = factories.make_staff("treasury_operator")
    PayoutBatch.objects.create(
        bank_code="0001", value_date=at.date(), run_id=1, terms_id=1, maker=maker, opened_at=at,
        exported_at=at,
    )  # fmt: skip


HAPPENS: dict[str, Callable[[str, dt.datetime], None]] = {
    "register": _registration,
    "top_up:": _top_up,
    "spend": _payment,
    "login_": _session,
    "refund_apply": _application,
    "payout": _file,
}


def _happens(code: str, at: dt.datetime) -> None:
    """What the switch stops has happened at the instant, past every guard."""
    act = next(act for prefix, act in HAPPENS.items() if code.startswith(prefix))
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        act(code, at)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.parametrize("code", sorted(set(CODES) - ASKED_ELSEWHERE))
def test_what_happened_from_the_stop_on_is_counted(code: str, staff: Any) -> None:
    capabilities.stop(code, actor=staff("incident_commander"), reason="attack")
    since = Capability.objects.get(code=code).since
    _happens(code, since - JUST)
    assert capabilities.leaks(code) == 0
    _happens(code, since)
    _happens(code, since + JUST)
    assert capabilities.leaks(code) == 2
    assert set(capabilities.codes()) == set(CODES)
    others = [each for each in CODES if each != code]
    assert {each: capabilities.leaks(each) for each in others} == dict.fromkeys(others, 0)


def test_a_switch_that_is_on_leaks_nothing() -> None:
    since = Capability.objects.get(code="spend").since
    _happens("spend", since + JUST)
    assert capabilities.leaks("spend") == 0
