"""The operator's own ways to charge a wallet and to sign in, from the set-up file to the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import translation

from accounts.models import ExternalIdentity, User
from refunds.claims import victim_rules
from tests.config.test_every_door import browser_of
from tests.winddown.loading.rows import refusal
from tests.winddown.set_up.steps import Begin, ask, decided
from wallets.models import TopUp, Wallet
from winddown import checks, words
from winddown.loading import loader
from winddown.models import Capability
from winddown.programme import declared
from winddown.set_up.writing import example
from winddown.site import money_table

pytestmark = pytest.mark.django_db
OWN = """
[[funding_sources]]
code = "bank_debit"
kind = "bank"
title_en = "bank account"
title_ja = "銀行口座"
[[funding_sources]]
code = "voucher"
kind = "bonus"
title_en = "voucher"
title_ja = "商品券"
[[funding_sources]]
code = "house_card"
kind = "debit_card"
title_en = "house card"
title_ja = "自社カード"
[[login_providers]]
code = "apple"
title_en = "Apple"
title_ja = "アップル"
"""


def own(*more: str) -> str:
    """The example with the sources and providers of `OWN` in place of its own."""
    kept = re.sub(r"\[\[(funding_sources|login_providers)\]\]\n[^\[]*", "", example())
    return "\n".join([kept, OWN, *more])


def row(code: str, **fields: str) -> str:
    lines = [f'{key} = "{value}"' for key, value in {"code": code, **fields}.items()]
    return "\n".join(["[[funding_sources]]", *lines])


@pytest.mark.loads_files
def test_the_sources_and_providers_of_the_file_are_those_of_the_service(
    begin: Begin, write: Callable[..., Path]
) -> None:
    code, said = begin(content=own())

    assert code == 0, said
    of_programme = {"top_up:bank_debit", "top_up:voucher", "top_up:house_card"}
    switches = set(Capability.objects.values_list("code", flat=True))
    assert {each for each in switches if ":" in each} == of_programme | {"login_external:apple"}
    assert victim_rules.movements()["sources"] == ["house_card"]
    with translation.override("ja"):
        assert "銀行口座" in str(words.capability_title("top_up:bank_debit"))
        assert "アップル" in str(words.capability_title("login_external:apple"))

    for kind in ("accounts", "wallets"):
        loader.load(kind, write(kind, {}))
    card = {"funding": "debit"}
    loader.load("funding_cards", write("funding_cards", card))
    loader.load("external_identities", write("external_identities", {"provider": "apple"}))
    plain = {"card_ref": "", "rrn": "", "auth_code": "", "arn": ""}
    loader.load(
        "top_ups",
        write(
            "top_ups",
            {"top_up_ref": "T1", "source": "bank_debit", "amount_minor": 700} | plain,
            {"top_up_ref": "T2", "source": "voucher", "amount_minor": 30} | plain,
            {"top_up_ref": "T3", "source": "house_card", "amount_minor": 5},
        ),
    )
    assert Wallet.objects.values_list("paid_minor", "bonus_minor").get() == (705, 30)
    money = {line.code: line.amount_minor for line in money_table.money(counted()).came_in}
    assert money["top_up:bank_debit"] == 700
    assert money["top_up:voucher"] == 30
    page = browser_of(User.objects.get(login_id="hana")).get(
        "/console/workflows/freeze-charges/plan/"
    )
    assert "銀行口座" in page.content.decode()


def counted() -> money_table.Figures:
    money_table.forget()
    found = money_table.figures()
    assert found is not None
    return found


@pytest.mark.loads_files
def test_a_word_that_nobody_declared_is_refused_with_those_that_are(
    begin: Begin, write: Callable[..., Path]
) -> None:
    begin(content=own())
    for kind in ("accounts", "wallets", "funding_cards"):
        loader.load(kind, write(kind, {}))

    said = str(refusal(loader.load, "top_ups", write("top_ups", {"source": "credit_card"})))
    assert "bank_debit, voucher, house_card" in said
    said = str(refusal(loader.load, "external_identities", write("external_identities", {})))
    assert "apple" in said
    said = str(refusal(loader.load, "auth_events", write("auth_events", {"method": "line"})))
    assert "password, passkey, apple" in said
    said = str(refusal(loader.load, "top_ups", write("top_ups", {"source": "bank_debit"})))
    assert "must be empty for a top-up from bank_debit" in said
    # The usual card of the file is a credit card.
    said = str(refusal(loader.load, "top_ups", write("top_ups", {"source": "house_card"})))
    assert "is a credit card" in said


def test_the_database_takes_no_row_of_a_word_that_nobody_declared(
    switches: None, wallet: Any, customer: Any
) -> None:
    with pytest.raises(DatabaseError, match="cheque is no funding source"):
        TopUp.objects.create(
            top_up_ref="T",
            wallet=wallet(),
            source="cheque",
            amount_minor=1,
            occurred_at="2019-07-02T00:00Z",
        )


def test_the_database_takes_no_identity_of_a_provider_that_nobody_declared(
    switches: None, customer: Any
) -> None:
    with pytest.raises(DatabaseError, match="myspace is no login provider"):
        ExternalIdentity.objects.create(
            user=customer(), provider="myspace", subject="s", linked_at="2019-07-02T00:00Z"
        )


def test_what_is_added_later_waits_for_a_second_person_and_starts_stopped(begin: Begin) -> None:
    begin(content=own())
    more = row("points", kind="points", title_en="points", title_ja="ポイント")
    asked = ask(lambda _changes, *said: begin(None, *said, content=own(more)))
    assert "points" not in declared.sources()
    assert decided(asked, by="ken") == 0
    assert declared.sources()[-1] == "points"
    assert Capability.objects.get(code="top_up:points").state == Capability.State.DISABLED
    assert Capability.objects.get(code="top_up:voucher").state == Capability.State.ENABLED

    code, said = begin(content=own(more))
    assert (code, "Nothing has changed" in said) == (0, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (row("UPPER", kind="cash", title_en="a", title_ja="b"), "two to sixteen of a-z"),
        (row("cheque", kind="cheque", title_en="a", title_ja="b"), "one of credit_card"),
        (row("cheque", kind="cash", title_en="a"), "title_ja"),
        (row("voucher", kind="cash", title_en="a", title_ja="b"), "'voucher' already"),
        (
            row("passkey", title_en="a", title_ja="b").replace(
                "funding_sources", "login_providers"
            ),
            "The service itself",
        ),
    ],
)
def test_what_is_wrong_with_a_source_is_said(begin: Begin, content: str, why: str) -> None:
    code, said = begin(content=own(content))
    assert (code, why in said) == (2, True), said


def test_the_kind_of_a_source_is_fixed(begin: Begin) -> None:
    begin(content=own())
    code, said = begin({'kind = "bank"': 'kind = "cash"'}, "--by=hana", "--reason=x", content=own())
    assert (code, "it is bank since the beginning" in said) == (2, True)


def test_a_connected_provider_that_nobody_declared_is_told_of(begin: Begin, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"APPS": [{"provider_id": "apple"}, {"provider_id": "lnie"}]}
    }
    assert checks.undeclared_providers(databases=["default"]) == []
    begin(content=own())
    (told,) = checks.undeclared_providers(databases=["default"])
    assert "connects lnie" in told.msg
    assert "providers are apple" in (told.hint or "")
