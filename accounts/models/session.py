"""Sessions with their owner, so that a sweep can find them and a switch can judge them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Session(AbstractBaseSession):
    """One visitor's session; with a user, when and by which method that user was admitted.

    `issued_at` is the instant of the admission, taken under the locks that the fence and the
    switches wait for, not the instant at which the row was written. `switch_version` is the version
    of the provider's or the password's switch that let the user in. A session that was deleted
    stays deleted: saving it again is refused by the store.
    """

    id = models.BigAutoField(primary_key=True)
    session_key = models.CharField(max_length=40, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="+",
    )
    issued_at = models.DateTimeField(null=True)
    method = models.CharField(max_length=20, blank=True)
    switch_version = models.IntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"session {self.pk}"

    @classmethod
    def get_session_store_class(cls) -> Any:
        from accounts.sessions import SessionStore

        return SessionStore
