"""The rows of a run as staff read them: each row that could not be moved and each that was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, Q
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from winddown import words
from winddown.machines.declare import Stateful
from winddown.models import Failure, Run
from winddown.runs import registry
from winddown.site import panels
from winddown.site.reading import Line, ReadingForm, Source, filter_field, in_period, stamp
from winddown.words import Text

FAILED, MOVED = "failed", "moved"
LOOKED_UP = ("account", "wallet", "entitlement")


class RunRowsForm(ReadingForm):
    """Which rows of which run. Rows that were moved are those of one step."""

    run = forms.ModelChoiceField(
        Run.objects.get_queryset(),
        label=gettext_lazy("Number of the run"),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={
            "required": gettext_lazy("Enter the number of a run."),
            "invalid_choice": gettext_lazy("There is no such run."),
        },
    )
    rows = forms.ChoiceField(
        label=pgettext_lazy("list", "Rows"),
        choices=[(FAILED, gettext_lazy("Not moved")), (MOVED, gettext_lazy("Moved"))],
        required=False,
    )
    step = filter_field(gettext_lazy("Step"), length_max=40)
    reason_code = filter_field(gettext_lazy("Reason code"), length_max=60)
    field_order = ("run", "rows", "step", "reason_code", "since", "until")
    hints: ClassVar[dict[str, Text]] = {
        **ReadingForm.hints,
        "step": gettext_lazy("For example freeze_wallets."),
        "reason_code": gettext_lazy("For example worker_died. Only for rows that were not moved."),
    }

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        given["rows"] = given.get("rows") or FAILED
        if (run := given.get("run")) is None:
            return given
        steps = [step.name for step in registry.get(run.workflow).steps(run)]
        if given.get("step") and given["step"] not in steps:
            known = ", ".join(steps)
            self.add_error("step", _("The run has these steps: {steps}.").format(steps=known))
        elif given["rows"] == MOVED and not given.get("step"):
            self.add_error("step", _("Enter the step whose rows were moved."))
        return given


def _lines(given: Mapping[str, Any], rows_max: int) -> list[Line]:
    if given["rows"] == MOVED:
        return _moved(given, rows_max)
    found = Failure.objects.filter(in_period(given, "at"), run=given["run"])
    for name in ("step", "reason_code"):
        if given[name]:
            found = found.filter(**{name: given[name]})
    if given["before"]:
        found = found.filter(pk__lt=int(given["before"]))
    models = _models(given["run"])
    return [_failure(each, models[each.step]) for each in found.order_by("-pk")[:rows_max]]


def _moved(given: Mapping[str, Any], rows_max: int) -> list[Line]:
    """Returns the changes of state that the run made, those of the greatest row number first.

    A log has an index of its rows' numbers and none of its runs. A step without a machine has no
    log.
    """
    model = _models(given["run"])[given["step"]]
    if not issubclass(model, Stateful):
        return []
    window = in_period(given, "at")
    if given["before"]:
        window &= Q(subject_id__lt=int(given["before"]))
    log: Any = model.log_model()
    found = log._default_manager.filter(window, run_id=given["run"].pk)
    return [_change(each, model) for each in found.order_by("-subject_id", "-id")[:rows_max]]


def _models(run: Run) -> dict[str, type[Model]]:
    """Returns of which model the rows of each step are."""
    return {step.name: step.rows(run).model for step in registry.get(run.workflow).steps(run)}


def _failure(failure: Failure, model: type[Model]) -> Line:
    result, tone, note = pgettext_lazy("row", "Not moved"), "bad", ""
    if failure.retried_at:
        result, tone = pgettext_lazy("row", "Tried again"), "idle"
        note = _("at {at}").format(at=stamp(failure.retried_at))
    return _line(
        model,
        failure.subject_id,
        key=str(failure.pk),
        at=failure.at,
        action=words.step_title(failure.step),
        code=failure.reason_code,
        reason=failure.detail,
        result=result,
        tone=tone,
        result_note=note,
    )


def _change(change: Any, model: type[Model]) -> Line:
    machine = panels.kind_of(model)
    before, after = (words.state_word(machine, each) for each in (change.source, change.target))
    code = f"{machine}.{change.transition}"
    return _line(
        model,
        change.subject_id,
        key=str(change.subject_id),
        at=change.at,
        action=words.act_title(code),
        code=code,
        reason=change.reason,
        result=after.word,
        tone=after.tone,
        result_note=format_lazy(pgettext_lazy("state", "before: {state}"), state=before.word),
    )


def _line(model: type[Model], number: int, **shown: Any) -> Line:
    """Returns the row's line. What the look-up knows leads there."""
    kind = panels.kind_of(model)
    subject = f"{kind}:{number}"
    url = f"{reverse('console:look_up')}?q={subject}" if kind in LOOKED_UP else ""
    return Line(
        person=words.person_name(None),
        subject=subject,
        subject_title=subject if url else "",
        url=url,
        **shown,
    )


SOURCE = Source(
    code="run_rows",
    title=gettext_lazy("Rows of a run"),
    about=gettext_lazy("The rows by number, without personal data. Reading is recorded."),
    form=RunRowsForm,
    lines=_lines,
    permission="",
)
