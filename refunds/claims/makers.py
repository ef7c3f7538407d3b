"""Who worked on a claim: a maker does not decide it, and an appeal is for other people."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from refunds.models.claim import worked
from winddown.actors import Actor
from winddown.errors import SamePerson


def refuse_earlier(claim_ids: Collection[int], *, actor: Actor) -> None:
    """Raises `SamePerson` if `actor`, by staff number, worked on one of the claims or decided it
    before its appeal.
    """
    if not actor.staff_number:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT min(w.claim_id) FROM ({worked('SELECT unnest(%(claims)s::bigint[])')}) w"  # noqa: S608
            " JOIN accounts_user u ON u.id = w.actor_id"
            " WHERE w.before_appeal AND u.staff_number = %(person)s",
            {"claims": list(claim_ids), "person": actor.staff_number},
        )
        (claim,) = cursor.fetchone()
    if claim is not None:
        raise SamePerson(actor=actor.pk, subject=f"claim:{claim}", part="analyst")
