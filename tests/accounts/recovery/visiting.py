"""A browser at the pages of the recovery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.db import connection
from django.test import Client

from accounts.models import User

EN = {"accept-language": "en"}


class Visitor:
    """Somebody's browser at the real site."""

    def __init__(self, **headers: str) -> None:
        self.client = Client(headers={**EN, **headers})

    def ask(self, who: str, **extra: Any) -> Any:
        return self.client.post("/recovery/", {"who": who}, follow=True, **extra)

    def open(self, url: str) -> Any:
        """Returns what the browser shows after the mailed link was opened."""
        return self.client.get(urlsplit(url).path, follow=True)

    def choose(self, password: str, again: str = "") -> Any:
        return self.client.post(
            "/recovery/password/", {"password": password, "again": again or password}
        )

    def signs_in(self, login_id: str, password: str) -> bool:
        self.client.post("/sign-in/", {"login_id": login_id, "password": password})
        return "_auth_user_id" in self.client.session


def dead(link: str) -> bool:
    """Returns whether the link shows the page of a dead link, and a password sent there changes
    nothing.
    """
    browser, before = Visitor(), list(User.objects.order_by("pk").values_list("password"))
    shown = browser.open(link)
    refused = browser.choose("one more quite different sentence")
    unchanged = list(User.objects.order_by("pk").values_list("password")) == before
    return shown.status_code == refused.status_code == 410 and unchanged


@contextmanager
def disabled_before(statement: str, someone: User) -> Iterator[None]:
    """Inside, the account is disabled just before each statement that contains the text."""

    def run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if statement in sql:
            User.objects.filter(pk=someone.pk).update(is_active=False)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(run):
        yield
