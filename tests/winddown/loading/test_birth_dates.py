"""A file of accounts may bring birth dates, which are sealed and stand in no file of refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts import birth_dates
from accounts.models import BirthDate, PersonMatch, User
from accounts.persons import matching
from tests.winddown.loading.rows import ROWS, reasons, refusal
from winddown.loading import loader

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]
TWO = {"account_ref": "A2", "login_id": "b", "kana_name": "ﾊﾅ ｺ", "phone": "09000000001"}


def test_a_birth_date_is_sealed_and_finds_the_accounts_of_one_person(
    load: Callable[..., Any],
) -> None:
    load("accounts", {"birth_date": "1980-03-15"}, {**TWO, "birth_date": "1980-03-15"})

    first, second = BirthDate.objects.order_by("pk")
    assert birth_dates.of(User.objects.get(account_ref="A1")) == "1980-03-15"
    assert b"1980" not in bytes(first.day_sealed)
    assert first.fingerprint == second.fingerprint
    matching.find()
    assert PersonMatch.objects.get().signals == ["birth_date", "kana", "telephone"]


def test_a_later_file_brings_it_and_another_one_is_refused(
    load: Callable[..., Any], write: Callable[..., Path]
) -> None:
    load("accounts", {})
    assert birth_dates.of(User.objects.get()) == ""
    assert load("accounts", {"birth_date": "1980-02-29"}).inserted == 1
    assert load("accounts", {"birth_date": "1980-02-29", "password_hash": ""}).inserted == 0
    # Without the hash the file has other bytes than the first one.
    for other in ({"birth_date": "1980-02-28"}, {"birth_date": "", "password_hash": ""}):
        refused = refusal(load, "accounts", other)
        assert reasons(refused) == [
            (2, "account_ref", "is already recorded with another birth_date")
        ]
    refused = refusal(load, "accounts", {**TWO, "birth_date": "1981-02-29"})
    assert reasons(refused) == [(2, "birth_date", "is a day that its month does not have")]
    assert "1981" not in Path(refused.facts["refused_file"]).read_text()
    # The addresses are columns of their own.
    path = write("accounts", {}, columns=(*ROWS["accounts"], "birth_date"))
    refused = refusal(loader.load, "accounts", path)
    assert reasons(refused) == [(2, "account_ref", "is already recorded with another birth_date")]
