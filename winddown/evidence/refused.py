"""The audit journal records what a member of staff was not permitted to do."""

from __future__ import annotations

from django.db import transaction

from winddown.actors import Actor
from winddown.authority import staff_command
from winddown.errors import WinddownError
from winddown.evidence import audit


def note(refusal: WinddownError, actor: Actor) -> None:
    """The journal says who was refused what, for a missing permission or for being the same person:
    each refusal that is `noted`.

    The entry has a transaction of its own, after the refused one. Other refusals, and those of
    customers, leave no entry.
    """
    if not refusal.noted or not actor.staff_number:
        return
    facts = {name: str(value) for name, value in refusal.facts.items()}
    with transaction.atomic():
        audit.append(
            "refused", f"account:{actor.pk}", actor=actor, refusal=refusal.code, facts=facts
        )


staff_command.REFUSED.add("audit journal", note)
