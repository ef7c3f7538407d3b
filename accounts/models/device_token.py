"""Device tokens: the app on a customer's device sends one instead of a session."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class DeviceToken(models.Model):
    """An opaque token. Only its SHA-256 is stored. It is accepted until it is revoked, refused or
    too old.

    `issued_at`, `method` and `switch_version` are an admission like that of a session. The same
    rule judges both: the fence, the provider's switch and the account's own end of sessions.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="device_tokens",
    )
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, in hex.")
    device_name = models.CharField(max_length=60)
    issued_at = models.DateTimeField()
    method = models.CharField(max_length=20)
    switch_version = models.IntegerField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"device token {self.pk}"
