"""Nothing is asked of an issuer, and no answer counts, after its cut-off."""

from __future__ import annotations

from django.db import transaction

from refunds.models import Issuer, IssuerAction, Remedy
from refunds.remedies import routes, slots
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.machines.move import move_rows
from winddown.models import Programme


def fall_back(issuer: Issuer | None = None) -> int:
    """Stops of a debit that the issuer did not confirm before its cut-off are closed, and their
    losses take the next route (rule 18). Returns how many, of this issuer or of all.

    It does not matter whether the request was not sent, not answered, escalated, or waited for more
    information. Nothing leaves and no answer counts after the cut-off, so whoever makes a file or
    reads one calls this first.
    """
    with transaction.atomic():
        # As everybody does who moves requests or chargebacks of an issuer.
        issuers = Issuer.objects.select_for_update(no_key=True).order_by("pk")
        list(issuers if issuer is None else issuers.filter(pk=issuer.pk))
        at = clock.now()
        waiting = (
            IssuerAction.objects.select_for_update(no_key=True, of=("self",))
            .filter(
                kind=IssuerAction.Kind.STOP_DEBIT,
                state__in=IssuerAction.OPEN,
                deadline_at__lte=at,
            )
            .select_related("remedy__loss__issuer")
            .order_by("pk")
        )
        if issuer is not None:
            waiting = waiting.filter(issuer=issuer)
        zone = Programme.current().zone
        passed = [each for each in waiting if slots.cut_off(each.remedy.loss, zone=zone) <= at]
        if not passed:
            return 0
        slots.fall_back(
            [action.remedy for action in passed],
            routes.UNANSWERED[routes.STOP_DEBIT],
            failure=Remedy.Failure.TOO_LATE,
            at=at,
            actor=SYSTEM,
        )
        ids = [action.pk for action in passed]
        moved = move_rows(IssuerAction, "close", ids, actor=SYSTEM, reason="cut-off passed")
        audit.append("issuer_asks.past_cut_off", "issuer_actions", actor=SYSTEM, n=moved)
        return moved
