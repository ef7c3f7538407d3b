"""The four-eyes rule: one person asks for a decision about a digest, a second one decides."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, IntegrityError, transaction

from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.errors import (
    AskedAlready,
    GuardNotMet,
    NothingToDecide,
    PlanChanged,
    PlanExpired,
    SamePerson,
    says,
)
from winddown.locks import Lock
from winddown.models import Approval, Signature
from winddown.registries import Registry
from winddown.sqlstates import SqlState, sqlstate_of

VALID_FOR = dt.timedelta(hours=24)
# A second click comes at once.
SAME_FORM_WITHIN = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision of a second person: the subject's number or code, the stage, and the verdict."""

    key: str
    stage: str
    actor: Actor
    digest: str
    reason: str
    approve: bool


DECIDERS: Registry[Callable[[Decided], object]] = Registry(
    "deciders",
    entries_are="by the first word of a subject: the verb that carries a decision out",
    owner=__name__,
)

STILL_WAITING: Registry[Callable[[list[Approval]], list[Approval]]] = Registry(
    "requests that still wait",
    entries_are="by the first word of a subject: picks the undecided requests that its state allows",
    owner=__name__,
)


def digest_of(content: Any) -> str:
    """Returns the SHA-256 of the canonical JSON of `content`, as 64 hex digits."""
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, cls=DjangoJSONEncoder
    )
    return hashlib.sha256(text.encode()).hexdigest()


def ask(
    subject: str,
    *,
    stage: str,
    content: Any,
    permission: str,
    maker: Actor,
    reason: str,
    valid_for: dt.timedelta = VALID_FOR,
) -> Approval:
    """`subject` has an open request. An earlier request of the same stage can no longer be signed.

    A maker who asks again for the same subject keeps the one signature. Raises `SamePerson`, and
    changes nothing, for somebody who decided about the subject before.
    """
    digest = digest_of(content)
    at = clock.now()
    with transaction.atomic():
        approval = Approval.objects.create(
            subject=subject,
            stage=stage,
            digest=digest,
            summary=json.loads(json.dumps(content, cls=DjangoJSONEncoder)),
            permission=permission,
            maker_id=maker.pk,
            reason=reason,
            requested_at=at,
            expires_at=at + valid_for,
        )
        earlier = Signature.objects.filter(subject=subject, staff_number=maker.staff_number).first()
        if earlier is None:
            _sign(approval, part=Signature.Part.MAKER, signer=maker, digest=digest, reason=reason)
        elif earlier.part != Signature.Part.MAKER:
            raise SamePerson(actor=maker.pk, subject=subject, part=earlier.part)
    return approval


def refuse_repeated(subject: str, *, stage: str, content: Any, maker: Actor, reason: str) -> None:
    """Raises `AskedAlready` when the same request of the same person has waited for a moment only,
    because a form was sent twice. Later, or with another reason, the person means it.
    """
    waiting = standing(subject, stage=stage)
    if waiting is None or clock.now() - waiting.requested_at > SAME_FORM_WITHIN:
        return
    if (waiting.maker_id, waiting.reason, waiting.digest) == (
        maker.pk,
        reason,
        digest_of(content),
    ):
        raise AskedAlready(actor=maker.pk, subject=subject)


def next_subject(stem: str) -> str:
    """Returns the subject of the open request, or of the next one when none is open.

    Each request that was decided ends its subject, because a person signs a subject only once.
    """
    decided = Signature.objects.filter(subject__startswith=f"{stem}:").exclude(
        part=Signature.Part.MAKER
    )
    return f"{stem}:{decided.values('subject').distinct().count() + 1}"


def ask_anew(
    stem: str, *, stage: str, content: Any, permission: str, maker: Actor, reason: str
) -> Approval:
    """A request with a number of its own, `stem:7`, is open. Other requests of the stem stay open too.

    Raises `AskedAlready` when the newest of them is the same request, sent twice.
    """
    with transaction.atomic():
        locks.take(Lock.REQUESTS)
        of_stem = Approval.objects.filter(subject__startswith=f"{stem}:")
        latest = of_stem.order_by("-pk").first()
        if latest is not None:
            refuse_repeated(
                latest.subject, stage=stage, content=content, maker=maker, reason=reason
            )
        number = of_stem.values("subject").distinct().count() + 1
        return ask(
            f"{stem}:{number}",
            stage=stage,
            content=content,
            permission=permission,
            maker=maker,
            reason=reason,
        )


def standing(subject: str, *, stage: str) -> Approval | None:
    """Returns the latest request, if nobody has decided it yet."""
    latest = Approval.objects.filter(subject=subject, stage=stage).order_by("-pk").first()
    if latest is None or latest.signatures.exclude(part=Signature.Part.MAKER).exists():
        return None
    return latest


def decide(
    subject: str, *, stage: str, actor: Actor, digest: str, reason: str, approve: bool = True
) -> Signature:
    """`actor` has signed the open request of `subject`, approving or rejecting exactly `digest`.

    Raises `NothingToDecide`, `NotPermitted`, `SamePerson`, `PlanChanged` (the request has another
    digest) or `PlanExpired`. A second decision finds nothing to decide.
    """
    approval = standing(subject, stage=stage)
    if approval is None:
        raise NothingToDecide(subject=subject)
    require(actor, approval.permission, action=f"decide {subject}")
    part = Signature.Part.APPROVED if approve else Signature.Part.REJECTED
    return _sign(approval, part=part, signer=actor, digest=digest, reason=reason)


@dataclass(frozen=True, slots=True)
class SignedList:
    """What two people sign: one asks for a decision about `content`, another decides.

    The request stores the digest of the content at that moment. The second person signs that
    digest. The decision is valid only if the content still has the same digest, so lock the rows
    that `content` reads before you call `decide`.
    """

    subject: str
    stage: str
    permission: str
    content: Callable[[], Any]

    def digest(self) -> str:
        """Returns the digest of the present content."""
        return digest_of(self.content())

    def ask(self, *, maker: Actor, reason: str, valid_for: dt.timedelta = VALID_FOR) -> Approval:
        """The present content has an open request. An earlier request can no longer be signed.

        Raises `SamePerson` for somebody who decided about the subject before.
        """
        return ask(
            self.subject,
            stage=self.stage,
            content=self.content(),
            permission=self.permission,
            maker=maker,
            reason=reason,
            valid_for=valid_for,
        )

    def decide(self, *, actor: Actor, digest: str, reason: str, approve: bool = True) -> Signature:
        """`actor` has signed `digest`; who approves it, approves the present content.

        Raises what `approvals.decide` raises, and `PlanChanged` for an approval when the content
        has changed since. A rejection carries nothing out, so what was overtaken can be rejected.
        """
        signature = decide(
            self.subject,
            stage=self.stage,
            actor=actor,
            digest=digest,
            reason=reason,
            approve=approve,
        )
        if approve:
            self.refuse_change(since=digest)
        return signature

    def refuse_change(self, *, since: str) -> None:
        """Raises `PlanChanged` when the content no longer has the digest `since`."""
        now = self.digest()
        if now != since:
            raise PlanChanged(subject=self.subject, approved=since[:12], now=now[:12])


def _sign(approval: Approval, *, part: str, signer: Actor, digest: str, reason: str) -> Signature:
    with _refusals(approval, signer, digest), transaction.atomic():
        return Signature.objects.create(
            approval=approval,
            part=part,
            signer_id=signer.pk,
            digest=digest,
            reason=reason,
            at=approval.requested_at,
        )


@contextmanager
def _refusals(approval: Approval, signer: Actor, digest: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as refusal:
        earlier = Signature.objects.filter(
            subject=approval.subject, staff_number=signer.staff_number
        ).first()
        if earlier is None:
            raise
        raise SamePerson(actor=signer.pk, subject=approval.subject, part=earlier.part) from refusal
    except DatabaseError as refusal:
        state = sqlstate_of(refusal)
        if state == SqlState.ANOTHER_PLAN:
            raise PlanChanged(
                subject=approval.subject, approved=digest[:12], now=approval.digest[:12]
            ) from refusal
        if state == SqlState.REQUEST_EXPIRED:
            raise PlanExpired(
                subject=approval.subject, expires_at=approval.expires_at.isoformat()
            ) from refusal
        raise


def newest(subject: str) -> Approval:
    """Returns the newest request for the subject. Raises `NothingToDecide` if there is none."""
    request = Approval.objects.filter(subject=subject).order_by("-pk").first()
    if request is None:
        raise NothingToDecide(subject=subject)
    return request


def carry_out(request: Approval, *, shown: str, actor: Actor, reason: str, approve: bool) -> None:
    """`actor` has decided about the request, by the verb of its kind in `DECIDERS`.

    `shown` is the beginning of the digest that the person saw. Raises `PlanChanged` if the digest
    begins in another way, `GuardNotMet` for a kind without a verb, and what the verb raises.
    """
    refuse_another(request, shown=shown)
    kind, _, key = request.subject.partition(":")
    decider = DECIDERS.get(kind)
    if decider is None:
        raise GuardNotMet(
            action=says("decide {subject}", subject=request.subject),
            why=says("{kind} is decided elsewhere", kind=kind),
        )
    decider(
        Decided(
            key=key,
            stage=request.stage,
            actor=actor,
            digest=request.digest,
            reason=reason,
            approve=approve,
        )
    )


def refuse_another(request: Approval, *, shown: str) -> None:
    """Raises `PlanChanged` unless the digest of the request begins with what the person saw."""
    if not request.digest.startswith(shown):
        raise PlanChanged(subject=request.subject, approved=shown, now=request.digest[: len(shown)])


def open_requests() -> list[Approval]:
    """Returns the requests that wait for a decision and can still get one, the oldest first."""
    latest = Approval.objects.order_by("subject", "stage", "-pk").distinct("subject", "stage")
    decided = Signature.objects.exclude(part=Signature.Part.MAKER).values("approval_id")
    return still_waiting(
        Approval.objects.filter(pk__in=latest.values("pk"), expires_at__gt=clock.now())
        .exclude(pk__in=decided)
        .select_related("maker")
        .order_by("requested_at")
    )


def still_waiting(undecided: Iterable[Approval]) -> list[Approval]:
    """Returns those of the requests that the state of their subject still lets somebody decide. A
    run that was aborted, or a switch that works again, ends its requests without a signature.
    """
    found = list(undecided)
    for kind, pick in STILL_WAITING.items():
        of_kind = [each for each in found if each.subject.partition(":")[0] == kind]
        kept = {each.pk for each in pick(of_kind)} if of_kind else set()
        found = [each for each in found if each not in of_kind or each.pk in kept]
    return found
