"""I22 and I23: where card numbers and people's data may not be, a scan looks for them.

In the database, every text and JSON column that people, issuers or banks fill is read. Columns that
are sealed cannot be read, and keys of the core system and of banks (`..._ref`, account numbers, ARN,
RRN) have a form of their own and are checked when they are loaded.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import redis
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from winddown import card_numbers
from winddown.evidence.invariants import SHOWN_MAX, About, invariant
from winddown.models import TransitionLog

Finder = Callable[[str], str]
"""Returns what a text tells that it may not, in words that do not repeat it; empty for nothing."""

# Columns that are not read, and why.
UNREAD: Final = {
    "accounts_attackwatch.memory": "numbers of attempts and their means, written by the count",
    "accounts_session.session_data": "signed and packed by Django",
    "winddown_auditentry.rows": "numbers of rows and digests, written by a trigger",
    "winddown_auditseal.tables": "numbers of rows and digests, written by the seal",
    "winddown_audithorizon.last_ids": "numbers of rows",
    "winddown_plan.content": "numbers of rows and amounts, written by a plan",
}
_ROOMS: Final = ("winddown", "accounts", "wallets", "refunds")
_MAIL: Final = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[a-z]{2,}", re.IGNORECASE)
# How Celery names the process that sent a task, with the name of its machine.
_PROCESS: Final = re.compile(r"(?:gen[0-9]+|celery[\w.-]*)@", re.IGNORECASE)
_LINK: Final = re.compile(r"/recovery/link/(?!\.\.\.)[^/\s]{8}")


def card_number(text: str) -> str:
    return "a card number" if card_numbers.told_in(text) else ""


def mail_address(text: str) -> str:
    found = any(not _PROCESS.match(each[0]) for each in _MAIL.finditer(text))
    return "a mail address" if found else ""


def link_token(text: str) -> str:
    return "the token of a mailed link" if _LINK.search(text) else ""


NO_CARD: Final[tuple[Finder, ...]] = (card_number,)
NOBODY: Final[tuple[Finder, ...]] = (card_number, mail_address, link_token)


def told(text: str, finders: Iterable[Finder]) -> list[str]:
    """Returns what the text tells that it may not."""
    return [found for find in finders if (found := find(text))]


# --- the database ---------------------------------------------------------------------------------


def columns() -> list[tuple[str, str, str]]:
    """Returns table, key and column of every text that is read. What a change of state was for is in
    the audit journal too, so the log of states is not.
    """
    return [
        (model._meta.db_table, str(model._meta.pk.column), str(field.column))
        for room in _ROOMS
        for model in apps.get_app_config(room).get_models()
        if not issubclass(model, TransitionLog) and not model._meta.proxy
        for field in model._meta.concrete_fields
        if isinstance(field, models.TextField | models.JSONField)
        and f"{model._meta.db_table}.{field.column}" not in UNREAD
    ]


@invariant("I22", "No card number is in a text of the database", about=About.ACCESS)
def card_numbers_in_database() -> list[str]:
    one = "SELECT '{0}', {1}::text, {2}::text FROM {0} WHERE {2}::text ~ %(digits)s"
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(one.format(*each) for each in columns()),
            {"digits": card_numbers.IN_SQL},
        )
        found = [
            f"{table} {key} has a card number"
            for table, key, text in cursor
            if card_numbers.told_in(text)
        ]
    return found[:SHOWN_MAX]


# --- the broker, and files ------------------------------------------------------------------------


def in_broker() -> list[str] | None:
    """Returns what the messages and counters in the broker tell of people, and None while the broker
    cannot be reached.
    """
    server = redis.Redis.from_url(settings.REDIS_URL)
    try:
        found = [
            f"the broker's key {number} has {what}"
            for number, text in enumerate(_texts(server), start=1)
            for what in told(text, NOBODY)
        ]
    except redis.ConnectionError:
        return None
    finally:
        server.close()
    return found[:SHOWN_MAX]


_READ: Final[dict[str, Callable[[Any, bytes], Any]]] = {
    "string": lambda server, key: server.get(key),
    "list": lambda server, key: server.lrange(key, 0, -1),
    "set": lambda server, key: list(server.smembers(key)),
    "zset": lambda server, key: server.zrange(key, 0, -1),
    "hash": lambda server, key: [*server.hkeys(key), *server.hvals(key)],
}


def _texts(server: Any) -> Iterator[str]:
    """Yields each key with its value; the bodies of messages as they were before they were packed."""
    for key in server.scan_iter(count=1_000):
        kind = server.type(key).decode()
        value = _READ[kind](server, key) if kind in _READ else None
        parts = value if isinstance(value, list) else [value or b""]
        yield "\n".join(_unpacked(each) for each in (key, *parts))


def _unpacked(value: bytes) -> str:
    text = value.decode(errors="replace")
    try:
        message = json.loads(text)
        return f"{text}\n{base64.b64decode(message['body']).decode(errors='replace')}"
    except (ValueError, TypeError, KeyError, binascii.Error):
        return text


def in_files(paths: Iterable[str], finders: Iterable[Finder]) -> list[str]:
    """Returns what the files, and those in the directories, tell that they may not."""
    finders = tuple(finders)
    found = []
    for path in _files(paths):
        content = path.read_bytes()
        try:
            tells = told(content.decode(), finders)
        except UnicodeDecodeError:
            shows = card_numbers.shown_in_file(path.name, content)
            tells = ["a card number"] if shows else []
        found += [f"{path} has {what}" for what in tells]
    return found[:SHOWN_MAX]


def _files(paths: Iterable[str]) -> Iterator[Path]:
    for each in map(Path, paths):
        yield from (
            sorted(below for below in each.rglob("*") if below.is_file())
            if each.is_dir()
            else [each]
        )
