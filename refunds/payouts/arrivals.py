"""Did it arrive? A drawn sample of each payout file is asked, and whoever says no is traced."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts import addresses, outbox
from accounts.models import Message, User
from refunds.models import (
    ArrivalQuestion,
    ArrivalSample,
    MethodTerms,
    Payout,
    PayoutBatch,
)
from refunds.payouts import payout_batches, traces
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit

PERMISSION = "refunds.work_application"
# One of a hundred, so that a fault of one file shows: at least five, and no more than people answer.
ONE_OF = 100
ASKED_MIN, ASKED_MAX = 5, 50
# The money is there on the value date. A bank day later everybody has looked.
AFTER_DAYS = 3
# Who was paid before the sample existed, or long ago, does not remember.
WITHIN_DAYS = 60
LANGUAGE = "ja"
Answer = ArrivalQuestion.Answer


def follow_up() -> int:
    """Every payout file of the last weeks with paid refunds has its sample, and the people in it are
    asked. Returns how many were asked. A second call asks nobody twice.
    """
    asked, today = 0, payout_batches.today()
    paid = Payout.objects.filter(batch=OuterRef("pk"), state=Payout.State.SETTLED)
    due = PayoutBatch.objects.filter(
        Exists(paid.exclude(entitlement=None)),
        sample=None,
        method=MethodTerms.BANK,
        value_date__lte=today - dt.timedelta(days=AFTER_DAYS),
        value_date__gte=today - dt.timedelta(days=WITHIN_DAYS),
    )
    for batch in due.order_by("pk"):
        with transaction.atomic():
            asked += _draw(batch)
    return asked


def drawn(seed: str, payouts: Sequence[int]) -> list[int]:
    """Returns whom the seed draws: the numbers of the payouts, the first drawn first."""
    size = min(max(ASKED_MIN, -(-len(payouts) // ONE_OF)), ASKED_MAX, len(payouts))

    def place(number: int) -> str:
        return hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()

    return sorted(payouts, key=place)[:size]


def could_be_asked(batch: PayoutBatch) -> QuerySet[Payout]:
    """Returns the payouts of the file that its bank calls paid."""
    return Payout.objects.filter(batch=batch, state=Payout.State.SETTLED).exclude(entitlement=None)


def _draw(batch: PayoutBatch) -> int:
    locked = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if ArrivalSample.objects.filter(batch=locked).exists():
        return 0
    numbers = list(could_be_asked(locked).order_by("pk").values_list("pk", flat=True))
    seed = secrets.token_hex(16)
    chosen = drawn(seed, numbers)
    sample = ArrivalSample.objects.create(
        batch=locked, seed=seed, paid=len(numbers), asked=len(chosen), drawn_at=clock.now()
    )
    payouts = list(Payout.objects.filter(pk__in=chosen).select_related("holder").order_by("pk"))
    told = {
        payout.pk: outbox.Recipient(address, user=payout.holder)
        for payout in payouts
        if (address := addresses.channel_of(payout.holder)) is not None
    }
    queued = outbox.queue_many(
        Message.Kind.ARRIVAL_ASKED,
        told.values(),
        language=LANGUAGE,
        facts={"value_date": locked.value_date.isoformat()},
    )
    messages = dict(zip(told, queued, strict=True))
    ArrivalQuestion.objects.bulk_create(
        ArrivalQuestion(sample=sample, payout=payout, message=messages.get(payout.pk))
        for payout in payouts
    )
    audit.append(
        "arrival.draw",
        locked.subject,
        actor=SYSTEM,
        seed=seed,
        paid=len(numbers),
        asked=len(chosen),
    )
    return len(chosen)


@outbox.STILL_WANTED.entry(Message.Kind.ARRIVAL_ASKED)
def _message_is_wanted(message: Message) -> bool:
    return ArrivalQuestion.objects.filter(
        message=message, answer="", payout__state=Payout.State.SETTLED
    ).exists()


# --- answers --------------------------------------------------------------------------------------


def open_question(holder: User) -> ArrivalQuestion | None:
    """Returns what the holder is asked now, or None."""
    asked = ArrivalQuestion.objects.filter(
        payout__holder=holder, payout__state=Payout.State.SETTLED, answer=""
    )
    return asked.select_related("payout__batch", "payout__payee").order_by("pk").first()


def answer(payout: Payout, *, arrived: bool, actor: Actor, reason: str = "") -> ArrivalQuestion:
    """The holder said whether the money is there. Who says no has a trace case from now on.

    Anybody but the holder needs `refunds.work_application`. The same answer again changes nothing.
    Raises `GuardNotMet` for a payout that nobody was asked about, and for another answer.
    """
    if payout.holder_id != actor.pk:
        require(actor, PERMISSION, action=f"answer for payout {payout.pk}")
    given = Answer.YES if arrived else Answer.NO
    refused = says("record the answer")
    with transaction.atomic():
        question = (
            ArrivalQuestion.objects.select_for_update(no_key=True).filter(payout=payout).first()
        )
        if question is None:
            raise GuardNotMet(action=refused, why=says("nobody was asked about this payout"))
        if question.answer == given:
            return question
        if question.answer:
            raise GuardNotMet(action=refused, why=says("another answer was given before"))
        question.answer, question.answered_at = given, clock.now()
        question.save(update_fields=["answer", "answered_at"])
        audit.append(
            "arrival.answer", f"payout:{payout.pk}", actor=actor, reason=reason, answer=given
        )
        if not arrived:
            traces.open_for(payout, actor=actor, reason=reason)
        return question


@dataclass(frozen=True, slots=True)
class Counted:
    """What the sample of one payout file said."""

    batch: PayoutBatch
    seed: str
    paid: int
    asked: int
    yes: int
    no: int

    @property
    def silent(self) -> int:
        return self.asked - self.yes - self.no


def counted(*, most: int) -> list[Counted]:
    """Returns the newest samples with their answers, the newest file first."""
    return _counts(ArrivalSample.objects.order_by("-pk")[:most])


def counted_of(batch: PayoutBatch) -> Counted | None:
    """Returns what the sample of this file said; None before it is drawn."""
    return next(iter(_counts(ArrivalSample.objects.filter(batch=batch))), None)


def _counts(samples: QuerySet[ArrivalSample]) -> list[Counted]:
    rows = samples.select_related("batch").annotate(
        yes=Count("questions", filter=Q(questions__answer=Answer.YES)),
        no=Count("questions", filter=Q(questions__answer=Answer.NO)),
    )
    return [Counted(row.batch, row.seed, row.paid, row.asked, row.yes, row.no) for row in rows]
