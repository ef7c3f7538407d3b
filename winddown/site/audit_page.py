"""The audit journal as staff read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from winddown import words
from winddown.authority.role_words import right_words
from winddown.models import AuditEntry
from winddown.registries import Registry
from winddown.site.reading import (
    ActsForm,
    Line,
    Source,
    filter_field,
    in_period,
    of_subject,
    people,
    who,
)
from winddown.words import Text

SYSTEM = "system"
REFUSED = ("refused", "command.not_proved")
_REJECTED = (".reject", ".decline", ".reject_restore")
_COUNTS = ("rows", "n", "moved", "messages", "freed")

WITHHELD: Registry[Text] = Registry(
    "withheld reasons",
    entries_are="by audit code: what is shown instead of a reason that proves an identity",
    owner=__name__,
)


class AuditForm(ActsForm):
    """Which entries of the journal."""

    action = filter_field(gettext_lazy("Action"), length_max=80)
    result = forms.ChoiceField(
        label=gettext_lazy("Result"),
        required=False,
        choices=[("", gettext_lazy("All")), ("refused", pgettext_lazy("result", "Refused"))],
    )
    field_order = ("person", "action", "subject", "result", "since", "until")
    hints: ClassVar[dict[str, Text]] = {
        **ActsForm.hints,
        "person": gettext_lazy("Login ID, staff number or name; “system” for what nobody did."),
        "action": gettext_lazy("A code such as run.approve, or its first word."),
    }


def _lines(given: Mapping[str, Any], rows_max: int) -> list[Line]:
    found = AuditEntry.objects.filter(in_period(given, "at"))
    if person := given["person"]:
        if person.lower() == SYSTEM:
            found = found.filter(actor=None)
        else:
            # As numbers: the statistics then say how rarely this person acted.
            found = found.filter(actor__in=[one.pk for one in people(person)])
    if action := given["action"]:
        found = found.filter(Q(action=action) | Q(action__startswith=f"{action}."))
    if given["subject"]:
        found = found.filter(of_subject(given["subject"]))
    if given["result"]:
        found = found.filter(action__in=REFUSED)
    if given["before"]:
        found = found.filter(seq__lt=int(given["before"]))
    return [line(entry) for entry in found.select_related("actor").order_by("-seq")[:rows_max]]


def line(entry: AuditEntry) -> Line:
    """Returns the entry's row. Its facts stay in the journal, except what says how it went."""
    person, number = who(entry.actor)
    command = entry.facts.get("command")
    if command:
        number += f" manage.py {command['name']}, {command['os_account']}@{command['host']}"
    result, tone, detail = _result(entry)
    return Line(
        key=str(entry.seq),
        at=entry.at,
        person=person,
        person_note=number.strip(),
        action=words.act_title(entry.action),
        code=entry.action,
        subject=entry.subject,
        reason=WITHHELD.get(entry.action) or entry.reason,
        result=result,
        tone=tone,
        result_note=detail,
    )


def _result(entry: AuditEntry) -> tuple[Text, str, Text]:
    """Returns the word, its tone, and a detail."""
    facts = entry.facts
    if entry.action in REFUSED:
        said = facts.get("facts") or {}
        return (
            pgettext_lazy("result", "Refused"),
            "bad",
            _missing(str(said.get("permission") or ""), refusal=str(facts.get("refusal", ""))),
        )
    if entry.action.endswith(_REJECTED):
        return pgettext_lazy("result", "Rejected"), "off", ""
    if facts.get("breached"):
        return _("Does not hold"), "bad", ", ".join(sorted(facts["breached"]))
    rows = next((facts[name] for name in _COUNTS if isinstance(facts.get(name), int)), None)
    detail = "" if rows is None else ngettext("%(n)s row", "%(n)s rows", rows) % {"n": f"{rows:,}"}
    return pgettext_lazy("result", "Done"), "on", detail


def _missing(permission: str, *, refusal: str) -> Text:
    """Returns the right that was missing, by its name; another refusal by its kind."""
    return right_words(permission) if permission else refusal


SOURCE = Source(
    code="audit",
    title=gettext_lazy("Audit journal"),
    about=gettext_lazy("Who did what, when and why. Reading is recorded here too."),
    form=AuditForm,
    lines=_lines,
)
