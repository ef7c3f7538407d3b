"""The broker as who may empty it: our own processes may not."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from config.embedded import Valkey
from config.embedded.places import place_for


def as_administrator(url: str) -> str:
    """Returns the embedded server's address for its administrator; another server's as it is."""
    parts = urlsplit(url)
    valkey = Valkey(place_for(settings.LOCAL_DIR))
    if parts.path != str(valkey.socket):
        return url
    person = urlsplit(valkey.url_of("administrator")).netloc
    return parts._replace(netloc=person).geturl()
