"""Accounts are merged into one person, and taken apart again, by two people."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import transaction

from accounts.models import Person, PersonAccount, PersonMatch
from accounts.persons import counting
from accounts.persons.matching import PERMISSION, signals_of
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Approval

MERGE: Final = "merge_person"
UNDO: Final = "undo_person"
DECIDE_WITHIN: Final = dt.timedelta(days=14)


def ask_merge(match: PersonMatch, *, evidence: str, actor: Actor, reason: str) -> Approval:
    """A second person is asked whether the accounts are one person's. Nothing changes before.

    Raises `GuardNotMet` for a match that somebody said stays apart, for one that would bring such
    accounts together, and for accounts that are one person's already, be it by another match.
    """
    require(actor, PERMISSION, action=f"merge {match}")
    with transaction.atomic():
        locks.take(Lock.PERSONS)
        locked = PersonMatch.objects.get(pk=match.pk)
        _refuse_decided(locked)
        _refuse_together(locked)
        return _ask(
            f"{locked.subject}:merge",
            stage=MERGE,
            content=_content(locked, evidence),
            actor=actor,
            reason=reason,
        )


def keep_apart(match: PersonMatch, *, actor: Actor, reason: str) -> PersonMatch:
    """The accounts are not one person's: the match is not proposed any more. Nothing else changes.

    Raises `GuardNotMet` for a match that is decided, or about which a second person is asked.
    """
    require(actor, PERMISSION, action=f"keep {match} apart")
    with transaction.atomic():
        locks.take(Lock.PERSONS)
        locked = PersonMatch.objects.get(pk=match.pk)
        _refuse_decided(locked)
        asked = approvals.standing(approvals.next_subject(f"{locked.subject}:merge"), stage=MERGE)
        # Nobody can decide about a request that has expired.
        if asked is not None and asked.expires_at > clock.now():
            raise GuardNotMet(action=_APART, why=says("a second person is asked to decide"))
        PersonMatch.objects.filter(pk=locked.pk).update(apart_at=clock.now(), apart_by_id=actor.pk)
        audit.append("person.keep_apart", locked.subject, actor=actor, reason=reason)
    return locked


def ask_undo(person: Person, *, evidence: str, actor: Actor, reason: str) -> Approval:
    """A second person is asked whether the accounts are several people's after all. The person
    stays one before that.

    Raises `GuardNotMet` for a person that is undone, or that a later merge took in: that one is
    undone first.
    """
    require(actor, PERMISSION, action=f"undo {person}")
    with transaction.atomic():
        locks.take(Lock.PERSONS)
        locked = Person.objects.get(pk=person.pk)
        _refuse_buried(locked)
        return _ask(
            f"{locked.subject}:undo",
            stage=UNDO,
            content={"person": locked.pk, "accounts": accounts_of(locked), "evidence": evidence},
            actor=actor,
            reason=reason,
        )


def accounts_of(person: Person) -> list[int]:
    """Returns the accounts that the person was merged of, by their ids."""
    return list(person.accounts.order_by("user_id").values_list("user_id", flat=True))


_MERGE, _APART = says("merge the accounts"), says("keep the accounts apart")


def _ask(stem: str, *, stage: str, content: dict[str, Any], actor: Actor, reason: str) -> Approval:
    subject = approvals.next_subject(stem)
    approvals.refuse_repeated(subject, stage=stage, content=content, maker=actor, reason=reason)
    asked = approvals.ask(
        subject,
        stage=stage,
        content=content,
        permission=PERMISSION,
        maker=actor,
        reason=reason,
        valid_for=DECIDE_WITHIN,
    )
    verb = "ask_merge" if stage == MERGE else "ask_undo"
    audit.append(f"person.{verb}", stem.rpartition(":")[0], actor=actor, reason=reason)
    return asked


def _content(match: PersonMatch, evidence: str) -> dict[str, Any]:
    """Returns what is signed: the accounts, and their signals as they are now."""
    return {
        "match": match.pk,
        "accounts": match.accounts,
        "signals": [str(each) for each in signals_of(match.accounts)],
        "evidence": evidence,
    }


def _refuse_decided(match: PersonMatch) -> None:
    if match.apart_at is not None:
        raise GuardNotMet(action=_MERGE, why=says("somebody found that they stay apart"))
    of_persons = counting.persons_of(match.accounts)
    if len(of_persons) == len(match.accounts) and len(set(of_persons.values())) == 1:
        raise GuardNotMet(action=_MERGE, why=says("they are merged"))


def _refuse_together(match: PersonMatch) -> None:
    """Raises `GuardNotMet` when the person would have accounts that somebody keeps apart, as the match
    names them or through the persons that they are of.
    """
    apart = PersonMatch.objects.filter(
        apart_at__isnull=False, accounts__contained_by=_together(match)
    ).first()
    if apart is not None:
        raise GuardNotMet(
            action=_MERGE, why=says("some of them stay apart by {match}", match=apart)
        )


def _together(match: PersonMatch) -> list[int]:
    """Returns the accounts of the match, and those of the persons that they are of now."""
    persons = set(counting.persons_of(match.accounts).values())
    return sorted({*match.accounts, *counting.accounts_in(persons)})


def _refuse_buried(person: Person) -> None:
    action = says("take the accounts apart")
    if person.undone_at is not None:
        raise GuardNotMet(action=action, why=says("they are apart again"))
    if person.accounts.filter(current=False).exists():
        raise GuardNotMet(
            action=action, why=says("a later merge took this person in: undo that one first")
        )


def _merge_decided(said: approvals.Decided) -> object:
    """After an approval the accounts are one person."""
    number, _sep, _rest = said.key.partition(":")
    with transaction.atomic():
        locks.take(Lock.PERSONS)
        match = PersonMatch.objects.filter(pk=number).first()
        asked = approvals.standing(f"person_match:{said.key}", stage=said.stage)
        if match is None or asked is None:
            raise NothingToDecide(subject=f"person_match:{said.key}")
        if said.approve:
            _refuse_decided(match)
            _refuse_together(match)
            if asked.summary != _content(match, asked.summary["evidence"]):
                raise GuardNotMet(
                    action=_MERGE,
                    why=says("the signals of the accounts have changed: reject it and ask anew"),
                )
        _sign(said)
        if said.approve:
            _merge(match, evidence=asked.summary["evidence"], actor=said.actor)
        verb = "merge" if said.approve else "reject_merge"
        return audit.append(f"person.{verb}", match.subject, actor=said.actor, reason=said.reason)


def _merge(match: PersonMatch, *, evidence: str, actor: Actor) -> None:
    """The accounts, with those of the persons that they were of before, are one person's."""
    accounts = _together(match)
    PersonAccount.objects.filter(current=True, user__in=accounts).update(current=False)
    person = Person.objects.create(
        match=match, evidence=evidence, merged_at=clock.now(), merged_by_id=actor.pk
    )
    PersonAccount.objects.bulk_create(
        PersonAccount(person=person, user_id=account) for account in accounts
    )


def _undo_decided(said: approvals.Decided) -> object:
    """After an approval the accounts stand as before the merge: each alone, or in the person that it
    was of then.
    """
    number, _sep, _rest = said.key.partition(":")
    with transaction.atomic():
        locks.take(Lock.PERSONS)
        person = Person.objects.filter(pk=number).first()
        if person is None:
            raise NothingToDecide(subject=f"person:{said.key}")
        if said.approve:
            _refuse_buried(person)
        _sign(said)
        if said.approve:
            _undo(person, actor=said.actor)
        verb = "undo" if said.approve else "reject_undo"
        return audit.append(f"person.{verb}", person.subject, actor=said.actor, reason=said.reason)


def _undo(person: Person, *, actor: Actor) -> None:
    accounts = accounts_of(person)
    person.accounts.update(current=False)
    Person.objects.filter(pk=person.pk).update(undone_at=clock.now(), undone_by_id=actor.pk)
    # A merge takes in whole persons, so of each account the newest that is left is the one before.
    left = PersonAccount.objects.filter(user__in=accounts, person__undone_at=None)
    newest = left.order_by("user", "-person").distinct("user").values_list("pk", flat=True)
    PersonAccount.objects.filter(pk__in=list(newest)).update(current=True)


def _sign(said: approvals.Decided) -> None:
    kind = "person_match" if said.stage == MERGE else "person"
    approvals.decide(
        f"{kind}:{said.key}",
        stage=said.stage,
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS.add("person_match", _merge_decided)
approvals.DECIDERS.add("person", _undo_decided)
