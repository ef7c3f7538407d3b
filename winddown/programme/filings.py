"""Filings are written in versions, signed by two people, filed with a receipt, and answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from winddown import clock, locks, texts
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.authority.approvals import Decided
from winddown.errors import GuardNotMet, NothingToDecide, TransitionRefused, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import transition_one
from winddown.models import Approval, Filing, FilingReceipt, FilingVersion, Signature
from winddown.programme import evidence_files, filing_duties, filing_kinds
from winddown.programme.evidence_files import File
from winddown.programme.filing_kinds import KINDS

SUBJECT = "filing"
WRITE = "winddown.write_filing"
APPROVE = "winddown.approve_filing"
FILE = "winddown.file_filing"
# One request after the other, for the signatures that are needed.
STAGES = ("first", "second")
MAKER = Signature.Part.MAKER
# A filing waits until somebody decides about it; what is late is an alarm.
VALID_FOR = dt.timedelta(days=3650)


def write(
    key: str,
    *,
    sections: Mapping[str, str],
    actor: Actor,
    reason: str,
    as_of: dt.datetime | None = None,
) -> FilingVersion:
    """The duty has a new version with these texts, and with the figures as of `as_of`, counted now
    and frozen. Signatures of earlier versions no longer count.

    Raises `GuardNotMet` for a duty that is not there or has ended, for an unknown section, a measure without
    owner or day, and an instant in the future; and `TransitionRefused` once the authority has it.
    """
    require(actor, WRITE, action=f"write {key}")
    action = f"write {key}"
    with transaction.atomic():
        locks.take(Lock.FILINGS)
        duty = filing_duties.find(key)
        if duty is None:
            raise GuardNotMet(action=action, why=_("no clock of such a filing has started"))
        if duty.has_ended:
            raise GuardNotMet(action=action, why=_("the incident was withdrawn: nothing is due"))
        given = _sections(duty.kind, sections, action=action)
        at = clock.now()
        if (as_of or at) > at:
            raise GuardNotMet(action=action, why=_("the instant is in the future"))
        filing = duty.filing or Filing.objects.create(
            kind=duty.kind,
            authority=duty.authority,
            clock_on=duty.clock_on,
            due_on=duty.due_on,
        )
        filing = Filing.objects.select_for_update().get(pk=filing.pk)
        newest = filing.versions.order_by("-number").first()
        if newest is not None and (newest.sections, newest.author_id) == (given, actor.pk):
            audit.refuse_repeated(
                "filing.write", filing.subject, actor=actor, reason=reason, digest=newest.digest
            )
        if filing.state != Filing.State.DRAFT:
            filing = transition_one(filing, "rewrite", actor=actor, reason=reason)
        Filing.objects.filter(pk=filing.pk).update(version=filing.version + 1)
        version = _freeze(filing, given, as_of=as_of or at, at=at, actor=actor)
        audit.append(
            "filing.write",
            f"{SUBJECT}:{filing.pk}:{version.number}",
            actor=actor,
            reason=reason,
            digest=version.digest,
        )
        return version


def _freeze(
    filing: Filing, sections: dict[str, str], *, as_of: dt.datetime, at: dt.datetime, actor: Actor
) -> FilingVersion:
    version = FilingVersion(
        filing=filing,
        number=filing.version + 1,
        as_of=as_of,
        sections=sections,
        figures=filing_kinds.figures_of(filing.kind, as_of=as_of),
        author_id=actor.pk,
        written_at=at,
    )
    version.digest = approvals.digest_of(content_of(version))
    version.save()
    return version


def _sections(kind: str, given: Mapping[str, str], *, action: str) -> dict[str, str]:
    """Returns the text of each section of the kind; an empty one where nothing was given."""
    known = KINDS[kind].sections
    if unknown := [code for code in given if code not in known]:
        raise GuardNotMet(
            action=action,
            why=format_lazy(_("it has no section {named}"), named=", ".join(unknown)),
        )
    for code, section in known.items():
        if section.is_measures:
            try:
                filing_kinds.measures_in(given.get(code, ""))
            except ValueError as error:
                raise GuardNotMet(
                    action=action,
                    why=format_lazy(
                        _("“{line}” is not written as: measure | owner | 2019-10-01"),
                        line=str(error),
                    ),
                ) from error
    return {
        code: "" if texts.is_blank(given.get(code, "")) else given[code].strip() for code in known
    }


def content_of(version: FilingVersion) -> dict[str, Any]:
    """Returns what the approvers sign: all of the version."""
    filing = version.filing
    return {
        "kind": filing.kind,
        "authority": filing.authority,
        "clock_on": filing.clock_on,
        "due_on": filing.due_on,
        "number": version.number,
        # The same text for the same instant, whoever typed it in which zone.
        "as_of": version.as_of.astimezone(dt.UTC),
        "sections": version.sections,
        "figures": version.figures,
    }


def newest_of(filing: Filing) -> FilingVersion:
    """Returns the newest version, which alone can be proposed and filed."""
    return FilingVersion.objects.select_related("filing", "author").get(
        filing=filing, number=filing.version
    )


# --- signed by two ------------------------------------------------------------------------------


def propose(filing: Filing, *, actor: Actor, reason: str) -> FilingVersion:
    """The newest version waits for two people beside its author, who alone proposes it.

    Raises `GuardNotMet` naming the empty sections; in a preliminary report they may be empty.
    """
    action = f"propose filing {filing.pk}"
    with transaction.atomic():
        done = transition_one(filing, "propose", actor=actor, reason=reason)
        version = newest_of(done)
        if version.author_id != actor.pk:
            raise GuardNotMet(action=action, why=_("only the author of the version proposes it"))
        if Signature.objects.filter(subject=done.subject).exclude(part=MAKER).exists():
            raise GuardNotMet(
                action=action, why=_("somebody decided about this version: write a new one")
            )
        kind = KINDS[done.kind]
        empty = [kind.sections[code].title for code, text in version.sections.items() if not text]
        if empty and not kind.is_preliminary:
            raise GuardNotMet(
                action=action,
                why=format_lazy(
                    _("these sections are empty: {named}"), named=", ".join(map(str, empty))
                ),
            )
        _ask(version, stage=STAGES[0], reason=reason)
        audit.append(
            "filing.propose", done.subject, actor=actor, reason=reason, digest=version.digest
        )
        return version


def _ask(version: FilingVersion, *, stage: str, reason: str) -> None:
    """The author asks for the signature of the stage."""
    approvals.ask(
        version.filing.subject,
        stage=stage,
        content=content_of(version),
        permission=APPROVE,
        maker=version.author,
        reason=reason,
        valid_for=VALID_FOR,
    )


def approvers(filing: Filing) -> int:
    """Returns how many have approved the newest version."""
    return Signature.objects.filter(subject=filing.subject, part=Signature.Part.APPROVED).count()


def decide(
    filing: Filing, *, actor: Actor, digest: str, reason: str, approve: bool = True
) -> Filing:
    """One more person agreed to exactly this version; with the second one it is approved. Who does
    not agree makes it a draft again.

    Raises `SamePerson` for the author, and for a second signature of the same person.
    """
    with transaction.atomic():
        locked = Filing.objects.select_for_update().get(pk=filing.pk)
        if locked.state != Filing.State.PROPOSED:
            raise NothingToDecide(subject=locked.subject)
        before = approvers(locked)
        approvals.decide(
            locked.subject,
            stage=STAGES[before],
            actor=actor,
            digest=digest,
            reason=reason,
            approve=approve,
        )
        if not approve:
            locked = transition_one(locked, "refuse", actor=actor, reason=reason)
        elif before + 1 < len(STAGES):
            _ask(newest_of(locked), stage=STAGES[before + 1], reason=reason)
        else:
            locked = transition_one(locked, "approve", actor=actor, reason=reason)
        verdict = "approve" if approve else "refuse"
        audit.append(f"filing.{verdict}", locked.subject, actor=actor, reason=reason, digest=digest)
        return locked


# --- at the authority ---------------------------------------------------------------------------


def file(
    filing: Filing,
    *,
    number: str,
    received_on: dt.date,
    evidence: File,
    actor: Actor,
    reason: str,
) -> FilingReceipt:
    """The authority has the approved version. Its receipt has the number, the day, and the file that
    shows it, which is kept.

    Raises `GuardNotMet` for a day before the version was written or after today, for an empty
    number, and for an empty or too large file.
    """
    action = f"file filing {filing.pk}"
    require(actor, FILE, action=action)
    with transaction.atomic():
        locked = Filing.objects.select_for_update().get(pk=filing.pk)
        version = newest_of(locked)
        written_on = version.written_at.astimezone(filing_duties.zone()).date()
        if not written_on <= received_on <= filing_duties.today():
            raise GuardNotMet(
                action=action,
                why=_("the receipt is not of a day between the version and today"),
            )
        if texts.is_blank(number):
            raise GuardNotMet(action=action, why=_("the receipt needs a number"))
        kept = evidence_files.keep(evidence, action=action)
        if locked.state != Filing.State.APPROVED:
            raise TransitionRefused(
                model="Filing",
                subject=locked.pk,
                source=locked.state,
                transition="file",
                sources=Filing.State.APPROVED,
            )
        receipt = FilingReceipt.objects.create(
            version=version,
            number=number.strip(),
            received_on=received_on,
            evidence=kept,
            filed_by_id=actor.pk,
            filed_at=clock.now(),
        )
        transition_one(locked, "file", actor=actor, reason=reason)
        audit.append(
            "filing.file",
            locked.subject,
            actor=actor,
            reason=reason,
            number=receipt.number,
            received_on=received_on,
            evidence_sha256=receipt.sha256,
        )
        return receipt


def disclose_evidence(receipt: FilingReceipt, *, actor: Actor, reason: str = "") -> File:
    """The audit journal says that `actor` reads the evidence of the receipt, which is returned. A
    second reading is recorded again. Raises `NotPermitted`, and `GuardNotMet` for a receipt from
    before the files were kept.
    """
    require(actor, evidence_files.READ, action="read the evidence")
    if receipt.evidence is None:
        raise GuardNotMet(
            action=says("read the evidence"),
            why=_("the file was not kept here, only its SHA-256"),
        )
    with transaction.atomic():
        audit.append(
            "filing.read_evidence",
            receipt.version.filing.subject,
            actor=actor,
            reason=reason,
            number=receipt.number,
            sha256=receipt.sha256,
        )
    return evidence_files.read(receipt.evidence)


def answer(filing: Filing, *, accepted: bool, actor: Actor, reason: str) -> Filing:
    """The authority accepted the filing, or sent it back, after which a new version is due."""
    with transaction.atomic():
        verb = "accept" if accepted else "give_back"
        done = transition_one(filing, verb, actor=actor, reason=reason)
        audit.append(f"filing.{verb}", done.subject, actor=actor, reason=reason)
        return done


def _decided(said: Decided) -> object:
    number, _sep, version = said.key.partition(":")
    filing = Filing.objects.filter(pk=number).first()
    if filing is None or str(filing.version) != version:
        raise NothingToDecide(subject=f"{SUBJECT}:{said.key}")
    return decide(
        filing, actor=said.actor, digest=said.digest, reason=said.reason, approve=said.approve
    )


approvals.DECIDERS.add(SUBJECT, _decided)


@approvals.STILL_WAITING.entry(SUBJECT)
def _still_waiting(requests: list[Approval]) -> list[Approval]:
    """A version waits while its filing is proposed."""
    waiting = {each.subject for each in Filing.objects.filter(state=Filing.State.PROPOSED)}
    return [each for each in requests if each.subject in waiting]


# --- no longer due ------------------------------------------------------------------------------


def withdraw(filing: Filing, *, actor: Actor, reason: str) -> Filing:
    """Nothing is due any more. Its versions stay, and a request about it waits no longer."""
    with transaction.atomic():
        done = transition_one(filing, "withdraw", actor=actor, reason=reason)
        audit.append("filing.withdraw", done.subject, actor=actor, reason=reason)
        return done
