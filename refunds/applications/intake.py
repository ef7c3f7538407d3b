"""A file of what customers sent in: applications, bank accounts, corrections, other payout methods.

UTF-8 CSV under a line with the names `COLUMNS`; cells that a line does not need are empty. `about`
says what the line is:

- `application`: it is submitted (`submitting.submit_many`). `confirmed_minor` is the amount that the
  holder saw, empty where it is confirmed later.
- `account`: the bank account is entered before applications open, or for a compensation.
- `correction`: another bank account for an application that waits for one.
- `method`: the application that waits is paid by `method`.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction

from accounts.models import User
from refunds.applications import choosing, payees, review, submitting
from refunds.applications.payees import PayeeRefused
from refunds.applications.submitting import Submission
from refunds.bank_accounts import Account
from refunds.models import Payee, RefundApplication
from refunds.payouts import methods
from refunds.payouts.methods.postal_addresses import AddressRefused, PostalAddress
from wallets.models import Wallet
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, WinddownError, says
from winddown.evidence import audit
from winddown.programme import csv_lines
from winddown.programme.evidence_files import File

PERMISSION: Final = "refunds.work_application"
COLUMNS: Final = (
    "wallet_ref",
    "about",
    "channel",
    "bank_code",
    "branch_code",
    "account_type",
    "account_number",
    "account_name",
    "confirmed_minor",
    "late_reason",
    "method",
    "fallback_consent",
    "letter_name",
    "postal_code",
    "address",
)
APPLICATION, ACCOUNT, CORRECTION, METHOD = "application", "account", "correction", "method"
ROWS_MAX: Final = 100_000
_Channel = RefundApplication.Channel
# In earnest people who sign in apply on the portal: a file cannot prove that they did.
_CHANNELS: Final = (_Channel.WEB, _Channel.PAPER, _Channel.PHONE)
_YES: Final = {"": False, "no": False, "yes": True}


@dataclass(slots=True)
class Loaded:
    """How many lines a file had, and why some of them were refused, by the number of the line. The
    others are in; `known` of them were in before.
    """

    rows: int
    known: int = 0
    refused: dict[int, WinddownError] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        return self.rows - self.known - len(self.refused)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line, with the holder of its wallet."""

    number: int
    holder_id: int
    cells: dict[str, str]
    account: Account | None
    address: PostalAddress | None

    @property
    def method(self) -> str:
        return self.cells["method"] or methods.BANK

    @property
    def consents(self) -> bool:
        return _YES[self.cells["fallback_consent"]]


def load(file: File, *, actor: Actor, reason: str) -> Loaded:
    """Each line of the file is in, as if somebody had entered it alone, or is refused with its
    reason. All are one transaction. A second load of the file changes nothing but lines that were
    refused and would be taken now.

    Holders who are only known by the file are checked by people. The channel `app` stands for those
    who signed in, and is taken in a rehearsal alone. Raises `LoadRefused` with the line for a file
    that is not understood, and then nothing of it is in.
    """
    require(actor, PERMISSION, action="load applications")
    lines = _read(file)
    done = Loaded(rows=len(lines))
    by_kind: dict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        by_kind[line.cells["about"]].append(line)
    with transaction.atomic():
        for about, take in _TAKES.items():
            if by_kind[about]:
                take(by_kind[about], done, actor, reason)
        audit.append(
            "application.load",
            "applications",
            actor=actor,
            reason=reason,
            sha256=file.sha256,
            taken=done.taken,
            known=done.known,
            refused=len(done.refused),
        )
    return done


# --- what the lines are about ---------------------------------------------------------------------


def _submit(lines: Sequence[_Line], done: Loaded, actor: Actor, reason: str) -> None:
    outcomes = submitting.submit_many(
        [
            Submission(
                holder_id=line.holder_id,
                channel=line.cells["channel"],
                op_id=uuid.uuid5(uuid.NAMESPACE_OID, f"loaded:{line.holder_id}:{line.cells}"),
                account=line.account if line.method == methods.BANK else None,
                confirmed_minor=int(line.cells["confirmed_minor"])
                if line.cells["confirmed_minor"]
                else None,
                late_reason=line.cells["late_reason"],
                method=line.method,
                fallback_consent=line.consents,
                address=line.address,
            )
            for line in lines
        ],
        actor=actor,
        reason=reason,
    )
    for line, outcome in zip(lines, outcomes, strict=True):
        done.known += outcome.again
        if outcome.refusal is not None:
            done.refused[line.number] = outcome.refusal


def _enter(lines: Sequence[_Line], done: Loaded, actor: Actor, reason: str) -> None:
    fresh = _with_account(lines, done)
    entered = payees.enter_many([(line.holder_id, account) for line, account in fresh], actor=actor)
    _note(fresh, entered, done)


def _correct(lines: Sequence[_Line], done: Loaded, actor: Actor, reason: str) -> None:
    given = _with_account(lines, done)
    standing = Payee.objects.filter(
        holder__in=[line.holder_id for line, _account in given], replaced_at=None
    )
    current = {
        holder: said
        for holder, *said in standing.values_list("holder_id", "fingerprint", "name_kana")
    }
    fresh = []
    for line, account in given:
        # The account that the bank refused is in already, from an earlier load of the line.
        if current.get(line.holder_id) == _as_kept(account):
            done.known += 1
        else:
            fresh.append((line, account))
    outcomes = review.correct_many(
        [(line.holder_id, account) for line, account in fresh], actor=actor, reason=reason
    )
    _note(fresh, outcomes, done)


def _with_account(lines: Sequence[_Line], done: Loaded) -> list[tuple[_Line, Account]]:
    """Returns the lines with their account. Those that have none are refused."""
    for line in lines:
        if line.account is None:
            none = PayeeRefused(field="account", why=says("none was given"))
            done.refused[line.number] = none
    return [(line, line.account) for line in lines if line.account is not None]


def _as_kept(account: Account) -> list[str]:
    try:
        kept, _cut = payees.understood(account)
    except PayeeRefused:
        return []
    return [kept.fingerprint, kept.name]


def _note(lines: Sequence[tuple[_Line, Account]], outcomes: Sequence[object], done: Loaded) -> None:
    for (line, _account), outcome in zip(lines, outcomes, strict=True):
        if isinstance(outcome, WinddownError):
            done.refused[line.number] = outcome


def _choose(lines: Sequence[_Line], done: Loaded, actor: Actor, reason: str) -> None:
    waiting = {
        each.applicant_id: each
        for each in RefundApplication.objects.filter(
            applicant__in=[line.holder_id for line in lines], live=True
        ).order_by("pk")
    }
    for line in lines:
        application = waiting.get(line.holder_id)
        if application is None:
            done.refused[line.number] = GuardNotMet(
                action=says("pay by another method"), why=says("no application waits")
            )
            continue
        try:
            choosing.choose(
                application,
                method=line.method,
                fallback_consent=line.consents,
                address=line.address,
                actor=actor,
                reason=reason,
            )
        except WinddownError as refusal:
            done.refused[line.number] = refusal


_TAKES: Final[dict[str, Callable[[Sequence[_Line], Loaded, Actor, str], None]]] = {
    ACCOUNT: _enter,
    APPLICATION: _submit,
    CORRECTION: _correct,
    METHOD: _choose,
}


# --- the file -------------------------------------------------------------------------------------


def _read(file: File) -> list[_Line]:
    rows = csv_lines.read(file, COLUMNS, most=ROWS_MAX)
    refs = [cells[0] for _number, cells in rows]
    holders = dict(
        Wallet.objects.filter(wallet_ref__in=refs, account__in=User.objects.customers())
        .values_list("wallet_ref", "account_id")
        .iterator()
    )
    found: list[_Line] = []
    seen: set[int] = set()
    for number, typed in rows:
        cells = dict(zip(COLUMNS, typed, strict=True))
        if why := _wrong(cells, holders, seen):
            raise csv_lines.refused(file.name, number, why)
        holder = holders[cells["wallet_ref"]]
        seen.add(holder)
        try:
            found.append(_Line(number, holder, cells, _account(cells), _address(cells)))
        except AddressRefused as refusal:
            raise csv_lines.refused(file.name, number, str(refusal)) from refusal
    return found


def _account(cells: dict[str, str]) -> Account | None:
    names = ("bank_code", "branch_code", "account_type", "account_number", "account_name")
    typed = [cells[name] for name in names]
    return Account(*typed) if any(typed) else None


def _address(cells: dict[str, str]) -> PostalAddress | None:
    name, postal_code, lines = (cells[each] for each in ("letter_name", "postal_code", "address"))
    if not (name or postal_code or lines):
        return None
    return PostalAddress.typed(name=name, postal_code=postal_code, lines=lines)


def _wrong(cells: dict[str, str], holders: dict[str, int], seen: set[int]) -> str:
    """Returns why the line is not understood; empty if it is."""
    if cells["wallet_ref"] not in holders:
        return says("there is no such wallet")
    if holders[cells["wallet_ref"]] in seen:
        return says("its holder is in an earlier line")
    if cells["about"] not in _TAKES:
        return says("{names} expected", names=", ".join(_TAKES))
    channels = [*_CHANNELS, *([_Channel.APP] if clock.is_rehearsal() else [])]
    if cells["about"] == APPLICATION and cells["channel"] not in channels:
        return says("{names} expected", names=", ".join(channels))
    if cells["method"] and cells["method"] not in methods.METHODS.names():
        return says("{names} expected", names=", ".join(methods.METHODS.names()))
    if cells["fallback_consent"] not in _YES:
        return says("yes or no expected")
    if cells["confirmed_minor"] and not cells["confirmed_minor"].isascii():
        return says("an amount in minor units expected")
    if cells["confirmed_minor"] and not cells["confirmed_minor"].isdecimal():
        return says("an amount in minor units expected")
    return ""
