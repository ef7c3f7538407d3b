"""For which time the logs of the core system are here, and are complete."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from accounts.models.auth_event import AuthEvent
from winddown.guards import append_only


class LogCoverage(models.Model):
    """One log of the loaded events was complete, or was not, from `covered_from` to `covered_until`
    (exclusive).

    A time without a row is a gap. Of two rows about the same time the later one holds, and of one
    file the one that says incomplete. `source` says who vouches for it.
    """

    log = models.CharField(max_length=16, choices=AuthEvent.Event.choices)
    covered_from = models.DateTimeField()
    covered_until = models.DateTimeField()
    complete = models.BooleanField()
    source = models.CharField(max_length=200)
    stated_at = models.DateTimeField(db_default=RawSQL("winddown_now()", ()))

    class Meta:
        default_permissions = ()
        triggers = append_only()
        constraints = [
            models.CheckConstraint(
                condition=Q(covered_until__gt=F("covered_from")), name="log_covered_forward"
            ),
            models.CheckConstraint(condition=~Q(source=""), name="log_covered_by_a_source"),
            models.CheckConstraint(
                condition=Q(log__in=AuthEvent.Event.values), name="log_of_a_known_event"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.log} from {self.covered_from} to {self.covered_until}"
