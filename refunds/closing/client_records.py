"""Client records: what is owed to whom, one line for each refund, balance and compensation."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from django.db import connection, transaction

from accounts import person_keys
from accounts.person_keys import DataDeleted
from refunds.models import Entitlement, Payout
from refunds.models.payee import account_place
from wallets.models import LedgerAccount, Posting
from winddown.models import Programme
from winddown.personal_data import DataClass

COLUMNS: Final = (
    "what",
    "number",
    "bucket",
    "state",
    "amount_minor",
    "currency",
    "wallet_ref",
    "account_ref",
    "name",
    "kana_name",
    "email",
    "phone",
    "bank_code",
    "branch_code",
    "account_type",
    "account_number",
    "account_name",
)
BUCKETS: Final[dict[str, str]] = {
    "in_wallets": LedgerAccount.WALLET_PAID,
    "owed": LedgerAccount.REFUNDS_PAYABLE,
    "in_flight": LedgerAccount.PAYOUTS_IN_FLIGHT,
    "unclaimed": LedgerAccount.UNCLAIMED,
}
"""What is owed, and the control account that each of it comes to. What is unclaimed is still owed to
who claims it late."""
_ROWS_AT_A_TIME: Final = 2_000
# The tables of the rows do not share numbers, so a row is named by what it is and its number.
_ROWS: Final = """
    SELECT d.what, d.number, d.bucket, d.state, d.amount_minor, coalesce(w.wallet_ref, ''),
        coalesce(u.account_ref, ''), u.display_name, u.kana_name, u.email, u.phone,
        p.id, coalesce(p.bank_code, ''), coalesce(p.branch_code, ''), coalesce(p.account_type, ''),
        p.account_number_sealed, coalesce(p.name_kana, ''), p.holder_id, k.secret
    FROM (
        SELECT 'refund' AS what, e.id AS number, e.state, e.amount_minor, e.wallet_id,
            NULL::bigint AS holder_id, CASE e.state WHEN %(paying)s THEN 'in_flight'
                WHEN %(excluded)s THEN 'unclaimed' ELSE 'owed' END AS bucket
        FROM refunds_entitlement e WHERE e.state <> ALL (%(discharged)s)
        UNION ALL
        SELECT 'balance', b.id, b.state, b.paid_minor, b.id, NULL, 'in_wallets'
        FROM wallets_wallet b WHERE b.paid_minor > 0
        UNION ALL
        SELECT 'compensation', o.id, o.state, o.amount_minor, NULL, o.holder_id, 'in_flight'
        FROM refunds_payout o WHERE o.remedy_id IS NOT NULL AND o.state = ANY (%(in_flight)s)
    ) AS d
    LEFT JOIN wallets_wallet w ON w.id = d.wallet_id
    JOIN accounts_user u ON u.id = coalesce(d.holder_id, w.account_id)
    LEFT JOIN refunds_payee p ON p.holder_id = u.id AND p.replaced_at IS NULL
    LEFT JOIN accounts_personkey k ON k.person_id = p.holder_id AND k.data_class = %(data_class)s
        AND k.destroyed_at IS NULL
    ORDER BY d.what, d.number
"""


@dataclass(slots=True)
class Owed:
    """How many lines there are, and what they come to in each bucket, in minor units."""

    rows: int = 0
    sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS, 0))

    @property
    def total_minor(self) -> int:
        return sum(self.sums.values())

    def as_json(self) -> dict[str, int]:
        return {"rows": self.rows, **self.sums}


def pieces(told: Owed) -> Iterator[bytes]:
    """Yields the file of the records, UTF-8 CSV, and counts them in `told`. Account numbers are in
    plain text: whoever keeps the file seals it. The caller keeps the database at one instant.
    """
    yield _line(COLUMNS)
    currency = Programme.current().currency
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            _ROWS,
            {
                "paying": Entitlement.State.PAYING,
                "excluded": Entitlement.State.EXCLUDED,
                "discharged": list(Entitlement.DISCHARGED),
                "in_flight": list(Payout.IN_FLIGHT),
                "data_class": DataClass.BANK_DETAILS,
            },
        )
        while found := cursor.fetchmany(_ROWS_AT_A_TIME):
            for what, number, bucket, state, amount, *whose in found:
                *person, payee, bank, branch, kind, sealed, account_name, holder, secret = whose
                account = "" if sealed is None else _unsealed(sealed, secret, payee, holder)
                told.rows += 1
                told.sums[bucket] += amount
                paid_to = (bank, branch, kind, account, account_name)
                yield _line((what, number, bucket, state, amount, currency, *person, *paid_to))


def in_ledger() -> dict[str, int]:
    """Returns what the ledger says about each bucket."""
    return {name: Posting.objects.balance_minor(account) for name, account in BUCKETS.items()}


def _unsealed(
    sealed: bytes | memoryview, secret: bytes | memoryview | None, payee: int, holder: int
) -> str:
    """Returns the account number, nothing once it was deleted: what is owed stays."""
    try:
        return person_keys.opened(
            sealed,
            secret,
            place=account_place(payee),
            person_id=holder,
            data_class=DataClass.BANK_DETAILS,
        ).decode()
    except DataDeleted:
        return ""


def _line(cells: Iterable[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
