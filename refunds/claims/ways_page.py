"""The page of the ways in: how many came in by each way, what the logs say, and where they have gaps."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import AuthEvent, LogCoverage
from refunds.claims import log_export, ways_in
from refunds.claims.desk_acts import DESK
from refunds.claims.ways_in import LOGS, Said
from refunds.models import LogExport, WayIn
from winddown import clock
from winddown.actors import Actor
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

ROWS_SHOWN: Final = 100
EVENTS_SHOWN: Final = 200
WAYS: Final[dict[str, Text]] = {
    WayIn.Way.PROVIDER: _("By the login of a provider"),
    WayIn.Way.CONTACT_CHANGE: _("After a change of address or number"),
    WayIn.Way.RESET: _("After a password reset"),
    WayIn.Way.LINK: _("After a link was opened"),
    WayIn.Way.GUESSED: _("By password, after wrong ones"),
    WayIn.Way.TOKEN: _("By a token, without a sign-in"),
    WayIn.Way.PASSKEY: _("By a passkey"),
    WayIn.Way.PASSWORD: _("By password, with no wrong one found"),
    WayIn.Way.NOT_FOUND: _("No sign-in found"),
}
EVENTS: Final[dict[str, Text]] = {
    AuthEvent.Event.SIGN_IN: pgettext_lazy("log", "Sign-ins"),
    AuthEvent.Event.RESET: pgettext_lazy("log", "Password resets"),
    AuthEvent.Event.REMINDER: pgettext_lazy("log", "Reminders"),
    AuthEvent.Event.LINK: pgettext_lazy("log", "Links opened"),
    AuthEvent.Event.TOKEN: pgettext_lazy("log", "Tokens used"),
    AuthEvent.Event.CONTACT_CHANGE: pgettext_lazy("log", "Changes of address or number"),
}
OUTCOMES: Final[dict[str, Text]] = {
    AuthEvent.Outcome.SUCCESS: pgettext_lazy("attempt", "Succeeded"),
    AuthEvent.Outcome.UNKNOWN_LOGIN_ID: pgettext_lazy("attempt", "Id that nobody has"),
    AuthEvent.Outcome.WRONG_PASSWORD: pgettext_lazy("attempt", "Wrong password"),
    AuthEvent.Outcome.REFUSED: pgettext_lazy("attempt", "Refused"),
}


@dataclass(frozen=True, slots=True)
class Log:
    """What one log says about the thirty days before a sign-in."""

    title: Text
    said: Said


@dataclass(frozen=True, slots=True)
class Happened:
    """One row behind the counts."""

    at: dt.datetime
    title: Text
    outcome: Text
    method: str
    source: str
    is_sign_in: bool


@dataclass(frozen=True, slots=True)
class Row:
    """The way into one claim."""

    way_in: WayIn
    title: Text
    logs: list[Log]


@dataclass(frozen=True, slots=True)
class Section:
    """What the page of a claim shows."""

    row: Row
    events: list[Happened]


@dataclass(frozen=True, slots=True)
class Way:
    """How many claims one way led to."""

    code: str
    title: Text
    claims: int


@dataclass(frozen=True, slots=True)
class WaysPage:
    """The ways with their numbers, the rows of the chosen one, and what the logs cover."""

    at: dt.datetime
    overtaken: bool
    ways: list[Way]
    chosen: str
    rows: list[Row]
    total: int
    logs: list[Text]
    coverage: list[tuple[Text, LogCoverage]]
    let_out: list[int]
    exports: list[LogExport]
    decisions: list[Decision]


def look(chosen: str, *, actor: Actor) -> WaysPage:
    """Returns the page. A way that does not exist counts as none, which means all."""
    found = list(ways_in.newest().select_related("claim"))
    chosen = chosen if chosen in WAYS else ""
    rows = [row for row in found if chosen in ("", row.way)]
    return WaysPage(
        at=clock.now(),
        overtaken=ways_in.overtaken(),
        ways=[Way(way, WAYS[way], claims) for way, claims in ways_in.counted(found).items()],
        chosen=chosen,
        rows=[_row(row) for row in rows[:ROWS_SHOWN]],
        total=len(rows),
        logs=[EVENTS[log] for log in LOGS],
        coverage=[
            (EVENTS[row.log], row)
            for row in LogCoverage.objects.order_by("log", "covered_from", "pk")
        ],
        let_out=log_export.let_out(),
        exports=list(LogExport.objects.order_by("-pk")),
        decisions=[
            acts.decision(verb, DESK[verb], actor=actor)
            for verb in ("find-ways", "ask-logs", "take-logs")
        ],
    )


def section(claim_id: int) -> Section | None:
    """Returns the part of a claim's page, and None while nobody has searched."""
    row = ways_in.newest().filter(claim=claim_id).first()
    if row is None:
        return None
    events = ways_in.events_of(row)[:EVENTS_SHOWN]
    return Section(_row(row), [_happened(each, row) for each in events])


def _row(row: WayIn) -> Row:
    return Row(row, WAYS[row.way], [Log(EVENTS[each.log], each) for each in ways_in.said(row)])


def _happened(event: AuthEvent, row: WayIn) -> Happened:
    return Happened(
        at=event.occurred_at,
        title=EVENTS[event.event],
        outcome=OUTCOMES[event.outcome],
        method=event.method,
        source=" ".join(filter(None, (event.network, event.country, event.device_ref))),
        is_sign_in=event.pk == row.event_id,
    )
