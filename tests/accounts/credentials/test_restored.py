"""After a restore of the database nobody is signed in by what was given out before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.accounts.conftest import OLD
from tests.accounts.sign_in.test_endings import token_for, works
from tests.config.test_every_door import browser_of
from tests.signing_in import is_signed_in, sign_in
from winddown.evidence import restores
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_sessions_and_tokens_from_before_a_restore_are_refused(
    person: Callable[..., Any], staff: Callable[..., Any], programme: Any
) -> None:
    someone, officer = person(), staff("incident_commander")
    browser = Client(headers={"accept-language": "en"})
    sign_in(browser, someone.login_id, OLD)
    token = token_for(browser).json()["token"]
    console = browser_of(officer)
    assert is_signed_in(browser)
    assert works(token)
    assert console.get("/console/").status_code == 200

    assert restores.notice("a file")

    assert "restored from a backup" in browser.get("/sign-in/").content.decode()
    assert not is_signed_in(browser)
    assert not works(token)
    assert console.get("/console/")["Location"].startswith("/sign-in/")
    sign_in(browser, someone.login_id, OLD)
    assert is_signed_in(browser)
    assert browser_of(officer).get("/console/").status_code == 200


def test_one_restore_is_noticed_once_and_another_one_again(programme: Any) -> None:
    assert restores.noticed_at() is None
    assert restores.notice("a file")
    first = restores.noticed_at()
    assert not restores.notice("a file")
    assert restores.noticed_at() == first
    assert restores.notice("another file")
    assert AuditEntry.objects.filter(action=restores.NOTICED).count() == 2
