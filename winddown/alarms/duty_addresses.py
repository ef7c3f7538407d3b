"""Duty addresses: where the people of a role are reached when an alarm sounds."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from winddown import clock, encryption, locks
from winddown.actors import Actor, require
from winddown.alarms import webhook
from winddown.authority.roles import ROLES
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Alarm, DutyAddress
from winddown.resealing import SEALED, Sealed

PERMISSION = "winddown.set_duty_address"
Channel = DutyAddress.Channel
SECRET_MIN = 32
# The code of the alarm about a change, and how long it stands and the earlier address is kept.
CHANGED = "duty_address_changed"
TOLD_FOR = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Target:
    """The unsealed address, and the secret that signs the messages to a webhook."""

    address: str
    secret: str


def set_address(
    *,
    role: str,
    channel: str,
    address: str,
    secret: str = "",
    language: str,
    actor: Actor,
    reason: str,
) -> DutyAddress:
    """The role is reached at the address from now on, in place of its earlier one of the channel,
    which is told of the change (`changed`).

    A webhook needs a secret of `SECRET_MIN` characters, which its receiver knows. Neither address
    nor secret is in the journal. Raises `GuardNotMet` for what cannot be used.
    """
    require(actor, PERMISSION, action="set a duty address")
    shown = _checked(role, channel, address, secret, language)
    target, subject, key = Target(address, secret), _subject(role, channel), uuid.uuid4()
    with transaction.atomic():
        locks.take(Lock.DUTY_ADDRESS)
        before = DutyAddress.objects.filter(role=role, channel=channel, ended_at=None).first()
        # The journal has a part of the address only, which a corrected one may share.
        if before and before.language == language and target_of(before) == target:
            audit.refuse_repeated(
                "duty_address.set", subject, actor=actor, reason=reason, address=shown
            )
        _end(role, channel)
        made = DutyAddress.objects.create(
            key=key,
            role=role,
            channel=channel,
            language=language,
            target_sealed=encryption.seal(json.dumps(asdict(target)).encode(), place=_place(key)),
            shown=shown,
            set_at=clock.now(),
        )
        audit.append("duty_address.set", subject, actor=actor, reason=reason, address=shown)
        return made


def end_address(*, role: str, channel: str, actor: Actor, reason: str) -> None:
    """The role has no address of the channel any more, and the earlier one is told of it. Raises
    `NothingToDecide` if it has none.
    """
    require(actor, PERMISSION, action="end a duty address")
    with transaction.atomic():
        locks.take(Lock.DUTY_ADDRESS)
        if not _end(role, channel):
            raise NothingToDecide(subject=_subject(role, channel))
        audit.append("duty_address.end", _subject(role, channel), actor=actor, reason=reason)


def in_force() -> dict[str, list[DutyAddress]]:
    """Returns the addresses by role. A role without one is not in it."""
    found: dict[str, list[DutyAddress]] = {}
    for each in DutyAddress.objects.filter(ended_at=None).order_by("role", "channel"):
        found.setdefault(each.role, []).append(each)
    return found


def target_of(address: DutyAddress) -> Target:
    """Returns the unsealed address and secret."""
    if address.target_sealed is None:
        raise AssertionError("an ended address is deleted")
    text = encryption.unseal(address.target_sealed, place=_place(address.key))
    return Target(**json.loads(text))


def _end(role: str, channel: str) -> int:
    return DutyAddress.objects.filter(role=role, channel=channel, ended_at=None).update(
        ended_at=clock.now()
    )


# --- who is told that an address was replaced or ended --------------------------------------------


def changed(at: dt.datetime) -> list[DutyAddress]:
    """Returns the newest address of each role and channel that ended within the last day."""
    ended = DutyAddress.objects.filter(ended_at__gt=at - TOLD_FOR, ended_at__lte=at)
    newest = ended.order_by("role", "channel", "-ended_at", "-pk").distinct("role", "channel")
    return list(newest)


def subject_of(address: DutyAddress) -> str:
    """Returns what the journal calls the place of the address."""
    return _subject(address.role, address.channel)


def former(alarm: Alarm) -> list[DutyAddress]:
    """Returns the ended addresses that the alarm is about, while they can still be told. Of other
    alarms there are none.
    """
    if alarm.code != CHANGED:
        return []
    known = DutyAddress.objects.filter(ended_at__isnull=False, target_sealed__isnull=False)
    return [each for each in known.order_by("pk") if subject_of(each) == alarm.subject]


def forget_ended(at: dt.datetime) -> None:
    """The addresses that ended a day ago or earlier are deleted."""
    DutyAddress.objects.filter(ended_at__lte=at - TOLD_FOR, target_sealed__isnull=False).update(
        target_sealed=None
    )


def _checked(role: str, channel: str, address: str, secret: str, language: str) -> str:
    """Returns what may be shown of the address; raises `GuardNotMet`."""
    if (
        role not in ROLES
        or channel not in Channel.values
        or language not in dict(settings.LANGUAGES)
    ):
        raise GuardNotMet(
            action=says("set a duty address"),
            why=says("this role, channel or language does not exist"),
        )
    if channel == Channel.MAIL:
        try:
            # A control character would end the line of its header.
            validate_email(address if address.isascii() and address.isprintable() else "")
        except ValidationError:
            raise GuardNotMet(
                action=says("set a duty address"),
                why=says("a mail address is expected, as duty@example.com"),
            ) from None
        return f"…@{address.rpartition('@')[2]}"
    if len(secret) < SECRET_MIN:
        raise GuardNotMet(
            action=says("set a duty address"),
            why=says(
                "a webhook needs a signing secret of at least {secret_min} characters",
                secret_min=SECRET_MIN,
            ),
        )
    try:
        return str(webhook.check(address).hostname)
    except ValueError as refused:
        raise GuardNotMet(
            action=says("set a duty address"),
            why=says("the address of the webhook: {refused}", refused=refused),
        ) from None


def _subject(role: str, channel: str) -> str:
    return f"duty_address:{role}:{channel}"


def _place(key: uuid.UUID) -> str:
    return f"winddown_dutyaddress/target/{key}"


SEALED.add(
    "duty addresses",
    Sealed(DutyAddress, "target_sealed", place=lambda row: _place(row.key)),
)
