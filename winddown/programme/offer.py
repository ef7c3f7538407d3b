"""What people can still do in the service: switches and deadlines together, as staff and customers
see them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy as _

from winddown import words
from winddown.models import Capability, Milestone, Programme
from winddown.words import Text

ON = Capability.State.ENABLED
# A deadline has passed while the switch was on; no state of a switch.
ENDED = "ended"
_ORDER = (
    "register",
    "top_up",
    "spend",
    "transfer",
    "withdraw",
    "login_password",
    "login_external",
    "refund_apply",
    "payout",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """The present state of one capability: its switch, or the deadline that ended it while the
    switch was on.
    """

    switch: Capability
    state: str
    since: dt.datetime
    ends_at: dt.datetime | None

    @property
    def on(self) -> bool:
        return self.state == ON

    @property
    def by_deadline(self) -> bool:
        return self.state == ENDED


@dataclass(frozen=True, slots=True)
class Offer:
    """One line for customers: the name, whether it works (on, off, later), since when it is off and
    why, from and until when it works.
    """

    code: str
    title: Text
    state: str
    since: dt.datetime | None
    why: Text
    begins_at: dt.datetime | None
    ends_at: dt.datetime | None


def standings(*, at: dt.datetime, deadlines: list[Milestone]) -> list[Standing]:
    """Returns every capability: by its kind, and the codes of one kind as they were declared."""
    ends = {each.ends_capability: each for each in deadlines if each.ends_capability}
    switches = Capability.objects.select_related("stopped_by", "ratified_by")
    return [
        _standing(switch, ends.get(switch.code), at=at) for switch in sorted(switches, key=_place)
    ]


def _place(switch: Capability) -> tuple[int, int]:
    kind = switch.code.partition(":")[0]
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER), switch.pk


def _standing(switch: Capability, end: Milestone | None, *, at: dt.datetime) -> Standing:
    ends_at = end.at if end else None
    # The request path checks the deadline itself, so the switch may still be on.
    if switch.state == Capability.State.ENABLED and ends_at is not None and ends_at <= at:
        return Standing(switch=switch, state=ENDED, since=ends_at, ends_at=ends_at)
    return Standing(switch=switch, state=switch.state, since=switch.since, ends_at=ends_at)


_GROUPS: dict[str, Text] = {
    "top_up": _("Top-up (charge)"),
    "login_external": _("Sign-in with another service"),
}
# The capabilities shown to customers, the most asked first. The others are internal switches.
_TOLD = (
    "spend",
    "top_up",
    "refund_apply",
    "login_password",
    "login_external",
    "register",
    "transfer",
    "withdraw",
)


# In these stages wallets close and nothing in them moves, whatever the switches say.
_OVER = (
    Programme.State.CLOSING,
    Programme.State.CLOSED,
    Programme.State.BALANCE_FIXED,
    Programme.State.REFUNDING,
    Programme.State.REFUND_CLOSED,
    Programme.State.SETTLING,
    Programme.State.COMPLETED,
    Programme.State.REPORTED,
)
_OF_THE_WALLET = ("spend", "top_up", "transfer", "withdraw", "register")


def offers(
    programme: Programme, shown: list[Standing], *, at: dt.datetime, deadlines: list[Milestone]
) -> list[Offer]:
    """Returns the capabilities that concern customers; a group in one state is one line."""
    ends = {each.kind: each.at for each in deadlines}
    by_group: dict[str, list[Standing]] = {}
    for standing in shown:
        by_group.setdefault(standing.switch.code.partition(":")[0], []).append(standing)
    lines: list[Offer] = []
    for group in _TOLD:
        members = by_group.get(group, [])
        if group == "refund_apply":
            lines += [_refund(programme, member, at=at, ends=ends) for member in members]
        elif group not in _GROUPS or len({member.on for member in members}) > 1:
            lines += [_offer(programme, member, ends=ends) for member in members]
        elif members:
            # The whole group stopped when its last switch stopped.
            latest = max(members, key=lambda member: member.since)
            lines.append(_offer(programme, latest, ends=ends, title=_GROUPS[group]))
    # Pages do not mention a refund before it is announced.
    return [line for line in lines if line.state != "later" or ends]


def _offer(
    programme: Programme, standing: Standing, *, ends: dict[str, dt.datetime], title: Text = ""
) -> Offer:
    code = standing.switch.code
    line = Offer(
        code=code,
        title=title or words.capability_title(code),
        state="on",
        since=None,
        why="",
        begins_at=None,
        ends_at=standing.ends_at,
    )
    over = programme.state in _OVER and code.partition(":")[0] in _OF_THE_WALLET
    if standing.on and not over:
        return line
    since = ends.get("spend_ends", standing.since) if standing.on else standing.since
    why = _("The service has reached its end date.") if standing.on else _why(programme, standing)
    return replace(line, state="off", since=since, why=why, ends_at=None)


def _refund(
    programme: Programme, standing: Standing, *, at: dt.datetime, ends: dict[str, dt.datetime]
) -> Offer:
    """Applications are open while the programme refunds, until the end of the window."""
    window_ends_at = ends.get("refund_window_ends")
    line = replace(
        _offer(programme, standing, ends=ends), ends_at=window_ends_at if standing.on else None
    )
    if window_ends_at is not None and window_ends_at <= at:
        why = _("The time for refund applications is over.")
        return replace(line, state="off", since=window_ends_at, why=why, ends_at=None)
    if programme.state == Programme.State.REFUNDING or not standing.on:
        return line
    return replace(line, state="later", begins_at=ends.get("refund_opens"), ends_at=None)


def _why(programme: Programme, standing: Standing) -> Text:
    """Returns the public reason. The reason in the journal is for staff only."""
    if standing.state == ENDED:
        return _("The service has reached its end date.")
    if programme.announced_at is not None and standing.since >= programme.announced_at:
        return _("The service is ending.")
    return _("Stopped to protect customers' balances and accounts.")
