"""A restore is noticed once for each sign of it."""

from __future__ import annotations

import pytest

from winddown.evidence import restores
from winddown.models import AuditEntry

pytestmark = pytest.mark.usefixtures("programme")


def test_each_sign_of_a_restore_is_written_down_once() -> None:
    assert restores.noticed_at() is None
    assert restores.notice("a file", names=["f"]) is True
    first = restores.noticed_at()
    assert restores.notice("a file") is False
    assert restores.noticed_at() == first
    assert restores.notice("another file") is True

    entries = AuditEntry.objects.filter(action=restores.NOTICED).order_by("seq")
    assert [entry.subject for entry in entries] == ["restore:a file", "restore:another file"]
    assert entries[0].facts["names"] == ["f"]
