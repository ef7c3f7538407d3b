"""What the tests of the lists that staff read share."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.db import transaction

from winddown.actors import SYSTEM
from winddown.evidence import audit


def entry(action: str, subject: str = "test", *, actor: Any = SYSTEM, **facts: Any) -> int:
    with transaction.atomic():
        return audit.append(action, subject, actor=actor, **facts)


def codes(answer: Any) -> list[str]:
    """The codes of the rows that the page shows, in their order."""
    return [line.code for line in answer.context["seen"].lines]


def table(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
