"""The pages of applications, payout files and breaks in a real browser, with refunds under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from refunds.bankfiles.answers import ReturnReason
from refunds.models import RefundApplication
from refunds.payouts import uploads
from tests.browser import places
from tests.browser.checks import look_through
from tests.browser.conftest import entering, known, served
from tests.refunds.conftest import House, house
from tests.refunds.payouts.test_one_inclusion import answer, on

__all__ = ["house"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser refunds")]


@pytest.fixture
def site(own_database: Any, house: House, staff: Any, tmp_path: Path) -> Iterator[Any]:
    def populate() -> dict[str, Any]:
        from accounts.sign_in import second_factor

        people = {role: known(staff(role)) for role in ("support", "treasury_operator")}
        for owed in house.entitled(4)[:3]:
            house.apply(owed, channel="web" if not RefundApplication.objects.exists() else "app")
        house.check_payees()
        sent = house.send(house.paid_batch())
        on(15)
        content = answer(sent, None, ReturnReason.OTHER, change={"amount_minor": 999})
        return {
            "answer": uploads.upload(content, actor=house.treasury, reason="test"),
            "batch": sent.pk,
            "application": RefundApplication.objects.earliest("pk").pk,
            "secrets": {each.login_id: second_factor.add_app(each) for each in people.values()},
            "people": {role: each.login_id for role, each in people.items()},
        }

    log = tmp_path / "web.log"
    with served(own_database, log, populate) as (address, made):
        yield SimpleNamespace(address=address, log=log, **made)


def test_every_page_of_the_refunds_desk_fits_and_is_accessible(
    site: Any, open_browser: Callable[..., Any], long_form: bool
) -> None:
    desk = places.of_refunds(application=site.application, batch=site.batch, answer=site.answer)
    for role, addresses in desk.items():
        enter = entering(site, site.people[role])
        look_through(open_browser, enter, addresses, long_form=long_form)
