"""A digest that a person must copy is shown with as many digits as the command takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.config.test_every_door import browser_of
from tests.signing_in import code_typed
from winddown.models import Approval, Run
from winddown.runs import planning
from winddown.templatetags import spoken

SHOWN = re.compile(r"<code>([0-9a-f]+)</code>")


@pytest.mark.django_db
def test_a_command_takes_the_digest_that_the_page_shows(
    programme: Any, wallets: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    wallets(2)
    run = planning.plan("freeze-charges", actor=staff("incident_commander"), reason="an attack")
    checker = staff("compliance")
    (digest,) = SHOWN.findall(browser_of(checker).get("/console/").content.decode())
    subject = Approval.objects.get().subject

    with code_typed(checker):
        call_command("approve", subject, digest=digest, by=checker.login_id, reason="agreed")

    assert Run.objects.get(pk=run.pk).state == "approved"


def test_no_page_shortens_a_digest_in_its_own_way() -> None:
    pages = list(Path(settings.BASE_DIR, "templates").rglob("*.html"))
    assert len(pages) > 50
    short = [path for path in pages if re.search(r"digest\s*\|\s*slice", path.read_text())]
    assert short == []


def test_a_digest_in_a_plan_can_be_copied() -> None:
    assert spoken.planned("ab" * 32, "snapshot") == f"<code>{'ab' * 16}…</code>"
