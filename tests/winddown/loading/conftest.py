"""Files to load, written row by row, in any form that a core system may deliver."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.winddown.loading.rows import ROWS
from winddown.loading import file_kinds, loader, outcome


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """`write("payments", {"payment_ref": "P2"})` is a file of one row, the usual one but for its ref."""

    def write(
        kind: str,
        *rows: dict[str, Any],
        name: str = "",
        encoding: str = "utf-8",
        newline: str = "\n",
        quoting: Any = csv.QUOTE_MINIMAL,
        columns: tuple[str, ...] = (),
    ) -> Path:
        columns = columns or file_kinds.get(kind).names
        text = io.StringIO()
        out = csv.writer(text, lineterminator=newline, quoting=quoting)
        out.writerow(columns)
        for row in rows:
            usual = {**ROWS[kind], **row}
            out.writerow([usual.get(column, "") for column in columns])
        path = tmp_path / (name or f"{kind}.csv")
        path.write_bytes(text.getvalue().encode(encoding))
        return path

    return write


@pytest.fixture
def load(switches: None, write: Callable[..., Path]) -> Callable[..., outcome.Loaded]:
    """`load("payments", {...}, ...)` writes a file of those rows and loads it."""

    def load(kind: str, *rows: dict[str, Any], **options: Any) -> outcome.Loaded:
        return loader.load(kind, write(kind, *rows, name=f"{kind}.csv"), **options)

    return load


@pytest.fixture
def people(load: Callable[..., outcome.Loaded]) -> Callable[..., None]:
    """`people(3)` has loaded accounts A1 to A3 with wallets W1 to W3 and credit cards C1 to C3."""

    def people(number: int) -> None:
        numbers = range(1, number + 1)
        load("accounts", *({"account_ref": f"A{n}", "login_id": f"customer{n}"} for n in numbers))
        load("wallets", *({"wallet_ref": f"W{n}", "account_ref": f"A{n}"} for n in numbers))
        load("funding_cards", *({"card_ref": f"C{n}", "account_ref": f"A{n}"} for n in numbers))

    return people


@pytest.fixture
def everything(database: Any) -> Callable[[], dict[str, Any]]:
    """What the database holds of everything a load could change."""
    from django.apps import apps

    from wallets.models import Wallet

    def everything() -> dict[str, Any]:
        counted = {
            model._meta.label: model._base_manager.count()
            for model in apps.get_models()
            if model._meta.app_label in {"accounts", "wallets", "winddown"}
        }
        balances = Wallet.objects.order_by("pk").values_list("pk", "paid_minor", "bonus_minor")
        return {**counted, "balances": list(balances)}

    return everything
