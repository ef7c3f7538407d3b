"""Statements as a bank writes them in camt.053, for tests."""

from __future__ import annotations

from refunds.bankfiles.amounts import text_of

ACCOUNT = "7654321"
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def entry(
    sign: str,
    minor: int,
    *,
    refs: str = "",
    name: str = "",
    why: str = "",
    ref: str = "A",
    currency: str = "EUR",
) -> tuple[int, str]:
    """A movement: its signed amount and its XML. `refs` are elements, `why` makes it a return."""
    amount = f'<Amt Ccy="{currency}">{text_of(minor, currency=currency)}</Amt>'
    reason = f"<RtrInf><Rsn><Cd>{why}</Cd></Rsn></RtrInf>" if why else ""
    party = f"<RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr></RltdPties>" if name else ""
    return (
        minor if sign == "CRDT" else -minor,
        f"<Ntry><NtryRef>{ref}</NtryRef>{amount}<CdtDbtInd>{sign}</CdtDbtInd>"
        "<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2019-11-15</Dt></BookgDt>"
        f"<NtryDtls><TxDtls><Refs>{refs}</Refs>{amount}{party}{reason}</TxDtls></NtryDtls></Ntry>",
    )


def camt(
    *entries: tuple[int, str], before: int = 10_000, account: str = ACCOUNT, currency: str = "EUR"
) -> bytes:
    """A statement of these movements."""

    def balance(code: str, minor: int) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="{currency}">{text_of(minor, currency=currency)}</Amt>'
            "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2019-11-15</Dt></Dt></Bal>"
        )

    after = before + sum(amount for amount, _xml in entries)
    return (
        f'<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt><GrpHdr><MsgId>S</MsgId></GrpHdr><Stmt>'
        "<Id>S</Id><CreDtTm>2019-11-15T20:00:00</CreDtTm>"
        f"<Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>"
        f"{balance('OPBD', before)}{balance('CLBD', after)}"
        f"{''.join(xml for _amount, xml in entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def of(reference: str) -> str:
    """The reference of a transfer, as an element."""
    return f"<EndToEndId>{reference}</EndToEndId>"
