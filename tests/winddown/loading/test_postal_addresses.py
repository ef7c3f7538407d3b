"""A file of accounts may bring postal addresses, which are sealed and stand in no file of refusals."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts import postal_addresses
from accounts.models import PostalAddress, User
from tests.winddown.loading.rows import HASH, ROWS, reasons, refusal
from winddown import encryption
from winddown.loading import loader

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]
LONG = "東京都千代田区千代田1-1;旭ビル 301号"
OTHER = {
    "account_ref": "A2",
    "login_id": "b",
    "postal_code": "",
    "postal_address": "Main St 1, Kyoto",
}


@pytest.fixture
def one(load: Callable[..., Any]) -> Callable[..., Any]:
    def one(**more: str) -> Any:
        return load("accounts", {"postal_code": "100-0001", "postal_address": LONG, **more})

    return one


def stored(ref: str) -> str:
    return str(postal_addresses.of(User.objects.get(account_ref=ref)))


def test_an_address_is_sealed_and_opened_for_its_person_alone(load: Callable[..., Any]) -> None:
    usual = {"postal_code": "100-0001", "postal_address": LONG}
    third = {"account_ref": "A3", "login_id": "c"}

    done = load("accounts", usual, OTHER, third)

    assert done.inserted == 3
    assert stored("A1") == "100-0001, 東京都千代田区千代田1-1, 旭ビル 301号"
    assert stored("A2") == "Main St 1, Kyoto"
    assert stored("A3") == "None"
    rows = list(PostalAddress.objects.order_by("user__account_ref"))
    for row in rows:
        assert b"Kyoto" not in bytes(row.address_sealed)
        assert "千代田".encode() not in bytes(row.address_sealed)
    rows[0].address_sealed = rows[1].address_sealed
    with pytest.raises(encryption.SealBroken):
        postal_addresses.opened(rows[0])
    with pytest.raises(DatabaseError), transaction.atomic():
        PostalAddress.objects.update(fingerprint="0" * 64)


def test_the_same_address_is_a_repetition_and_another_one_is_refused(
    one: Callable[..., Any],
) -> None:
    one()
    again = one(password_hash="")
    assert (again.inserted, again.already_there) == (0, 1)

    for other in ({"postal_address": "elsewhere"}, {"postal_address": "", "postal_code": ""}):
        refused = refusal(one, **other)
        assert reasons(refused) == [
            (2, "account_ref", "is already recorded with another postal_address")
        ]
    assert "千代田" in stored("A1")


def test_a_later_file_gives_an_address_to_those_without_one(
    load: Callable[..., Any], one: Callable[..., Any]
) -> None:
    load("accounts", {})
    done = one()
    assert (done.rows, done.inserted) == (1, 1)
    assert "千代田" in stored("A1")


def test_a_file_without_the_columns_changes_no_address(
    one: Callable[..., Any], write: Callable[..., Path]
) -> None:
    one()
    path = write("accounts", {}, columns=tuple(ROWS["accounts"]))
    assert loader.load("accounts", path).inserted == 0
    assert "千代田" in stored("A1")

    half = write("accounts", {}, columns=(*ROWS["accounts"], "postal_code"))
    assert "it lacks the columns postal_address" in str(refusal(loader.load, "accounts", half))
    wrong = write("accounts", {}, columns=("account_ref",))
    assert "it may also have postal_code,postal_address,birth_date" in str(
        refusal(loader.load, "accounts", wrong)
    )


def test_the_refused_lines_hold_no_address(write: Callable[..., Path], switches: None) -> None:
    rows = [
        {"postal_code": "100-0001", "postal_address": LONG, "email": "nobody"},
        {"account_ref": "A2", "login_id": "b", "postal_code": "100-0001", "postal_address": ""},
        {"account_ref": "A3", "login_id": "c", "postal_address": "旭" * 201},
    ]
    path = write("accounts", *rows)
    # A comma too many moves the address into another column.
    with path.open("a") as file:
        file.write(f"A4,d,,,,,,,,2019-07-01T09:00:00+09:00,{HASH},100-0001,旭1, 2\n")

    refused = refusal(loader.load, "accounts", path)

    assert [(line, column) for line, column, _ in reasons(refused)] == [
        (2, "email"),
        (3, "postal_code"),
        (4, "postal_address"),
        (5, ""),
    ]
    text = Path(refused.facts["refused_file"]).read_text()
    assert "旭" not in text
    assert "千代田" not in text
    assert "100-0001" not in text
    listed = list(csv.DictReader(text.splitlines()))
    assert {row["line"] for row in listed} >= {"2", "4", "5"}
    assert "(hidden)" in listed[0].values()
    assert listed[0]["account_ref"] == "A1"
