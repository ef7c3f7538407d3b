"""Rules find unusual applications, hold their payment while they are enforced, and refuse nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from accounts.models import User
from refunds.alarms import unusual_alarms
from refunds.applications import payees, unusual
from refunds.applications.origins import Origin
from refunds.models import ApplicationOrigin, MethodTerms, Payout, UnusualHit, UnusualRule
from refunds.payouts import payable
from refunds.payouts.methods.postal_addresses import PostalAddress
from tests.config.test_every_door import browser_of
from tests.owning import as_owner
from tests.refunds.conftest import House
from tests.refunds.payouts.test_methods import without_account
from tests.signing_in import code_typed
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted, SamePerson
from winddown.models import Approval
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(staff: Any) -> Any:
    return staff("compliance")


@pytest.fixture
def second(staff: Any) -> Any:
    return staff("fraud_supervisor")


def agree(request: Approval, by: Any, *, approve: bool = True) -> None:
    approvals.carry_out(request, shown=request.digest, actor=by, reason="seen", approve=approve)


def rule(officer: Any, second: Any, code: str, mode: str, *, least: int = 2) -> None:
    asked = unusual.ask_rule(
        code, mode=mode, least=least, hours=24, source="test", actor=officer, reason="test"
    )
    agree(asked, second)


def hits() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for each in UnusualHit.objects.order_by("rule"):
        found.setdefault(each.application_id, []).append(each.rule)
    return found


def test_each_rule_finds_its_own_and_only_observes(house: House, officer: Any, second: Any) -> None:
    for place, code in enumerate(("bank", "postal_order"), start=1):
        MethodTerms.objects.create(
            code=code, place=place, amount_max_minor=100_000, costs=[[100_000, 110]],
            money_days=1, valid_days=180, source="test",
        )  # fmt: skip
    for code in ("one_device", "one_network", "near_address", "near_mail", "shared_payee"):
        rule(officer, second, code, "observe")
    rows = house.entitled(9)
    mails = ["taro.yamada@example.com", "taro.yamadaa@example.com", "hanako@example.com"]
    for row, mail in zip(rows[4:7], mails, strict=True):
        User.objects.filter(pk=row.wallet.account_id).update(email=mail)
    first = [
        house.apply(row, origin=Origin("192.0.2.1", f"d{n}")) for n, row in enumerate(rows[:2])
    ]
    device = [house.apply(row, origin=Origin(device="one")) for row in rows[2:4]]
    mailed = [house.apply(row) for row in rows[4:7]]
    letters = [
        without_account(
            row, method="postal_order",
            address=PostalAddress.typed(name="山田", postal_code="1000001", lines=lines),
        )
        for row, lines in zip(rows[7:], ("千代田1-1 101号室", "千代田1-1 ２０３"), strict=True)
    ]  # fmt: skip

    assert unusual.find()["burst"] == 0
    assert hits() == {
        first[0].pk: ["one_network"], first[1].pk: ["one_network"],
        device[0].pk: ["one_device"], device[1].pk: ["one_device"],
        mailed[0].pk: ["near_mail"], mailed[1].pk: ["near_mail"],
        letters[0].pk: ["near_address"], letters[1].pk: ["near_address"],
    }  # fmt: skip
    assert not any(unusual.find().values())
    # Nothing is held, and no origin can be read.
    assert "unusual" not in payable.missing_for(rows[0].pk, clock.now())
    assert unusual_alarms(clock.now()) == []
    kept = ApplicationOrigin.objects.get(application=first[0])
    assert len(kept.network) == len(kept.device) == 64
    assert "192.0.2.1" not in kept.network


def test_an_hour_far_above_the_usual_is_a_burst(house: House, officer: Any, second: Any) -> None:
    rule(officer, second, "burst", "observe", least=3)
    rule(officer, second, "shared_payee", "off")
    shared = house.account()
    made = [house.apply(row, account=shared) for row in house.entitled(3)]
    unusual.find()
    assert hits() == {each.pk: ["burst"] for each in made}


def test_an_enforced_rule_holds_the_payment_until_two_people_clear_it(
    house: House, officer: Any, second: Any
) -> None:
    rule(officer, second, "one_device", "enforce")
    rows = house.entitled(3)
    one, _two = (house.apply(row, origin=Origin(device="one")) for row in rows[:2])
    house.apply(rows[2], origin=Origin(device="other"))
    house.check_payees()
    batch = house.paid_batch()
    unusual.find()

    # A file that was made before is not released.
    with pytest.raises(GuardNotMet, match="2 of its payouts are of unusual"):
        house.approve(batch)
    house.void(batch)
    asked = unusual.ask_clear(one, actor=house.support, reason="a family")
    with pytest.raises((SamePerson, NotPermitted)):
        agree(asked, house.support)
    assert "unusual" in payable.missing_for(rows[0].pk, clock.now())
    (alarm,) = unusual_alarms(clock.now())
    assert alarm.facts == {"n": "2"}
    agree(asked, second)

    again = house.run("pay", value_date="2019-11-18")
    paid = Payout.objects.filter(batch__run=again).values_list("entitlement", flat=True)
    assert sorted(paid) == [rows[0].pk, rows[2].pk]
    with pytest.raises(GuardNotMet, match="no rule stands against it"):
        unusual.ask_clear(one, actor=house.support, reason="again")
    # Two people stop enforcing it, and the other one is paid too.
    rule(officer, second, "one_device", "observe")
    assert "unusual" not in payable.missing_for(rows[1].pk, clock.now())


def test_what_was_cleared_is_found_again_when_it_is_more_or_the_account_is_another(
    house: House, officer: Any, second: Any
) -> None:
    """Otherwise a thief has a small group cleared first, and then names the account of a mule."""
    rule(officer, second, "one_device", "enforce")
    rows = house.entitled(5)
    one, two = (house.apply(row, origin=Origin(device="one")) for row in rows[:2])
    unusual.find()
    for each in (one, two):
        agree(unusual.ask_clear(each, actor=house.support, reason="a family"), second)
    house.apply(rows[2], origin=Origin(device="one"))
    assert unusual.find()["one_device"] == 1
    assert one not in unusual.held()
    clock.travel(clock.now() + dt.timedelta(minutes=1), frozen=True)
    holder = rows[1].wallet.account
    payees.enter(holder, house.account(), actor=holder)
    assert unusual.find()["one_device"] == 1
    assert set(unusual.held()) & {one, two} == {two}
    house.apply(rows[3], origin=Origin(device="one"))
    unusual.find()
    assert {one, two} <= set(unusual.held())
    assert unusual.find()["one_device"] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE refunds_unusualhit SET cleared_at = winddown_now(), cleared_by_id = %(alone)s",
        "INSERT INTO refunds_unusualrule (code, mode, least, hours, source, adopted_at,"
        " adopted_by_id) VALUES ('burst', 'off', 2, 1, 'x', winddown_now(), %(alone)s)",
    ],
)
def test_nobody_clears_or_changes_a_rule_alone(
    house: House, officer: Any, second: Any, statement: str
) -> None:
    rule(officer, second, "one_device", "enforce")
    for row in house.entitled(2):
        house.apply(row, origin=Origin(device="one"))
    unusual.find()
    with pytest.raises(DatabaseError) as refused, as_owner(), connection.cursor() as cursor:
        cursor.execute(statement, {"alone": officer.pk})
    assert sqlstate_of(refused.value) == SqlState.NOT_APPROVED


def test_page_and_commands_find_clear_and_change(
    house: House, officer: Any, second: Any, staff: Any
) -> None:
    support = staff("support")
    given = ("--by", support.login_id, "--reason", "test")
    with code_typed(officer):
        call_command(
            "set_unusual_rule", "--by", officer.login_id, "--reason", "seen", "--code",
            "one_device", "--mode", "enforce", "--least", "2", "--hours", "24", "--source", "test",
        )  # fmt: skip
    agree(Approval.objects.latest("pk"), second)
    assert UnusualRule.objects.get().mode == "enforce"
    one, _two = (house.apply(row, origin=Origin(device="one")) for row in house.entitled(2))
    call_command("find_unusual", *given)
    browser = browser_of(support, headers={"accept-language": "ja"})
    listed = browser.get("/console/unusual/").content.decode()
    for shown in ("1台の端末を複数の人が使用: 2", "保留中", "支払いを保留", "不正調査責任者"):
        assert shown in listed
    assert "1台の端末" in browser.get(f"/console/applications/{one.pk}/").content.decode()
    call_command("clear_unusual", *given, "--application", str(one.pk))
    request = Approval.objects.latest("pk")
    decide = f"/console/approvals/{request.pk}/approve/"
    boss = browser_of(second, headers={"accept-language": "en"})
    assert "Several people, one device" in boss.get(decide).content.decode()
    boss.post(decide, {"digest": request.digest, "reason": "seen"})
    assert UnusualHit.objects.get(application=one).cleared_by == second
    wrong = browser.post("/console/unusual/clear/", {"application": "999", "reason": "test"})
    assert wrong.status_code == 200
    with pytest.raises(NotPermitted):
        unusual.ask_rule(
            "burst", mode="off", least=2, hours=1, source="x", actor=support, reason="test"
        )
    assert browser_of(staff("auditor")).get("/console/unusual/").status_code == 403
