"""The customer's statement: the balance, every movement, and what became of the refund, as a page to
print and as a signed file.
"""

from __future__ import annotations

import base64
import binascii
import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.models import User
from refunds.models import Entitlement, Payout, RefundApplication
from wallets.models import SnapshotLine, Wallet
from wallets.panels import Movement, movements_of
from winddown import clock, encryption, texts
from winddown.models import Programme
from winddown.words import Text

BYTES_MAX = 2**20
"""A statement is far shorter. A longer file is none of ours."""
_SIGNATURE = b"Ed25519,"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the refund."""

    at: dt.datetime
    what: Text
    amount_minor: int


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """What the operator holds about one customer's money at `made_at`."""

    made_at: dt.datetime
    programme: str
    currency: str
    account: str
    wallet_ref: str
    sealed: SnapshotLine | None
    movements: list[Movement]
    refund: list[Event]


def of(customer: User) -> AccountStatement:
    """Returns the statement of the customer at this instant, the newest entries first."""
    programme = Programme.current()
    wallet = Wallet.objects.filter(account=customer).first()
    return AccountStatement(
        made_at=clock.now(),
        programme=programme.name,
        currency=programme.currency,
        account=customer.account_ref or f"account {customer.pk}",
        wallet_ref=wallet.wallet_ref if wallet is not None else "",
        sealed=SnapshotLine.objects.filter(wallet=wallet).first() if wallet is not None else None,
        movements=movements_of(customer),
        refund=sorted(_events(customer), key=lambda each: each.at, reverse=True),
    )


def _events(customer: User) -> Iterator[Event]:
    for owed in Entitlement.objects.filter(wallet__account=customer).select_related("snapshot"):
        yield Event(owed.snapshot.sealed_at, _lazy("Refund computed"), owed.amount_minor)
    sent = RefundApplication.objects.filter(applicant=customer, submitted_at__isnull=False)
    for application in sent.select_related("entitlement"):
        what, at = _lazy("Application received"), application.submitted_at
        if at is not None:
            yield Event(at, what, application.entitlement.amount_minor)
    for payout in Payout.objects.filter(holder=customer, entitlement__isnull=False).select_related(
        "batch"
    ):
        if payout.batch is not None and payout.batch.transmitted_at is not None:
            yield Event(payout.batch.transmitted_at, _lazy("Sent to the bank"), payout.amount_minor)
        if payout.result_at is not None:
            yield Event(payout.result_at, _RESULTS[payout.state], payout.amount_minor)


_RESULTS: dict[str, Text] = {
    Payout.State.SETTLED: _lazy("Paid, as the bank says"),
    Payout.State.RETURNED: _lazy("Sent back by the bank"),
    Payout.State.UNCOLLECTABLE: _lazy("Sent back by the bank"),
    Payout.State.RECALLED: _lazy("Taken back before it was paid"),
}


def as_csv(statement: AccountStatement) -> bytes:
    """Returns the statement as CSV in UTF-8 whose last line is our signature of all bytes before it.

    No cell is calculated as a formula by a spreadsheet. Amounts are in minor units of the currency.
    """
    text = io.StringIO()
    out = csv.writer(text)
    for row in _rows(statement):
        out.writerow(texts.safe_in_spreadsheet(texts.printable(str(cell))) for cell in row)
    # Spreadsheets recognise UTF-8 by its mark.
    document = text.getvalue().encode("utf-8-sig")
    signed = base64.b64encode(encryption.signature(document))
    return document + _SIGNATURE + signed + b"\r\n"


def is_ours(content: bytes) -> bool:
    """Returns whether the file is a statement that this service signed, and no byte was changed."""
    document, found, given = content.rpartition(_SIGNATURE)
    if not found or len(content) > BYTES_MAX:
        return False
    try:
        return encryption.is_signed(document, base64.b64decode(given.strip(), validate=True))
    except binascii.Error:
        return False


def _rows(statement: AccountStatement) -> Iterator[list[Any]]:
    yield [_("Statement of"), statement.programme]
    yield [_("Account"), statement.account]
    yield [_("Wallet"), statement.wallet_ref]
    yield [_("Made at"), _at(statement.made_at)]
    yield [_("Currency"), statement.currency]
    key = base64.b64encode(encryption.verifying_key()).decode()
    yield [_("The last line is our signature of all before it. Key"), key]
    yield []
    if statement.sealed is not None:
        yield [_("Paid value at the end"), statement.sealed.paid_minor]
        yield [_("Bonus value at the end"), statement.sealed.bonus_minor]
        yield []
    yield [_("Time"), _("Refund"), _("Amount")]
    for event in statement.refund:
        yield [_at(event.at), event.what, event.amount_minor]
    yield []
    yield [_("Time"), _("Movement"), _("Paid value"), _("Bonus value")]
    for movement in statement.movements:
        yield [_at(movement.at), movement.title, movement.paid_minor, movement.bonus_minor]


def _at(at: dt.datetime) -> str:
    return timezone.localtime(at, Programme.current().zone).isoformat(timespec="seconds")
