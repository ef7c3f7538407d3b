"""The session store: each row has the session's user and the admission that issued it."""

from __future__ import annotations

from typing import Any, cast

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from accounts.credentials.admissions import Admission
from accounts.models import AuthEvent, Session, User
from accounts.sign_in.origins import origin_of
from winddown import clock

ADMISSION_KEY = "admission"
# The account whose first factor was right, while the second factor is asked.
HALF_IN_KEY = "half_in"
_REMEMBERED_KEY = "remembered"
_USED_AT_KEY = "used_at"
_OPENED_FROM_KEY = "opened_from"
REMEMBERED_S = 30 * 24 * 3600
_USED_AT_STEP_S = 60


def admission_of(session: SessionBase) -> Admission | None:
    """Returns the admission of the session."""
    stored = session.get(ADMISSION_KEY)
    return Admission.from_json(stored) if stored else None


def holder_of(session: SessionBase | dict[str, Any]) -> int | None:
    """Returns the account of the session, also before the second factor."""
    found = session.get(SESSION_KEY, session.get(HALF_IN_KEY))
    return None if found is None else int(found)


def leave(request: HttpRequest) -> None:
    """The person who was signed in here is signed out, before another signs in."""
    if holder_of(request.session) is not None:
        logout(request)


def begin(session: SessionBase, user: User, *, remembered: bool) -> None:
    """The session has the admission of `user`, who may still have to give a second factor."""
    if SESSION_KEY in session:
        raise AssertionError("an admission is never put into another person's session")
    session.cycle_key()
    session[HALF_IN_KEY] = user.pk
    session[ADMISSION_KEY] = user.admission.as_json()
    session[_REMEMBERED_KEY] = remembered and user.kind == User.Kind.CUSTOMER


def open_for(request: HttpRequest, user: User) -> None:
    """The session is `user`'s. It has its origin, and lasts as long as the person asked."""
    session = request.session
    session.pop(HALF_IN_KEY, None)
    network = origin_of(request).network
    session[_OPENED_FROM_KEY] = [network or "", request.headers.get("User-Agent", "")[:200]]
    session[_USED_AT_KEY] = int(timezone.now().timestamp())
    if session.pop(_REMEMBERED_KEY, None):
        session.set_expiry(REMEMBERED_S)


def opened_from(session: SessionBase) -> tuple[str, str]:
    """Returns the network address and the browser's own name from which the session was opened."""
    network, agent = session.get(_OPENED_FROM_KEY, ("", ""))
    return network, agent


def note_use(request: HttpRequest) -> None:
    """The session's last use is now. It is written at most once a minute, by the real clock."""
    now = int(timezone.now().timestamp())
    if now - request.session.get(_USED_AT_KEY, 0) >= _USED_AT_STEP_S:
        request.session[_USED_AT_KEY] = now


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
        row = cast("Session", super().create_model_instance(data))
        holder = holder_of(data)
        if holder is not None:
            admission = Admission.from_json(data[ADMISSION_KEY])
            row.user_id = holder
            row.issued_at = admission.at
            row.method = admission.method
            row.switch_version = admission.switch_version
        return row

    def save(self, must_create: bool = False) -> None:
        """The session is stored. Raises `UpdateError` when it was deleted meanwhile."""
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
