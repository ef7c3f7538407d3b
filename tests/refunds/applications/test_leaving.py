"""Who leaves the service forfeits nothing (rule 37)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from refunds.applications import leaving
from refunds.models import Entitlement
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.claims.conftest import scene  # noqa: F401
from tests.refunds.claims.scene import Scene
from tests.refunds.conftest import House
from tests.signing_in import code_typed
from wallets.models import Wallet
from wallets.movements import spending
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, NotPermitted, WinddownError
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_who_leaves_before_the_end_is_owed_the_balance(house: House) -> None:
    """Nothing can be spent any more, and the balance is sealed and owed with all others."""
    gone, stays = (factories.make_wallet(paid_minor=1_000) for _ in range(2))
    assert leaving.leave(gone.account, actor=gone.account, reason="").state == "closing"
    leaving.leave(gone.account, actor=gone.account, reason="")
    assert AuditEntry.objects.filter(action="wallet.leave").count() == 1
    with pytest.raises(WinddownError):
        spending.pay(
            gone.pk, amount_minor=1, merchant_ref="M1", payment_ref="P1", actor=SYSTEM,
            prefecture="", merchant_category="",
        )  # fmt: skip
    factories.bring_to(Wallet.objects.get(pk=gone.pk), "closed")
    house.close([stays.pk])
    house.close([gone.pk])
    house.seal()
    assert house.run("entitle").state == "succeeded"
    for wallet in (gone, stays):
        owed = Entitlement.objects.get(wallet=wallet)
        assert (owed.amount_minor, owed.state) == (1_000, "computed")
    # After the close there is nothing to leave: what is owed stays owed.
    assert leaving.leave(stays.account, actor=stays.account, reason="").state == "entitled"
    house.apply(Entitlement.objects.get(wallet=gone))
    house.money_holds()


def test_nobody_leaves_while_a_theft_is_looked_at(scene: Scene) -> None:  # noqa: F811
    wallet = scene.victim(own=500, spent=100)
    scene.reported(wallet)
    with pytest.raises(GuardNotMet, match="a theft from the wallet is being looked at"):
        leaving.leave(wallet.account, actor=wallet.account, reason="")
    with pytest.raises(GuardNotMet, match="there is no wallet"):
        nobody = factories.make_customer()
        leaving.leave(nobody, actor=nobody, reason="")


def test_the_customer_leaves_on_the_portal_and_support_by_the_command(
    house: House, staff: Any
) -> None:
    one, other, third = (factories.make_wallet(paid_minor=1_000) for _ in range(3))
    browser = browser_of(one.account, headers={"accept-language": "en"})
    assert "is not forfeited" in browser.get("/account/leave/").content.decode()
    for _twice in range(2):
        browser.post("/account/leave/")
    assert Wallet.objects.get(pk=one.pk).state == "closing"
    assert "Your wallet is closed" in browser.get("/account/leave/").content.decode()
    support = staff("support")
    with code_typed(support):
        call_command(
            "leave_service", "--account", f"account:{other.account_id}", "--by", support.login_id,
            "--reason", "letter",
        )  # fmt: skip
    assert Wallet.objects.get(pk=other.pk).state == "closing"
    with pytest.raises(NotPermitted):
        leaving.leave(one.account, actor=other.account, reason="")
    browser_of(third.account, shown_s_ago=3_600).post("/account/leave/")
    assert Wallet.objects.get(pk=third.pk).state == "active"
