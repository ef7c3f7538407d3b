"""A browser at the pages of the recovery."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

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
