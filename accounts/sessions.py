"""The session store: each row knows whose session it is and by what admission it was issued."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.credentials import Admission
from accounts.models import AuthEvent, Session
from winddown import clock

ADMISSION_KEY = "admission"


def admission_of(session: Any) -> Admission | None:
    """The admission that the session carries."""
    stored = session.get(ADMISSION_KEY)
    return Admission.from_json(stored) if stored else None


class SessionStore(DatabaseStore):
    """Sessions in PostgreSQL, one row each."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row for `data`.

        A session with a user and no admission did not come through `credentials.sign_in` (a
        shell, a test); it counts as issued by password when it is first written.
        """
        if SESSION_KEY in data and ADMISSION_KEY not in data:
            data[ADMISSION_KEY] = Admission(clock.now(), AuthEvent.PASSWORD, None).as_json()
        row = super().create_model_instance(data)
        assert isinstance(row, Session)
        if SESSION_KEY in data:
            admission = Admission.from_json(data[ADMISSION_KEY])
            row.user_id = int(data[SESSION_KEY])
            row.issued_at = admission.at
            row.method = admission.method
            row.switch_version = admission.switch_version
        return row

    def save(self, must_create: bool = False) -> None:
        """The session is stored; one that was deleted meanwhile stays deleted: `UpdateError`."""
        if must_create or self.session_key is None:
            super().save(must_create=must_create)
            return
        row = self.create_model_instance(self._get_session())  # type: ignore[attr-defined]
        stored = self.model.objects.filter(session_key=row.session_key)
        columns = (
            "session_data",
            "expire_date",
            "user_id",
            "issued_at",
            "method",
            "switch_version",
        )
        if not stored.update(**{column: getattr(row, column) for column in columns}):
            raise UpdateError

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)
