"""The credential fence: nothing that was set or issued before it is accepted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import models, transaction

from accounts.models import CredentialFence
from winddown import clock, locks
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import transition_one
from winddown.models import Batch, Run
from winddown.runs import control


@dataclass(frozen=True, slots=True)
class Fence:
    """The fence as it stands until this transaction ends, and the instant at which it was read."""

    at: dt.datetime
    not_before: dt.datetime | None

    def accepts(self, given_at: dt.datetime | None) -> bool:
        """Returns whether what a customer set, or was given, at `given_at` still opens the account.

        A credential from the fence's own instant is accepted. A credential without a date is older
        than every fence.
        """
        return self.not_before is None or (given_at is not None and given_at >= self.not_before)


def fence_now() -> dt.datetime | None:
    """Returns the instant before which no credential is accepted. Returns None while no fence was
    raised. A superseded fence still counts: if the later one is lifted, the earlier one holds.
    """
    rows = CredentialFence.objects.filter(state__in=CredentialFence.IN_FORCE)
    newest: dt.datetime | None = rows.aggregate(newest=models.Max("not_before"))["newest"]
    return newest


def take_fence() -> Fence:
    """The fence neither rises nor falls until this transaction ends.

    Code that accepts or gives a credential decides under this shared lock, and dates the credential
    by the returned instant. Therefore no credential is accepted under the old fence and dated after
    the new one.
    """
    # Two statements: the second sees what was committed while the first waited.
    locks.share(Lock.FENCE)
    return Fence(at=clock.now(), not_before=fence_now())


def _move_fence() -> None:
    """Every transaction that took the fence has ended, and none takes it until this one ends."""
    locks.take(Lock.FENCE)


def raise_fence(run: Run) -> CredentialFence:
    """From the commit on, no password, session or reset link of a customer from before is accepted.

    The instant of the fence is taken when all transactions that took the old one have committed. An
    earlier standing fence is superseded. Staff are not touched.
    """
    _move_fence()
    in_force = list(CredentialFence.objects.filter(state__in=CredentialFence.IN_FORCE))
    for earlier in in_force:
        if earlier.state == CredentialFence.State.STANDING:
            transition_one(earlier, "supersede", actor=SYSTEM, reason=run.reason, run=run)
    # It is never earlier than a fence from before, even if a rehearsal moved its clock back.
    at = max([clock.now(), *(each.not_before for each in in_force)])
    fence = CredentialFence.objects.create(not_before=at, run=run)
    audit.append("credentials.fence", fence.approval_subject, actor=SYSTEM, run=run, not_before=at)
    return fence


def request_lift(*, actor: Actor, reason: str) -> CredentialFence:
    """A first person has asked to lift the standing fence; it stands until a second agrees.

    Raises `NotPermitted`, `AskedAlready`, or `GuardNotMet` when no fence stands, when its run is
    not paused or aborted, or when the run has removed passwords already.
    """
    require(actor, "accounts.fence_credentials", action="lift the credential fence")
    with transaction.atomic():
        fence = liftable()
        asked = _lift_of(fence)
        approvals.refuse_repeated(
            asked.subject,
            stage=asked.stage,
            content=asked.content(),
            maker=actor,
            reason=reason,
        )
        asked.ask(maker=actor, reason=reason)
        audit.append(
            "credentials.request_lift",
            fence.approval_subject,
            actor=actor,
            reason=reason,
            run=fence.run,
        )
        return fence


def lift(*, actor: Actor, reason: str) -> CredentialFence:
    """A second person agreed. Credentials that the fence refused are accepted again, and its run is
    aborted.

    Raises what `request_lift` and `approvals.decide` raise. A batch that removes passwords at this
    moment either commits first and counts, or finds the fence lifted and removes nothing.
    """
    with transaction.atomic():
        _move_fence()
        fence = liftable()
        asked = _lift_of(fence)
        asked.decide(actor=actor, digest=asked.digest(), reason=reason)
        run = fence.run
        fence = transition_one(
            fence, "lift", actor=actor, reason=reason, run=run, lifted_at=clock.now()
        )
        if run.state == Run.State.PAUSED:
            control.abort(run, actor=actor, reason=reason)
        audit.append(
            "credentials.lift", fence.approval_subject, actor=actor, reason=reason, run=run
        )
        return fence


def liftable() -> CredentialFence:
    """Returns the standing fence. Raises `GuardNotMet` where it cannot be lifted."""

    def refuse(why: str) -> GuardNotMet:
        return GuardNotMet(action=says("lift the credential fence"), why=why)

    standing = CredentialFence.objects.filter(state=CredentialFence.State.STANDING)
    fence = standing.select_related("run").first()
    if fence is None:
        raise refuse(says("none stands"))
    if Batch.objects.filter(run=fence.run, step="remove_passwords", moved__gt=0).exists():
        raise refuse(says("its run has removed passwords, which do not come back"))
    if fence.run.state not in (Run.State.PAUSED, Run.State.ABORTED):
        raise refuse(says("it is lifted while its run is paused, or after it was aborted"))
    return fence


def _lift_of(fence: CredentialFence) -> approvals.SignedList:
    return approvals.SignedList(
        subject=fence.approval_subject,
        stage="lift",
        permission="accounts.fence_credentials",
        content=lambda: {"lift": fence.approval_subject, "not_before": fence.not_before},
    )


def _decided(said: approvals.Decided) -> object:
    if not said.approve:
        raise GuardNotMet(
            action=says("reject the lift"), why=says("leave it undecided: the fence stands")
        )
    return lift(actor=said.actor, reason=said.reason)


approvals.DECIDERS.add("credential_fence", _decided)
