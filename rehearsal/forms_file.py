"""The file of what holders sent in, as `load_applications` reads it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from refunds.applications.intake import ACCOUNT, APPLICATION, COLUMNS, CORRECTION, METHOD
from refunds.bank_accounts import Account
from refunds.models import RefundApplication
from refunds.payouts import methods
from refunds.payouts.methods.postal_addresses import PostalAddress

APP = RefundApplication.Channel.APP.value


@dataclass(frozen=True, slots=True)
class Sent:
    """What one holder sent in."""

    wallet_ref: str
    about: str
    channel: str = ""
    account: Account | None = None
    confirmed_minor: int | None = None
    late_reason: str = ""
    method: str = methods.BANK
    fallback_consent: bool = False
    address: PostalAddress | None = None

    def cells(self) -> list[str]:
        account, to = self.account, self.address
        return [
            self.wallet_ref,
            self.about,
            self.channel,
            *(
                (
                    account.bank_code,
                    account.branch_code,
                    account.account_type,
                    account.account_number,
                    account.name,
                )
                if account
                else ("",) * 5
            ),
            "" if self.confirmed_minor is None else str(self.confirmed_minor),
            self.late_reason,
            self.method,
            "yes" if self.fallback_consent else "no",
            *((to.name, to.postal_code, to.lines) if to else ("",) * 3),
        ]


@contextmanager
def written(sent: Iterable[Sent]) -> Iterator[Path]:
    """Yields the file. It is gone afterwards, because it names bank accounts."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "forms.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(each.cells() for each in sent)
        yield path


__all__ = ["ACCOUNT", "APP", "APPLICATION", "CORRECTION", "METHOD", "Sent", "written"]
