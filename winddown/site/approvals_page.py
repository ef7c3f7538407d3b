"""The requests for a second person's decision, and what was decided, as staff read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from winddown import clock, words
from winddown.models import Approval, Signature
from winddown.site import incident_page, panels
from winddown.site.reading import (
    ActsForm,
    Line,
    Source,
    in_period,
    of_subject,
    people,
    stamp,
    who,
)
from winddown.words import Text

Part = Signature.Part
WAITING, EXPIRED, SUPERSEDED = "waiting", "expired", "superseded"
_RESULTS: dict[str, tuple[Text, str]] = {
    WAITING: (pgettext_lazy("request", "Waits"), "wait"),
    Part.APPROVED: (pgettext_lazy("request", "Approved"), "on"),
    Part.REJECTED: (pgettext_lazy("request", "Rejected"), "off"),
    EXPIRED: (pgettext_lazy("request", "Expired"), "idle"),
    SUPERSEDED: (pgettext_lazy("request", "Replaced by a later one"), "idle"),
}


class ApprovalsForm(ActsForm):
    """Which requests."""

    result = forms.ChoiceField(
        label=gettext_lazy("Result"),
        required=False,
        choices=[
            ("", gettext_lazy("All")),
            *((code, word) for code, (word, _) in _RESULTS.items()),
        ],
    )
    field_order = ("person", "subject", "result", "since", "until")
    hints: ClassVar[dict[str, Text]] = {
        **ActsForm.hints,
        "person": gettext_lazy("Login ID, staff number or name of who asked or decided."),
    }


def _requests() -> QuerySet[Approval]:
    """Returns the requests with whether each was decided and whether a later one replaced it."""
    decided = Signature.objects.filter(approval=OuterRef("pk"))
    later = Approval.objects.filter(
        subject=OuterRef("subject"), stage=OuterRef("stage"), pk__gt=OuterRef("pk")
    )
    return Approval.objects.annotate(
        approved=Exists(decided.filter(part=Part.APPROVED)),
        rejected=Exists(decided.filter(part=Part.REJECTED)),
        replaced=Exists(later),
    )


def _of_result(result: str) -> Q:
    open_ = Q(approved=False, rejected=False)
    return {
        WAITING: open_ & Q(replaced=False, expires_at__gt=clock.now()),
        EXPIRED: open_ & Q(replaced=False, expires_at__lte=clock.now()),
        SUPERSEDED: open_ & Q(replaced=True),
        Part.APPROVED: Q(approved=True),
        Part.REJECTED: Q(rejected=True),
    }[result]


def _lines(given: Mapping[str, Any], rows_max: int) -> list[Line]:
    found = _requests().filter(in_period(given, "requested_at"))
    if given["person"]:
        signed = Signature.objects.filter(signer__in=people(given["person"]))
        found = found.filter(pk__in=signed.values("approval_id"))
    if given["subject"]:
        found = found.filter(of_subject(given["subject"]))
    if given["result"]:
        found = found.filter(_of_result(given["result"]))
    if given["before"]:
        found = found.filter(pk__lt=int(given["before"]))
    requests = list(found.select_related("maker").order_by("-pk")[:rows_max])
    verdicts = _verdicts(requests)
    return [_line(request, verdicts.get(request.pk)) for request in requests]


def _verdicts(requests: list[Approval]) -> dict[int, Signature]:
    signed = Signature.objects.filter(approval__in=requests).exclude(part=Part.MAKER)
    return {each.approval_id: each for each in signed.select_related("signer").order_by("pk")}


def _line(request: Any, verdict: Signature | None) -> Line:
    person, number = who(request.maker)
    page = panels.page_of(request.subject)
    result, tone = _RESULTS[_result_of(request, verdict)]
    return Line(
        key=str(request.pk),
        at=request.requested_at,
        person=person,
        person_note=number,
        action=_asked(request),
        code=request.stage,
        subject=request.subject,
        subject_title=page.title,
        url=page.url,
        reason=request.reason,
        result=result,
        tone=tone,
        result_note=_note(request, verdict),
    )


def _result_of(request: Any, verdict: Signature | None) -> str:
    if verdict is not None:
        return verdict.part
    if request.replaced:
        return SUPERSEDED
    return WAITING if request.expires_at > clock.now() else EXPIRED


def _asked(request: Approval) -> Text:
    """Returns what is asked for. Two kinds of subjects may have a stage of the same name."""
    of_kind = f"approval.{request.subject.partition(':')[0]}.{request.stage}"
    return words.ACTS.get(of_kind) or words.act_title(f"approval.{request.stage}")


def _note(request: Any, verdict: Signature | None) -> Text:
    """Returns who decided, when and why; of an open request, until when it can be decided."""
    if verdict is None and request.replaced:
        return ""
    if verdict is None:
        return _("valid until %(until)s") % {"until": stamp(incident_page.expiry(request))}
    person, number = who(verdict.signer)
    return format_lazy("{} {}, {}: {}", person, number, stamp(verdict.at), verdict.reason)


SOURCE = Source(
    code="approvals",
    title=gettext_lazy("Approvals"),
    about=gettext_lazy("What one person asked for and a second decided. Reading is recorded."),
    form=ApprovalsForm,
    lines=_lines,
)
