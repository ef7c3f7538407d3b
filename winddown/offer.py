"""What the service still lets people do: switches and deadlines together, as staff and customers
are shown them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from winddown import capabilities, words
from winddown.models import Capability, Milestone, Programme
from winddown.words import Text

ON, ENDED = "enabled", "ended"
_ORDER = {code: place for place, code in enumerate(capabilities.ALL)}


@dataclass(frozen=True, slots=True)
class Standing:
    """One capability as it stands: the switch, or the deadline that ended it while the switch was
    on.
    """

    switch: Capability
    state: str
    since: dt.datetime
    ends_at: dt.datetime | None

    @property
    def on(self) -> bool:
        return self.state == ON


@dataclass(frozen=True, slots=True)
class Offer:
    """One line for customers: what it is, whether it works (on, off, later), since when not and
    why, from and until when.
    """

    code: str
    title: Text
    state: str
    since: dt.datetime | None
    why: Text
    begins_at: dt.datetime | None
    ends_at: dt.datetime | None


def standings(*, at: dt.datetime, deadlines: list[Milestone]) -> list[Standing]:
    """Every capability in the order of `capabilities.ALL`."""
    ends = {each.ends_capability: each for each in deadlines if each.ends_capability}
    switches = Capability.objects.select_related("stopped_by", "ratified_by")
    return [
        _standing(switch, ends.get(switch.code), at=at)
        for switch in sorted(switches, key=lambda each: _ORDER.get(each.code, len(_ORDER)))
    ]


def _standing(switch: Capability, end: Milestone | None, *, at: dt.datetime) -> Standing:
    ends_at = end.at if end else None
    # The request path compares with the deadline by itself, so the switch may well be on.
    if switch.state == Capability.State.ENABLED and ends_at is not None and ends_at <= at:
        return Standing(switch=switch, state=ENDED, since=ends_at, ends_at=ends_at)
    return Standing(switch=switch, state=switch.state, since=switch.since, ends_at=ends_at)


_GROUPS: dict[str, Text] = {
    "top_up": _("Top-up (charge)"),
    "login_external": _("Sign-in with another service"),
}
# What customers are told, in the order of what they ask first; the rest are the operator's own
# switches.
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


def offers(
    programme: Programme, shown: list[Standing], *, at: dt.datetime, deadlines: list[Milestone]
) -> list[Offer]:
    """The capabilities that concern customers; a group that stands in one state is one line."""
    opens = next((each.at for each in deadlines if each.kind == Milestone.Kind.REFUND_OPENS), None)
    by_group: dict[str, list[Standing]] = {}
    for standing in shown:
        by_group.setdefault(standing.switch.code.partition(":")[0], []).append(standing)
    lines: list[Offer] = []
    for group in _TOLD:
        members = by_group.get(group, [])
        if group == "refund_apply" and (opens is None or opens > at):
            lines += [_later(member, opens) for member in members if opens is not None]
        elif group not in _GROUPS or len({member.on for member in members}) > 1:
            lines += [_offer(programme, member) for member in members]
        elif members:
            # The last of them to stop is when the whole of it stopped.
            latest = max(members, key=lambda member: member.since)
            lines.append(_offer(programme, latest, title=_GROUPS[group]))
    return lines


def _later(standing: Standing, begins_at: dt.datetime) -> Offer:
    code = standing.switch.code
    return Offer(
        code=code,
        title=words.capability_title(code),
        state="later",
        since=None,
        why="",
        begins_at=begins_at,
        ends_at=standing.ends_at,
    )


def _offer(programme: Programme, standing: Standing, *, title: Text = "") -> Offer:
    return Offer(
        code=standing.switch.code,
        title=title or words.capability_title(standing.switch.code),
        state="on" if standing.on else "off",
        since=None if standing.on else standing.since,
        why="" if standing.on else _why(programme, standing),
        begins_at=None,
        ends_at=standing.ends_at if standing.on else None,
    )


def _why(programme: Programme, standing: Standing) -> Text:
    """The public reason. What staff wrote into the journal is for staff."""
    if standing.state == ENDED:
        return _("The service has reached its end date.")
    if programme.announced_at is not None and standing.since >= programme.announced_at:
        return _("The service is ending.")
    return _("Stopped to protect customers' balances and accounts.")
