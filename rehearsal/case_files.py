"""The files of a generated case: streamed CSV with running totals, and their manifest."""

import datetime as dt
import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rehearsal.case import Case

MANIFEST = "manifest.json"
LINES_BUFFERED_MAX = 4_096

# States of top-ups and payments in the core system's files. The generator runs where there are no
# models.
AUTHORISED = "authorised"
POSTED = "posted"

HOUR = 3_600
DAY = 24 * HOUR
# Seconds after the launch on 1 July.
AUGUST = 31 * DAY
SEPTEMBER = 62 * DAY


@dataclass(slots=True)
class Tally:
    """How many and how much."""

    count: int = 0
    amount_minor: int = 0

    def add(self, amount_minor: int) -> None:
        self.count += 1
        self.amount_minor += amount_minor


class CaseCsv:
    """One CSV file whose rows, sum and SHA-256 are known when it is closed. The caller joins the
    cells of a line, because no value of a generated case has a comma, a quote or a line end.
    """

    def __init__(
        self, root: Path, path: str, *, loader: str | None, columns: str, has_amount: bool = False
    ) -> None:
        self.path = path
        self.loader = loader
        self.rows = 0
        self.sum_minor = 0
        self._has_amount = has_amount
        self._digest = hashlib.sha256()
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = target.open("wb")
        self._lines: list[str] = [columns]

    def write(self, line: str, amount_minor: int = 0) -> None:
        lines = self._lines
        lines.append(line)
        self.rows += 1
        self.sum_minor += amount_minor
        if len(lines) >= LINES_BUFFERED_MAX:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._file.close()

    def entry(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "loader": self.loader,
            "rows": self.rows,
            "sum_minor": self.sum_minor if self._has_amount else None,
            "sha256": self._digest.hexdigest(),
        }

    def _flush(self) -> None:
        if self._lines:
            data = ("\n".join(self._lines) + "\n").encode()
            self._digest.update(data)
            self._file.write(data)
            self._lines.clear()


class CaseClock:
    """Converts seconds since the launch to local ISO 8601 times.

    Generated times are integers, because a million of them are made. The whole case has one offset,
    so a zone that changes its offset before the end of the case is refused.
    """

    def __init__(self, launched_at: dt.datetime, *, until: dt.datetime) -> None:
        if launched_at.utcoffset() != until.utcoffset():
            raise ValueError("The case's zone changes its offset between launch and end.")
        if launched_at.time() != dt.time():
            raise ValueError("The case must be launched at midnight.")
        self._launched_at = launched_at
        offset = launched_at.isoformat()[-6:]
        days = (until - launched_at).days + 1
        first_on = launched_at.date()
        self._days = [f"{first_on + dt.timedelta(days=day)}T" for day in range(days)]
        self._times = [
            f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}{offset}"
            for second in range(86_400)
        ]

    def seconds(self, at: dt.datetime) -> int:
        return int((at - self._launched_at).total_seconds())

    def text(self, second: int) -> str:
        return self._days[second // 86_400] + self._times[second % 86_400]


class _Deliveries:
    """Files of one kind, each from its cut (a second after the launch) up to the next."""

    def __init__(self, cuts: Sequence[int], opened: Callable[[int], CaseCsv]) -> None:
        self._later_cuts = cuts[1:]
        self._files = [opened(cut) for cut in cuts]

    def at(self, second: int) -> CaseCsv:
        return self._files[bisect_right(self._later_cuts, second)]


def _on(clock: CaseClock, second: int) -> str:
    return clock.text(second)[:10].replace("-", "_")


# The columns of the core system's files, by loader.
COLUMNS = {
    "load_accounts": "account_ref,login_id,email,email_verified_at,phone,phone_verified_at,"
    "display_name,kana_name,registered_at,password_hash",
    "load_external_identities": "account_ref,provider,subject,linked_at",
    "load_wallets": "wallet_ref,account_ref,opened_at",
    "load_funding_cards": "card_ref,account_ref,issuer_code,brand,funding,card_token,bin,last4,"
    "registered_at",
    "load_top_ups": "top_up_ref,wallet_ref,source,card_ref,amount_minor,occurred_at,state,"
    "rrn,auth_code,arn",
    "load_payments": "payment_ref,wallet_ref,amount_minor,merchant_ref,prefecture,"
    "merchant_category,occurred_at,state",
    "load_auth_events": "occurred_at,login_id,account_ref,outcome,method,network,device_ref,"
    "country,displaced_session",
}
_MOVED = "wallet_ref,movement,movement_ref,amount_minor,funding,hit_at"


class CaseFiles:
    """All files of a case, open at once, in the order in which they must be loaded."""

    def __init__(self, root: Path, *, case: Case, clock: CaseClock) -> None:
        self._root = root
        self._open: list[CaseCsv] = []
        self.accounts = self._file("accounts", "load_accounts")
        self.identities = self._file("external_identities", "load_external_identities")
        self.wallets = self._file("wallets", "load_wallets")
        self.cards = self._file("funding_cards", "load_funding_cards")
        launched_on = case.programme.launched_at.strftime("%Y_%m_%d")
        self.top_ups = self._file(f"top_ups_{launched_on}", "load_top_ups", has_amount=True)
        # Payments come in five deliveries, cut at the stop of all top-ups, after the last new
        # victim, and at two ends of months. Sign-ins come in three, cut at the first two of these
        # instants.
        launched, stopped = (
            clock.seconds(cut) for cut in (case.programme.launched_at, case.at("stop_all_top_ups"))
        )
        last_new_on = case.damage.last_new_victim_on
        contained = DAY * ((last_new_on - case.programme.launched_at.date()).days + 1)
        self._payments = _Deliveries(
            (launched, stopped, contained, AUGUST, SEPTEMBER),
            lambda at: self._file(f"payments_{_on(clock, at)}", "load_payments", has_amount=True),
        )
        self._auth_events = _Deliveries(
            (launched, stopped, contained),
            lambda at: self._file(f"auth_events_{_on(clock, at)}", "load_auth_events"),
        )
        self.victims = self._truth("victims", f"{_MOVED},known_from")
        self.suspects = self._truth("suspects", _MOVED)
        self.clawbacks = self._truth("clawbacks", "wallet_ref,unspent_minor")
        self.closing = self._truth("closing_balances", "wallet_ref,paid_minor,bonus_minor")
        self.behaviour = self._truth(
            "behaviour", "wallet_ref,applies_on,account_quality,channel", has_amount=False
        )

    def _file(self, name: str, loader: str, *, has_amount: bool = False) -> CaseCsv:
        return self._add(f"{name}.csv", loader, COLUMNS[loader], has_amount=has_amount)

    def _truth(self, name: str, columns: str, *, has_amount: bool = True) -> CaseCsv:
        return self._add(f"truth/{name}.csv", None, columns, has_amount=has_amount)

    def _add(self, path: str, loader: str | None, columns: str, *, has_amount: bool) -> CaseCsv:
        file = CaseCsv(self._root, path, loader=loader, columns=columns, has_amount=has_amount)
        self._open.append(file)
        return file

    def payments(self, at: int) -> CaseCsv:
        """Returns the delivery that has the payments of this second."""
        return self._payments.at(at)

    def auth_events(self, at: int) -> CaseCsv:
        """Returns the delivery that has the sign-ins of this second."""
        return self._auth_events.at(at)

    def close(self) -> None:
        for file in self._open:
            file.close()

    def entries(self, *, truth: bool) -> list[dict[str, Any]]:
        return [file.entry() for file in self._open if (file.loader is None) == truth]


def write_manifest(root: Path, manifest: dict[str, Any]) -> None:
    """The manifest is beside the files. It is written last, so a killed run leaves none."""
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    (root / MANIFEST).write_text(text, encoding="utf-8")
