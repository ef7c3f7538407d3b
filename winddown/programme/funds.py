"""The funds set aside for holders, as their custodian reports them."""

from __future__ import annotations

from django.db import transaction

from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import Programme


def report_safeguarded(amount_minor: int, *, actor: Actor, reason: str) -> None:
    """The custodian's last report of the funds set aside for holders says `amount_minor`."""
    require(actor, "winddown.report_funds", action="report safeguarded funds")
    if amount_minor < 0:
        raise GuardNotMet(
            action=says("report safeguarded funds"), why=says("the amount is negative")
        )
    with transaction.atomic():
        audit.refuse_repeated(
            "programme.report_safeguarded",
            "programme",
            actor=actor,
            reason=reason,
            amount_minor=amount_minor,
        )
        Programme.objects.update(safeguarded_minor=amount_minor)
        audit.append(
            "programme.report_safeguarded",
            "programme",
            actor=actor,
            reason=reason,
            amount_minor=amount_minor,
        )
