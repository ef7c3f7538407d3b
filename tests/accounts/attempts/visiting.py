"""Visitors who sign in from devices and networks of their own, and an attack by many of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth import authenticate
from django.test import Client, RequestFactory

from accounts.models import AuthEvent
from tests.accounts.conftest import OLD

HOME, OTHER = "198.51.100.7", "203.0.113.9"


@dataclass
class Visitor:
    """A person's device in one network, at the real sign-in page."""

    network: str = HOME
    client: Client = field(default_factory=Client)

    def tries(self, login_id: str, password: str = OLD) -> str:
        """Returns the outcome of the attempt, as its record says."""
        sent = {"login_id": login_id, "password": password}
        self.client.post("/sign-in/", sent, REMOTE_ADDR=self.network)
        outcome: str = AuthEvent.objects.latest("id").outcome
        return outcome


def everywhere(number: int) -> str:
    """Returns an address for the number, in a range that no other number has."""
    return f"10.{number // 250 % 250}.{number % 250}.1"


def stranger(number: int, login_id: str, password: str = OLD) -> str:
    """Returns the outcome of an attempt from a new device and network, made without the page."""
    request = RequestFactory().post("/sign-in/", REMOTE_ADDR=everywhere(number))
    authenticate(request, username=login_id, password=password)
    outcome: str = AuthEvent.objects.latest("id").outcome
    return outcome


def attack(number: int, *, people: list[str] | None = None) -> list[str]:
    """A list-type attack: every login id is tried once, each from another network. Returns the
    outcomes.
    """
    ids = people or [f"nobody-{n}" for n in range(number)]
    return [stranger(n, ids[n % len(ids)], "guess") for n in range(number)]
