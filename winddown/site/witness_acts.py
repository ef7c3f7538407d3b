"""What a person asks about rows that are older than the witness of their table."""

from __future__ import annotations

from typing import Any

from django.db import OperationalError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown.actors import Actor
from winddown.errors import GuardNotMet, says
from winddown.evidence import witnessing
from winddown.models import Approval
from winddown.site import panels
from winddown.site.acts import Act


def _ask(actor: Actor, given: dict[str, Any]) -> Approval:
    try:
        return witnessing.ask(actor=actor, reason=given["reason"])
    except OperationalError as slow:
        raise GuardNotMet(
            action=says("have rows witnessed"),
            why=says("reading them takes too long for a page; run manage.py witness_rows"),
        ) from slow


WITNESS = Act(
    title=pgettext_lazy("verb", "Ask to witness older rows"),
    effect=_(
        "All rows are read now; it takes a while. Nothing changes until a second person agrees."
    ),
    permission=witnessing.PERMISSION,
    do=_ask,
)


@panels.SUBJECTS.entry(witnessing.KIND)
def _subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(title=_("Rows older than their witness"))


@panels.CONTENTS.entry(witnessing.KIND)
def _content(signed: dict[str, Any]) -> list[panels.Change]:
    """Returns by table how many rows would be witnessed."""
    return [panels.Change(table, rows) for table, (rows, _digest) in signed["tables"].items()]
