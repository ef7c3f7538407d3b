"""Many threads, each with its own connection, that start at one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Returns what each act returned or raised; all acts began together on their own connections."""
    answers: list[Any] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def take_part(place: int, act: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(60)
            answers[place] = act()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=take_part, args=(place, act)) for place, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return answers


def outcome(answers: list[Any]) -> dict[str, int]:
    """How often each kind of answer came: the error's class, or "done"."""
    kinds = [type(each).__name__ if isinstance(each, Exception) else "done" for each in answers]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def wait_until_somebody_waits_for_the_switch() -> None:
    """A transaction of this database waits for the lock of a switch."""
    with connection.cursor() as cursor:
        for _ in range(600):
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7001"
                " AND NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            if cursor.fetchone()[0]:
                return
            threading.Event().wait(0.05)
    raise AssertionError("nobody waits")
