"""Where the public notice was published, with its evidence, and when the electronic one was not
there.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL

from winddown.guards import append_only, columns_are_fixed, rows_are_kept
from winddown.models.notice import PublicNotice
from winddown.witness import witnessed

_NOW = RawSQL("winddown_now()", ())
_BYTES_MAX = 5 * 1024 * 1024


class NoticeEvidence(models.Model):
    """A file that shows a publication or the receipt of an authority: a scan, a photograph, or the
    page itself. The database computes the digest again.
    """

    BYTES_MAX = _BYTES_MAX

    sha256 = models.CharField(max_length=64, unique=True)
    file_name = models.TextField()
    content = models.BinaryField()
    kept_at = models.DateTimeField(db_default=_NOW)

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.CheckConstraint(
                condition=RawSQL(
                    "sha256 = encode(sha256(content), 'hex')",
                    (),
                    output_field=models.BooleanField(),
                ),
                name="evidence_has_its_digest",
            ),
            models.CheckConstraint(
                condition=RawSQL(
                    "octet_length(content) BETWEEN 1 AND %s",
                    (_BYTES_MAX,),
                    output_field=models.BooleanField(),
                ),
                name="evidence_is_a_file",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} {self.sha256[:12]}"


class NoticePublication(models.Model):
    """One publication of a public notice in one channel (Payment Services Act art. 20(2)).

    A correction is a new row that replaces the earlier one. The evidence of an electronic notice is
    the page as its address serves it.
    """

    class Channel(models.TextChoices):
        NEWSPAPER = "newspaper"
        ELECTRONIC = "electronic_notice"
        OFFICE = "office"
        MERCHANT = "merchant"
        APP = "app"
        WEB = "web"
        MAIL = "mail"

    notice = models.ForeignKey(PublicNotice, on_delete=models.PROTECT, related_name="publications")
    channel = models.CharField(max_length=20, choices=Channel.choices)
    place = models.CharField(max_length=200)
    url = models.TextField(blank=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="Empty: it goes on.")
    evidence = models.ForeignKey(NoticeEvidence, on_delete=models.PROTECT, related_name="+")
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    recorded_at = models.DateTimeField(db_default=_NOW)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("began_at")),
                name="publication_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=models.Q(began_at__lte=models.F("recorded_at"))
                & (models.Q(ended_at=None) | models.Q(ended_at__lte=models.F("recorded_at"))),
                name="publication_has_happened",
            ),
            models.CheckConstraint(
                condition=~models.Q(channel="electronic_notice") | models.Q(url__startswith="http"),
                name="electronic_notice_has_its_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.place}"


class NoticeProbe(models.Model):
    """One look at the public address of the electronic notice, and what was found there."""

    class Found(models.TextChoices):
        INTACT = "intact"
        DOWN = "down"
        ALTERED = "altered"

    publication = models.ForeignKey(
        NoticePublication, on_delete=models.PROTECT, related_name="probes"
    )
    found = models.CharField(max_length=10, choices=Found.choices)
    detail = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(db_default=_NOW)

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"{self.found} {self.at:%Y-%m-%dT%H:%M:%S%z}"


class NoticeInterruption(models.Model):
    """A time in which the electronic notice was unreachable or altered (Companies Act art. 940(3)).

    It lasts from the first probe that found it so to the next one that found another thing.
    """

    class Kind(models.TextChoices):
        DOWN = "down"
        ALTERED = "altered"

    publication = models.ForeignKey(
        NoticePublication, on_delete=models.PROTECT, related_name="interruptions"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    detail = models.CharField(max_length=200)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("publication_id", "kind", "detail", "began_at"),
            columns_are_fixed("ended_at", once="OLD.ended_at IS NOT NULL", name="ends_once"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["publication"],
                condition=models.Q(ended_at=None),
                name="one_interruption_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("began_at")),
                name="interruption_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} since {self.began_at:%Y-%m-%dT%H:%M:%S%z}"


class NoticeCorrection(models.Model):
    """Fact, time and content of an interruption, published with the notice (Companies Act
    art. 940(3) no. 3). `publication` is the notice that carries the statement.
    """

    interruption = models.OneToOneField(
        NoticeInterruption, on_delete=models.PROTECT, related_name="correction"
    )
    publication = models.ForeignKey(NoticePublication, on_delete=models.PROTECT, related_name="+")
    statement = models.TextField()
    recorded_at = models.DateTimeField(db_default=_NOW)

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"correction of interruption {self.interruption_id}"
