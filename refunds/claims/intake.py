"""Files of what was reported, and of what thieves did: UTF-8 CSV under a line with the columns.

`REPORTS`: one line for each holder who reported a fraud, with the channel. `LOSSES`: one line for
each movement of a wallet whose claim is under investigation. `movement` is `top_up` or `payment`,
and `payer` says who made it: `thief`, `holder` or `unknown`; a top-up in the file is the thief's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from refunds.claims import losses, reporting
from refunds.models import FraudClaim, PaymentPayer
from wallets.models import Payment, TopUp, Wallet
from winddown.actors import Actor
from winddown.errors import says
from winddown.evidence import audit
from winddown.programme import csv_lines
from winddown.programme.evidence_files import File

REPORTS: Final = ("wallet_ref", "channel")
LOSSES: Final = ("wallet_ref", "movement", "movement_ref", "payer")
ROWS_MAX: Final = 100_000
_CHANNELS: Final = (
    FraudClaim.Channel.CUSTOMER,
    FraudClaim.Channel.SUPPORT,
    FraudClaim.Channel.ISSUER,
)
_THIEF: Final = PaymentPayer.Payer.THIEF
Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many lines a file had, and how many rows are new through it: claims or losses."""

    rows: int
    added: int


def load_reports(file: File, *, actor: Actor, reason: str) -> Loaded:
    """Each holder of the file has an open claim (signal S12), as if each had called alone.

    A wallet with an open claim keeps it, so a second load adds nothing. All are one transaction.
    Raises `LoadRefused` with the line for a file that is not understood, and what
    `reporting.report` raises; then nothing of it is in.
    """
    rows = _read(file, REPORTS)
    wallets = _wallets(rows)
    for number, cells in rows:
        _require(cells["wallet_ref"] in wallets, file, number, says("there is no such wallet"))
        _require(
            cells["channel"] in _CHANNELS,
            file,
            number,
            says("{names} expected", names=", ".join(_CHANNELS)),
        )
    with transaction.atomic():
        added = 0
        for channel in sorted({cells["channel"] for _, cells in rows}):
            chosen = [
                wallets[cells["wallet_ref"]] for _, cells in rows if cells["channel"] == channel
            ]
            made = reporting.report(chosen, actor=actor, reason=reason, channel=channel)
            added += len(made)
        _noted("claims.load_reports", file, actor=actor, reason=reason, added=added)
    return Loaded(len(rows), added)


def load_losses(file: File, *, actor: Actor, reason: str) -> Loaded:
    """Each movement of the file was made by the person that its line names, and the losses of the
    claims follow. What is known already is left alone.

    All are one transaction. Raises `LoadRefused` with the line for a file that is not understood,
    and what `losses.name_losses` raises; then nothing of it is in.
    """
    rows = _read(file, LOSSES)
    wallets = _wallets(rows)
    claims = {
        claim.wallet_id: claim
        for claim in FraudClaim.objects.filter(
            wallet__in=wallets.values(), state__in=FraudClaim.UNDER_WORK
        )
    }
    movements: dict[str, dict[str, Any]] = {
        "top_up": TopUp.objects.in_bulk(_named(rows, "top_up"), field_name="top_up_ref"),
        "payment": Payment.objects.in_bulk(_named(rows, "payment"), field_name="payment_ref"),
    }
    named: dict[str, list[tuple[FraudClaim, Any]]] = {each: [] for each in PaymentPayer.Payer}
    for number, cells in rows:
        claim = claims.get(wallets.get(cells["wallet_ref"], 0))
        movement = movements.get(cells["movement"], {}).get(cells["movement_ref"])
        _require(claim is not None, file, number, says("its wallet has no claim under work"))
        _require(movement is not None, file, number, says("there is no such movement"))
        _require(cells["payer"] in named, file, number, says("there is no such payer"))
        _require(
            isinstance(movement, Payment) or cells["payer"] == _THIEF,
            file,
            number,
            says("only a payment has another payer than the thief"),
        )
        if claim is not None:
            named[cells["payer"]].append((claim, movement))
    with transaction.atomic():
        made = losses.name_losses(named.pop(_THIEF), actor=actor, reason=reason)
        for payer, payments in named.items():
            if payments:
                made += losses.name_payers(payments, payer, actor=actor, reason=reason)
        _noted("claims.load_losses", file, actor=actor, reason=reason, added=len(made))
    return Loaded(len(rows), len(made))


def _noted(action: str, file: File, *, actor: Actor, reason: str, added: int) -> None:
    audit.append(action, "claims", actor=actor, reason=reason, sha256=file.sha256, added=added)


def _read(file: File, columns: Sequence[str]) -> list[tuple[int, Cells]]:
    """Returns the numbered lines by column. Raises `LoadRefused`."""
    lines = csv_lines.read(file, columns, most=ROWS_MAX)
    return [(number, dict(zip(columns, cells, strict=True))) for number, cells in lines]


def _wallets(rows: Sequence[tuple[int, Cells]]) -> dict[str, int]:
    refs = [cells["wallet_ref"] for _, cells in rows]
    return dict(Wallet.objects.filter(wallet_ref__in=refs).values_list("wallet_ref", "pk"))


def _named(rows: Sequence[tuple[int, Cells]], movement: str) -> list[str]:
    return [cells["movement_ref"] for _, cells in rows if cells["movement"] == movement]


def _require(holds: bool, file: File, number: int, why: str) -> None:
    if not holds:
        raise csv_lines.refused(file.name, number, why)
