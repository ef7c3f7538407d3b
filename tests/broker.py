"""The broker as seen by its administrator, who may empty it: our own processes may not."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from config.embedded import Valkey
from config.embedded.places import place_for


def as_administrator(url: str) -> str:
    """Returns the address of the embedded server for its administrator; that of another server is
    unchanged.
    """
    parts = urlsplit(url)
    valkey = Valkey(place_for(settings.LOCAL_DIR))
    if parts.path != str(valkey.socket):
        return url
    person = urlsplit(valkey.url_of("administrator")).netloc
    return parts._replace(netloc=person).geturl()
