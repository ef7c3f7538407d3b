"""Payees: entered by holders, checked by the bank, overridden by two people."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from django.db import connection, transaction

from accounts import addresses, outbox, person_keys
from accounts.models import Message, User
from refunds.bank_accounts import Account
from refunds.bankfiles import iban, kana
from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.errors import UnbankableText
from refunds.bankfiles.iban import IbanRefused
from refunds.bankfiles.transfer_items import PAYEE_BYTES_MAX, TransferItem
from refunds.models import BankFile, Branch, Payee, PayeeTransition, PayoutWave, RefundTerms
from refunds.models.payee import account_place
from refunds.models.payout import PAYEE_NUMBERS_FROM
from refunds.payouts import refund_limits, waves
from winddown import clock, encryption
from winddown.actors import SYSTEM, Actor, require
from winddown.authority.approvals import SignedList
from winddown.errors import GuardNotMet, WinddownError, says
from winddown.evidence import audit
from winddown.files import write_once
from winddown.machines.move import move_rows
from winddown.models import Approval, Programme
from winddown.personal_data import DataClass

_DIGITS = re.compile(r"[0-9]{1,7}")
OVERRIDE = "override_name_check"
SHARED = "shared_account"
LANGUAGE = "ja"
NEVER_WORK = (ReturnReason.ACCOUNT_CLOSED, ReturnReason.ACCOUNT_BLOCKED)
"""What the bank says about an account to which no transfer will ever go."""


class PayeeRefused(WinddownError):
    """The account cannot be used: {field}: {why}"""


def understood(account: Account) -> tuple[Account, bool]:
    """Returns the account in the form that bank files carry, and whether its name had to be cut.

    Raises `PayeeRefused` naming the field (rule 47); the characters that no bank carries are in the
    error's `characters`.
    """
    if account.is_iban:
        return _understood_iban(account)
    number = account.account_number.strip()
    if not _DIGITS.fullmatch(number) or not number.strip("0"):
        raise PayeeRefused(field="account_number", why=says("one to seven digits expected"))
    if account.account_type not in Payee.AccountType.values:
        raise PayeeRefused(field="account_type", why=says("1, 2, 4 or 9 expected"))
    for field, width in (("bank_code", 4), ("branch_code", 3)):
        if not re.fullmatch(rf"[0-9]{{{width}}}", getattr(account, field)):
            raise PayeeRefused(field=field, why=says("{width} digits expected", width=width))
    name = _name_of(account)
    return replace(account, account_number=f"{number:0>7}", name=name.text), name.truncated


def _understood_iban(account: Account) -> tuple[Account, bool]:
    """As `understood`, for an account that is named by its IBAN."""
    try:
        number = iban.canonical(account.account_number)
    except IbanRefused as refusal:
        raise PayeeRefused(field="account_number", why=str(refusal)) from refusal
    name = _name_of(account)
    return Account.of_iban(number, name.text), name.truncated


def _name_of(account: Account) -> kana.Fitted:
    try:
        name = kana.fits(account.name, PAYEE_BYTES_MAX)
    except UnbankableText as refusal:
        raise PayeeRefused(
            field="name", why=str(refusal), characters=refusal.characters
        ) from refusal
    if not name.text:
        raise PayeeRefused(field="name", why=says("it is empty"))
    return name


def is_another(holder_id: int, actor: Actor) -> bool:
    """Returns whether the actor is a person, but not the holder."""
    return actor is not SYSTEM and actor.pk != holder_id


def enter(holder: User, account: Account, *, actor: Actor) -> Payee:
    """The account is the holder's current payee. Anybody else needs `refunds.work_application`.

    The same account again changes nothing. A changed account waits for the cooling-off, and the
    holder is told at the old channel (rule 57). Raises `PayeeRefused`.
    """
    if is_another(holder.pk, actor):
        require(actor, "refunds.work_application", action=f"enter an account for {holder.pk}")
    with transaction.atomic():
        (entered,) = enter_many([(holder.pk, account)], actor=actor)
        if isinstance(entered, PayeeRefused):
            raise entered
        return Payee.objects.get(pk=entered)


def enter_many(entries: Sequence[tuple[int, Account]], *, actor: Actor) -> list[int | PayeeRefused]:
    """Each holder has the account as current payee. Returns the id or the refusal of each, in the
    order of the entries.

    `entries` has each holder once. Must run inside the caller's transaction.
    """
    outcome: list[int | PayeeRefused | None] = [None] * len(entries)
    _take_turns([holder for holder, _ in entries])
    known = _known_branches({(a.bank_code, a.branch_code) for _, a in entries})
    standing = _standing([holder for holder, _ in entries])
    limits = refund_limits.current()
    taken = refund_limits.accounts_taken(limits)
    at = clock.now()
    closed = waves.closed_holders(set(standing))
    fresh: list[tuple[int, int, Account, bool]] = []
    for index, (holder, given) in enumerate(entries):
        try:
            account, truncated = understood(given)
            if account.account_type not in taken:
                raise PayeeRefused(
                    field="account_type", why=says("the bank that pays takes no such account")
                )
            if not account.is_iban and (account.bank_code, account.branch_code) not in known:
                raise PayeeRefused(field="branch_code", why=says("no such branch in the bank data"))
        except PayeeRefused as refusal:
            outcome[index] = refusal
            continue
        before = standing.get(holder)
        if before is not None and _same(before, account):
            outcome[index] = before.pk
        elif before is not None and _is_closed(before, closed):
            outcome[index] = _too_close(closed)
        else:
            fresh.append((index, holder, account, truncated))
    if fresh:
        replaced = [standing[holder].pk for _, holder, _, _ in fresh if holder in standing]
        Payee.objects.filter(pk__in=replaced).update(replaced_at=at)
        keys = person_keys.secrets([holder for _, holder, _, _ in fresh], DataClass.BANK_DETAILS)
        rows = [
            _version(pk, holder, account, truncated, standing.get(holder), at, limits, keys[holder])
            for pk, (_, holder, account, truncated) in zip(
                _next_ids(len(fresh)), fresh, strict=True
            )
        ]
        Payee.objects.bulk_create(rows)
        tell_of_change([row.holder_id for row in rows if row.change_notice_owed])
        for (index, *_), row in zip(fresh, rows, strict=True):
            outcome[index] = row.pk
    return [entered for entered in outcome if entered is not None]


_Closed: TypeAlias = tuple[PayoutWave, set[int]] | None


def _is_closed(before: Payee, closed: _Closed) -> bool:
    """Tells whether a wave is about to pay the account. One that the bank refused can be changed."""
    return (
        closed is not None and before.holder_id in closed[1] and before.state != Payee.State.REFUSED
    )


def _too_close(closed: _Closed) -> PayeeRefused:
    if closed is None:
        raise AssertionError("a wave closed the account")
    return PayeeRefused(
        field="account_number",
        why=says(
            "the account cannot be changed before the payment of {day}",
            day=closed[0].pay_on.isoformat(),
        ),
    )


def tell_of_change(holders: Sequence[int]) -> None:
    """Each holder whom a verified address reaches is told there that the refund is paid otherwise. The
    address is the one of this moment: a thief who changes both cannot keep the holder from hearing
    of the address first. For the others the notice is still owed (rule 57).
    """
    to = [
        outbox.Recipient(address, user=holder)
        for holder in User.objects.filter(pk__in=holders)
        if (address := addresses.channel_of(holder))
    ]
    if to:
        outbox.queue_many(Message.Kind.PAYEE_CHANGED, to, language=LANGUAGE, facts={})
        Payee.objects.filter(holder__in=[each.user for each in to], replaced_at=None).update(
            change_notice_owed=False
        )


def _known_branches(wanted: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Returns those of the bank and branch codes that the active data set knows (rule 51)."""
    return set(
        Branch.objects.filter(
            dataset__active=True,
            bank_code__in=[bank for bank, _ in wanted],
            code__in=[branch for _, branch in wanted],
        ).values_list("bank_code", "code")
    )


def _take_turns(holders: list[int]) -> None:
    """Concurrent entries of accounts for the same holder wait for each other, also for a first
    account.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM accounts_user WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE",
            [holders],
        )


def _standing(holders: list[int]) -> dict[int, Payee]:
    current = Payee.objects.filter(holder_id__in=holders, replaced_at=None)
    return {payee.holder_id: payee for payee in current.order_by("pk").select_for_update()}


def _same(before: Payee, account: Account) -> bool:
    return (
        before.state != Payee.State.REFUSED
        and before.fingerprint == account.fingerprint
        and before.name_kana == account.name
    )


def _version(
    pk: int,
    holder: int,
    account: Account,
    truncated: bool,
    before: Payee | None,
    at: dt.datetime,
    limits: RefundTerms,
    secret: bytes,
) -> Payee:
    wait = dt.timedelta(hours=limits.cooling_off_hours) if before else dt.timedelta()
    sealed = encryption.seal(
        account.account_number.encode(), place=account_place(pk), secret=secret
    )
    return Payee(
        pk=pk,
        holder_id=holder,
        version=before.version + 1 if before else 1,
        bank_code=account.bank_code,
        branch_code=account.branch_code,
        account_type=account.account_type,
        account_number_sealed=sealed,
        account_mask=f"*{account.account_number[-3:]}",
        fingerprint=account.fingerprint,
        name_kana=account.name,
        name_truncated=truncated,
        entered_at=at,
        usable_from=at + wait,
        change_notice_owed=before is not None,
    )


def _next_ids(count: int) -> list[int]:
    """Returns ids for rows that do not exist yet, because an account number is sealed to its row's
    id.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('refunds_payee', 'id'))"
            " FROM generate_series(1, %s)",
            [count],
        )
        return [row[0] for row in cursor.fetchall()]


# --- the bank's check of name and account ---------------------------------------------------------


def export_check_file(
    directory: Path, *, actor: Actor, reason: str = "", again: bool = False
) -> Path | None:
    """A file asks the bank about every current payee that it was not asked about before; `again`
    also about those that it has not answered, because a file may be lost.

    Where the bank that pays checks no names, the payees go unchecked, and there is no file: what the
    bank does not know comes back.

    Returns the file's path, or None if there is no such payee. The file is written before the
    payees count as asked. After a crash between the two, the next call asks again.
    """
    require(actor, "refunds.make_payout_batch", by_system=True, action="ask the bank")
    limits = refund_limits.current()
    with transaction.atomic():
        waiting = (
            Payee.objects.filter(
                state__in=[Payee.State.ENTERED, *([Payee.State.ASKED] if again else [])],
                replaced_at=None,
            )
            .order_by("pk")
            .select_for_update(no_key=True)
        )
        ids = list(waiting.values_list("pk", flat=True)[: limits.file_records_max])
        if not ids:
            return None
        today = _today()
        bank = refund_limits.bank_format(limits)
        if not bank.checks_accounts:
            move_rows(
                Payee,
                "leave_unchecked",
                ids,
                actor=actor,
                reason=reason,
                answer=Payee.NOT_CHECKED,
                answered_at=clock.now(),
            )
            audit.append(
                "payees.leave_unchecked",
                "payees:unchecked",
                actor=actor,
                reason=reason,
                payees=len(ids),
            )
            return None
        pieces = bank.write_questions(refund_limits.remitter(limits), today, _questions(ids))
        content = b"".join(pieces)
        sha256 = hashlib.sha256(content).hexdigest()
        file, _ = BankFile.objects.get_or_create(
            sha256=sha256,
            defaults={
                "kind": BankFile.Kind.CHECK_ASKED,
                "lines": len(ids),
                "sum_minor": 0,
                "actor_id": actor.pk,
                "at": clock.now(),
            },
        )
        path = write_once(directory, f"check-{today:%Y%m%d}-{sha256[:12]}.{bank.suffix}", [content])
        move_rows(Payee, "ask", ids, actor=actor, reason=reason)
        audit.append(
            "payees.ask",
            f"bank_file:{file.pk}",
            actor=actor,
            reason=reason,
            payees=len(ids),
            sha256=sha256,
        )
    return path


def _questions(ids: list[int]) -> Iterator[TransferItem]:
    for payee in Payee.objects.filter(pk__in=ids).order_by("pk").iterator(chunk_size=2000):
        yield TransferItem(
            payee.bank_code,
            "",
            payee.branch_code,
            "",
            payee.account_type,
            payee.account_number,
            payee.name_kana,
            0,
            str(PAYEE_NUMBERS_FROM + payee.pk),
        )


# --- two people ----------------------------------------------------------------------------------


def ask_override(payee: Payee, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to let the payee be paid although the bank refused it (rule 56).

    `applications.override_payee` is that person's answer.
    """
    require(actor, "refunds.work_application", action=f"ask about payee {payee.pk}")
    if payee.state != Payee.State.REFUSED:
        raise GuardNotMet(
            action=says("override the check"),
            why=says("payee {number} is {state}", number=payee.pk, state=payee.state),
        )
    return _ask(payee, stage=OVERRIDE, actor=actor, reason=reason)


def ask_shared(payee: Payee, *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to let an account be paid although many holders gave it (rule 58)."""
    require(actor, "refunds.work_application", action=f"ask about payee {payee.pk}")
    return _ask(payee, stage=SHARED, actor=actor, reason=reason)


def clear_shared(payee: Payee, *, actor: Actor, digest: str, reason: str) -> Payee:
    """A second person agreed that this holder shares the account."""
    with transaction.atomic():
        decide(payee, stage=SHARED, actor=actor, digest=digest, reason=reason)
        Payee.objects.filter(pk=payee.pk).update(shared_cleared_at=clock.now())
        audit.append("payee.clear_shared", f"payee:{payee.pk}", actor=actor, reason=reason)
        return Payee.objects.get(pk=payee.pk)


def decline(payee: Payee, *, stage: str, actor: Actor, digest: str, reason: str) -> Payee:
    """A second person did not agree: the payee is not paid."""
    with transaction.atomic():
        decide(payee, stage=stage, actor=actor, digest=digest, reason=reason, approve=False)
        audit.append(f"payee.decline_{stage}", f"payee:{payee.pk}", actor=actor, reason=reason)
        return payee


def _ask(payee: Payee, *, stage: str, actor: Actor, reason: str) -> Approval:
    with transaction.atomic():
        request = _signed(payee, stage).ask(maker=actor, reason=reason)
        audit.append(f"payee.ask_{stage}", f"payee:{payee.pk}", actor=actor, reason=reason)
        return request


def decide(
    payee: Payee, *, stage: str, actor: Actor, digest: str, reason: str, approve: bool = True
) -> None:
    """A second person has signed what was asked about the payee."""
    _signed(payee, stage).decide(actor=actor, digest=digest, reason=reason, approve=approve)


def _signed(payee: Payee, stage: str) -> SignedList:
    """Returns the subject of this refusal. Each refusal has its own, so a payee that is refused
    again needs two people again.
    """
    refusals = PayeeTransition.objects.filter(subject_id=payee.pk, transition="refuse").count()
    return SignedList(
        subject=f"payee:{payee.pk}:{stage}:{refusals}",
        stage=stage,
        permission="refunds.override_name_check",
        content=lambda: _content(payee.pk),
    )


def _content(payee_id: int) -> dict[str, Any]:
    # Locked, so that nothing that is signed changes before the transaction ends.
    payee = Payee.objects.select_for_update(no_key=True).get(pk=payee_id)
    return {"payee": payee.pk, "account": payee.fingerprint, "answer": payee.answer}


def _today() -> dt.date:
    return clock.now().astimezone(Programme.current().zone).date()
