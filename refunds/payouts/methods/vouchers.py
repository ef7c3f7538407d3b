"""Vouchers are made with their list, issued with it, and follow what becomes of their payouts."""

from __future__ import annotations

import csv
import datetime as dt
import io
import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts import person_keys
from refunds.bankfiles.csv_rows import rows
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.sources import Opened
from refunds.models import (
    FraudClaim,
    MethodTerms,
    PaymentBlock,
    Payout,
    PayoutBatch,
    Recall,
    RefundApplication,
    Voucher,
)
from refunds.models.payout import reference_of
from refunds.models.voucher import code_place
from refunds.payouts import recalls, refund_limits
from refunds.payouts.methods import postal_addresses
from refunds.payouts.methods.registry import METHODS, Needs
from winddown import clock, encryption
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, NotPermitted, says
from winddown.evidence import audit
from winddown.machines.move import move_rows, named, transition_set
from winddown.models import Programme
from winddown.personal_data import DataClass

WORK: Final = "refunds.work_application"
SUFFIX: Final = "csv"
COLUMNS: Final = (
    "row",
    "reference",
    "amount",
    "currency",
    "expires_on",
    "code",
    "name",
    "postal_code",
    "address",
)
_VOUCHER, _END = "voucher", "end"
_ROWS_PER_PIECE: Final = 1_000
# Without letters and digits that are taken for each other.
_ALPHABET: Final = "ABCDEFGHJKMNPQRTUVWXY346789"
_CODE_LENGTH: Final = 16


def write_list(batch: PayoutBatch) -> Iterator[bytes]:
    """Yields the list of the batch for the provider of its method, in pieces: CSV in UTF-8 with the
    columns `COLUMNS`, lines that end in CR LF, and a last row with count and sum. Each voucher of it
    is made on the way. Amounts are in minor units.

    Raises `GuardNotMet` when the method has no terms any more, or an address is missing.
    """
    if batch.sequence is None:
        raise AssertionError("a batch has its number before its list")
    method = METHODS[batch.method]
    terms = MethodTerms.objects.filter(code=batch.method).first()
    if terms is None or not terms.valid_days:
        raise GuardNotMet(
            action=says("seal payout batch {number}", number=batch.pk),
            why=says("the set-up says nothing of the payout method {method}", method=batch.method),
        )
    expires_on = batch.value_date + dt.timedelta(days=terms.valid_days)
    currency = Programme.current().currency
    yield _encoded([COLUMNS])
    count = sum_minor = 0
    payouts = batch.payouts.order_by("pk").iterator(chunk_size=_ROWS_PER_PIECE)
    while block := list(islice(payouts, _ROWS_PER_PIECE)):
        addresses = _addresses(block) if method.needs is Needs.ADDRESS else {}
        codes = {each.pk: _new_code() if method.has_code else "" for each in block}
        _make(block, batch, codes, expires_on=expires_on)
        yield _encoded(
            [
                _VOUCHER,
                reference_of(batch.sequence, each.pk),
                each.amount_minor,
                currency,
                expires_on.isoformat(),
                codes[each.pk],
                *addresses.get(each.pk, ("", "", "")),
            ]
            for each in block
        )
        count += len(block)
        sum_minor += sum(each.amount_minor for each in block)
    yield _encoded([[_END, count, sum_minor, currency, "", "", "", "", ""]])


def totals(content: bytes) -> tuple[int, int]:
    """Returns the number of vouchers in a list and their sum, as its rows say. Raises
    `BankFileError` for one whose last row says something else, or is missing.
    """
    count = sum_minor = 0
    for number, cells in rows(Opened(content), columns=COLUMNS):
        row = dict(zip(COLUMNS, cells, strict=True))
        if row["row"] == _END:
            if (row["reference"], row["amount"]) != (f"{count}", f"{sum_minor}"):
                raise BankFileError("count and sum differ from the rows", record=number)
            return count, sum_minor
        count, sum_minor = count + 1, sum_minor + int(row["amount"])
    raise BankFileError("the list is cut off: an end row expected")


def _encoded(table: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(table)
    return text.getvalue().encode()


def _new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))


def _addresses(block: Sequence[Payout]) -> dict[int, tuple[str, str, str]]:
    """Returns name, postal code and address by payout. Raises `GuardNotMet` for a missing one."""
    asked: dict[int | None, RefundApplication] = {
        each.entitlement_id: each
        for each in RefundApplication.objects.filter(
            entitlement__in=[payout.entitlement_id for payout in block], live=True
        )
    }
    found = {}
    for payout in block:
        application = asked.get(payout.entitlement_id)
        address = None if application is None else postal_addresses.of(application)
        if address is None:
            raise GuardNotMet(
                action=says("seal payout batch {number}", number=payout.batch_id),
                why=says("payout {number} has no postal address", number=payout.pk),
            )
        found[payout.pk] = (address.name, address.postal_code, address.lines)
    return found


def _make(
    block: Sequence[Payout], batch: PayoutBatch, codes: dict[int, str], *, expires_on: dt.date
) -> None:
    at = clock.now()
    coded = [each.holder_id for each in block if codes[each.pk]]
    keys = person_keys.secrets(coded, DataClass.BANK_DETAILS)
    Voucher.objects.bulk_create(
        Voucher(
            payout=each,
            batch=batch,
            code_sealed=encryption.seal(
                codes[each.pk].encode(),
                place=code_place(each.pk, batch.pk),
                secret=keys[each.holder_id],
            )
            if codes[each.pk]
            else None,
            expires_on=expires_on,
            made_at=at,
        )
        for each in block
    )


def reveal(voucher: Voucher, *, actor: Actor) -> str:
    """The holder has seen the code, once. Returns the code.

    Raises `NotPermitted` for anybody else, staff too, and `GuardNotMet` when it was shown before or
    cannot be cashed, and while somebody else may be reading: whoever has the code has the money.
    """
    with transaction.atomic():
        locked = (
            Voucher.objects.select_for_update(no_key=True, of=("self",))
            .select_related("payout")
            .get(pk=voucher.pk)
        )
        action = says("show the code")
        if locked.payout.holder_id != actor.pk:
            raise NotPermitted(actor=actor.pk, action=action, permission="")
        if locked.code_sealed is None or locked.state not in Voucher.OUT:
            raise GuardNotMet(action=action, why=says("it cannot be cashed"))
        if locked.lost_at is not None:
            raise GuardNotMet(action=action, why=says("it was reported lost"))
        if locked.shown_at is not None:
            raise GuardNotMet(action=action, why=says("it was shown before"))
        _refuse_strangers(locked, action)
        Voucher.objects.filter(pk=locked.pk).update(shown_at=clock.now())
        audit.append("voucher.show_code", f"voucher:{locked.pk}", actor=actor)
        place = code_place(locked.payout_id, locked.batch_id)
        return person_keys.unseal(
            locked.code_sealed,
            place=place,
            person_id=locked.payout.holder_id,
            data_class=DataClass.BANK_DETAILS,
        ).decode()


def report_lost(voucher: Voucher, *, actor: Actor, reason: str = "") -> Voucher:
    """The code or the order is lost: its code is never shown again, and its payout is on the list of
    recalls, so that somebody tells the provider to cancel it. Once the provider's answer says that
    it can be cashed no more, the holder gets another one by itself. Never before: somebody may cash
    the old one.

    Anybody but the holder needs `refunds.work_application`. A second report changes nothing. Raises
    `GuardNotMet` for one that cannot be cashed.
    """
    if voucher.payout.holder_id != actor.pk:
        require(actor, WORK, action=f"report voucher {voucher.pk} lost")
    with transaction.atomic():
        locked = (
            Voucher.objects.select_for_update(no_key=True, of=("self",))
            .select_related("payout")
            .get(pk=voucher.pk)
        )
        if locked.lost_at is not None:
            return locked
        if locked.state not in Voucher.OUT:
            raise GuardNotMet(action=says("report it lost"), why=says("it cannot be cashed"))
        Voucher.objects.filter(pk=locked.pk).update(lost_at=clock.now())
        audit.append("voucher.report_lost", f"voucher:{locked.pk}", actor=actor, reason=reason)
        if not Recall.objects.filter(payout=locked.payout, state__in=Recall.OPEN).exists():
            recalls.put_on_list(locked.payout, actor=actor, reason=reason)
        locked.refresh_from_db()
        return locked


def _refuse_strangers(voucher: Voucher, action: str) -> None:
    """Nothing says that a thief may be in the account: it is on no list of people who are paid
    nothing, no claim about its wallet is undecided, and its address has cooled off (rule 57).
    Raises `GuardNotMet`.
    """
    holder, at = voucher.payout.holder, clock.now()
    if PaymentBlock.objects.in_force(at).filter(holder=holder).exists():
        raise GuardNotMet(action=action, why=says("nothing may be paid to you now: call us"))
    undecided = FraudClaim.objects.filter(wallet__account=holder, state__in=FraudClaim.UNDECIDED)
    if undecided.exists():
        raise GuardNotMet(
            action=action, why=says("a theft from your wallet is being looked at: call us")
        )
    wait = dt.timedelta(hours=refund_limits.current().cooling_off_hours)
    changed_at = holder.channel_changed_at
    if changed_at is not None and changed_at + wait > at:
        raise GuardNotMet(
            action=action,
            why=says(
                "your address was changed: for your safety it is shown from {at} on",
                at=(changed_at + wait).isoformat(timespec="minutes"),
            ),
        )


# --- they follow their batch and their payouts ---------------------------------------------------


def of_batch(batch: PayoutBatch) -> QuerySet[Voucher]:
    return Voucher.objects.filter(batch=batch)


def issue(batch: PayoutBatch, *, actor: Actor, reason: str) -> None:
    """The provider has the list: its vouchers can be cashed."""
    transition_set(of_batch(batch), "issue", run=None, actor=actor, reason=reason)


def void(batch: PayoutBatch, *, actor: Actor, reason: str) -> None:
    """The list is never paid."""
    transition_set(of_batch(batch), "void", run=None, actor=actor, reason=reason)


def follow_answer(*, actor: Actor, reason: str) -> None:
    """The vouchers of the payouts that the judged answer settles or gives back say the same."""
    _follow("SELECT payout_id FROM refunds_answerline", [], actor=actor, reason=reason)


def follow(payouts: Sequence[int], *, actor: Actor, reason: str) -> int:
    """The vouchers of these payouts say what their payouts say. Returns how many changed."""
    return _follow("SELECT unnest(%s::bigint[])", [list(payouts)], actor=actor, reason=reason)


def _follow(chosen: str, params: list[list[int]], *, actor: Actor, reason: str) -> int:
    changed = 0
    for name, payout_state, sources, target in _FOLLOWS:
        with named(name, actor=actor, reason=reason), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE refunds_voucher v SET state = %s FROM refunds_payout o"  # noqa: S608
                f" WHERE o.id IN ({chosen}) AND o.method <> %s AND v.payout_id = o.id"
                " AND v.batch_id = o.batch_id AND o.state = %s AND v.state = ANY (%s)",
                [target, *params, MethodTerms.BANK, payout_state, list(sources)],
            )
            changed += cursor.rowcount
    return changed


# By which edge a voucher follows its payout, from which states.
_FOLLOWS: Final = (
    (
        "cash",
        Payout.State.SETTLED,
        (*Voucher.OUT, Voucher.State.EXPIRED, Voucher.State.REISSUED),
        Voucher.State.CASHED,
    ),
    (
        "expire",
        Payout.State.RETURNED,
        (*Voucher.OUT, Voucher.State.CASHED),
        Voucher.State.EXPIRED,
    ),
    (
        "void_result",
        Payout.State.EXECUTED,
        (Voucher.State.CASHED, Voucher.State.EXPIRED),
        Voucher.State.ISSUED,
    ),
)


def note_reissued(entitlements: Sequence[int]) -> int:
    """The expired vouchers of these entitlements are replaced by the payouts that were booked."""
    expired = Voucher.objects.filter(
        payout__entitlement__in=entitlements, state=Voucher.State.EXPIRED
    )
    return move_rows(Voucher, "reissue", list(expired.values_list("pk", flat=True)), actor=SYSTEM)
