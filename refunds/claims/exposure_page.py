"""The page of the exposure: each figure, and the rows of the chosen one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.claims import exposure
from refunds.claims.desk_acts import DESK
from refunds.claims.exposure import OWN, Exposure, Row
from winddown import words
from winddown.actors import Actor
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

ROWS_SHOWN: Final = 200
FIGURES: Final[dict[str, Text]] = {
    "spendable": _("Value of thieves that can be spent now"),
    "held": _("Held in wallets"),
    "recovered": _("Taken back from wallets"),
    "issuers": _("Made good by card issuers"),
    "own_funds": _("Made good from own funds"),
    "loss_account": _("On the loss account"),
    "reserve": _("Reserve for disputed claims"),
}
NOTES: Final[dict[str, Text]] = {
    "held": _("On suspicion, in part or whole."),
    "loss_account": _("What was lost, less what was taken back."),
    "reserve": _("It counts in what the funds must cover. Two people release it."),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the page."""

    code: str
    title: Text
    note: Text
    amount_minor: int


@dataclass(frozen=True, slots=True)
class SourceLine:
    """What one funding source brings in."""

    title: Text
    of: exposure.Source


@dataclass(frozen=True, slots=True)
class ExposurePage:
    """The figures, and the rows of the chosen one, the newest first."""

    found: Exposure
    figures: list[Figure]
    sources: list[SourceLine]
    chosen: Figure | None
    rows: list[Row]
    rows_total: int
    decisions: list[Decision]


def look(chosen: str, *, actor: Actor) -> ExposurePage:
    """Returns the page. A figure that does not exist has no rows."""
    found = exposure.now()
    amounts = {"spendable": found.spendable_minor, **found.figures}
    figures = [
        Figure(code, title, NOTES.get(code, ""), amounts[code]) for code, title in FIGURES.items()
    ]
    rows = exposure.rows(chosen) if chosen in FIGURES else []
    return ExposurePage(
        found=found,
        figures=figures,
        sources=[SourceLine(_title(each.source), each) for each in found.sources],
        chosen=next((each for each in figures if each.code == chosen), None),
        rows=rows[:ROWS_SHOWN],
        rows_total=len(rows),
        decisions=[acts.decision("release-reserve", DESK["release-reserve"], actor=actor)],
    )


def _title(source: str) -> Text:
    if source == OWN:
        return pgettext_lazy("exposure", "Own value that is made good already")
    return words.funding_source(source)
