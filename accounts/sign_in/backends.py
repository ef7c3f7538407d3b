"""Django's authentication backend for `credentials.sign_in`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.credentials import sign_ins
from accounts.models import User
from accounts.sign_in.origins import origin_of


class LoginIdBackend(ModelBackend):
    """Signs in by login id and password. Permissions are Django's own."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **other: Any,
    ) -> User | None:
        login_id = other.get(User.USERNAME_FIELD, username)
        if login_id is None or password is None:
            return None
        return sign_ins.sign_in(login_id, password, origin=origin_of(request))
