"""The file of the efforts to reach the holders who have not applied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from refunds.models import Entitlement
from refunds.payouts.tracing import COLUMNS
from wallets.models import Wallet
from winddown import clock
from winddown.models import Programme

WAYS = ("letter", "telephone")


@contextmanager
def arguments() -> Iterator[tuple[str, ...]]:
    """Yields the options of `load_tracing_efforts`: each holder who has not applied was written to
    and called the day before.
    """
    day = clock.now().astimezone(Programme.current().zone) - dt.timedelta(days=1)
    refs = (
        Wallet.objects.filter(entitlements__state__in=Entitlement.APPLICABLE)
        .order_by("wallet_ref")
        .distinct()
        .values_list("wallet_ref", flat=True)
    )
    with TemporaryDirectory() as directory:
        path = Path(directory) / "efforts.csv"
        with path.open("w") as file:
            print(*COLUMNS, sep=",", file=file)
            for ref in refs:
                for way in WAYS:
                    print(ref, way, f"{day:%Y-%m-%dT%H:%M}", "not_reached", sep=",", file=file)
        yield f"--efforts={path}", "--evidence=rehearsal: letters and calls"
