"""The ISO 20022 file of transfers, pain.001.001.09 (customer credit transfer initiation): written
and read.

One file has one payment group (`PmtInf`), and each transfer in it has the payout's number as its
end-to-end reference. The file names itself by the digest of its transfers, so the same transfers are
the same file, and a status report (pain.002) can name the file that it answers.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from datetime import date
from typing import Final
from xml.sax.saxutils import escape

from refunds.bankfiles.amounts import minor_of, refuse_other_currency, text_of
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.iso_parts import CLEARING_SYSTEM, TYPE_CODES, account_of, day_of
from refunds.bankfiles.item_checks import Ascending, check_item, check_remitter
from refunds.bankfiles.records import RECORDS_MAX
from refunds.bankfiles.sources import BLOCK_BYTES, Opened, Source
from refunds.bankfiles.transfer_items import STANDARD, Manner, Remitter, TransferItem, TransferRow
from refunds.bankfiles.xml_stream import Element, events

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
# The account that pays has a Japanese number, whatever money is on it.
CURRENCY: Final = "JPY"
CURRENCIES: Final = frozenset({"JPY", "EUR", "GBP", "USD"})
# A million transfers take less than a gigabyte.
FILE_BYTES_MAX: Final = 2**30
_SPOOL_BYTES_MAX: Final = 2**22
_ROOT: Final = "Document/CstmrCdtTrfInitn"
_PAYMENT: Final = f"{_ROOT}/PmtInf"
_CONTAINERS: Final = frozenset({"Document", _ROOT, _PAYMENT})


@dataclass(frozen=True, slots=True)
class TransferMessage:
    """A whole message that was read and fully checked: its totals agree with its items."""

    message_reference: str
    remitter: Remitter
    value_date: date
    items: tuple[TransferItem, ...]
    sum_minor: int
    sha256: str


# --- writing --------------------------------------------------------------------------------------


def write(
    remitter: Remitter,
    value_date: date,
    items: Iterable[TransferRow],
    *,
    records_max: int = RECORDS_MAX,
    manner: Manner = STANDARD,
) -> Iterator[bytes]:
    """Yields the bytes of exactly one file in pieces. The same arguments give the same bytes.

    Count and sum stand before the transfers, so the transfers wait in a temporary file; memory does
    not grow with them. `items` has at least one item and is in ascending order of the payout
    numbers. The file is UTF-8 whatever `manner` says, and has no place for an item's new code. Its
    time of creation is the beginning of the value date, because the same batch must give the same
    bytes on any day. Raises `BankFileError`.
    """
    check_remitter(remitter, record=1)
    taken = Ascending(records_max=records_max, takes_iban=True)
    return _pieces(remitter, value_date, items, taken, manner=manner)


def _pieces(
    remitter: Remitter,
    value_date: date,
    items: Iterable[TransferRow],
    taken: Ascending,
    *,
    manner: Manner,
) -> Iterator[bytes]:
    digest = hashlib.sha256("|".join([f"{value_date}", *astuple(remitter)]).encode())
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES_MAX) as waiting:
        for item in taken.checked(items, name_max=manner.name_max):
            transfer = _transfer(item, currency=manner.currency).encode()
            digest.update(transfer)
            waiting.write(transfer)
        reference = f"{value_date:%Y%m%d}-{digest.hexdigest()[:24]}"
        yield _head(
            remitter, value_date, taken, reference=reference, currency=manner.currency
        ).encode()
        waiting.seek(0)
        while block := waiting.read(BLOCK_BYTES):
            yield block
    yield b"    </PmtInf>\n  </CstmrCdtTrfInitn>\n</Document>\n"


def _totals(taken: Ascending, *, currency: str) -> str:
    total = text_of(taken.sum_minor, currency=currency)
    return f"<NbOfTxs>{taken.count}</NbOfTxs><CtrlSum>{total}</CtrlSum>"


def _head(
    remitter: Remitter, value_date: date, taken: Ascending, *, reference: str, currency: str
) -> str:
    name, totals = escape(remitter.name), _totals(taken, currency=currency)
    agent = _agent(
        "DbtrAgt",
        f"{remitter.bank_code}{remitter.branch_code}",
        remitter.bank_name,
        remitter.branch_name,
    )
    account = _account("DbtrAcct", remitter.account_type, remitter.account_number)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{NAMESPACE}">
  <CstmrCdtTrfInitn>
    <GrpHdr><MsgId>{reference}</MsgId><CreDtTm>{value_date:%Y-%m-%d}T00:00:00</CreDtTm>{totals}\
<InitgPty><Nm>{name}</Nm><Id><OrgId><Othr><Id>{remitter.code}</Id></Othr></OrgId></Id></InitgPty>\
</GrpHdr>
    <PmtInf><PmtInfId>{reference}</PmtInfId><PmtMtd>TRF</PmtMtd>{totals}\
<ReqdExctnDt><Dt>{value_date:%Y-%m-%d}</Dt></ReqdExctnDt><Dbtr><Nm>{name}</Nm></Dbtr>\
{account}{agent}
"""


def _agent(tag: str, member: str, bank_name: str, branch_name: str) -> str:
    bank = f"<Nm>{escape(bank_name)}</Nm>" if bank_name else ""
    branch = f"<BrnchId><Nm>{escape(branch_name)}</Nm></BrnchId>" if branch_name else ""
    return (
        f"<{tag}><FinInstnId><ClrSysMmbId><ClrSysId><Cd>{CLEARING_SYSTEM}</Cd></ClrSysId>"
        f"<MmbId>{member}</MmbId></ClrSysMmbId>{bank}</FinInstnId>{branch}</{tag}>"
    )


def _account(tag: str, account_type: str, number: str) -> str:
    code = TYPE_CODES.get(account_type)
    kind = f"<Cd>{code}</Cd>" if code else f"<Prtry>{account_type}</Prtry>"
    return f"<{tag}><Id><Othr><Id>{number}</Id></Othr></Id><Tp>{kind}</Tp></{tag}>"


def _transfer(item: TransferItem, *, currency: str) -> str:
    amount = text_of(item.amount_minor, currency=currency)
    if item.bank_code:
        agent = _agent(
            "CdtrAgt", f"{item.bank_code}{item.branch_code}", item.bank_name, item.branch_name
        )
        account = _account("CdtrAcct", item.account_type, item.account_number)
    else:
        # An IBAN names the bank, too.
        agent, account = "", f"<CdtrAcct><Id><IBAN>{item.account_number}</IBAN></Id></CdtrAcct>"
    return (
        f"      <CdtTrfTxInf><PmtId><EndToEndId>{item.reference}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt>{agent}'
        f"<Cdtr><Nm>{escape(item.payee_kana)}</Nm></Cdtr>{account}</CdtTrfTxInf>\n"
    )


# --- reading --------------------------------------------------------------------------------------


class _Message:
    """A message as far as it was read."""

    def __init__(self, *, currency: str) -> None:
        self.currency = currency
        self.taken = Ascending(records_max=RECORDS_MAX)
        self.items: list[TransferItem] = []
        self.group: Element | None = None
        self.parts: dict[str, Element] = {}
        self.payments = 0

    def take(self, path: str, element: Element) -> None:
        if path == _ROOT and element.tag == "GrpHdr":
            self.group = element
        elif path == _PAYMENT and element.tag == "CdtTrfTxInf":
            item = _item(element, currency=self.currency)
            self.items.append(self.taken.take(item, record=element.line))
        elif path == _PAYMENT:
            self.parts[element.tag] = element

    def part(self, tag: str) -> Element:
        if tag not in self.parts:
            raise BankFileError(f"PmtInf: one {tag} expected")
        return self.parts[tag]

    def proved(self) -> Element:
        """Returns the head of the message. Count and sum in both heads are those of the transfers."""
        if self.group is None or self.payments != 1 or not self.items:
            raise BankFileError("one GrpHdr and one PmtInf with transfers expected")
        places = [self.group, Element("PmtInf", {}, 0, 0, children=list(self.parts.values()))]
        for place in places:
            count, total = place.first("NbOfTxs"), place.first("CtrlSum")
            if count is not None and count.text.strip() != f"{self.taken.count}":
                count.refuse("the total of transfers differs from the transfers")
            if total is not None and _minor(total, currency=self.currency) != self.taken.sum_minor:
                total.refuse("the total of amounts differs from the transfers")
        if self.group.first("NbOfTxs") is None:
            self.group.refuse("NbOfTxs expected")
        return self.group

    def value_day(self) -> Element:
        """Returns the element with the day on which the transfers are due."""
        found = self.part("ReqdExctnDt")
        return found.first("Dt") or found


def _minor(amount: Element, *, currency: str) -> int:
    return minor_of(
        amount.text.strip(), currency=currency, record=amount.line, position=amount.column
    )


def read(source: Source, *, currency: str = CURRENCY) -> TransferMessage:
    """Returns the whole message in this currency; raises `BankFileError` with line, column and reason."""
    opened, message = Opened(source, bytes_max=FILE_BYTES_MAX), _Message(currency=currency)
    for event in events(
        opened, containers=_CONTAINERS, namespaces=re.compile(re.escape(NAMESPACE))
    ):
        if event.element is not None:
            message.take(event.path, event.element)
        elif event.path == _PAYMENT and event.begins:
            message.payments += 1
    group = message.proved()
    return TransferMessage(
        message_reference=group.said("MsgId", length_max=35),
        remitter=_remitter(message, group),
        value_date=day_of(message.value_day()),
        items=tuple(message.items),
        sum_minor=message.taken.sum_minor,
        sha256=opened.sha256,
    )


def _remitter(message: _Message, group: Element) -> Remitter:
    debtor, agent = message.part("Dbtr"), message.part("DbtrAgt")
    account = account_of(message.part("DbtrAcct"), agent)
    remitter = Remitter(
        code=group.said("InitgPty/Id/OrgId/Othr/Id"),
        name=debtor.said("Nm"),
        bank_code=account.bank_code,
        bank_name=agent.said("FinInstnId/Nm"),
        branch_code=account.branch_code,
        branch_name=agent.said("BrnchId/Nm"),
        account_type=account.account_type,
        account_number=account.number,
    )
    check_remitter(remitter, record=debtor.line)
    return remitter


def _item(element: Element, *, currency: str) -> TransferItem:
    amount = element.first("Amt/InstdAmt")
    if amount is None:
        element.refuse("Amt/InstdAmt expected")
    refuse_other_currency(
        amount.attributes.get("Ccy", ""),
        currency=currency,
        record=amount.line,
        position=amount.column,
    )
    account = account_of(element.first("CdtrAcct"), element.first("CdtrAgt"))
    item = TransferItem(
        bank_code=account.bank_code,
        bank_name=element.said("CdtrAgt/FinInstnId/Nm"),
        branch_code=account.branch_code,
        branch_name=element.said("CdtrAgt/BrnchId/Nm"),
        account_type=account.account_type,
        account_number=account.number,
        payee_kana=element.said("Cdtr/Nm"),
        amount_minor=_minor(amount, currency=currency),
        reference=element.said("PmtId/EndToEndId", length_max=35),
    )
    check_item(item, record=element.line, takes_iban=True)
    return item
