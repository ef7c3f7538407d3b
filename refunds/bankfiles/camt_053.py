"""The ISO 20022 statement, camt.053.001 (bank to customer statement), versions 02 to 12: read."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from refunds.bankfiles.amounts import minor_of, refuse_other_currency
from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.iso_parts import account_of, day_of
from refunds.bankfiles.sources import Opened, Source
from refunds.bankfiles.statements import (
    LINES_MAX,
    STATEMENTS_MAX,
    Account,
    Direction,
    LineDetail,
    LineKind,
    Statement,
    StatementFile,
    StatementLine,
    check_balance,
    check_chain,
    identity_of,
)
from refunds.bankfiles.xml_stream import Element, events

_NAMESPACES: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(?:0[2-9]|1[0-2])")
_ROOT: Final = "Document/BkToCstmrStmt"
_STATEMENT: Final = f"{_ROOT}/Stmt"
_CONTAINERS: Final = frozenset({"Document", _ROOT, _STATEMENT})
_DIRECTIONS: Final = {"CRDT": Direction.IN, "DBIT": Direction.OUT}
_BOOKED: Final = "BOOK"
_ANNOUNCED: Final = frozenset({"PDNG", "INFO", "FUTR"})
# The opening balance is also told as the last closing one. A page that is not the first or the last
# begins or ends with an interim balance.
_OPENING: Final = frozenset({"OPBD", "PRCD"})
_CLOSING: Final = frozenset({"CLBD"})
_INTERIM: Final = "ITBD"
# Sub-families of bank transaction codes.
_RETURNS: Final = frozenset({"RRTN", "RPCR", "ARET"})
_FAMILIES: Final = {
    "RCDT": LineKind.TRANSFER,
    "ICDT": LineKind.TRANSFER,
    "RRCT": LineKind.TRANSFER,
    "IRCT": LineKind.TRANSFER,
    "CNTR": LineKind.CASH,
    "RCHQ": LineKind.CHEQUE,
    "ICHQ": LineKind.CHEQUE,
}


def read(source: Source, *, currency: str, near: date) -> StatementFile:
    """Returns the statements of a file, fully checked.

    Only booked entries are lines. `currency` is the programme's: a balance or an entry in another is
    refused. `near` is not needed. A file has at most 64 MiB unpacked, `STATEMENTS_MAX` statements
    and `LINES_MAX` lines. Raises `BankFileError` with line and column.
    """
    opened = Opened(source)
    statements: list[Statement] = []
    reading: _Statement | None = None
    lines = 0
    for event in events(opened, containers=_CONTAINERS, namespaces=_NAMESPACES):
        if event.path != _STATEMENT:
            continue
        if event.begins:
            reading = _Statement(currency=currency, room=LINES_MAX - lines)
        elif reading is not None and event.element is not None:
            reading.take(event.element)
        elif reading is not None:
            statements.append(reading.close(record=event.line))
            lines += len(statements[-1].lines)
        if len(statements) > STATEMENTS_MAX:
            raise BankFileError(f"more than {STATEMENTS_MAX:,} statements; split the file")
    if not statements:
        raise BankFileError("at least one statement (Stmt) expected")
    check_chain(statements)
    return StatementFile(statements=tuple(statements), sha256=opened.sha256)


class _Statement:
    """One statement as far as it was read. The schema puts the balances before the entries."""

    def __init__(self, *, currency: str, room: int) -> None:
        self._currency, self._room = currency, room
        self._account: Account | None = None
        self._made_on: date | None = None
        self._from_on: date | None = None
        self._to_on: date | None = None
        self._opening: list[int] = []
        self._closing: list[int] = []
        self._interim: list[int] = []
        self._balances: tuple[int, int] | None = None
        self._running = 0
        self._lines: list[StatementLine] = []
        self._unbooked = 0

    def take(self, element: Element) -> None:
        if element.tag == "CreDtTm":
            self._made_on = day_of(element)
        elif element.tag == "FrToDt":
            self._from_on = _day(element, "FrDtTm")
            self._to_on = _day(element, "ToDtTm")
        elif element.tag == "Acct":
            self._account = account_of(element, element.first("Svcr"))
            own = element.first("Ccy")
            if own is not None:
                self._refuse_other(own, own.text.strip())
        elif element.tag == "Bal":
            self._balance(element)
        elif element.tag == "Ntry":
            self._entry(element)

    def close(self, *, record: int) -> Statement:
        """Returns the statement if its balances prove it."""
        before, after = self._settled(record=record)
        if self._account is None or not self._account.number:
            raise BankFileError("the number of the account (Acct/Id) expected", record=record)
        check_balance(before=before, lines=self._lines, after=after, record=record)
        return Statement(
            account=self._account,
            currency=self._currency,
            made_on=self._made_on,
            from_on=self._from_on,
            to_on=self._to_on,
            balance_before_minor=before,
            balance_after_minor=after,
            lines=tuple(self._lines),
            unbooked=self._unbooked,
        )

    def _refuse_other(self, place: Element, found: str) -> None:
        refuse_other_currency(
            found, currency=self._currency, record=place.line, position=place.column
        )

    def _amount(self, amount: Element) -> int:
        self._refuse_other(amount, amount.attributes.get("Ccy", ""))
        return minor_of(
            amount.text.strip(),
            currency=self._currency,
            record=amount.line,
            position=amount.column,
        )

    def _directed(self, element: Element) -> tuple[int, Direction]:
        """Returns the element's amount and which way it went."""
        amount, direction = element.first("Amt"), _DIRECTIONS.get(element.said("CdtDbtInd"))
        if amount is None or direction is None:
            element.refuse(f"{element.tag}: Amt, and CdtDbtInd of CRDT or DBIT, expected")
        return self._amount(amount), direction

    def _balance(self, element: Element) -> None:
        if self._balances is not None:
            element.refuse("the balances before the entries expected")
        code = element.said("Tp/CdOrPrtry/Cd")
        if code not in _OPENING | _CLOSING | {_INTERIM}:
            # Available and forward balances prove nothing about what was booked.
            return
        amount, direction = self._directed(element)
        signed = amount if direction is Direction.IN else -amount
        if code in _OPENING:
            self._opening.append(signed)
        elif code in _CLOSING:
            self._closing.append(signed)
        else:
            self._interim.append(signed)

    def _settled(self, *, record: int) -> tuple[int, int]:
        """Returns the balances before and after."""
        if self._balances is None:
            first = self._opening or self._interim[:1]
            last = self._closing or self._interim[-1:]
            # OPBD and PRCD may both be there, if they agree.
            if (
                len(set(first)) != 1
                or len(set(last)) != 1
                or (not self._opening and not self._closing and len(self._interim) != 2)
            ):
                raise BankFileError(
                    "one opening and one closing booked balance expected before the entries",
                    record=record,
                )
            self._balances = first[0], last[0]
            self._running = first[0]
        return self._balances

    def _entry(self, element: Element) -> None:
        self._settled(record=element.line)
        status = element.said("Sts/Cd", "Sts")
        if status in _ANNOUNCED:
            self._unbooked += 1
            return
        if status != _BOOKED:
            element.refuse("an entry of status BOOK, PDNG, INFO or FUTR expected")
        if self._account is None:
            element.refuse("the account before the entries expected")
        if len(self._lines) == self._room:
            element.refuse(f"more than {LINES_MAX:,} lines; split the file")
        amount, direction = self._directed(element)
        booked = element.first("BookgDt/Dt", "BookgDt/DtTm")
        valued = element.first("ValDt/Dt", "ValDt/DtTm")
        if booked is None:
            element.refuse("BookgDt expected")
        booked_on = day_of(booked)
        self._running += amount if direction is Direction.IN else -amount
        inquiry = element.said("AcctSvcrRef", "NtryRef", length_max=35)
        details = tuple(self._detail(one) for one in element.all("NtryDtls/TxDtls"))
        self._lines.append(
            StatementLine(
                record=element.line,
                account=self._account,
                booked_on=booked_on,
                value_on=booked_on if valued is None else day_of(valued),
                inquiry=inquiry,
                direction=direction,
                amount_minor=amount,
                kind=_kind(element, details),
                balance_after_minor=self._running,
                details=details or (self._bare(element, amount),),
                identity=identity_of(
                    self._account,
                    booked_on=booked_on,
                    inquiry=inquiry,
                    direction=direction,
                    amount_minor=amount,
                    running=f"{self._running}",
                ),
            )
        )

    def _bare(self, element: Element, amount: int) -> LineDetail:
        return LineDetail(amount, text=element.said("AddtlNtryInf", length_max=500))

    def _detail(self, element: Element) -> LineDetail:
        # Version 02 has the amount among the details, later versions also beside them.
        amount = element.first("Amt", "AmtDtls/TxAmt/Amt")
        party = "Dbtr" if element.said("CdtDbtInd") != "DBIT" else "Cdtr"
        reason_code = element.said("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")
        texts = [one.text.strip() for one in element.all("RmtInf/Ustrd")]
        return LineDetail(
            amount_minor=None if amount is None else self._amount(amount),
            reference=_reference(element, "EndToEndId"),
            message=_reference(element, "MsgId"),
            payment=_reference(element, "PmtInfId"),
            party_name=element.said(f"RltdPties/{party}/Pty/Nm", f"RltdPties/{party}/Nm"),
            bank_name=element.said(f"RltdAgts/{party}Agt/FinInstnId/Nm"),
            branch_name=element.said(f"RltdAgts/{party}Agt/BrnchId/Nm"),
            text=" ".join(texts)[:500],
            reason_code=reason_code,
            reason=ReturnReason.of_iso(reason_code) if reason_code else None,
        )


def _reference(element: Element, tag: str) -> str:
    """Returns the reference; the standard's word for none is none."""
    said = element.said(f"Refs/{tag}", length_max=35)
    return "" if said == "NOTPROVIDED" else said


def _day(element: Element, path: str) -> date | None:
    found = element.first(path)
    return None if found is None else day_of(found)


def _kind(element: Element, details: tuple[LineDetail, ...]) -> LineKind:
    codes = [
        one.said("BkTxCd/Domn/Fmly/SubFmlyCd") for one in (element, *element.all("NtryDtls/TxDtls"))
    ]
    if _RETURNS.intersection(codes) or any(detail.reason_code for detail in details):
        return LineKind.RETURN
    if element.said("RvslInd") in ("true", "1"):
        return LineKind.CORRECTION
    family = element.said("BkTxCd/Domn/Fmly/Cd", "NtryDtls/TxDtls/BkTxCd/Domn/Fmly/Cd")
    return _FAMILIES.get(family, LineKind.UNKNOWN)
