"""A file is loaded as a whole, or refused as a whole with line and reason, and nothing is changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.factories import bring_to
from tests.winddown.loading.rows import ROWS, at, reasons, refusal, refused_rows
from wallets.models import TopUp, Wallet
from wallets.movements import withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.loading import file_kinds, loader, outcome
from winddown.models import Milestone
from winddown.programme import capabilities

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

Load = Callable[..., outcome.Loaded]
Write = Callable[..., Path]
Everything = Callable[[], dict[str, Any]]


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_a_missing_column_is_refused_by_name(
    kind: str, write: Write, switches: None, everything: Everything
) -> None:
    columns = file_kinds.get(kind).columns
    needed = [each.name for each in columns if not each.may_be_absent]
    before = everything()
    file = write(kind, {}, columns=needed[:-1])
    assert f"lacks the columns {needed[-1]}" in str(refusal(loader.load, kind, file))
    assert everything() == before


def test_unknown_and_repeated_columns_are_refused_by_name(
    write: Write, everything: Everything
) -> None:
    names = file_kinds.get("wallets").names
    before = everything()
    file = write("wallets", {}, columns=(*names, "balance", "account_ref"))
    told = str(refusal(loader.load, "wallets", file))
    assert "unknown columns balance" in told
    assert "more than once account_ref" in told
    assert everything() == before


def test_columns_may_come_in_any_order(people: Callable[[int], None], write: Write) -> None:
    people(1)
    names = tuple(reversed(file_kinds.get("top_ups").names))
    assert loader.load("top_ups", write("top_ups", {}, columns=names)).inserted == 1
    assert Wallet.objects.get(wallet_ref="W1").paid_minor == 10_000


def test_a_line_with_too_few_values_is_refused_by_number(
    write: Write, people: Callable[[int], None], everything: Everything
) -> None:
    people(1)
    file = write("wallets", {"wallet_ref": "W2"})
    file.write_text(file.read_text() + "W3,A1\n")
    before = everything()
    refused = refusal(loader.load, "wallets", file)
    assert (3, "", "has 2 values, the first line names 3 columns") in reasons(refused)
    assert everything() == before


def test_an_empty_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "accounts.csv"
    empty.touch()
    assert "it is empty" in str(refusal(loader.load, "accounts", empty))
    assert "cannot be read" in str(refusal(loader.load, "accounts", tmp_path / "nothing.csv"))


@pytest.mark.parametrize(
    ("kind", "column", "value", "reason"),
    [
        ("payments", "amount_minor", "-5", "is negative"),
        ("payments", "amount_minor", "0", "is zero"),
        ("payments", "amount_minor", "12.5", "is not a whole number"),
        ("payments", "amount_minor", "1,200", "is not a whole number"),
        ("payments", "amount_minor", "１２００", "is not a whole number"),
        ("payments", "amount_minor", "9" * 16, "is larger than any amount"),
        ("payments", "amount_minor", "", "is empty"),
        ("payments", "state", "voided", "is not one of: posted, authorised"),
        ("payments", "occurred_at", "2019-07-01T12:00:00", "has no offset"),
        ("payments", "occurred_at", "2019-02-30T12:00:00+09:00", "its month does not have"),
        ("payments", "occurred_at", "2019-02-29T12:00:00+09:00", "its month does not have"),
        ("payments", "occurred_at", "2019-07-01T24:00:00+09:00", "is not a time"),
        ("payments", "occurred_at", "yesterday", "is not a time"),
        ("payments", "occurred_at", "2999-07-01T12:00:00+09:00", "lies in the future"),
        ("payments", "occurred_at", "2019-06-30T12:00:00+09:00", "before the wallet was opened"),
        ("payments", "wallet_ref", "W9", "is not the wallet_ref of a loaded wallet"),
        ("payments", "payment_ref", " P1", "begins or ends with a blank"),
        ("payments", "merchant_ref", "M" * 65, "is longer than 64 characters"),
        ("payments", "merchant_ref", "one\ntwo", "is not text"),
        ("top_ups", "source", "gold", "is not one of"),
        ("top_ups", "card_ref", "C9", "is not the card_ref of a loaded funding card"),
        ("top_ups", "source", "debit_card", "is a credit card, the source says debit_card"),
        ("top_ups", "source", "points", "must be empty for a top-up from points"),
        ("top_ups", "card_ref", "C2", "is a card of another account"),
        ("top_ups", "rrn", "1" * 13, "is longer than 12 characters"),
        ("accounts", "login_id", "two words", "is not a login id"),
        ("accounts", "email", "nobody", "is not an e-mail address"),
        ("accounts", "email", "", "there is none"),
        ("accounts", "phone", "call me", "is not a telephone number"),
        ("accounts", "password_hash", "secret123", "is not a password hash"),
        ("accounts", "registered_at", "", "is empty"),
        ("external_identities", "provider", "myspace", "is not one of"),
        ("external_identities", "account_ref", "A9", "is not the account_ref of a loaded account"),
        ("wallets", "account_ref", "A1", "has another wallet already"),
        ("funding_cards", "last4", "11111", "is longer than 4 characters"),
        ("funding_cards", "bin", "12345", "is not six to eight digits"),
        ("funding_cards", "funding", "prepaid", "is not one of: credit, debit"),
        ("auth_events", "network", "300.1.1.1", "is not an IPv4 or IPv6 address"),
        ("auth_events", "network", "2001:db8::1::2", "is not an IPv4 or IPv6 address"),
        ("auth_events", "network", "fe80::1%eth0", "is not an IPv4 or IPv6 address"),
        ("auth_events", "network", "2001:db8::/32", "is not an IPv4 or IPv6 address"),
        ("auth_events", "outcome", "maybe", "is not one of"),
        ("auth_events", "method", "fax", "is not one of"),
        ("auth_events", "displaced_session", "", "is empty; it must have a value"),
        ("auth_events", "displaced_session", "perhaps", "is not one of"),
        ("payments", "merchant_category", "food", "is not a merchant category code"),
        ("payments", "merchant_category", "54990", "is longer than 4 characters"),
        ("auth_events", "account_ref", "", "is empty; a success opened somebody's account"),
    ],
)
def test_a_bad_value_is_refused_with_its_line_and_reason(
    kind: str,
    column: str,
    value: str,
    reason: str,
    people: Callable[[int], None],
    load: Load,
    everything: Everything,
) -> None:
    """Invariant I26."""
    people(2)
    load("top_ups", {"top_up_ref": "T0", "amount_minor": 50_000})
    key = next(iter(file_kinds.get(kind).key), "login_id")
    good = {key: "good", "account_ref": "A1"}
    if kind == "accounts":
        good = {"account_ref": "A8", "login_id": "good"}
    if kind == "wallets":
        load("accounts", *({"account_ref": f"A{n}", "login_id": f"new{n}"} for n in (8, 9)))
        good = {"wallet_ref": "W8", "account_ref": "A8"}
    usual = {} if kind in {"external_identities", "auth_events"} else {key: "bad"}
    usual |= {"accounts": {"account_ref": "A7", "login_id": "bad"}}.get(kind, {})
    before = everything()
    if kind == "external_identities":
        good = {"subject": "good", "provider": "yahoo"}
    refused = refusal(load, kind, good, {**usual, column: value})
    assert any(line == 3 and reason in why for line, _, why in reasons(refused)), reasons(refused)
    assert [row for row in reasons(refused) if row[0] != 3] == []
    assert everything() == before


@pytest.mark.parametrize(
    ("kind", "rows", "column"),
    [
        ("accounts", ({}, {"login_id": "other"}), "account_ref"),
        ("accounts", ({}, {"account_ref": "A2", "login_id": "HANAKO@EXAMPLE.COM"}), "login_id"),
        ("wallets", ({"wallet_ref": "W7"}, {"wallet_ref": "W7"}), "wallet_ref"),
        ("payments", ({}, {"amount_minor": 7}), "payment_ref"),
        ("top_ups", ({}, {}), "top_up_ref"),
        ("funding_cards", ({"card_ref": "C7"}, {"card_ref": "C7"}), "card_ref"),
        ("external_identities", ({}, {}), "subject"),
        ("external_identities", ({}, {"subject": "U2"}), "account_ref"),
    ],
)
def test_a_key_that_occurs_twice_in_the_file_is_refused(
    kind: str,
    rows: tuple[dict[str, Any], ...],
    column: str,
    people: Callable[[int], None],
    load: Load,
    everything: Everything,
) -> None:
    if kind != "accounts":
        people(1)
    before = everything()
    refused = refusal(load, kind, *rows)
    assert (3, column, "repeats line 2") in reasons(refused)
    assert everything() == before


def test_the_same_ref_with_other_values_is_refused_with_their_names(
    people: Callable[[int], None], load: Load, everything: Everything
) -> None:
    people(2)
    load("top_ups", {})
    load("payments", {})
    before = everything()
    changed = {"wallet_ref": "W2", "amount_minor": 9, "occurred_at": at(13), "state": "authorised"}
    refused = refusal(load, "payments", changed)
    assert reasons(refused) == [
        (
            2,
            "payment_ref",
            "is already recorded with another wallet_ref, amount_minor, occurred_at, state",
        )
    ]
    refused = refusal(load, "accounts", {"login_id": "customer1", "kana_name": "タロウ"})
    assert reasons(refused) == [(2, "account_ref", "is already recorded with another kana_name")]
    assert everything() == before


def test_a_login_id_of_the_staff_is_refused(staff: Callable[..., Any], load: Load) -> None:
    """Rule 16."""
    refused = refusal(load, "accounts", {"login_id": staff().login_id.upper()})
    assert reasons(refused) == [(2, "login_id", "belongs to another account already")]


def test_a_file_with_other_rows_or_sum_than_announced_is_refused(
    people: Callable[[int], None], load: Load, everything: Everything
) -> None:
    people(1)
    rows = ({}, {"top_up_ref": "T2", "amount_minor": 1})
    before = everything()
    told = str(refusal(load, "top_ups", *rows, expect_rows=3, expect_sum=10_000))
    assert "the file has 2 rows, 3 were announced" in told
    assert "its amounts add up to 10,001, 10,000 were announced" in told
    assert everything() == before
    load("top_ups", *rows, expect_rows=2, expect_sum=10_001)
    assert "3 were announced" in str(refusal(load, "top_ups", *rows, expect_rows=3))
    assert "no amounts" in str(refusal(load, "wallets", {}, expect_sum=1))


def test_every_refused_row_is_written_back_with_line_column_and_reason(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    load("top_ups", {})
    refused = refusal(
        load,
        "payments",
        {"payment_ref": "P1"},
        {"payment_ref": "P2", "amount_minor": "-5", "prefecture": '東京, "都"'},
        {"payment_ref": "P3", "amount_minor": "", "state": "done"},
        {"payment_ref": "=HYPERLINK(1)", "wallet_ref": "W9"},
    )
    rows = refused_rows(refused)
    assert [(row["line"], row["column"]) for row in rows] == [
        ("3", "amount_minor"),
        ("4", "amount_minor"),
        ("4", "state"),
        ("5", "wallet_ref"),
    ]
    assert rows[0]["reason"].startswith("is negative")
    assert rows[0]["amount_minor"] == "-5"
    assert rows[0]["prefecture"] == '東京, "都"'
    assert rows[0]["merchant_ref"] == ROWS["payments"]["merchant_ref"]
    # A spreadsheet must not run it as a formula.
    assert rows[3]["payment_ref"] == "'=HYPERLINK(1)"
    assert refused.facts["refused"] == 3
    assert Path(refused.facts["refused_file"]).stat().st_mode & 0o077 == 0


def test_the_file_of_refused_rows_is_deleted_after_a_good_load(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    refused = refusal(load, "top_ups", {"amount_minor": "-5"})
    assert Path(refused.facts["refused_file"]).exists()
    load("top_ups", {})
    assert not Path(refused.facts["refused_file"]).exists()


def test_all_refused_rows_are_written_though_only_some_are_shown(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    bad = [{"top_up_ref": f"T{n}", "amount_minor": -n} for n in range(1, 5_001)]
    refused = refusal(load, "top_ups", {"top_up_ref": "T0"}, *bad)
    assert refused.facts["refused"] == 5_000
    assert len(reasons(refused)) == loader.REFUSALS_SHOWN
    rows = refused_rows(refused)
    assert [row["line"] for row in rows] == [str(line) for line in range(3, 5_003)]
    assert [row["amount_minor"] for row in rows] == [str(-n) for n in range(1, 5_001)]


@pytest.mark.parametrize("column", file_kinds.get("funding_cards").names)
@pytest.mark.parametrize(
    "number", ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005"]
)
def test_a_card_number_is_refused_in_every_column(
    column: str, number: str, people: Callable[[int], None], load: Load, everything: Everything
) -> None:
    """Invariant I22."""
    people(1)
    before = everything()
    refused = refusal(load, "funding_cards", {"card_ref": "C9", column: number})
    assert (2, column) in {(line, where) for line, where, _ in reasons(refused)}
    assert number not in str(refused)
    assert number not in Path(refused.facts["refused_file"]).read_text()
    assert everything() == before


def test_a_card_number_inside_a_longer_value_is_refused(
    people: Callable[[int], None], load: Load
) -> None:
    """Invariant I22."""
    people(1)
    refused = refusal(load, "funding_cards", {"card_ref": "card:5555555555554444:a"})
    assert reasons(refused)[0][1:] == (
        "card_ref",
        "looks like a full card number; send the issuer's token instead",
    )


def test_a_token_of_digits_is_refused_only_if_it_is_as_long_as_a_card_number(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    assert load("funding_cards", {"card_ref": "C8", "card_token": "9" * 23}).inserted == 1
    refused = refusal(load, "funding_cards", {"card_ref": "C9", "card_token": "4111111111111112"})
    assert reasons(refused)[0][1] == "card_token"


def test_a_top_up_at_or_after_the_stop_of_its_source_is_refused(
    people: Callable[[int], None], load: Load, staff: Callable[..., Any]
) -> None:
    """Rule 2, invariant I7."""
    people(1)
    clock.mark_as_rehearsal()
    stop = "2019-07-04T14:00:00+09:00"
    clock.travel(_instant(stop), frozen=True)
    capabilities.stop("top_up:credit_card", actor=SYSTEM, reason="attack")
    clock.travel(_instant(at(0, day=6)))
    refused = refusal(load, "top_ups", {"occurred_at": stop})
    assert reasons(refused) == [
        (
            2,
            "occurred_at",
            "lies at or after the stop of top-ups from credit_card at 2019-07-04T05:00:00Z",
        )
    ]
    other = {"source": "points", "card_ref": "", "rrn": "", "auth_code": "", "arn": ""}
    load(
        "top_ups",
        {"occurred_at": "2019-07-04T13:59:59.999999+09:00"},
        {"top_up_ref": "T2", "occurred_at": stop, **other},
    )
    assert TopUp.objects.count() == 2


def test_a_payment_after_the_end_of_spending_is_refused(
    people: Callable[[int], None], load: Load
) -> None:
    """Rule 30."""
    people(1)
    load("top_ups", {})
    Milestone.objects.create(
        kind=Milestone.Kind.SPEND_ENDS,
        at=_instant("2019-10-01T00:00:00+09:00"),
        ends_capability="spend",
    )
    refused = refusal(load, "payments", {"occurred_at": "2019-10-01T00:00:00+09:00"})
    assert "lies at or after the stop of payments" in reasons(refused)[0][2]
    load("payments", {"occurred_at": "2019-09-30T23:59:59.999999+09:00"})


@pytest.mark.parametrize("state", ["held", "closing", "closed"])
def test_history_is_not_loaded_into_a_wallet_that_is_held_or_closed(
    state: str, people: Callable[[int], None], load: Load, everything: Everything
) -> None:
    people(1)
    load("top_ups", {})
    bring_to(Wallet.objects.get(wallet_ref="W1"), state)
    before = everything()
    for kind, row in (("top_ups", {"top_up_ref": "T2"}), ("payments", {})):
        refused = refusal(load, kind, row)
        assert reasons(refused) == [
            (2, "wallet_ref", f"is a wallet in state {state}, whose history is complete")
        ]
    assert everything() == before


def test_earlier_charges_are_loaded_into_a_frozen_wallet(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    bring_to(Wallet.objects.get(wallet_ref="W1"), "charge_frozen")
    assert load("top_ups", {}).inserted == 1


def test_a_payment_above_the_balance_of_its_time_is_refused(
    people: Callable[[int], None], load: Load, everything: Everything
) -> None:
    people(1)
    load("top_ups", {"occurred_at": at(11), "amount_minor": 1_000})
    before = everything()
    early = {"payment_ref": "P1", "occurred_at": at(10.5), "amount_minor": 1}
    late = {"payment_ref": "P2", "occurred_at": at(12), "amount_minor": 700}
    too_much = {"payment_ref": "P3", "occurred_at": at(13), "amount_minor": 301}
    assert reasons(refusal(load, "payments", early)) == [
        (2, "amount_minor", "is more than the wallet had left at that time: 0 minor units")
    ]
    # The file names the later payment first: the time decides, not the order of the lines.
    assert reasons(refusal(load, "payments", too_much, late)) == [
        (2, "amount_minor", "is more than the wallet had left at that time: 300 minor units")
    ]
    assert everything() == before
    assert load("payments", {**too_much, "amount_minor": 300}, late).inserted == 2


def test_a_late_payment_cannot_spend_value_that_a_recorded_one_spent(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    load("top_ups", {"amount_minor": 1_000})
    load("payments", {"payment_ref": "P1", "occurred_at": at(20), "amount_minor": 900})
    late = {"payment_ref": "P2", "occurred_at": at(12), "amount_minor": 101}
    assert "had left at that time: 100" in reasons(refusal(load, "payments", late))[0][2]
    load("payments", {**late, "amount_minor": 100})
    assert Wallet.objects.get(wallet_ref="W1").paid_minor == 0


def test_a_loaded_payment_cannot_spend_held_value(
    people: Callable[[int], None], load: Load
) -> None:
    people(1)
    load("top_ups", {"amount_minor": 1_000})
    wallet = Wallet.objects.get(wallet_ref="W1")
    withholding.hold(wallet.pk, amount_minor=400, reason="suspicion", actor=SYSTEM)
    refused = refusal(load, "payments", {"amount_minor": 700})
    assert "had left at that time: 600" in reasons(refused)[0][2]
    load("payments", {"amount_minor": 600})


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
