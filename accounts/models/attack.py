"""The data of attack analysis: counts per minute, devices, sources, windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from winddown.guards import append_only


class DetectionRule(models.Model):
    """A rule that finds attacks or victims, with its thresholds as data. A change is a new version,
    so a hit can be decided again.
    """

    code = models.CharField(max_length=40)
    version = models.IntegerField()
    thresholds = models.JSONField()
    source = models.TextField()
    since = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = append_only()
        constraints = [
            models.UniqueConstraint(
                fields=["code", "version"], name="one_detection_rule_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


# Django's fields take type parameters only for the type checker.
if TYPE_CHECKING:
    _Bits = models.Field[str, str]
else:
    _Bits = models.Field


class Sketch(_Bits):
    """256 bits. Each login id sets one bit by its hash. The set bits tell how many different ids
    there were, in 32 bytes. The bits of two spans can be joined by OR.
    """

    BITS = 256

    def db_type(self, connection: Any) -> str:
        return f"bit({self.BITS})"


class AttackWatch(models.Model):
    """The end (exclusive) of the counted and of the folded attempts, and the memory of the fold.
    There is one row.
    """

    read_until = models.DateTimeField(null=True)
    folded_until = models.DateTimeField(null=True)
    memory = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_attack_watch")]

    def __str__(self) -> str:
        return f"attempts read until {self.read_until}"


class AuthMinute(models.Model):
    """All attempts of one minute, by outcome.

    `strange_passwords` are the wrong passwords from a device that the account was never used from.
    Customers mistype theirs on devices that are known. `hits` are the sign-ins of sources that were
    suspicious by then, each the first from its device on an account that was in use before.
    """

    minute = models.DateTimeField(primary_key=True)
    attempts = models.BigIntegerField()
    unknown_login_ids = models.BigIntegerField()
    wrong_passwords = models.BigIntegerField()
    strange_passwords = models.BigIntegerField()
    successes = models.BigIntegerField()
    refused = models.BigIntegerField()
    hits = models.BigIntegerField(db_default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.attempts} attempts at {self.minute:%Y-%m-%d %H:%M}"


class SourceMinute(models.Model):
    """The tries of one source in one minute: unknown ids, and wrong passwords from strange devices.
    Honest people rarely have these.

    A source is an address, its /24 network, or a device (`device:...`).
    """

    pk = models.CompositePrimaryKey("minute", "source")
    minute = models.DateTimeField()
    source = models.CharField(max_length=80)
    tries = models.BigIntegerField()
    ids = Sketch()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.tries} tries at {self.minute:%Y-%m-%d %H:%M}"


class AccountDevice(models.Model):
    """When an account was first used from a device, and from where. `user_id` has no foreign key,
    as in the attempts themselves.
    """

    pk = models.CompositePrimaryKey("user_id", "device_ref")
    user_id = models.BigIntegerField()
    device_ref = models.CharField(max_length=64)
    first_at = models.DateTimeField()
    event_id = models.BigIntegerField(help_text="The attempt that succeeded.")
    network = models.GenericIPAddressField(null=True)
    country = models.CharField(max_length=2, blank=True)
    displaced_session = models.BooleanField(db_default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["device_ref"], name="accounts_of_a_device"),
            # No BRIN: a day's devices are written in the order of the accounts.
            models.Index(fields=["first_at"], name="devices_by_first_use"),
        ]

    def __str__(self) -> str:
        return f"device of account {self.user_id}"


class SuspiciousSource(models.Model):
    """A source whose tries are not those of honest people, from `since` on, with the rule and the
    evidence.
    """

    class Kind(models.TextChoices):
        ADDRESS = "address"
        NETWORK = "network"
        DEVICE = "device"

    source = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    rule = models.ForeignKey(DetectionRule, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    last_at = models.DateTimeField()
    evidence = models.JSONField(help_text="Counts only.")

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["since", "source"], name="sources_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_at__gte=F("since")), name="source_lasts_forward"
            )
        ]

    def __str__(self) -> str:
        return f"suspicious {self.kind} {self.pk}"


class AttackWindow(models.Model):
    """One wave of an attack. The window is open until the wave was quiet long enough."""

    class Wave(models.TextChoices):
        UNKNOWN_LOGIN_ID = "unknown_login_id"
        WRONG_PASSWORD = "wrong_password"  # noqa: S105
        SUCCESS = "success"

    wave = models.CharField(max_length=20, choices=Wave.choices)
    rule = models.ForeignKey(DetectionRule, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="The end of the last minute in which the rule hit.")
    ended_at = models.DateTimeField(null=True)
    evidence = models.JSONField(help_text="Counts, ratio and baseline.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["wave", "started_at"], name="one_window_per_start"),
            models.CheckConstraint(
                condition=Q(last_at__gt=F("started_at")), name="window_lasts_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wave} from {self.started_at:%Y-%m-%d %H:%M}"
