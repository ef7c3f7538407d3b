"""The ISO 20022 report on transfers, pain.002.001 (customer payment status report), versions 03 to
14: read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from refunds.bankfiles.amounts import minor_of, refuse_other_currency
from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.iso_parts import account_of, day_of
from refunds.bankfiles.reports import (
    ISO_STATUSES,
    ReportHead,
    StatusLine,
    StatusReport,
    TransferStatus,
)
from refunds.bankfiles.seen import Seen
from refunds.bankfiles.sources import Opened, Source
from refunds.bankfiles.xml_stream import Element, Event, events

_NAMESPACES: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:pain\.002\.001\.(?:0[3-9]|1[0-4])")
# A million transfers, each with the transfer repeated, take less than two gigabytes.
FILE_BYTES_MAX: Final = 2**31
LINES_MAX: Final = 1_000_000
_ROOT: Final = "Document/CstmrPmtStsRpt"
_PAYMENT: Final = f"{_ROOT}/OrgnlPmtInfAndSts"
_CONTAINERS: Final = frozenset({"Document", _ROOT, _PAYMENT})


@dataclass(frozen=True, slots=True)
class _Status:
    status: TransferStatus
    code: str
    reason: ReturnReason | None
    reason_code: str


_UNSAID: Final = _Status(TransferStatus.UNKNOWN, "", None, "")


def read(source: Source, *, currency: str, near: date) -> StatusReport:
    """Returns the report: its head at once, its lines by iterating once.

    A transfer without a status of its own has that of its group (`PmtInf`), and without that the
    file's. A status that the table does not know is UNKNOWN, so is PART. `currency` is the
    programme's: an amount in another is refused. `near` is not needed. A file has at most 2 GiB
    unpacked and `LINES_MAX` transfers. Raises `BankFileError` with line and column.
    """
    opened = Opened(source, bytes_max=FILE_BYTES_MAX)
    found = events(opened, containers=_CONTAINERS, namespaces=_NAMESPACES)
    report = group = None
    for event in found:
        if event.path != _ROOT or event.element is None:
            continue
        if event.element.tag == "GrpHdr":
            report = event.element
        elif event.element.tag == "OrgnlGrpInfAndSts":
            group = event.element
            break
    if report is None or group is None:
        raise BankFileError("GrpHdr and OrgnlGrpInfAndSts expected before the transfers")
    of_file = _status(group, "GrpSts", above=_UNSAID)
    head = ReportHead(
        report_reference=report.said("MsgId", length_max=35),
        file_reference=group.said("OrgnlMsgId", length_max=35),
        status=of_file.status,
        code=of_file.code,
        reason=of_file.reason,
        reason_code=of_file.reason_code,
    )
    lines = _lines(found, above=of_file, currency=currency)
    return StatusReport(head, lines, digest=lambda: opened.sha256)


def _lines(found: Iterator[Event], *, above: _Status, currency: str) -> Iterator[StatusLine]:
    of_payment, has_lines = above, False
    parts: dict[str, Element] = {}
    seen = Seen()
    for event in found:
        element = event.element
        if event.path != _PAYMENT:
            continue
        if element is None:
            of_payment, has_lines, parts = above, False, {}
        elif element.tag == "TxInfAndSts":
            if seen.count == LINES_MAX:
                element.refuse(f"more than {LINES_MAX:,} transfers; split the file")
            line = _line(element, above=of_payment, currency=currency)
            if seen.add(line.reference):
                element.refuse("this reference was answered before in the file")
            has_lines = True
            yield line
        elif element.tag in ("PmtInfSts", "StsRsnInf"):
            if has_lines:
                element.refuse("the status of a group before its transfers expected")
            parts[element.tag] = element
            of_payment = _of_payment(parts, above=above)


def _of_payment(parts: dict[str, Element], *, above: _Status) -> _Status:
    status = parts.get("PmtInfSts")
    if status is None:
        return above
    children = [status, *([parts["StsRsnInf"]] if "StsRsnInf" in parts else [])]
    whole = Element("PmtInf", {}, status.line, status.column, children=children)
    return _status(whole, "PmtInfSts", above=above)


def _status(element: Element, tag: str, *, above: _Status) -> _Status:
    """Returns the status that the element says, with its first reason, or the one above it."""
    code = element.said(tag)
    if not code:
        return above
    reason_code = element.said("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")
    return _Status(
        ISO_STATUSES.get(code, TransferStatus.UNKNOWN),
        code,
        ReturnReason.of_iso(reason_code) if reason_code else None,
        reason_code,
    )


def _line(element: Element, *, above: _Status, currency: str) -> StatusLine:
    reference = element.said("OrgnlEndToEndId", length_max=35)
    if not reference:
        element.refuse("OrgnlEndToEndId expected")
    said = _status(element, "TxSts", above=above)
    account = account_of(element.first("OrgnlTxRef/CdtrAcct"), element.first("OrgnlTxRef/CdtrAgt"))
    return StatusLine(
        record=element.line,
        reference=reference,
        status=said.status,
        code=said.code,
        reason=said.reason,
        reason_code=said.reason_code,
        amount_minor=_amount(element, currency=currency),
        value_on=_value_on(element),
        paid_from=account_of(element.first("OrgnlTxRef/DbtrAcct"), None).number,
        bank_code=account.bank_code,
        branch_code=account.branch_code,
        account_type=account.account_type,
        account_number=account.number,
        payee=element.said("OrgnlTxRef/Cdtr/Nm", "OrgnlTxRef/Cdtr/Pty/Nm"),
    )


def _amount(element: Element, *, currency: str) -> int | None:
    amount = element.first("OrgnlTxRef/Amt/InstdAmt")
    if amount is None:
        return None
    place = {"record": amount.line, "position": amount.column}
    refuse_other_currency(amount.attributes.get("Ccy", ""), currency=currency, **place)
    return minor_of(amount.text.strip(), currency=currency, **place)


def _value_on(element: Element) -> date | None:
    # Version 03 has the day itself, later versions a choice of day and time.
    found = element.first("OrgnlTxRef/ReqdExctnDt/Dt", "OrgnlTxRef/ReqdExctnDt")
    return day_of(found) if found is not None and not found.children else None
