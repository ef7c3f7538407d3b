"""Programmes in euro and in pounds: from the set-up file to the pages, in cents and pence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import models

from accounts.models import User
from refunds.models import RefundTerms
from refunds.payouts import refund_limits
from tests import factories
from tests.config.test_every_door import browser_of
from tests.winddown.set_up.steps import Begin
from wallets.models import Posting, Wallet
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet
from winddown.loading import loader
from winddown.models import Capability, Programme
from winddown.programme import capabilities, jurisdictions
from winddown.set_up.writing import example, examples
from winddown.site import money_table

pytestmark = pytest.mark.django_db


@pytest.mark.loads_files
def test_a_wallet_in_euro_is_loaded_stopped_frozen_and_shown(
    begin: Begin, write: Callable[..., Path]
) -> None:
    code, said = begin(content=example("eu"))
    assert code == 0, said
    programme = Programme.current()
    assert (programme.currency, programme.time_zone) == ("EUR", "Europe/Berlin")
    assert jurisdictions.current().number("window_days_min") == 365
    assert not RefundTerms.objects.exists()

    for kind in ("accounts", "wallets"):
        loader.load(kind, write(kind, {}))
    plain = {"card_ref": "", "rrn": "", "auth_code": "", "arn": ""}
    loader.load(
        "top_ups",
        write(
            "top_ups",
            {"top_up_ref": "T1", "source": "sepa_debit", "amount_minor": 123_405} | plain,
            {"top_up_ref": "T2", "source": "gift", "amount_minor": 7} | plain,
        ),
    )
    assert Wallet.objects.values_list("paid_minor", "bonus_minor").get() == (123_405, 7)
    assert isinstance(Posting._meta.get_field("amount_minor"), models.BigIntegerField)

    hana, ken = (User.objects.get(login_id=each) for each in ("hana", "ken"))
    capabilities.stop("spend", actor=hana, reason="attack")
    run = factories.worked_off(
        factories.started_run("freeze-charges", maker=hana, checker=ken, params={})
    )
    assert run.state == "succeeded"
    stopped = Capability.objects.filter(state=Capability.State.DISABLED)
    assert {"spend", "top_up:sepa_debit", "register"} <= set(stopped.values_list("code", flat=True))

    money_table.forget()
    console = browser_of(hana).get("/console/").content.decode()
    cells = re.findall(r'<td class="num">([^<]*)</td>', console)
    assert {"1,234.05", "0.07", "1,234.12"} <= set(cells)
    assert "円" not in console
    holder = browser_of(User.objects.get(login_id="hanako@example.com"))
    for language in ("en", "ja"):
        page = holder.get("/", headers={"accept-language": language}).content.decode()
        assert "EUR 1,234.05" in page
        assert "円" not in page


def test_no_account_whose_files_carry_yen_pays_euro(begin: Begin) -> None:
    begin(content=example("eu"))
    account = {
        "remitter_code": "0123456789",
        "remitter_name": "LINDEN",
        "bank_code": "0001",
        "branch_code": "001",
        "account_number": "1234567",
        "source": "test",
    }
    with pytest.raises(GuardNotMet, match=r"its files carry JPY.* currency is EUR"):
        refund_limits.set_down(account, actor=SYSTEM, reason="test")
    assert not RefundTerms.objects.exists()


def test_a_file_in_euro_that_names_such_an_account_begins_nothing(begin: Begin) -> None:
    japan = example()
    named = japan[japan.index("[[bank_profiles]]") : japan.index("[claims]")]
    code, said = begin(content=example("eu") + named)
    assert (code, "currency is EUR" in said) == (1, True), said
    assert not Programme.objects.exists()


@pytest.mark.parametrize("jurisdiction", examples())
def test_each_example_is_in_order_and_of_its_pack(begin: Begin, jurisdiction: str) -> None:
    assert begin(None, "--check", content=example(jurisdiction))[0] == 0
    assert f'jurisdiction = "{jurisdiction}"' in example(jurisdiction)


def test_the_example_of_the_united_kingdom_begins_a_programme_in_pounds(begin: Begin) -> None:
    code, said = begin(content=example("uk"))
    assert code == 0, said
    programme = Programme.current()
    assert (programme.currency, programme.time_zone) == ("GBP", "Europe/London")
    assert jurisdictions.current().calendar == "england"
    switches = set(Capability.objects.values_list("code", flat=True))
    assert {"top_up:faster_payment", "login_external:apple"} <= switches
    assert not RefundTerms.objects.exists()
