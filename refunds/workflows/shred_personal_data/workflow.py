"""shred-personal-data: what the law does not ask for any more is deleted, and cannot be read again."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from accounts import person_keys
from accounts.models import AuthEvent, PersonKey, User
from refunds.workflows.shred_personal_data import certificates, due
from refunds.workflows.shred_personal_data.due import Terms
from winddown import clock
from winddown.actors import Actor
from winddown.errors import GuardNotMet, says
from winddown.models import Batch, Programme, Run
from winddown.personal_data import HOUSE, DataClass
from winddown.programme import jurisdictions
from winddown.runs.params_form import ParamsForm
from winddown.runs.registry import Moved, PlanContent, Step, Workflow, workflow

PEOPLE_ROWS = 2_000
ATTEMPT_ROWS = 20_000
_BOUNDS = _("In days; empty: as long as the law allows.")


def _days(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, help_text=_BOUNDS)


class ShredForm(ParamsForm):
    within: ClassVar = {"keep_days": list(DataClass.values)}
    identity = _days(_("Keep names and login IDs for"))
    contact = _days(_("Keep addresses and telephone numbers for"))
    bank_details = _days(_("Keep bank details for"))
    authentication = _days(_("Keep sign-ins and devices for"))
    claims_evidence = _days(_("Keep the evidence of claims for"))
    correspondence = _days(_("Keep correspondence for"))
    money_records = _days(_("Keep records of money for"))
    backups_until = forms.DateField(
        label=_("Day on which the last backup from before is gone"),
        help_text=_("The certificate says it: until then a backup can be read."),
    )


@workflow
class ShredPersonalData(Workflow):
    """The personal data of everybody whose time is over are deleted: the keys under which they are
    sealed are destroyed, and columns in plain lose what they say. Amounts, states and evidence stay.

    Parameters: `keep_days` by class, within the bounds of the jurisdiction (the most by default), and
    `backups_until`, the day on which the last backup from before is gone. Whoever is under a legal
    hold, has something open, or had business after the last export is left out.
    """

    name = "shred-personal-data"
    form = ShredForm
    stages = Programme.ENDED

    def check_params(self, params: dict[str, Any]) -> dict[str, Any]:
        strange = sorted(set(params) - {"keep_days", "backups_until"})
        asked = params.get("keep_days", {})
        if strange or not isinstance(asked, dict):
            raise self._refused(says("{names} not understood", names=", ".join(strange) or asked))
        bounds = jurisdictions.current().retention
        if unknown := sorted(set(asked) - set(DataClass.values)):
            raise self._refused(says("{names} not understood", names=", ".join(unknown)))
        keep = {}
        for code in DataClass:
            days = asked.get(code.value, bounds[code].greatest_days)
            least, most = bounds[code].least_days, bounds[code].greatest_days
            if type(days) is not int or not least <= days <= most:
                raise self._refused(
                    says(
                        "{data_class} is kept for {least} to {most} days, not {days}",
                        data_class=code.value,
                        least=least,
                        most=most,
                        days=days,
                    )
                )
            keep[code.value] = days
        try:
            gone_on = dt.date.fromisoformat(str(params.get("backups_until", "")))
        except ValueError as error:
            raise self._refused(
                says("`backups_until` is the day on which the last backup from before is gone")
            ) from error
        if gone_on < clock.now().astimezone(Programme.current().zone).date():
            raise self._refused(
                says("`backups_until` is past: a backup of today has what is deleted today")
            )
        return {"keep_days": keep, "backups_until": gone_on.isoformat()}

    def _refused(self, why: str) -> GuardNotMet:
        return GuardNotMet(action=says("plan {workflow}", workflow=self.name), why=why)

    def plan(self, run: Run) -> PlanContent:
        """It counts what is due at the request, so that time alone changes nothing."""
        due.refuse_values_without_secret()
        terms = _terms(run)
        found = due.counted(terms)
        return PlanContent(
            counts={"people": found.people, **{f"data_{k}": n for k, n in found.by_class.items()}},
            excluded={f"kept_{reason}": n for reason, n in found.held.items()},
            terms={
                "exported_at": terms.exported_at.isoformat(timespec="seconds"),
                "due_until": terms.until.isoformat(timespec="seconds"),
                **{f"keep_{k}": days for k, days in terms.keep_days.items()},
                **{f"oldest_{k}": day.isoformat() for k, day in found.oldest.items()},
                "who": found.digest,
            },
        )

    def at_once(self, run: Run, *, actor: Actor) -> None:
        """The house has a key of each class, whose destruction can be recorded."""
        for code in DataClass:
            if person_keys.deleted_on(HOUSE, code) is None:
                person_keys.secrets([HOUSE], code)

    def steps(self, run: Run) -> list[Step]:
        return [
            Step("shred_people", _customers, _shred_people, PEOPLE_ROWS),
            Step("shred_house", _house, _shred_house),
            Step("shred_attempts", _attempts, _shred_attempts, ATTEMPT_ROWS),
        ]

    def verify(self, run: Run) -> list[str]:
        gaps = [f"{name}: {rows} rows can still be read" for name, rows in due.readable().items()]
        if left := due.counted(_terms(run)).people:
            gaps.append(f"data of {left} people are due and were not deleted")
        return gaps

    def at_end(self, run: Run) -> None:
        certificates.issue(run)


def _terms(run: Run) -> Terms:
    return due.terms(run.params["keep_days"], until=run.requested_at)


def _customers(run: Run) -> QuerySet[User]:
    """All of them: each batch finds out who of its people is due, under their locks."""
    return User.objects.customers()


def _shred_people(run: Run, batch: Batch, rows: QuerySet[User]) -> Moved:
    people = list(rows.order_by("pk").values_list("pk", flat=True))
    return Moved(rows=due.shred(people, _terms(run), run_id=run.pk))


def _house(run: Run) -> QuerySet[PersonKey]:
    """Its living keys: the batch finds out which of them are due."""
    return PersonKey.objects.filter(person_id=HOUSE, destroyed_at=None)


def _shred_house(run: Run, batch: Batch, rows: QuerySet[PersonKey]) -> Moved:
    over = set(due.house_due(_terms(run)))
    codes = sorted(over & set(rows.values_list("data_class", flat=True)))
    due.shred_house(codes, run_id=run.pk)
    return Moved(rows=len(codes))


def _attempts(run: Run) -> QuerySet[AuthEvent]:
    (columns,) = due.by_number()
    return AuthEvent.objects.filter(
        RawSQL(columns.left(), (), output_field=BooleanField())  # noqa: S611  our own names
    )


def _shred_attempts(run: Run, batch: Batch, rows: QuerySet[AuthEvent]) -> Moved:
    (columns,) = due.by_number()
    return Moved(rows=due.empty(columns, first_id=batch.first_id, last_id=batch.last_id))
