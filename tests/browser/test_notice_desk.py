"""The pages of a reset, of the merchants and of payout views in a real browser, with rows on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from accounts import carrier_files, outbox
from accounts.addresses import Address
from accounts.merchants import letters, notices, receipts
from accounts.models import OneTimeLink
from accounts.recovery import links
from accounts.reset_notices import notice_files
from refunds.payouts import view_lists
from tests import factories
from tests.accounts.merchants.test_merchant_notices import release
from tests.browser.checks import look_through
from tests.browser.conftest import entering, known, served
from tests.refunds.conftest import House, house
from winddown import clock
from winddown.models import Merchant
from winddown.programme.evidence_files import File

__all__ = ["house"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser notices")]


def tell_the_merchants(officer: Any, second: Any) -> str:
    """Returns the place of the link of the one who was told and has not confirmed."""
    shops = [
        Merchant.objects.create(merchant_ref="M-1", name="Sakura Foods", email="one@example.jp"),
        Merchant.objects.create(merchant_ref="M-2", name="Momiji", email="two@example.jp"),
        Merchant.objects.create(merchant_ref="M-3", name="松屋", address="大阪市北区2-2"),
        Merchant.objects.create(merchant_ref="M-4", name="Kiku", address="大阪市北区3-3"),
    ]
    release(officer, second)
    notices.send(actor=officer, reason="r")
    letters.export(actor=officer, reason="r")
    Merchant.objects.create(merchant_ref="M-5", name="Take", email="five@example.jp")
    first, other = OneTimeLink.objects.filter(purpose="merchant").order_by("pk")
    links.hand_over(first)
    links.hand_over(other)
    receipts.confirm(first)
    receipts.record(
        merchant=shops[2],
        channel="telephone",
        received_at=clock.now(),
        file=File("slip.txt", b"a call"),
        actor=officer,
        reason="r",
    )
    return f"/recovery/link/{links.token(other)}/"


def reset_all(maker: Any, checker: Any) -> None:
    """A reset has told people by telephone, and one of its files was taken."""
    for number in range(3):
        factories.make_customer(
            phone=f"+81-50-1111-222{number}",
            phone_verified_at=clock.now(),
            email="",
            email_verified_at=None,
        )
    run = factories.worked_off(
        factories.started_run("reset-all-passwords", maker=maker, checker=checker)
    )
    handed = notice_files.hand_over(run, channel="phone", actor=maker, reason="r")
    outbox.queue("account_known", to=Address("phone", "+81312345678"), language="ja")
    taken = carrier_files.take(handed.files[0], actor=maker, reason="r")
    carrier_files.ask_again(taken, actor=maker, reason="lost")


@pytest.fixture
def site(own_database: Any, house: House, staff: Any, tmp_path: Path) -> Iterator[Any]:
    def populate() -> dict[str, Any]:
        from accounts.sign_in import second_factor

        roles = ("compliance", "incident_commander", "treasury_operator")
        people = {role: known(staff(role)) for role in roles}
        officer, commander = people["compliance"], people["incident_commander"]
        for owed in house.entitled(4)[:3]:
            house.apply(owed)
        house.check_payees()
        view_lists.take(actor=house.treasury, reason="test")
        link = tell_the_merchants(officer, commander)
        reset_all(commander, staff("incident_commander"))
        return {
            "link": link,
            "secrets": {each.login_id: second_factor.add_app(each) for each in people.values()},
            "people": {role: each.login_id for role, each in people.items()},
        }

    log = tmp_path / "web.log"
    with served(own_database, log, populate) as (address, made):
        yield SimpleNamespace(address=address, log=log, **made)


def test_each_page_fits_and_is_accessible_with_rows_on_it(
    site: Any, open_browser: Callable[..., Any], long_form: bool
) -> None:
    places = {
        "compliance": ["/console/merchants/", "/console/merchants/?receipt=without"],
        "incident_commander": ["/console/reset/"],
        "treasury_operator": ["/console/payout-views/", "/console/closing/merchants/M-1/"],
        "": [site.link],
    }
    for role, addresses in places.items():
        enter = entering(site, site.people.get(role, ""))
        look_through(open_browser, enter, addresses, long_form=long_form)
