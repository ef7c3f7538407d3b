"""The simulated bank, which reads transfer files and account checks and answers in files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from refunds.bankfiles import pain_001, zengin_result, zengin_transfer
from refunds.bankfiles.amounts import text_of
from refunds.bankfiles.answers import AccountCheck, CheckLine, ResultLine, ReturnReason
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.transfer_items import Remitter, TransferItem
from refunds.bankfiles.zengin_result import AnswerKind
from refunds.bankfiles.zengin_transfer import TransferFile
from winddown import business_days

# What the bank knows about an account. Its answers follow from this and from its earlier answers.
OK = "ok"
NO_REASON = "no_reason"
"""The bank sends the transfer back and does not say why. No account of `Accounts` is like that."""
LATE_RETURN, CORRECTED = "late_return", "corrected_return"
QUALITIES = (
    OK,
    "no_such_account",
    "name_mismatch",
    "closed_once",
    "always_bad",
    LATE_RETURN,
    CORRECTED,
)


# Why a bank of ISO 20022 does not carry a transfer out.
_ISO_REASONS = {
    "no_such_account": "AC01",
    "name_mismatch": "BE01",
    "closed_once": "AC04",
    "always_bad": "AC06",
    CORRECTED: "AC06",
}


class BankRefused(Exception):
    """The bank would not take this file."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the bank did with one file: the reason why it refused it, or the files of its answer."""

    name: str
    refused: str = ""
    answers: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Habits:
    """How a bank is late, changes its mind and repeats itself. Each number is in days, and such a
    day falls on the next bank day. With 0 nothing of the kind happens.

    Each `late_every`-th file of transfers is answered `late_days` after its value date. A
    `late_return` comes `returns_after` days after "done", and a return of `corrected_return` is
    corrected `corrects_after` days later.
    """

    late_every: int = 0
    late_days: int = 0
    returns_after: int = 5
    corrects_after: int = 3


class Movement(NamedTuple):
    """Money that left our account, or came `back`."""

    reference: str
    amount_minor: int
    on: dt.date
    back: bool = False


class _Later(NamedTuple):
    """What the bank says about transfers after it has answered their file."""

    due_on: dt.date
    name: str
    kind: AnswerKind
    value_date: dt.date
    remitter: Remitter
    lines: tuple[ResultLine, ...]


@dataclass(slots=True)
class SimulatedBank:
    """A bank with two directories: `inbox` has the files that it is sent, `outbox` its answers.

    `quality_of` gives the truth about an account by "bank-branch-type-number": one of `QUALITIES`.
    An account of quality `no_such_account` or `name_mismatch` fails the check and every transfer;
    `closed_once` passes the check and sends the transfer back; `always_bad` passes the check and
    sends every transfer back; `late_return` is paid and sent back days later, and `corrected_return`
    is sent back and paid after all. If a holder gives another account, its quality counts.
    The same files in the same order get the same answers, byte for byte. A file that was taken
    before is refused, as banks do. Files of ISO 20022 name their `currency`. A bank that
    `states_the_account` remembers what it carried out, for `statement`. `funded_minor` was on the
    account before; with 0 it was just full enough.
    """

    inbox: Path
    outbox: Path
    quality_of: Callable[[str], str]
    taken: set[str] = field(default_factory=set)
    remitter_codes: frozenset[str] = frozenset()
    currency: str = "JPY"
    states_the_account: bool = False
    carried_out: list[Movement] = field(default_factory=list)
    funded_minor: int = 0
    habits: Habits = field(default_factory=Habits)
    files: int = 0
    later: list[_Later] = field(default_factory=list)

    def work(self, *, today: dt.date) -> list[Taken]:
        """Every new file in the inbox is answered. Transfers are answered on their value date only.

        A transfer file with a later value date stays in the inbox until a later call.
        """
        self.outbox.mkdir(parents=True, exist_ok=True)
        done = []
        for path in sorted([*self.inbox.glob("*.txt"), *self.inbox.glob("*.xml")]):
            if path.name in self.taken:
                continue
            try:
                answers = self._answer(path, today=today)
            except (BankFileError, BankRefused) as refusal:
                self.taken.add(path.name)
                done.append(Taken(path.name, refused=str(refusal)))
                continue
            if answers is not None:
                self.taken.add(path.name)
                done.append(Taken(path.name, answers=tuple(answers)))
        return [*done, *self._say_later(today)]

    def speaks(self, today: dt.date) -> bool:
        """Returns whether a file is due for its answer today, or something is said after one."""
        return any(each.due_on <= today for each in self.later) or any(
            zengin_transfer.stream(path.read_bytes())[0].value_date(near=today) <= today
            for path in self.inbox.glob("*.txt")
            if path.name not in self.taken
        )

    def _answered_on(self, value_date: dt.date, *, number: int) -> dt.date:
        every = self.habits.late_every
        return self._bank_day(
            value_date, self.habits.late_days if every and not number % every else 0
        )

    @staticmethod
    def _bank_day(day: dt.date, later: int) -> dt.date:
        day += dt.timedelta(days=later)
        while later and not business_days.is_open(day, calendar="japan"):
            day += dt.timedelta(days=1)
        return day

    def _say_later(self, today: dt.date) -> list[Taken]:
        """The bank has said what it says after its answers until today."""
        due = sorted(each for each in self.later if each.due_on <= today)
        self.later = [each for each in self.later if each.due_on > today]
        done = []
        for each in due:
            self._remember(
                Movement(
                    line.item.reference, line.item.amount_minor, today, back=line.reason is not None
                )
                for line in each.lines
            )
            pieces = zengin_result.write_results(
                remitter=each.remitter,
                value_date=each.value_date,
                answered_on=today,
                kind=each.kind,
                lines=each.lines,
            )
            done.append(Taken(each.name, answers=(self._write(each.name, pieces),)))
        return done

    def _answer(self, path: Path, *, today: dt.date) -> list[Path] | None:
        content = path.read_bytes()
        if path.suffix == ".xml":
            return self._message(path.name, content, today=today)
        if content[103:104] == AnswerKind.CHECK.value.encode():
            return [self._check(path.name, content, today=today)]
        return self._transfer(path.name, content, today=today)

    # --- account-name checks ----------------------------------------------------------------------

    def _check(self, name: str, content: bytes, *, today: dt.date) -> Path:
        checks = zengin_result.read_checks(content)
        pieces = zengin_result.write_checks(
            remitter=checks.header.remitter,
            value_date=checks.header.value_date(near=today),
            answered_on=today,
            lines=(CheckLine(line.item, self._known(line.item)) for line in checks.lines),
        )
        return self._write(f"answer-{name}", pieces)

    def _known(self, item: TransferItem) -> AccountCheck:
        return {
            "no_such_account": AccountCheck.NO_SUCH_ACCOUNT,
            "name_mismatch": AccountCheck.NAME_DIFFERS,
        }.get(self._quality(item), AccountCheck.MATCHED)

    # --- transfers --------------------------------------------------------------------------------

    def _transfer(self, name: str, content: bytes, *, today: dt.date) -> list[Path] | None:
        file = zengin_transfer.read(content)
        if self.remitter_codes and file.header.remitter.code not in self.remitter_codes:
            raise BankRefused("this remitter has no contract with us")
        value_date = file.header.value_date(near=today)
        if self._answered_on(value_date, number=self.files + 1) > today:
            return None
        self.files += 1
        results = [ResultLine(item, self._reason(item)) for item in file.items]
        self._remember(
            Movement(each.item.reference, each.item.amount_minor, value_date)
            for each in results
            if each.reason is None
        )
        self._plan_later(name, file, value_date=value_date, today=today)
        return [
            self._write(
                f"result-{name}",
                zengin_result.write_results(
                    remitter=file.header.remitter,
                    value_date=value_date,
                    answered_on=today,
                    kind=AnswerKind.RESULT,
                    lines=results,
                ),
            )
        ]

    def _message(self, name: str, content: bytes, *, today: dt.date) -> list[Path] | None:
        """A message of transfers (pain.001) is answered by a report (pain.002)."""
        message = pain_001.read(content, currency=self.currency)
        if self.remitter_codes and message.remitter.code not in self.remitter_codes:
            raise BankRefused("this remitter has no contract with us")
        if message.value_date > today:
            return None
        lines = [(item, _ISO_REASONS.get(self._quality(item), "")) for item in message.items]
        self._remember(
            Movement(item.reference, item.amount_minor, message.value_date)
            for item, why in lines
            if not why
        )
        return [self._write(f"report-{name}", _report(message.message_reference, lines))]

    def _plan_later(
        self, name: str, file: TransferFile, *, value_date: dt.date, today: dt.date
    ) -> None:
        """What comes after the answer about a file of transfers is planned."""
        habits = self.habits
        for quality, kind, reason, days in (
            (LATE_RETURN, AnswerKind.RETURNED, ReturnReason.ACCOUNT_CLOSED, habits.returns_after),
            (CORRECTED, AnswerKind.RESULT, None, habits.corrects_after),
        ):
            lines = tuple(
                ResultLine(item, reason) for item in file.items if self._quality(item) == quality
            )
            if lines and days:
                due_on = self._bank_day(today, days)
                self.later.append(
                    _Later(
                        due_on, f"{quality}-{name}", kind, value_date, file.header.remitter, lines
                    )
                )

    def _remember(self, moved: Iterable[Movement]) -> None:
        if self.states_the_account:
            self.carried_out += moved

    def statement(self, *, account: str, last_on: dt.date, first_on: dt.date = dt.date.min) -> Path:
        """The statement of the account from the first until the last of these days is in the outbox
        (camt.053). A statement of days that another one covers repeats their movements.
        """
        movements = [each for each in self.carried_out if each.on <= last_on]
        opening = self.funded_minor or sum(-_net(each) for each in movements)
        pieces = _statement(
            account,
            movements,
            currency=self.currency,
            first_on=first_on,
            last_on=last_on,
            opening_minor=opening,
        )
        return self._write(f"statement-{last_on}.xml", pieces)

    def _reason(self, item: TransferItem) -> ReturnReason | None:
        return {
            "no_such_account": ReturnReason.ACCOUNT_NOT_FOUND,
            "name_mismatch": ReturnReason.NAME_MISMATCH,
            "closed_once": ReturnReason.ACCOUNT_CLOSED,
            "always_bad": ReturnReason.ACCOUNT_BLOCKED,
            NO_REASON: ReturnReason.OTHER,
            CORRECTED: ReturnReason.ACCOUNT_BLOCKED,
        }.get(self._quality(item))

    def _quality(self, item: TransferItem) -> str:
        return self.quality_of(account_key(item))

    def _write(self, name: str, pieces: Iterable[bytes]) -> Path:
        path = self.outbox / name
        draft = path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.writelines(pieces)
        draft.replace(path)
        return path


def _report(reference: str, lines: Iterable[tuple[TransferItem, str]]) -> Iterator[bytes]:
    """Yields a pain.002 about the message: each transfer is done, or refused with the reason."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>R{reference[:34]}</MsgId></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{reference}</OrgnlMsgId></OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{reference}</OrgnlPmtInfId>\n"
    ).encode()
    for item, why in lines:
        reason = f"<StsRsnInf><Rsn><Cd>{why}</Cd></Rsn></StsRsnInf>" if why else ""
        yield (
            f"<TxInfAndSts><OrgnlEndToEndId>{item.reference}</OrgnlEndToEndId>"
            f"<TxSts>{'RJCT' if why else 'ACSC'}</TxSts>{reason}</TxInfAndSts>\n"
        ).encode()
    yield b"</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>\n"


def _net(movement: Movement) -> int:
    return movement.amount_minor if movement.back else -movement.amount_minor


def _statement(
    account: str,
    movements: Sequence[Movement],
    *,
    currency: str,
    first_on: dt.date,
    last_on: dt.date,
    opening_minor: int,
) -> Iterator[bytes]:
    """Yields a camt.053: one entry for each movement from the first day on. `movements` are all until
    the last day; an entry has the same number in every statement.
    """

    def amount(minor: int) -> str:
        return f'<Amt Ccy="{currency}">{text_of(minor, currency=currency)}</Amt>'

    before = opening_minor + sum(_net(each) for each in movements if each.on < first_on)
    after = opening_minor + sum(map(_net, movements))
    shown_from = max(first_on, min((each.on for each in movements), default=last_on))
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{amount(minor)}"
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>"
        for code, minor, on in (("OPBD", before, shown_from), ("CLBD", after, last_on))
    )
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>S</MsgId></GrpHdr><Stmt><Id>S</Id><CreDtTm>{last_on}T20:00:00</CreDtTm>"
        f"<FrToDt><FrDtTm>{shown_from}T00:00:00</FrDtTm><ToDtTm>{last_on}T00:00:00</ToDtTm></FrToDt>"
        f"<Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>{balances}\n"
    ).encode()
    for number, (reference, minor, on, back) in enumerate(movements, 1):
        if on >= first_on:
            yield (
                f"<Ntry><NtryRef>{number}</NtryRef>{amount(minor)}"
                f"<CdtDbtInd>{'CRDT' if back else 'DBIT'}</CdtDbtInd>"
                f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt><NtryDtls><TxDtls>"
                f"<Refs><EndToEndId>{reference}</EndToEndId></Refs>{amount(minor)}"
                "</TxDtls></NtryDtls></Ntry>\n"
            ).encode()
    yield b"</Stmt></BkToCstmrStmt></Document>\n"


def account_key(item: TransferItem) -> str:
    """Returns the bank's name for an account."""
    return f"{item.bank_code}-{item.branch_code}-{item.account_type}-{item.account_number}"


@dataclass(slots=True)
class Accounts:
    """The accounts of the rehearsal's customers, one for each holder and attempt. Their quality is
    known.

    The quality is written into the account's number, so that the bank needs no list: the last digit
    of the number says which of the qualities it has. The same holder and attempt give the same
    account, and no two of them share one.
    """

    branches: list[tuple[str, str]]

    def account(
        self, holder_number: int, *, attempt: int, quality: str
    ) -> tuple[str, str, str, str]:
        """Returns bank, branch, type and number of the holder's account at this attempt."""
        position = holder_number * 8 + attempt
        bank, branch = self.branches[position % len(self.branches)]
        serial = position // len(self.branches) + 1
        if attempt >= 8:
            raise AssertionError("eight account numbers in a row were taken")
        if serial >= 1_000_000:
            raise AssertionError("no account number is left for this holder")
        return bank, branch, "1", f"{serial:06d}{QUALITIES.index(quality)}"

    @staticmethod
    def quality_of(key: str) -> str:
        """Returns the quality that the number says. An account that the rehearsal did not make is
        good.
        """
        last = int(key[-1])
        return QUALITIES[last] if last < len(QUALITIES) else OK


def later_quality(quality: str) -> str:
    """Returns the quality of the account that a holder gives after one of `quality` failed."""
    return quality if quality == "always_bad" else OK
