"""The programme begins from a set-up file; what a later file changes waits for a second person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from winddown import clock, locks
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.errors import NothingToDecide, WinddownError
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Approval, Programme
from winddown.set_up import reading
from winddown.set_up.reading import NotUnderstood
from winddown.set_up.sections import SECTIONS, Problem, Row, Rows, Section

KIND = "set_up"
STAGE = "change"
PERMISSION = "winddown.change_set_up"


class NothingChanges(WinddownError):
    """The file says what is in force already. Nothing has changed."""

    exit_code = 0


class BegunAlready(WinddownError):
    """The programme {name} has begun in this database: name the person who changes it by --by."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that a file changes. `was` is None where nothing was before."""

    place: str
    was: Any
    will_be: Any

    def __str__(self) -> str:
        if self.was is None:
            return f"{self.place}: {self.will_be}"
        return f"{self.place}: {self.was} -> {self.will_be}"


def has_begun() -> bool:
    """Returns whether this database has its programme."""
    return Programme.objects.exists()


def begin(
    rows: Rows, *, reason: str, rehearsal: bool = False, at: dt.datetime | None = None
) -> list[str]:
    """The programme exists as the file says, with its switches, issuers, limits and first people.

    With `rehearsal` the database is a rehearsal from now on, for good, and its time begins at `at`
    (now by default). Returns what comes next, in sentences. Nobody has an account before, so the
    audit entry names the terminal and no person. Raises `BegunAlready` at a second call, and
    `NotUnderstood` for too few tables.
    """
    missing = [
        Problem(name, f"{section.rows_min} tables are expected, or more")
        for name, section in SECTIONS.items()
        if len(rows[name]) < section.rows_min
    ]
    if missing:
        raise NotUnderstood(missing)
    with transaction.atomic():
        locks.take(Lock.SET_UP)
        present = Programme.objects.first()
        if present is not None:
            raise BegunAlready(name=present.name)
        if rehearsal:
            clock.mark_as_rehearsal()
        if at is not None:
            clock.travel(at)
        said = _adopt(rows, actor=SYSTEM, reason=reason)
        audit.append(
            "set_up.begin",
            "programme",
            actor=SYSTEM,
            reason=reason,
            content=approvals.digest_of(rows),
            rehearsal=rehearsal,
        )
        return said


def owed(rows: Rows) -> list[str]:
    """What the beginning still owes is done, such as a new link for somebody whose first one is too
    old. Returns sentences about it.
    """
    with transaction.atomic():
        locks.take(Lock.SET_UP)
        said = [
            sentence for name, section in SECTIONS.items() for sentence in section.again(rows[name])
        ]
        if said:
            audit.append("set_up.again", "programme", actor=SYSTEM, sentences=len(said))
        return said


def changes(rows: Rows) -> list[Change]:
    """Returns what the file changes of what is in force. A key that it leaves out stays.

    Raises `NotUnderstood` if it changes what is fixed at the beginning.
    """
    found = list(_changes(rows))
    fixed = [
        Problem(each.place, f"it is {each.was} since the beginning and cannot change")
        for each in found
        if each.was is not None and _is_fixed(each.place)
    ]
    if fixed:
        raise NotUnderstood(fixed)
    return found


def ask(rows: Rows, *, actor: Actor, reason: str) -> Approval:
    """The changes of the file wait for a second person. Until then nothing changes.

    Raises `NothingChanges` if the file says what is in force, and `NotPermitted`.
    """
    require(actor, PERMISSION, action="change the set-up")
    with transaction.atomic():
        locks.take(Lock.SET_UP)
        if not changes(rows):
            raise NothingChanges
        for each in waiting():
            key = each.subject.partition(":")[2]
            approvals.refuse_repeated(
                each.subject,
                stage=STAGE,
                content=_signed(key, rows).content(),
                maker=actor,
                reason=reason,
            )
        number = Approval.objects.filter(subject__startswith=f"{KIND}:").count() + 1
        asked = _signed(str(number), rows).ask(maker=actor, reason=reason)
        audit.append("set_up.ask", asked.subject, actor=actor, reason=reason)
        return asked


def waiting() -> list[Approval]:
    """Returns the changes that wait for a second person, the oldest first."""
    return [each for each in approvals.open_requests() if each.subject.startswith(f"{KIND}:")]


def is_overtaken(asked: Approval) -> bool:
    """Returns whether the request would change something else now than when it was made. Then it can
    only be rejected.
    """
    key = asked.subject.partition(":")[2]
    try:
        return _signed(key, reading.rows_of(asked.summary["rows"])).digest() != asked.digest
    except NotUnderstood:
        return True


def decide(key: str, *, actor: Actor, digest: str, reason: str, approve: bool) -> None:
    """The changes that were asked for are in force, or rejected.

    Raises what `approvals.decide` raises, and for an approval `PlanChanged` if something else
    changed the set-up meanwhile.
    """
    with transaction.atomic():
        locks.take(Lock.SET_UP)
        asked = Approval.objects.filter(subject=f"{KIND}:{key}").first()
        if asked is None:
            raise NothingToDecide(subject=f"{KIND}:{key}")
        if approve:
            rows = reading.rows_of(asked.summary["rows"])
            _signed(key, rows).decide(actor=actor, digest=digest, reason=reason)
            _adopt(rows, actor=actor, reason=reason)
        else:
            # What was asked for may no longer fit to what is in force.
            approvals.decide(
                asked.subject,
                stage=STAGE,
                actor=actor,
                digest=digest,
                reason=reason,
                approve=False,
            )
        verdict = "adopt" if approve else "reject"
        audit.append(f"set_up.{verdict}", asked.subject, actor=actor, reason=reason)


def _adopt(rows: Rows, *, actor: Actor, reason: str) -> list[str]:
    """What the rows change is in force; returns what comes next, in sentences."""
    begun = has_begun()
    said: list[str] = []
    for name, section in SECTIONS.items():
        changed = rows[name]
        if begun:
            in_force = _in_force(section)
            changed = [row for row in rows[name] if list(_of_row(name, section, row, in_force))]
        if changed:
            said += section.adopt(changed, actor, reason)
    return said


def _signed(key: str, rows: Rows) -> approvals.SignedList:
    return approvals.SignedList(
        subject=f"{KIND}:{key}",
        stage=STAGE,
        permission=PERMISSION,
        content=lambda: {
            "changes": [str(each) for each in changes(rows)],
            "rows": {
                name: [dict(row) for row in rows[name]] if section.named_by else dict(rows[name][0])
                for name, section in SECTIONS.items()
                if rows[name] and section.present is not None
            },
        },
    )


def _changes(rows: Rows) -> Iterator[Change]:
    for name, section in SECTIONS.items():
        in_force = _in_force(section)
        for row in rows[name]:
            yield from _of_row(name, section, row, in_force)


def _in_force(section: Section) -> dict[Any, Row]:
    """Returns the rows that are in force, by their names; a single table by None."""
    rows = section.present() if section.present is not None else ()
    return {row.get(section.named_by): row for row in rows}


def _of_row(name: str, section: Section, row: Row, in_force: Mapping[Any, Row]) -> Iterator[Change]:
    if section.present is None:
        return
    named = row.get(section.named_by)
    place = f"{name}.{named}" if named is not None else name
    before = in_force.get(named, {})
    for key, value in row.items():
        if before.get(key) != value:
            yield Change(f"{place}.{key}", before.get(key), value)


def _is_fixed(place: str) -> bool:
    name, _, rest = place.partition(".")
    return rest.rpartition(".")[2] in SECTIONS[name].fixed


def _decided(said: approvals.Decided) -> None:
    decide(
        said.key,
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS.add(KIND, _decided)
