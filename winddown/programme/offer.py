"""What people can still do in the service: switches and deadlines together, as staff and customers
see them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.db import connection
from django.utils.translation import gettext_lazy as _

from winddown import words
from winddown.models import Capability, Milestone, Programme
from winddown.words import Text

# States that a switch itself does not have: a deadline or the stage of the programme ended it, or
# the programme has not come to it yet.
ENDED, LATER = "ended", "later"
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
class Judged:
    """The present state of one capability: that of its switch, or the deadline or the stage of the
    programme that ended it while the switch was on.
    """

    state: str
    since: dt.datetime
    by_stage: bool

    @property
    def on(self) -> bool:
        return self.state == Capability.State.ENABLED

    @property
    def off(self) -> bool:
        return not self.on and self.state != LATER

    @property
    def ended(self) -> bool:
        return self.state == ENDED


@dataclass(frozen=True, slots=True)
class Standing(Judged):
    """The present state of one capability, with its switch and its deadline."""

    switch: Capability
    ends_at: dt.datetime | None


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
    ended: bool = False
    """It does not come back."""


def judged(code: str) -> Judged:
    """Returns the one capability as `winddown_standing` judges it now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, since, by_stage FROM winddown_standing(%s, winddown_now())", [code]
        )
        return Judged(*cursor.fetchone())


def standings(*, at: dt.datetime, deadlines: list[Milestone]) -> list[Standing]:
    """Returns every capability, as `winddown_standing` judges it: by its kind, and the codes of one
    kind as they were declared. The guard of every movement asks the same function.
    """
    ends = {
        "refund_apply"
        if each.kind == Milestone.Kind.REFUND_WINDOW_ENDS
        else each.ends_capability: each.at
        for each in deadlines
    }
    switches = Capability.objects.select_related("stopped_by", "ratified_by").in_bulk(
        field_name="code"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.code, s.state, s.since, s.by_stage"
            " FROM winddown_capability c, winddown_standing(c.code, %s) s",
            [at],
        )
        found = {code: rest for code, *rest in cursor.fetchall()}
    return [
        Standing(state, since, by_stage, switch=switch, ends_at=ends.get(switch.code))
        for switch in sorted(switches.values(), key=_place)
        for state, since, by_stage in [found[switch.code]]
    ]


def _place(switch: Capability) -> tuple[int, int]:
    kind = switch.code.partition(":")[0]
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER), switch.pk


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


def offers(
    programme: Programme, shown: list[Standing], *, deadlines: list[Milestone]
) -> list[Offer]:
    """Returns the capabilities that concern customers; a group in one state is one line."""
    ends = {each.kind: each.at for each in deadlines}
    by_group: dict[str, list[Standing]] = {}
    for standing in shown:
        by_group.setdefault(standing.switch.code.partition(":")[0], []).append(standing)
    lines: list[Offer] = []
    for group in _TOLD:
        members = by_group.get(group, [])
        if group not in _GROUPS or len({member.off for member in members}) > 1:
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
    if standing.on:
        return line
    if standing.state == LATER:
        begins_at = ends.get(Milestone.Kind.REFUND_OPENS)
        return replace(line, state="later", begins_at=begins_at, ends_at=None)
    why = _why(programme, standing)
    return replace(
        line, state="off", since=standing.since, why=why, ends_at=None, ended=standing.ended
    )


def _why(programme: Programme, standing: Standing) -> Text:
    """Returns the public reason. The reason in the journal is for staff only."""
    if standing.ended and standing.switch.code == "refund_apply":
        return _("The time for refund applications is over.")
    if standing.ended:
        return _("The service has reached its end date.")
    if programme.announced_at is not None and standing.since >= programme.announced_at:
        return _("The service is ending.")
    return _("Stopped to protect customers' balances and accounts.")
