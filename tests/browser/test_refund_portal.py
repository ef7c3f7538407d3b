"""The customer's application in a real browser: a telephone, the keyboard alone, no JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from refunds.models import BankDataset, Branch, Entitlement, MethodTerms
from tests.browser import places
from tests.browser.by_keyboard import apply_by_keyboard, press
from tests.browser.checks import look_through
from tests.browser.conftest import known, served
from tests.refunds.conftest import House, house
from tests.signing_in import open_session
from winddown import clock

__all__ = ["house"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser refund portal")]
# The longest names of a bank and of a branch in the data set.
LONG = ("ジェイエイバンクあおぞら信託農業協同組合連合会", "丸の内中央イノベーションプラザ出張所")


@pytest.fixture
def site(own_database: Any, house: House, tmp_path: Path) -> Iterator[Any]:
    def populate() -> dict[str, Any]:
        from refunds.applications import holds, payees, submitting
        from tests.refunds.conftest import person

        active = BankDataset.objects.get(active=True)
        active.bank_set.filter(code="0001").update(name=LONG[0])
        Branch.objects.filter(dataset=active, bank_code="0001").update(name=LONG[1])
        account = {"way": "bank", "bank": "0001", "branch": "001", "kind": "1", "number": "1234567"}
        answers = {**account, "family": "ヤマダ", "given": "タロウ", "fallback": True}
        kept: dict[str, dict[str, Any]] = {
            "bank": {"way": "bank", "bank": "0001"},
            "yucho": {"way": "bank", "bank": "9900"},
            "account": account,
            "letter": {"way": "postal_order"},
            "everything": answers,
            "replacing": answers,
            "proving": answers,
        }
        for place, code in enumerate(("postal_order", "claim_code"), start=2):
            MethodTerms.objects.create(
                code=code,
                place=place,
                amount_max_minor=100_000,
                costs=[[100_000, 360]],
                money_days=14,
                valid_days=180,
                source="test",
            )
        names = (*kept, "nothing", "applied", "held", "returned", "walks")
        rows = house.entitled(len(names), paid_minor=1_234, bonus_minor=50)
        people = dict(zip(names, rows, strict=True))
        for name, given in kept.items():
            holder = people[name].wallet.account
            submitting.save_draft(holder, channel="app", step=1, answers=given, actor=holder)
        for name in ("replacing", "proving"):
            holder = people[name].wallet.account
            payees.enter(holder, house.account(), actor=holder)
        User.objects.filter(pk=holder.pk).update(
            email="known@example.jp", email_verified_at=clock.now()
        )
        house.apply(people["returned"], quality="no_such_account")
        house.check_payees()
        house.apply(people["applied"])
        holds.hold(people["held"], actor=person("refunds.hold_entitlement"), reason="test")
        walks = known(people["walks"].wallet.account)
        return {
            "walks": walks.login_id,
            "sessions": {name: _session(owed) for name, owed in people.items()},
        }

    log = tmp_path / "web.log"
    with served(own_database, log, populate) as (address, made):
        yield SimpleNamespace(address=address, log=log, **made)


def _session(owed: Entitlement) -> str:
    client = Client()
    open_session(client, owed.wallet.account)
    return client.cookies["sessionid"].value


def test_the_pages_of_an_application_fit_and_are_accessible(
    site: Any, open_browser: Callable[..., Any], long_form: bool
) -> None:
    """Also with their errors, at 320 pixels and twice the text, with the longest names."""
    for who, addresses in places.of_application().items():
        cookie = {"name": "sessionid", "value": site.sessions[who], "url": site.address}

        def enter(page: Any, cookie: dict[str, str] = cookie) -> None:
            page.context.add_cookies([cookie])

        look_through(open_browser, enter, addresses, long_form=long_form)


def test_a_customer_applies_in_six_screens_by_keyboard_on_a_telephone(
    site: Any, open_browser: Callable[..., Any]
) -> None:
    """One sign-in, no JavaScript, and a language that is changed on the way."""
    page = open_browser(language="ja", width=320, java_script_enabled=False)
    screens = apply_by_keyboard(page, site.walks, bank=LONG[0])

    assert "払戻しの申出を受け付けました" in page.inner_text("h1")
    assert [each.rpartition("refund/")[2] for each in screens] == [
        *("bank/", "account/", "name/", "check/", "done/"),
    ], "with the page on which the sign-in ends, these are six"
    press(page, "進み具合を見る")
    assert "銀行に口座を確認しています" in page.inner_text("main")
