"""The watches of a served test site see no file that another database left on the same disk."""

from __future__ import annotations

import json

import pytest
from django.conf import settings

from config.settings import LOCAL_DIR
from refunds.payouts import sent_files
from tests.conftest import Database
from winddown.evidence import restores


def test_the_file_of_another_database_ends_no_session_here(
    own_database: Database, request: pytest.FixtureRequest
) -> None:
    stray = LOCAL_DIR / "audit-heads" / f"payout-file-0009-000001-{own_database.name}.json"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_text(json.dumps({"bank_code": "0009", "sequence": 1, "sha256": "ab"}))
    request.addfinalizer(stray.unlink)

    sent_files.notice()

    assert restores.noticed_at() is None
    assert own_database.environment["WINDDOWN_AUDIT_HEADS_DIR"] == str(settings.AUDIT_HEADS_DIR)
