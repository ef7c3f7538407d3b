"""The audit journal records what a signed-in person was not permitted to do."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from winddown import clock
from winddown.actors import Actor
from winddown.authority import staff_command
from winddown.errors import WinddownError
from winddown.evidence import audit
from winddown.models import AuditEntry

ACTION = "refused"
# A customer could otherwise fill the journal. So many entries of an hour show an attack.
OF_A_CUSTOMER_MAX = 20
COUNTED = dt.timedelta(hours=1)


def note(refusal: WinddownError, actor: Actor) -> None:
    """The journal says who was refused what, for a missing permission or for being the same person:
    each refusal that is `noted`.

    The entry has a transaction of its own, after the refused one. Other refusals, and those of the
    system, leave no entry. A customer's refusals leave a few entries of each hour.
    """
    if not refusal.noted or actor.pk is None or _is_full(actor):
        return
    facts = {name: str(value) for name, value in refusal.facts.items()}
    with transaction.atomic():
        audit.append(ACTION, f"account:{actor.pk}", actor=actor, refusal=refusal.code, facts=facts)


def _is_full(actor: Actor) -> bool:
    """Returns whether the journal has enough entries of this customer already."""
    if actor.staff_number:
        return False
    since = clock.now() - COUNTED
    found = AuditEntry.objects.filter(actor_id=actor.pk, action=ACTION, at__gt=since)
    return found.count() >= OF_A_CUSTOMER_MAX


staff_command.REFUSED.add("audit journal", note)
