"""A usual row of every kind of file, and readers for the results of a load."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from winddown.errors import LoadRefused
from winddown.loading import outcome

JST = dt.timezone(dt.timedelta(hours=9))
HASH = "pbkdf2_sha256$1000$c2FsdA$wVnl5qlMD+nDDriYX4dMVFzx27h8ej834Ysc2wXAE9k="

# A row of each kind that can be loaded after the rows before it.
ROWS: dict[str, dict[str, Any]] = {
    "accounts": {
        "account_ref": "A1",
        "login_id": "Hanako@example.com",
        "email": "hanako@example.com",
        "email_verified_at": "2019-07-01T10:00:00+09:00",
        "phone": "+819000000001",
        "phone_verified_at": "",
        "display_name": "花子",
        "kana_name": "ハナコ",
        "registered_at": "2019-07-01T09:00:00+09:00",
        "password_hash": HASH,
    },
    "external_identities": {
        "account_ref": "A1",
        "provider": "line",
        "subject": "U123",
        "linked_at": "2019-07-01T09:30:00+09:00",
    },
    "wallets": {
        "wallet_ref": "W1",
        "account_ref": "A1",
        "opened_at": "2019-07-01T09:05:00+09:00",
    },
    "funding_cards": {
        "card_ref": "C1",
        "account_ref": "A1",
        "issuer_code": "HOSHI",
        "brand": "visa",
        "funding": "credit",
        "card_token": "tok_bcdfgh",
        "bin": "404111",
        "last4": "1111",
        "registered_at": "2019-07-01T09:10:00+09:00",
    },
    "top_ups": {
        "top_up_ref": "T1",
        "wallet_ref": "W1",
        "source": "credit_card",
        "card_ref": "C1",
        "amount_minor": 10_000,
        "occurred_at": "2019-07-01T10:00:00+09:00",
        "state": "posted",
        "rrn": "918210000001",
        "auth_code": "123456",
        "arn": "74041111918200000000017",
    },
    "payments": {
        "payment_ref": "P1",
        "wallet_ref": "W1",
        "amount_minor": 1_200,
        "merchant_ref": "M130001",
        "prefecture": "Tokyo",
        "merchant_category": "5499",
        "occurred_at": "2019-07-01T12:00:00+09:00",
        "state": "posted",
    },
    "auth_events": {
        "occurred_at": "2019-07-01T09:00:00+09:00",
        "login_id": "Hanako@example.com",
        "account_ref": "A1",
        "outcome": "success",
        "method": "password",
        "network": "100.64.0.1",
        "device_ref": "d1",
        "country": "JP",
        "displaced_session": "no",
        "event": "sign_in",
    },
    "log_coverage": {
        "log": "reset",
        "covered_from": "2019-06-01T00:00:00+09:00",
        "covered_until": "2019-07-01T09:00:00+09:00",
        "complete": "yes",
        "source": "the core system's letter",
    },
}


def at(hour: float, *, day: int = 1) -> str:
    """Returns an instant of July 2019 in Japan, as files write it."""
    return (dt.datetime(2019, 7, day, tzinfo=JST) + dt.timedelta(hours=hour)).isoformat()


def refusal(act: Callable[..., Any], *args: Any, **options: Any) -> LoadRefused:
    """Returns the refusal with which `act` ends."""
    with pytest.raises(LoadRefused) as caught:
        act(*args, **options)
    return caught.value


def reasons(refused: LoadRefused) -> list[tuple[int, str, str]]:
    """Returns line, column and reason of the refused rows."""
    first: list[outcome.Refusal] = refused.facts.get("first", [])
    return [(row.line, row.column, row.reason) for row in first]


def refused_rows(refused: LoadRefused, *, encoding: str = "utf-8") -> list[dict[str, str]]:
    """Returns the rows of the file of refused rows."""
    with open(refused.facts["refused_file"], encoding=encoding, newline="") as file:  # noqa: PTH123
        return list(csv.DictReader(file))
