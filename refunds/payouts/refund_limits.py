"""The refund's limits. Each version is adopted with a source, and the newest one is in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from refunds.bankfiles import calendar, formats, iban, kana
from refunds.bankfiles.errors import BankFileError, UnbankableText
from refunds.bankfiles.formats import Format
from refunds.bankfiles.transfer_items import PAYEE_BYTES_MAX, STANDARD, Limits, Manner, Remitter
from refunds.models import BankAccount, BankProfile, RefundTerms
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import Programme


def adopt(*, actor: Actor, reason: str, source: str, **limits: Any) -> RefundTerms:
    """These limits are in force from now on. A limit that is left out keeps its present value.

    `limits` are fields of `RefundTerms`. The first version needs the remitter's. Batches that are
    open or sealed keep the limits that were in force when they were made. Raises `GuardNotMet` for
    what the bank's format cannot carry, and nothing is adopted.
    """
    require(actor, "refunds.adopt_terms", action="adopt limits of the refund")
    return set_down({**limits, "source": source}, actor=actor, reason=reason)


def set_down(given: Mapping[str, Any], *, actor: Actor, reason: str) -> RefundTerms:
    """As `adopt`, for somebody who has proved the right to it otherwise: the set-up file does."""
    limits = {key: value for key, value in given.items() if key != "source"}
    with transaction.atomic():
        before = RefundTerms.objects.order_by("-pk").first()
        kept = {} if before is None else _values(before)
        adopted = RefundTerms(**(kept | limits), source=given["source"], adopted_at=clock.now())
        _refuse_caps(adopted)
        adopted.save(force_insert=True)
        _refuse_unwritable(adopted)
        audit.append(
            "terms.adopt",
            f"terms:{adopted.pk}",
            actor=actor,
            reason=reason,
            changed=sorted(limits),
        )
        return adopted


def _refuse_caps(limits: RefundTerms) -> None:
    """What the cap of a transfer lets through passes the caps of a file and of a day."""
    if not limits.line_max_minor <= limits.batch_max_minor <= limits.day_max_minor:
        raise GuardNotMet(
            action=says("adopt limits of the refund"),
            why=says(
                "the cap of a day is at least that of a file, and that is at least the cap of a"
                " transfer"
            ),
        )


def _refuse_unwritable(limits: RefundTerms) -> None:
    """The bank's format can carry the account that pays: its writer makes the head of a file.

    Raises `GuardNotMet`, which names the characters of a name that the bank network cannot carry.
    """
    found = bank_format(limits)
    for name in (limits.remitter_name, limits.bank_name, limits.branch_name):
        try:
            kana.to_bank_kana(name)
        except UnbankableText as refusal:
            raise GuardNotMet(
                action=says("adopt limits of the refund"),
                why=says(
                    "the bank network cannot carry {characters}: write the name in kana",
                    characters=" ".join(refusal.characters),
                ),
            ) from refusal
    try:
        of_a_file(limits)
        found.write(
            remitter(limits),
            clock.now().date(),
            (),
            records_max=limits.file_records_max,
            manner=manner(limits),
        )
    except BankFileError as refusal:
        raise GuardNotMet(action=says("adopt limits of the refund"), why=str(refusal)) from refusal


def account_terms(code: str) -> dict[str, Any]:
    """Returns the fields of the limits that follow from the bank account and its bank's profile."""
    account = BankAccount.objects.select_related("profile").get(code=code)
    return {
        "pays_from": account.code,
        "remitter_code": account.remitter_code,
        "remitter_name": account.remitter_name,
        "bank_code": account.bank_code,
        "branch_code": account.branch_code,
        "account_type": account.account_type,
        "account_number": account.account_number,
        "file_records_max": account.profile.lines_max,
        "file_sum_max_minor": account.profile.file_sum_max_minor,
    }


def follow_account(codes: Collection[str], *, actor: Actor, reason: str) -> None:
    """If the refund is paid from one of these bank accounts, its present terms are in force. Nothing
    changes if they are what the limits say already. Raises what `manner` raises.
    """
    newest = RefundTerms.objects.order_by("-pk").first()
    if newest is None or newest.pays_from not in codes:
        return
    manner(newest)
    terms = account_terms(newest.pays_from)
    if any(getattr(newest, key) != value for key, value in terms.items()):
        set_down({**terms, "source": newest.source}, actor=actor, reason=reason)


def current() -> RefundTerms:
    """Returns the limits that are in force. Raises `GuardNotMet` before any were adopted."""
    limits = RefundTerms.objects.order_by("-pk").first()
    if limits is None:
        raise GuardNotMet(action=says("refund"), why=says("no limits of the refund were adopted"))
    return limits


def remitter(limits: RefundTerms) -> Remitter:
    """Returns the account that pays, as the bank files name it."""
    return Remitter(
        code=limits.remitter_code,
        name=limits.remitter_name,
        bank_code=limits.bank_code,
        bank_name=limits.bank_name,
        branch_code=limits.branch_code,
        branch_name=limits.branch_name,
        account_type=limits.account_type,
        account_number=limits.account_number,
    )


def bank_format(limits: RefundTerms) -> Format:
    """Returns the format of the account that pays. Raises `GuardNotMet` if it does not carry the
    programme's currency: the amounts of a file would be read as those of another one.
    """
    found, currency = _format_of(profile(limits)), Programme.current().currency
    if currency not in found.currencies:
        raise GuardNotMet(
            action=says("use the account at bank {bank_code}", bank_code=limits.bank_code),
            why=says(
                "its files carry {known}, and the programme's currency is {currency}: name an account"
                " whose files carry it",
                known=", ".join(sorted(found.currencies)),
                currency=currency,
            ),
        )
    return found


def _format_of(bank: BankProfile | None) -> Format:
    return formats.FORMATS[formats.STANDARD if bank is None else bank.format]


def profile(limits: RefundTerms) -> BankProfile | None:
    """Returns what the bank that pays says about its files; None if no set-up file names it."""
    return BankProfile.objects.filter(accounts__code=limits.pays_from).first()


def manner(limits: RefundTerms) -> Manner:
    """Returns how the bank that pays wants its file. Raises `GuardNotMet` for a charset that its
    format does not have.
    """
    bank, found = profile(limits), bank_format(limits)
    if bank is None:
        return STANDARD
    if bank.charset not in found.encodings:
        raise GuardNotMet(
            action=says("use the account at bank {bank_code}", bank_code=limits.bank_code),
            why=says(
                "its files can be written in {known}, and its profile says {charset}",
                known=", ".join(sorted(found.encodings)),
                charset=bank.charset,
            ),
        )
    return Manner(
        encoding=found.encodings[bank.charset],
        name_max=min(bank.name_truncation, PAYEE_BYTES_MAX),
        currency=Programme.current().currency,
    )


def accounts_taken(limits: RefundTerms) -> frozenset[str]:
    """Returns the types of the accounts that the bank pays into. Among them is nothing, for an
    account that is named by its IBAN, where files and currency have that.
    """
    bank = profile(limits)
    types = BankProfile.ACCOUNT_TYPES if bank is None else bank.account_types
    return frozenset(types) | (frozenset({""}) if _takes_iban(bank) else frozenset())


def asks_for_iban() -> bool:
    """Returns whether holders are asked for an IBAN. Before any limits, they are asked for nothing."""
    limits = RefundTerms.objects.order_by("-pk").first()
    return limits is not None and _takes_iban(profile(limits))


def _takes_iban(bank: BankProfile | None) -> bool:
    return _format_of(bank).takes_iban and Programme.current().currency in iban.CURRENCIES


def check_value_date(value_date: dt.date, limits: RefundTerms | None) -> None:
    """The bank that pays would take a file for this day now: it is open then, and its cut-off has
    not passed. Raises `ValueDateRefused` with a day that it would take (rule 49).
    """
    now = clock.now().astimezone(Programme.current().zone)
    bank = profile(limits) if limits else None
    if bank is None:
        return calendar.check_value_date(value_date, now.date())
    closed = {dt.date.fromisoformat(day) for day in bank.closed_days}
    earliest = calendar.earliest_value_date(
        now.date(), now.time(), cut_off=dt.time.fromisoformat(bank.cut_off), closed=closed
    )
    return calendar.check_value_date(value_date, now.date(), earliest=earliest, closed=closed)


def of_a_file(limits: RefundTerms) -> Limits:
    """Returns what one file to the bank may hold: the number of items and the sum that the bank, the
    format and our own cap of a file let through.
    """
    return bank_format(limits).limits.within(
        limits.file_records_max, min(limits.file_sum_max_minor, limits.batch_max_minor)
    )


def _values(limits: RefundTerms) -> dict[str, Any]:
    own = {"id", "source", "adopted_at"}
    return {
        field.attname: getattr(limits, field.attname)
        for field in RefundTerms._meta.concrete_fields
        if field.attname not in own
    }
