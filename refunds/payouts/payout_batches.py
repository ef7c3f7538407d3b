"""Payout batches are sealed, approved, exported, transmitted, and answered by the bank."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Count, Sum

from accounts import person_keys
from refunds.bankfiles.calendar import ValueDateRefused
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.transfer_items import NewCode, TransferItem
from refunds.models import Payout, PayoutBatch, PayoutFilePart, RefundTerms
from refunds.models.payee import account_place
from refunds.models.payout import reference_of
from refunds.models.payout_batch import FILE_NUMBERS, part_place
from refunds.payouts import (
    batch_ends,
    breaks,
    caps,
    forgotten,
    funding,
    methods,
    payment_blocks,
    refund_limits,
    sent_files,
)
from refunds.payouts.methods import vouchers
from winddown import clock, locks
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.authority.approvals import SignedList
from winddown.errors import GuardNotMet, NothingToDecide, SamePerson, says
from winddown.evidence import audit, invariants
from winddown.files import write_once
from winddown.locks import Lock
from winddown.machines.move import transition_one, transition_set
from winddown.models import Programme, Run, Signature
from winddown.personal_data import HOUSE, DataClass
from winddown.programme import capabilities

STAGES = ("first", "second")
_ROWS_PER_READ = 2_000


def today() -> dt.date:
    """Returns the programme's present day."""
    return clock.now().astimezone(Programme.current().zone).date()


def check_value_date(value_date: dt.date, limits: RefundTerms | None = None) -> None:
    """The bank would take this day. `limits` are those in force by default. Raises `GuardNotMet` with
    a day that it would take (rule 49).
    """
    limits = limits or RefundTerms.objects.order_by("-pk").first()
    try:
        refund_limits.check_value_date(value_date, limits)
    except ValueDateRefused as refusal:
        raise GuardNotMet(
            action=says("pay"), why=str(refusal), proposed=refusal.proposed.isoformat()
        ) from refusal


# --- sealed by the run ----------------------------------------------------------------------------


def seal(batch: PayoutBatch, *, run: Run, reason: str = "") -> PayoutBatch:
    """The batch has its file, hash, totals and the bank's next number, and waits for approval.

    From here on nothing of it can change (rule 52). The approvers read `reason`, or the run's;
    two of them are needed above the batch's limit.
    """
    capabilities.passed("payout")
    sent_files.refuse_when_unknown(f"seal {batch.subject}")
    locked = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    check_value_date(locked.value_date, locked.terms)
    locked.sequence = _next_number(locked.bank_code)
    locked.sha256 = _write_parts(locked)
    forgotten.refuse_second_file(locked, sha256=locked.sha256, action=f"seal {batch.subject}")
    totals = Payout.objects.filter(batch=locked).aggregate(n=Count("pk"), sum=Sum("amount_minor"))
    locked.items, locked.total_minor = totals["n"], totals["sum"]
    two = totals["sum"] > locked.terms.two_approvers_above_minor
    sealed = transition_one(
        locked,
        "seal",
        actor=SYSTEM,
        run=run,
        sequence=locked.sequence,
        items=locked.items,
        total_minor=locked.total_minor,
        sha256=locked.sha256,
        digest=_signed(locked, STAGES[0]).digest(),
        approvals_needed=2 if two else 1,
        sealed_at=clock.now(),
    )
    for stage in STAGES[: sealed.approvals_needed]:
        _signed(sealed, stage).ask(
            maker=sealed.maker, reason=reason or run.reason, valid_for=dt.timedelta(days=14)
        )
    return transition_one(sealed, "submit", actor=SYSTEM, run=run)


def _signed(batch: PayoutBatch, stage: str) -> SignedList:
    """Returns what each approver signs: the file by its hash and totals."""
    return SignedList(
        subject=batch.subject,
        stage=stage,
        permission="refunds.approve_payout_batch",
        content=lambda: {
            "batch": batch.pk,
            "bank_code": batch.bank_code,
            "sequence": batch.sequence,
            "value_date": batch.value_date.isoformat(),
            "items": batch.items,
            "total_minor": batch.total_minor,
            "sha256": batch.sha256,
        },
    )


def _next_number(bank_code: str) -> int:
    """Returns the bank's next file number. It is locked until the commit, so that no number is left
    out.
    """
    locks.take(Lock.FILE_NUMBER, key=int(bank_code))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(max(sequence), 0) + 1 FROM ({FILE_NUMBERS}) used WHERE bank_code = %s",  # noqa: S608
            [bank_code],
        )
        return int(cursor.fetchone()[0])


def _write_parts(batch: PayoutBatch) -> str:
    """The file is stored, encrypted, in the parts that its format yields. Returns its SHA-256.

    Raises `GuardNotMet` for what its format cannot carry, so the run stores the failure.
    """
    try:
        return _stored_parts(batch)
    except BankFileError as refusal:
        raise GuardNotMet(
            action=says("seal payout batch {number}", number=batch.pk), why=str(refusal)
        ) from refusal


def _stored_parts(batch: PayoutBatch) -> str:
    digest = hashlib.sha256()
    for number, piece in enumerate(_pieces(batch)):
        digest.update(piece)
        PayoutFilePart.objects.create(
            batch=batch,
            number=number,
            content_sealed=person_keys.seal(
                piece,
                place=part_place(batch.pk, number),
                person_id=HOUSE,
                data_class=DataClass.MONEY_RECORDS,
            ),
        )
    return digest.hexdigest()


def _pieces(batch: PayoutBatch) -> Iterator[bytes]:
    """Returns the pieces of the bank's file, or of the list for the provider of the method."""
    if batch.method != methods.BANK:
        return vouchers.write_list(batch)
    return refund_limits.bank_format(batch.terms).write(
        refund_limits.remitter(batch.terms),
        batch.value_date,
        _items(batch),
        records_max=batch.terms.file_records_max,
        manner=refund_limits.manner(batch.terms),
    )


def _items(batch: PayoutBatch) -> Iterator[TransferItem]:
    """Yields the batch's transfers by ascending payout number. Memory does not grow with the batch."""
    if batch.sequence is None:
        raise AssertionError("a batch has its number before its file")
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            """
            SELECT o.id, o.amount_minor, o.attempt, p.id, p.version, p.bank_code,
                coalesce(b.kana, ''),
                   p.branch_code, coalesce(r.kana, ''), p.account_type, p.account_number_sealed,
                       p.name_kana, p.holder_id, k.secret
            FROM refunds_payout o JOIN refunds_payee p ON p.id = o.payee_id
            LEFT JOIN refunds_bankdataset d ON d.active
            LEFT JOIN refunds_bank b ON b.dataset_id = d.id AND b.code = p.bank_code
            LEFT JOIN refunds_branch r ON r.dataset_id = d.id AND r.bank_code = p.bank_code
                AND r.code = p.branch_code
            LEFT JOIN accounts_personkey k ON k.person_id = p.holder_id AND k.data_class = %s
                AND k.destroyed_at IS NULL
            WHERE o.batch_id = %s ORDER BY o.id
            """,
            [DataClass.BANK_DETAILS, batch.pk],
        )
        while rows := cursor.fetchmany(_ROWS_PER_READ):
            for (
                pk,
                amount,
                attempt,
                payee,
                version,
                bank,
                bank_name,
                branch,
                branch_name,
                kind,
                sealed,
                name,
                holder,
                secret,
            ) in rows:
                number = person_keys.opened(
                    sealed,
                    secret,
                    place=account_place(payee),
                    person_id=holder,
                    data_class=DataClass.BANK_DETAILS,
                ).decode()
                new = NewCode.CHANGED if version > 1 or attempt > 1 else NewCode.FIRST
                yield TransferItem(
                    bank, bank_name, branch, branch_name, kind, number, name, amount,
                    reference_of(batch.sequence, pk), new,
                )  # fmt: skip


def file_name(batch: PayoutBatch) -> str:
    """Returns the name of the batch's file."""
    if batch.method != methods.BANK:
        return f"{batch.method}-{batch.sequence:06d}.{vouchers.SUFFIX}"
    suffix = refund_limits.bank_format(batch.terms).suffix
    return f"transfer-{batch.bank_code}-{batch.sequence:06d}.{suffix}"


def content(batch: PayoutBatch) -> Iterator[bytes]:
    """Yields the sealed file's bytes in pieces. Raises `GuardNotMet` if they changed."""
    digest = hashlib.sha256()
    for part in batch.parts.order_by("number").iterator(chunk_size=16):
        piece = part.opened()
        digest.update(piece)
        yield piece
    if digest.hexdigest() != batch.sha256:
        raise GuardNotMet(
            action=says("read the file of batch {number}", number=batch.pk),
            why=says("its bytes changed"),
        )


# --- decided by others than the maker -------------------------------------------------------------


def approve_batch(batch: PayoutBatch, *, actor: Actor, digest: str, reason: str) -> PayoutBatch:
    """One more person agreed to exactly this file. With the last signature that it needs, the batch
    is approved.

    Raises `SamePerson` for the maker, and for a second signature of the same person (rule 54).
    """
    with transaction.atomic():
        locked = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if locked.state != PayoutBatch.State.SUBMITTED_FOR_APPROVAL:
            raise NothingToDecide(subject=locked.subject)
        payment_blocks.refuse_blocked(locked)
        caps.refuse_above(locked)
        _signed(locked, _stage(locked)).decide(actor=actor, digest=digest, reason=reason)
        if approvers(locked) >= locked.approvals_needed:
            locked = transition_one(locked, "approve", actor=actor, reason=reason)
        audit.append(
            "payout_batch.approve", locked.subject, actor=actor, reason=reason, digest=digest
        )
        return locked


def approvers(batch: PayoutBatch) -> int:
    """Returns how many have approved the batch's present digest."""
    return Signature.objects.filter(
        subject=batch.subject, part=Signature.Part.APPROVED, digest=batch.digest
    ).count()


def reject_batch(batch: PayoutBatch, *, actor: Actor, digest: str, reason: str) -> PayoutBatch:
    """Somebody refused the file. It is never sent, and its payouts wait for another batch."""
    with transaction.atomic():
        locked = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        _signed(locked, _stage(locked)).decide(
            actor=actor, digest=digest, reason=reason, approve=False
        )
        done = transition_one(locked, "reject", actor=actor, reason=reason)
        freed = batch_ends.take_out(done, actor=actor, reason=reason)
        audit.append("payout_batch.reject", done.subject, actor=actor, reason=reason, freed=freed)
        return done


def _stage(batch: PayoutBatch) -> str:
    """Returns the stage that waits for its signature; the first one if none does."""
    waiting = (stage for stage in STAGES if approvals.standing(batch.subject, stage=stage))
    return next(waiting, STAGES[0])


# --- sent to the bank -----------------------------------------------------------------------------


def export_batch(
    batch: PayoutBatch, *, directory: Path, actor: Actor = SYSTEM, reason: str = ""
) -> Path:
    """The approved batch's file is in `directory`, byte for byte as it was sealed.

    A second call changes nothing in the database; it writes the file again if the file is lost. The
    state is committed before the file is written, so every file in the directory was released.
    """
    released = hand_out(batch, actor=actor, reason=reason)
    return write_once(directory, file_name(released), content(released))


def release(batch: PayoutBatch, *, actor: Actor, reason: str) -> PayoutBatch:
    """The approved batch's file may leave from `leaves_at` on: after the grace that the limits lay
    down. Until it has left, one person stops it. A second call changes nothing.

    Raises while an invariant that guards the release is breached, a break is open, payouts are
    stopped, or a restore is not confirmed.
    """
    require(actor, "refunds.make_payout_batch", by_system=True, action=f"export {batch.subject}")
    with transaction.atomic():
        locked = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if locked.state in (PayoutBatch.State.RELEASING, *PayoutBatch.RELEASED):
            return locked
        leaves_at = clock.now() + grace()
        released = transition_one(
            locked, "release", actor=actor, reason=reason, leaves_at=leaves_at
        )
        _refuse_release(released)
        audit.append("payout_batch.release", locked.subject, actor=actor, reason=reason)
        return released


def grace() -> dt.timedelta:
    """Returns how long a released file waits for somebody who stops it."""
    return dt.timedelta(minutes=refund_limits.current().release_grace_minutes)


def stop_release(batch: PayoutBatch, *, actor: Actor, reason: str) -> PayoutBatch:
    """The released file stays: nobody has its bytes yet. It can be released again, or voided."""
    with transaction.atomic():
        kept = transition_one(batch, "stop_release", actor=actor, reason=reason, leaves_at=None)
        audit.append("payout_batch.stop_release", kept.subject, actor=actor, reason=reason)
        return kept


def hand_out(batch: PayoutBatch, *, actor: Actor, reason: str) -> PayoutBatch:
    """The file has left: its bytes may be read. Without a grace it is released by this, too. A
    second call changes nothing.

    Raises `GuardNotMet` while the file is not released or can still be stopped, and what `release`
    raises.
    """
    require(actor, "refunds.make_payout_batch", by_system=True, action=f"export {batch.subject}")
    with transaction.atomic():
        capabilities.passed("payout")
        locked = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if locked.state == PayoutBatch.State.RELEASING:
            _refuse_release(locked)
            _refuse_in_grace(locked)
        elif locked.state not in PayoutBatch.RELEASED:
            _refuse_unreleased(locked)
            locked = release(locked, actor=actor, reason=reason)
        if locked.state not in PayoutBatch.RELEASED:
            locked = transition_one(
                locked, "export", actor=actor, reason=reason, exported_at=clock.now()
            )
            transition_set(
                Payout.objects.filter(batch=locked), "export", run=None, actor=actor, reason=reason
            )
            audit.append(
                "payout_batch.export",
                locked.subject,
                actor=actor,
                reason=reason,
                sha256=locked.sha256,
            )
    sent_files.keep(locked)
    return locked


def _refuse_in_grace(batch: PayoutBatch) -> None:
    if batch.leaves_at is not None and batch.leaves_at > clock.now():
        raise GuardNotMet(
            action=says("export payout batch {number}", number=batch.pk),
            why=says("it can still be stopped: it leaves at {at}", at=batch.leaves_at.isoformat()),
        )


def _refuse_unreleased(batch: PayoutBatch) -> None:
    if batch.state == PayoutBatch.State.APPROVED and (minutes := grace().seconds // 60):
        raise GuardNotMet(
            action=says("export payout batch {number}", number=batch.pk),
            why=says(
                "release it first: for {minutes} minutes it can be stopped then", minutes=minutes
            ),
        )


def _refuse_other_outflow(batch: PayoutBatch) -> None:
    """What the file itself says is what was approved and what the ledger has under way. Raises
    `GuardNotMet` with the sums.
    """
    written = b"".join(content(batch))
    outflow = (
        vouchers.totals(written)
        if batch.method != methods.BANK
        else refund_limits.bank_format(batch.terms).totals(written, Programme.current().currency)
    )
    booked = Payout.objects.filter(batch=batch, state__in=Payout.IN_FLIGHT).aggregate(
        n=Count("pk"), sum=Sum("amount_minor", default=0)
    )
    signed = Signature.objects.filter(
        subject=batch.subject, part=Signature.Part.APPROVED, digest=batch.digest
    ).latest("pk")
    approved = signed.approval.summary
    if (approved["items"], approved["total_minor"]) != outflow or (
        booked["n"],
        booked["sum"],
    ) != outflow:
        raise GuardNotMet(
            action=says("export payout batch {number}", number=batch.pk),
            why=says(
                "its file says {file}, the approval {approved}, the ledger {booked}",
                file=f"{outflow[1]:,}",
                approved=f"{approved['total_minor']:,}",
                booked=f"{booked['sum']:,}",
            ),
        )


def _refuse_release(batch: PayoutBatch) -> None:
    """Nothing keeps the file from leaving now. Raises what `release` raises."""
    capabilities.passed("payout")
    sent_files.refuse_when_unknown(f"export {batch.subject}")
    check_value_date(batch.value_date, batch.terms)
    payment_blocks.refuse_blocked(batch)
    caps.refuse_above(batch)
    breaks.refuse_open(f"export {batch.subject}")
    refuse_when_breached(f"export {batch.subject}")
    funding.refuse_short(batch, f"export {batch.subject}")
    _refuse_other_outflow(batch)
    forgotten.refuse_second_file(batch, sha256=str(batch.sha256), action=f"export {batch.subject}")


def refuse_when_breached(action: str) -> None:
    """Every invariant about money, victims and approvals holds. Raises `GuardNotMet` with the first
    breach.
    """
    for known in invariants.known():
        if known.guards_release and (sentences := known.breaches()):
            raise GuardNotMet(
                action=action,
                why=says(
                    "invariant {code} is breached: {sentence}",
                    code=known.code,
                    sentence=sentences[0],
                ),
            )


def mark_transmitted(batch: PayoutBatch, *, actor: Actor, reason: str) -> PayoutBatch:
    """A person who neither made nor approved the batch has sent its file to the bank (rule 54)."""
    with transaction.atomic():
        capabilities.passed("payout")
        signed = Signature.objects.filter(
            subject=batch.subject, staff_number=actor.staff_number
        ).first()
        if signed is not None:
            raise SamePerson(actor=actor.pk, subject=batch.subject, part=signed.part)
        done = transition_one(
            batch,
            "transmit",
            actor=actor,
            reason=reason,
            transmitted_at=clock.now(),
            transmitted_by=actor,
        )
        check_value_date(done.value_date, done.terms)
        payment_blocks.refuse_blocked(done)
        breaks.refuse_open(f"transmit {done.subject}")
        vouchers.issue(done, actor=actor, reason=reason)
        audit.append("payout_batch.transmit", done.subject, actor=actor, reason=reason)
        return done


def mark_accepted(batch: PayoutBatch, *, actor: Actor, reason: str) -> PayoutBatch:
    """The bank took the file and will carry it out on the value date."""
    with transaction.atomic():
        done = transition_one(batch, "accept", actor=actor, reason=reason)
        audit.append("payout_batch.accept", done.subject, actor=actor, reason=reason)
        return done


def execute_due(*, actor: Actor = SYSTEM) -> list[PayoutBatch]:
    """Every batch that the bank accepted and whose value date has come counts as carried out. It
    does not count as paid, which only the bank's results show. Returns the batches that moved. A
    second call moves none.
    """
    due = PayoutBatch.objects.filter(
        state=PayoutBatch.State.BANK_ACCEPTED, value_date__lte=today()
    ).order_by("pk")
    moved = []
    for batch in due:
        with transaction.atomic():
            moved.append(execute(batch, actor=actor))
            audit.append("payout_batch.execute", batch.subject, actor=actor)
    return moved


def execute(batch: PayoutBatch, *, actor: Actor) -> PayoutBatch:
    """The batch and its payouts count as carried out. Inside the caller's transaction."""
    done = transition_one(batch, "execute", actor=actor)
    execute_payouts(done, actor=actor)
    return done


def execute_payouts(batch: PayoutBatch, *, actor: Actor) -> None:
    """The payouts of the batch that have no result count as carried out."""
    transition_set(Payout.objects.filter(batch=batch), "execute", run=None, actor=actor)


def close_batch(batch: PayoutBatch, *, actor: Actor, reason: str) -> PayoutBatch:
    """Nothing more is expected of the batch: every payout of it has its outcome, and no break about
    them is open. With open payouts two people close it (`batch_ends.ask_waiver`).
    """
    with transaction.atomic():
        locked = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if locked.state == PayoutBatch.State.RECONCILING:
            raise GuardNotMet(
                action=says("close payout batch {number}", number=locked.pk),
                why=says("payouts of it are open: ask a second person to waive them"),
            )
        batch_ends.refuse_open_breaks(locked)
        done = transition_one(batch, "close", actor=actor, reason=reason)
        audit.append("payout_batch.close", done.subject, actor=actor, reason=reason)
        return done


def give_up(payout: Payout, *, actor: Actor, reason: str) -> Payout:
    """A returned payout will not be tried again by transfer."""
    with transaction.atomic():
        done = transition_one(payout, "give_up", actor=actor, reason=reason)
        audit.append("payout.give_up", f"payout:{done.pk}", actor=actor, reason=reason)
        return done


def _decided(said: approvals.Decided) -> object:
    if ":" in said.key:
        return batch_ends.decide(said)
    batch = PayoutBatch.objects.get(pk=int(said.key))
    verb = approve_batch if said.approve else reject_batch
    return verb(batch, actor=said.actor, digest=said.digest, reason=said.reason)


approvals.DECIDERS.add("payout_batch", _decided)
