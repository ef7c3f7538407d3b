"""Payout views: who could be paid at one instant and who could not, as two files."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from winddown.guards import append_only
from winddown.witness import witnessed


class PayoutView(models.Model):
    """The two lists of one instant. Each refund, and each balance that is not yet one, is in exactly
    one of them. Amounts are in minor units.

    `control_minor` is what both must come to: the sealed snapshot, or all balances while there is
    none.
    """

    as_of = models.DateTimeField()
    rules = models.SmallIntegerField(help_text="Version of the rules that sorted the rows.")
    payable_rows = models.IntegerField()
    payable_minor = models.BigIntegerField()
    payable_sha256 = models.CharField(max_length=64)
    excluded_rows = models.IntegerField()
    excluded_minor = models.BigIntegerField()
    excluded_sha256 = models.CharField(max_length=64)
    people = models.IntegerField()
    straight_people = models.IntegerField(help_text="People who need nobody's touch.")
    straight_minor = models.BigIntegerField()
    control_minor = models.BigIntegerField()
    reasons = models.JSONField(help_text="By code: the rows of it and their sum.")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    straight_people__lte=F("people"),
                    straight_minor__lte=F("payable_minor") + F("excluded_minor"),
                ),
                name="straight_through_is_a_share",
            )
        ]

    def __str__(self) -> str:
        return f"payout view {self.pk}"

    @property
    def subject(self) -> str:
        return f"payout_view:{self.pk}"

    @property
    def total_minor(self) -> int:
        return self.payable_minor + self.excluded_minor

    @property
    def difference_minor(self) -> int:
        """What the two lists come to beyond the control account. It must be 0."""
        return self.total_minor - self.control_minor

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yields the file of one list in pieces, the same bytes each time."""
        parts = PayoutViewPart.objects.filter(view=self, list=name).order_by("number")
        for packed in parts.values_list("content", flat=True).iterator(chunk_size=1):
            yield zlib.decompress(bytes(packed))

    @property
    def people_share(self) -> str:
        """The share of people who need nobody's touch."""
        return _share(self.straight_people, self.people)

    @property
    def amount_share(self) -> str:
        """Their share of the amount."""
        return _share(self.straight_minor, self.total_minor)


def _share(part: int, whole: int) -> str:
    """Returns "97.3 %", rounded down: 100.0 % means all."""
    tenths = part * 1000 // whole if whole else 0
    return f"{tenths // 10}.{tenths % 10} %"


class PayoutViewPart(models.Model):
    """A piece of one list, compressed by zlib. The pieces in their order are the file."""

    class List(models.TextChoices):
        PAYABLE = "payable"
        EXCLUDED = "excluded"

    view = models.ForeignKey(
        PayoutView, on_delete=models.PROTECT, related_name="parts", db_index=False
    )
    list = models.CharField(max_length=8, choices=List.choices)
    number = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(
                fields=["view", "list", "number"], name="view_part_once_per_list"
            )
        ]

    def __str__(self) -> str:
        return f"part {self.number} of {self.list} in payout view {self.view_id}"
