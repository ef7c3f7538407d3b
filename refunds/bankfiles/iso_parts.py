"""Parts of ISO 20022 messages: accounts and days."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from refunds.bankfiles.statements import Account
from refunds.bankfiles.transfer_items import AccountType
from refunds.bankfiles.xml_stream import Element

# Its numbers have seven digits: bank and branch.
CLEARING_SYSTEM: Final = "JPZGN"
# Ordinary accounts are called savings, and current accounts are current. The code set has no word
# for the others, which a proprietary code names as Zengin does.
TYPE_CODES: Final[dict[str, str]] = {AccountType.ORDINARY: "SVGS", AccountType.CURRENT: "CACC"}
_TYPE_OF_CODE: Final = {code: kind for kind, code in TYPE_CODES.items()}


def account_of(account: Element | None, agent: Element | None) -> Account:
    """Returns the account; what the message does not say is empty. The member number counts only if
    it is one of JPZGN or names no clearing system.
    """
    bank = branch = kind = number = ""
    if account is not None:
        number = account.said("Id/IBAN", "Id/Othr/Id", length_max=34)
        code = account.said("Tp/Cd", "Tp/Prtry", length_max=35)
        kind = _TYPE_OF_CODE.get(code, code if re.fullmatch("[1249]", code) else "")
    if agent is not None:
        system = agent.said(
            "FinInstnId/ClrSysMmbId/ClrSysId/Cd", "FinInstnId/ClrSysMmbId/ClrSysId/Prtry"
        )
        member = agent.said("FinInstnId/ClrSysMmbId/MmbId", length_max=35)
        if system in ("", CLEARING_SYSTEM) and re.fullmatch("[0-9]{7}", member):
            bank, branch = member[:4], member[4:]
    return Account(bank, branch, kind, number)


def day_of(element: Element) -> date:
    """Returns the day of an ISO date, or of an ISO time with or without its zone, as it is written:
    a bank's day is the bank's.
    """
    text = element.text.strip()
    match = re.fullmatch(
        r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
        r"(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?",
        text,
    )
    try:
        return date.fromisoformat(match[1] if match else "")
    except ValueError:
        element.refuse(f"{element.tag}: a day as YYYY-MM-DD expected")
