"""Sessions with their owner, so that a run can find them and a switch can judge them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import OuterRef, Subquery


class SessionQuerySet(models.QuerySet["Session"]):
    """Sets of sessions by whose they are."""

    def of_customers(self) -> SessionQuerySet:
        """Returns the customers' sessions.

        It uses a look-up per row, not a join. Right after mass changes the statistics of both
        tables mislead the planner, and a join would loop over all accounts for every session.
        """
        owners = get_user_model().objects.filter(pk=OuterRef("user_id"))
        return self.annotate(owner_kind=Subquery(owners.values("kind"))).filter(
            owner_kind="customer"
        )

    def remove(self) -> int:
        """The sessions are deleted. Returns how many."""
        try:
            inner, params = self.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                # As an array, because a join may be planned as a scan of all sessions.
                f"DELETE FROM {Session._meta.db_table} WHERE id = ANY (ARRAY({inner}))",
                params,
            )
            return int(cursor.rowcount)


class SessionManager(BaseSessionManager.from_queryset(SessionQuerySet)):  # type: ignore[misc]
    use_in_migrations = False


class Session(AbstractBaseSession):
    """One visitor's session. With a user, it says when and by which method that user was admitted.

    `issued_at` is the instant of the admission, taken under the locks that the fence and the
    switches wait for, not the instant at which the row was written. `switch_version` is the version
    of the provider's or the password's switch that let the user in. A deleted session stays
    deleted. The store refuses to save it again.
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

    objects: ClassVar[Any] = SessionManager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"session {self.pk}"

    @classmethod
    def get_session_store_class(cls) -> Any:
        """Returns the session store of the settings. It is found by name, because it imports this
        model.
        """
        return import_module(settings.SESSION_ENGINE).SessionStore
