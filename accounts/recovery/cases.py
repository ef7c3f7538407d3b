"""Assisted recovery. A person without a channel opens a case, support works on it, and a second
member of staff decides.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import DatabaseError, IntegrityError, transaction

from accounts import access_events, addresses, outbox, person_keys
from accounts.addresses import Address
from accounts.errors import AddressTaken
from accounts.models import (
    AccessRequest,
    Message,
    OneTimeLink,
    ProofStep,
    RecoveryCase,
    User,
)
from accounts.models.recovery_case import PROOFS_MIN
from accounts.recovery import access_requests, links
from winddown import clock, locks
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted, SamePerson, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import transition_one
from winddown.personal_data import HOUSE, DataClass
from winddown.sqlstates import SqlState, sqlstate_of

State = RecoveryCase.State
Answer = AccessRequest.Answer
STAGE = "decide"
WORK, DECIDE = "accounts.work_recovery_case", "accounts.decide_recovery_case"
DECIDE_WITHIN = dt.timedelta(days=7)
# It has no letters and digits that people confuse.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Contact:
    """The person's text: who they are, where they can be reached now, what happened."""

    name: str
    account: str
    address: str
    story: str

    def __repr__(self) -> str:
        return "Contact(...)"


def open_case(
    contact: Contact, *, address: Address, language: str, network: str | None
) -> RecoveryCase:
    """A case waits for support. The person asks for it later by `reference`.

    No account is looked up, so the person who writes learns nothing about any account. The same
    form, sent twice from one network within ten minutes, is one case.
    """
    key = uuid.uuid4()
    with transaction.atomic():
        locks.take(Lock.CASE_FORM, key=int(address.fingerprint[:7], 16))
        if (twin := _twin(contact, address=address, network=network)) is not None:
            return twin
        case = RecoveryCase.objects.create(
            key=key,
            reference=_reference(),
            contact_sealed=person_keys.seal(
                json.dumps(asdict(contact)).encode(),
                place=case_place(key),
                person_id=HOUSE,
                data_class=DataClass.CONTACT,
            ),
            contact_channel=address.channel,
            contact_mask=address.mask,
            contact_fingerprint=address.fingerprint,
            language=language,
            network=network,
            opened_at=clock.now(),
        )
        audit.append("recovery.open", case.subject, actor=SYSTEM)
        return case


def _twin(contact: Contact, *, address: Address, network: str | None) -> RecoveryCase | None:
    """Returns the case that the same form opened a short while ago."""
    recent = RecoveryCase.objects.filter(
        state=State.OPENED,
        contact_fingerprint=address.fingerprint,
        network=network,
        opened_at__gt=clock.now() - access_requests.SAME_FORM_WITHIN,
    )
    return next((case for case in recent if _contact(case) == contact), None)


def _reference() -> str:
    letters = [secrets.choice(_ALPHABET) for _ in range(12)]
    return "-".join("".join(letters[at : at + 4]) for at in (0, 4, 8))


def of_reference(typed: str) -> RecoveryCase | None:
    """Returns the case that has the reference. Case and the marks between its groups do not matter."""
    text = "".join(letter for letter in typed.upper() if letter in _ALPHABET)
    grouped = "-".join(text[at : at + 4] for at in range(0, len(text), 4))
    return RecoveryCase.objects.filter(reference=grouped).first()


def disclose_contact(case: RecoveryCase, *, actor: Actor, reason: str) -> Contact:
    """Returns the person's text in full. The audit journal says that `actor` read it, and why."""
    if not (actor.has_perm(WORK) or actor.has_perm(DECIDE)):
        raise NotPermitted(actor=actor.pk, action=f"read {case}", permission=WORK)
    with transaction.atomic():
        audit.append("recovery.read_contact", case.subject, actor=actor, reason=reason)
        return _contact(case)


def _contact(case: RecoveryCase) -> Contact:
    sealed = person_keys.unseal(
        case.contact_sealed,
        place=case_place(case.key),
        person_id=HOUSE,
        data_class=DataClass.CONTACT,
    )
    return Contact(**json.loads(sealed))


def _address(case: RecoveryCase) -> Address:
    found = addresses.understood(_contact(case).address)
    if found is None:
        raise AssertionError("the form took nothing else")
    return found


def case_place(key: uuid.UUID) -> str:
    return f"accounts_recoverycase/contact/{key}"


# --- support ------------------------------------------------------------------------------------


def take(case: RecoveryCase, *, actor: Actor, reason: str) -> RecoveryCase:
    """Support gathers proofs."""
    with transaction.atomic():
        taken = transition_one(case, "take", actor=actor, reason=reason)
        audit.append("recovery.take", case.subject, actor=actor, reason=reason)
        return taken


def add_proof(case: RecoveryCase, *, kind: str, note: str, actor: Actor) -> ProofStep:
    """The case has one more kind of proof. Raises `GuardNotMet` for a kind that it has already, or
    when it is not collecting.
    """
    require(actor, WORK, action=f"add a proof to {case}")
    try:
        with transaction.atomic():
            proof = ProofStep.objects.create(
                case=case, kind=kind, note=note, recorded_by_id=actor.pk, recorded_at=clock.now()
            )
            audit.append("recovery.proof", case.subject, actor=actor, reason=note, kind=kind)
            return proof
    except IntegrityError as refusal:
        raise GuardNotMet(
            action=says("add {kind}", kind=kind), why=says("the case has it already")
        ) from refusal
    except DatabaseError as refusal:
        if sqlstate_of(refusal) == SqlState.CASE_REFUSED:
            raise GuardNotMet(
                action=says("add {kind}", kind=kind), why=says("the case is not collecting")
            ) from refusal
        raise


def propose(
    case: RecoveryCase,
    *,
    account: str,
    actor: Actor,
    reason: str,
    second_factor_lost: bool = False,
) -> RecoveryCase:
    """A second person is asked to let the account, named by login id or reference, have the channel
    and, with `second_factor_lost`, to take its second factors away.

    Asked again while it is proposed, the request is renewed. Raises `AskedAlready` for a form that
    was sent twice, and `GuardNotMet`, naming what is missing.
    """
    require(actor, WORK, action=f"propose {case}")
    with transaction.atomic():
        case = RecoveryCase.objects.select_for_update(of=("self",)).get(pk=case.pk)
        if case.state == State.PROPOSED:
            approvals.refuse_repeated(
                case.subject, stage=STAGE, content=content(case), maker=actor, reason=reason
            )
        else:
            owner = _owner(account)
            _refuse_proposal(case, owner, second_factor_lost=second_factor_lost)
            case = transition_one(
                case,
                "propose",
                actor=actor,
                reason=reason,
                account=owner,
                second_factor_lost=second_factor_lost,
            )
        approvals.ask(
            case.subject,
            stage=STAGE,
            content=content(case),
            permission=DECIDE,
            maker=actor,
            reason=reason,
            valid_for=DECIDE_WITHIN,
        )
        audit.append("recovery.propose", case.subject, actor=actor, reason=reason)
        return case


def _owner(account: str) -> User:
    typed = account.strip()
    customers = User.objects.customers()
    found = customers.named(typed).first() or customers.filter(account_ref=typed).first()
    if found is None:
        raise GuardNotMet(
            action=says("propose"), why=says("no customer has this login ID or reference")
        )
    return found


def _refuse_proposal(case: RecoveryCase, owner: User, *, second_factor_lost: bool) -> None:
    def refuse(why: str) -> GuardNotMet:
        return GuardNotMet(action=says("propose"), why=why)

    kinds = case.proofs.values("kind").distinct().count()
    if kinds < PROOFS_MIN:
        raise refuse(
            says(
                "{kinds} kinds of proof of at least {proofs_min}",
                kinds=kinds,
                proofs_min=PROOFS_MIN,
            )
        )
    if second_factor_lost and not Authenticator.objects.filter(user_id=owner.pk).exists():
        raise refuse(says("the account has no second factor that could be lost"))
    address = _address(case)
    if not second_factor_lost and _is_channel_of(owner, address):
        raise refuse(says("this is the account's verified channel: a plain reset works"))
    if addresses.accounts_at(address).exclude(pk=owner.pk).exists():
        raise refuse(says("another account has this address"))
    waiting = RecoveryCase.objects.filter(account=owner, state__in=RecoveryCase.UNDER_DECISION)
    if waiting.exclude(pk=case.pk).exists():
        raise refuse(says("another case of this account is under decision"))


def _is_channel_of(user: User, address: Address) -> bool:
    return addresses.still_at(user, channel=address.channel, fingerprint=address.fingerprint)


def content(case: RecoveryCase) -> dict[str, Any]:
    """Returns the content that the second person signs: the account, the channel, whether its
    second factors are removed, and the proofs.
    """
    return {
        "case": case.pk,
        "account": case.account_id,
        "channel": case.contact_channel,
        "contact": case.contact_fingerprint,
        "second_factor_lost": case.second_factor_lost,
        "proofs": [
            {"kind": proof.kind, "by": proof.recorded_by_id, "note": proof.note}
            for proof in case.proofs.order_by("pk")
        ],
    }


def decline(case: RecoveryCase, *, code: str, actor: Actor, reason: str) -> RecoveryCase:
    """The case ends without a decision. The person is told the code's words."""
    return _end(case, "decline", code=code, actor=actor, reason=reason)


# --- the second person --------------------------------------------------------------------------


def decide(
    case: RecoveryCase, *, actor: Actor, digest: str, reason: str, approve: bool
) -> RecoveryCase:
    """The proposal is approved or rejected by somebody who had no part in it.

    Raises the errors of `approvals.decide`. A person who recorded a proof also gets `SamePerson`.
    """
    with transaction.atomic():
        case = RecoveryCase.objects.select_for_update(of=("self",)).get(pk=case.pk)
        numbers = case.proofs.values_list("recorded_by__staff_number", flat=True)
        if actor.staff_number in set(numbers):
            raise SamePerson(actor=actor.pk, subject=case.subject, part="recorder of a proof")
        approvals.decide(
            case.subject, stage=STAGE, actor=actor, digest=digest, reason=reason, approve=approve
        )
        if not approve:
            code = RecoveryCase.Rejection.NOT_PROVED
            return _end(case, "reject", code=code, actor=actor, reason=reason)
        case = transition_one(case, "approve", actor=actor, reason=reason, decided_at=clock.now())
        outbox.queue(
            Message.Kind.CASE_APPROVED,
            to=_address(case),
            language=case.language,
            reference=case.reference,
        )
        audit.append("recovery.approve", case.subject, actor=actor, reason=reason)
        return case


def revoke(case: RecoveryCase, *, code: str, actor: Actor, reason: str) -> RecoveryCase:
    """An approval that was not used yet is taken back."""
    return _end(case, "revoke", code=code, actor=actor, reason=reason)


def _end(case: RecoveryCase, name: str, *, code: str, actor: Actor, reason: str) -> RecoveryCase:
    with transaction.atomic():
        ended = transition_one(
            case, name, actor=actor, reason=reason, rejection=code, decided_at=clock.now()
        )
        outbox.queue(
            Message.Kind.CASE_REJECTED,
            to=_address(ended),
            language=ended.language,
            reference=ended.reference,
            rejection=code,
        )
        audit.append(f"recovery.{name}", case.subject, actor=actor, reason=reason, code=code)
        return ended


def _decided(said: approvals.Decided) -> object:
    return decide(
        RecoveryCase.objects.get(pk=int(said.key)),
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS.add("recovery_case", _decided)


# --- the person again ---------------------------------------------------------------------------


def answer(request: AccessRequest, typed: str) -> AccessRequest.Answer:
    """The new channel of an approved case is sent a link. For any other case nothing is sent."""
    case = of_reference(typed)
    if case is None or case.state != State.APPROVED or case.account is None:
        return Answer.NOBODY
    if links.too_many(case.account):
        return Answer.TOO_MANY
    address = _address(case)
    link = links.issue(
        OneTimeLink.Purpose.CASE, address=address, user=case.account, request=request, case=case
    )
    outbox.queue(
        Message.Kind.CASE_LINK, to=address, language=request.language, user=case.account, link=link
    )
    return Answer.LINKS


def complete(case: RecoveryCase, *, user: User) -> None:
    """The account has the channel that the link proved, and its lost second factors are removed.
    The old channels are sent a notice.

    It runs in the transaction in which the link is used. `channel_changed_at` delays payments for a
    day (rule 57). Raises `AddressTaken` when another account got the address meanwhile.
    """
    address = _address(case)
    addresses.take(address)
    if addresses.accounts_at(address).exclude(pk=user.pk).exists():
        raise AddressTaken
    channels = (addresses.EMAIL, addresses.PHONE)
    old = [found for each in channels if (found := addresses.stored(user, each))]
    at = clock.now()
    # The account's other channel was not proved anew. It no longer opens the account.
    others = (
        {} if _is_channel_of(user, address) else {f"{_other(address.channel)}_verified_at": None}
    )
    User.objects.filter(pk=user.pk).update(
        **{address.channel: address.sent_to, f"{address.channel}_verified_at": at},
        **others,
        channel_changed_at=at,
    )
    if case.second_factor_lost:
        Authenticator.objects.filter(user_id=user.pk).delete()
    transition_one(case, "complete", actor=SYSTEM, completed_at=at)
    audit.append(
        "recovery.complete",
        case.subject,
        actor=SYSTEM,
        second_factor_removed=case.second_factor_lost,
    )
    user.refresh_from_db()
    tell = partial(access_events.tell, user, actor=SYSTEM, language=case.language)
    if others:
        to = [each for each in old if each != address]
        tell("address_changed", to=to)
    if case.second_factor_lost:
        tell("factor_removed", to=old)


def _other(channel: str) -> str:
    return addresses.PHONE if channel == addresses.EMAIL else addresses.EMAIL


access_requests.ANSWERS.add(AccessRequest.Purpose.CASE, answer)
