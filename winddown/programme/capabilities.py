"""The switches: read inside the transaction they control; one person stops, two restart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, transaction

from winddown import clock, locks, texts
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.errors import (
    CapabilityStopped,
    GuardNotMet,
    NothingToDecide,
    NotYetOpen,
    PastDeadline,
    UnknownCapability,
    says,
)
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import transition_one
from winddown.models import Approval, Capability, Probe, Programme
from winddown.programme import declared
from winddown.registries import Registry
from winddown.sqlstates import SqlState, sqlstate_of

OWN = ("register", "spend", "transfer", "withdraw", "login_password", "refund_apply", "payout")
"""The capabilities that every service has."""

RATIFY_WITHIN = dt.timedelta(hours=24)

# A leak is a movement that passed a switch under a version that was already stopped. Each app
# registers its own leaks by capability prefix.
LEAKS: Registry[Callable[[Capability], int]] = Registry(
    "leaks",
    entries_are="by the beginning of a capability's code: counts what slipped through after a stop",
    owner=__name__,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """The proof that a movement passed: the switch's version and the instant, both read under the
    switch's shared lock.
    """

    version: int
    at: dt.datetime


def codes() -> list[str]:
    """Returns the code of every capability: those of each service, of each funding source and of
    each login provider.
    """
    return [
        *OWN,
        *(f"{declared.TOP_UP}:{source}" for source in declared.sources()),
        *(f"{declared.LOGIN}:{provider}" for provider in declared.providers()),
    ]


def declare_all() -> None:
    """Every capability has its row. A second call changes nothing."""
    known = set(Capability.objects.values_list("code", flat=True))
    at = clock.now()
    Capability.objects.bulk_create(
        [Capability(code=code, since=at) for code in codes() if code not in known],
        ignore_conflicts=True,
    )


def passed(code: str) -> Passage:
    """The capability `code` works until this transaction ends: its switch is on, its deadline has not
    passed, and the programme is in a stage that has it.

    Raises `CapabilityStopped`, `PastDeadline`, `NotYetOpen` or `UnknownCapability`; the caller must
    then roll back. The transaction holds a shared advisory lock until the commit. The lock's queue is fair: a
    flip waits only for the transactions that are already under way.
    """
    if not transaction.get_connection().in_atomic_block:
        raise AssertionError("a switch is read in the transaction that it governs")
    with _refusals(code), connection.cursor() as cursor:
        cursor.execute("SELECT version, at FROM winddown_pass(%s)", [code])
        version, at = cursor.fetchone()
    return Passage(version=version, at=at)


@contextmanager
def _refusals(code: str) -> Iterator[None]:
    try:
        yield
    except DatabaseError as refusal:
        cause: Any = refusal.__cause__
        state = sqlstate_of(refusal)
        if state == SqlState.CAPABILITY_STOPPED:
            raise CapabilityStopped(
                capability=code, since=cause.diag.message_detail, reason=cause.diag.message_hint
            ) from refusal
        if state == SqlState.PAST_DEADLINE:
            raise PastDeadline(capability=code, at=cause.diag.message_detail) from refusal
        if state == SqlState.NOT_YET_OPEN:
            raise NotYetOpen(capability=code) from refusal
        if state == SqlState.UNKNOWN_CAPABILITY:
            raise UnknownCapability(capability=code, hint="It was never declared.") from refusal
        raise


def _locked(code: str, *, version: int | None = None) -> Capability:
    """Returns the capability and holds its exclusive lock: everything that passed before has
    committed. Raises `NothingToDecide` when it no longer has the version that somebody decides
    about.
    """
    found = Capability.objects.filter(code=code).first()
    if found is None:
        known = Capability.objects.order_by("code").values_list("code", flat=True)
        raise UnknownCapability(capability=code, hint=texts.did_you_mean(code, known))
    locks.take(Lock.SWITCH, key=found.pk)
    switch = Capability.objects.get(pk=found.pk)
    if version not in (None, switch.version):
        raise NothingToDecide(subject=f"capability:{code}:{version}")
    return switch


def lock(codes: list[str]) -> None:
    """Every transaction that passed one of `codes` has committed. Nothing passes them until this
    transaction ends.

    A transaction that flips several switches takes all their locks first, to avoid a deadlock. Each
    flip writes to the audit journal and then holds the journal's lock. With this lock it must not
    wait for a switch: a charge may hold the switch and wait for a wallet, and a batch may hold the
    wallet and wait for the journal.
    """
    for code in sorted(codes):
        _locked(code)


def stop(
    code: str,
    *,
    actor: Actor,
    reason: str,
    ratified_by: Actor | None = None,
    review_at: dt.datetime | None = None,
) -> bool:
    """Nothing passes `code` after the commit. Returns False, and changes nothing, when it was
    already stopped.

    One person is enough. A second person must ratify within 24 hours, otherwise an alarm is raised.
    An approved run passes its checker as `ratified_by`. The system never lifts a stop by itself.
    """
    with transaction.atomic():
        switch = _locked(code)
        if switch.state != Capability.State.ENABLED:
            return False
        at = clock.now()
        stopped = transition_one(
            switch,
            "stop",
            actor=actor,
            reason=reason,
            version=switch.version + 1,
            since=at,
            stopped_by_id=actor.pk,
            ratified_by=ratified_by,
            ratify_by=None if ratified_by else at + RATIFY_WITHIN,
            review_at=review_at,
        )
        Capability.objects.filter(pk=switch.pk).update(reason=reason)
        if ratified_by is None and actor.pk is not None:
            approvals.ask(
                _subject(stopped),
                stage="ratify",
                content={"stop": code, "version": stopped.version},
                permission="winddown.stop_capability",
                maker=actor,
                reason=reason,
                valid_for=dt.timedelta(days=3650),
            )
        audit.append(
            "capability.stop",
            f"capability:{code}",
            actor=actor,
            reason=reason,
            version=stopped.version,
        )
        return True


def ratify(code: str, *, actor: Actor, reason: str = "", version: int | None = None) -> None:
    """A second person has confirmed the stop."""
    with transaction.atomic():
        switch = _locked(code, version=version)
        digest = approvals.digest_of({"stop": code, "version": switch.version})
        approvals.decide(
            _subject(switch), stage="ratify", actor=actor, digest=digest, reason=reason
        )
        Capability.objects.filter(pk=switch.pk).update(ratified_by=actor, ratify_by=None)
        audit.append(
            "capability.ratify",
            f"capability:{code}",
            actor=actor,
            reason=reason,
            version=switch.version,
        )


def request_restore(code: str, *, actor: Actor, reason: str) -> None:
    """A first person has asked to restart `code`. It stays stopped until a second person agrees.

    Top-up and registration cannot come back once the end of the service is announced (rule 8), and
    nothing comes back after its deadline or its stage of the programme: `GuardNotMet`.
    """
    with transaction.atomic():
        switch = _locked(code)
        _refuse_what_is_over(code)
        switch = transition_one(switch, "request_restore", actor=actor, reason=reason)
        approvals.ask(
            f"{_subject(switch)}:restore",
            stage="restore",
            content={"restore": code, "version": switch.version},
            permission="winddown.restore_capability",
            maker=actor,
            reason=reason,
        )
        audit.append("capability.request_restore", f"capability:{code}", actor=actor, reason=reason)


def restore(code: str, *, actor: Actor, reason: str, version: int | None = None) -> None:
    """`code` works again under a new version, because a second person agreed.

    Raises `GuardNotMet` as the request does: the end of the service may have been announced
    meanwhile.
    """
    with transaction.atomic():
        switch = _locked(code, version=version)
        _refuse_what_is_over(code)
        digest = approvals.digest_of({"restore": code, "version": switch.version})
        approvals.decide(
            f"{_subject(switch)}:restore",
            stage="restore",
            actor=actor,
            digest=digest,
            reason=reason,
        )
        transition_one(
            switch,
            "restore",
            actor=actor,
            reason=reason,
            version=switch.version + 1,
            since=clock.now(),
            stopped_by=None,
            ratified_by=None,
            ratify_by=None,
            review_at=None,
        )
        audit.append(
            "capability.restore",
            f"capability:{code}",
            actor=actor,
            reason=reason,
            version=switch.version + 1,
        )


def keep_stopped(code: str, *, actor: Actor, reason: str, version: int | None = None) -> None:
    """The request to restore `code` is withdrawn, even if it had expired. One person is enough, as
    for a stop.
    """
    with transaction.atomic():
        switch = _locked(code, version=version)
        switch = transition_one(switch, "keep_stopped", actor=actor, reason=reason)
        audit.append(
            "capability.keep_stopped",
            f"capability:{code}",
            actor=actor,
            reason=reason,
            version=switch.version,
        )


def _refuse_what_is_over(code: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ended FROM winddown_end_of(%s, %s)", [code, clock.now()])
        (ended,) = cursor.fetchone()
    if ended is not None:
        raise GuardNotMet(
            action=says("restore {capability}", capability=code),
            why=says("it ended at {at}", at=ended.isoformat()),
        )
    before = (Programme.State.OPERATING, Programme.State.INCIDENT, Programme.State.RESTRICTED)
    announced = Programme.objects.exclude(state__in=before).exists()
    if announced and code.startswith(("top_up:", "register")):
        raise GuardNotMet(
            action=says("restore {capability}", capability=code),
            why=says("the end of the service was announced"),
        )


def asked_about(code: str) -> Approval:
    """Returns the newest request about the switch: to ratify its stop, or to restart it. Raises
    `NothingToDecide` if there is none.
    """
    subject = _subject(Capability.objects.get(code=code))
    asked = Approval.objects.filter(subject__in=(subject, f"{subject}:restore"))
    newest = asked.order_by("-pk").first()
    if newest is None:
        raise NothingToDecide(subject=subject)
    return newest


def _subject(switch: Capability) -> str:
    return f"capability:{switch.code}:{switch.version}"


def probe(code: str) -> Probe:
    """A deliberate attempt on `code` was made, and its result is stored."""
    switch = Capability.objects.get(code=code)
    try:
        with transaction.atomic():
            passed(code)
    except (CapabilityStopped, PastDeadline, NotYetOpen) as refusal:
        return Probe.objects.create(
            capability=switch,
            version=switch.version,
            at=clock.now(),
            refused=True,
            answer=str(refusal),
        )
    return Probe.objects.create(
        capability=switch, version=switch.version, at=clock.now(), refused=False, answer="passed"
    )


def leaks(code: str) -> int:
    """Returns how many movements passed `code` after it was stopped: must be 0."""
    switch = Capability.objects.get(code=code)
    if switch.state == Capability.State.ENABLED:
        return 0
    return passed_since(code, switch.since) or 0


def passed_since(code: str, at: dt.datetime) -> int | None:
    """Returns how many movements passed `code` since the instant; None if nothing counts them."""
    counts = [count for prefix, count in LEAKS.items() if code.startswith(prefix)]
    since = Capability(code=code, since=at)
    return sum(count(since) for count in counts) if counts else None


def overdue(at: dt.datetime) -> tuple[list[str], list[str]]:
    """Returns the switches whose stop should have been ratified by then, and those whose stop was
    due for review.
    """
    stopped = Capability.objects.exclude(state=Capability.State.ENABLED).order_by("code")
    unratified = stopped.filter(ratify_by__lte=at, ratified_by=None)
    unreviewed = stopped.filter(review_at__lte=at)
    return (
        list(unratified.values_list("code", flat=True)),
        list(unreviewed.values_list("code", flat=True)),
    )


def _decided(said: approvals.Decided) -> object:
    """A stop can only be ratified. For a restart, a second person agrees or keeps the switch
    stopped.
    """
    code, _, version = said.key.removesuffix(":restore").rpartition(":")
    if said.stage == "restore":
        verb = restore if said.approve else keep_stopped
    elif said.approve:
        verb = ratify
    else:
        raise GuardNotMet(
            action=says("reject the stop of {capability}", capability=code),
            why=says("ask to restore it instead"),
        )
    return verb(code, actor=said.actor, reason=said.reason, version=int(version))


approvals.DECIDERS.add("capability", _decided)


@approvals.STILL_WAITING.entry("capability")
def _still_waiting(requests: list[Approval]) -> list[Approval]:
    """A stop waits until it is ratified or ends. A restart waits while somebody asks for it."""
    stopped = Capability.objects.exclude(state=Capability.State.ENABLED)
    waiting = {_subject(each) for each in stopped if each.ratified_by_id is None}
    waiting |= {
        f"{_subject(each)}:restore" for each in stopped if each.state == Capability.State.RESTORING
    }
    return [each for each in requests if each.subject in waiting]
