"""Each number of a run leads to its rows, and each row that failed says why."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.winddown.site.readings import table
from wallets.models import Wallet
from winddown import clock
from winddown.models import AuditEntry, Failure, Run
from winddown.runs import planning, working

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(programme: Any, wallets: Callable[..., list[int]], staff: Callable[..., Any]) -> Run:
    """A freeze of four wallets. Beside them stand a row that failed and one that was tried again."""
    wallets(4)
    maker, checker = staff("incident_commander"), staff("incident_commander")
    run = planning.plan("freeze-charges", actor=maker, reason="an attack")
    planning.approve(run, actor=checker, digest=run.plan_digest, reason="counted")
    run = planning.start(Run.objects.get(pk=run.pk), actor=maker)
    for number, code, retried_at in ((901, "first", None), (902, "second", clock.now())):
        Failure.objects.create(
            run=run,
            step="freeze_wallets",
            subject_id=number,
            reason_code=code,
            detail="<b>poisoned</b>",
            at=clock.now(),
            retried_at=retried_at,
        )
    working.work(run.pk)
    return Run.objects.get(pk=run.pk)


def test_the_numbers_of_a_run_lead_to_its_rows(
    ended: Run, staff: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    treasury = staff("treasury_operator")
    browser = signed_in(treasury)
    page = browser.get(f"/console/runs/{ended.pk}/").content.decode()
    moved, failed = (
        re.search(rf'id="{name}" href="([^"]+)"', page)[1].replace("&amp;", "&")  # type: ignore[index]
        for name in ("moved-2", "rows-first")
    )

    lines = browser.get(moved).context["seen"].lines
    assert [line.subject for line in lines] == [
        f"wallet:{each.pk}" for each in Wallet.objects.order_by("-pk")
    ]
    assert {line.code for line in lines} == {"wallet.freeze_charges"}
    shown = browser.get(failed)
    (line,) = shown.context["seen"].lines
    assert (line.subject, line.code, line.tone) == ("wallet:901", "first", "bad")
    assert "&lt;b&gt;poisoned" in shown.content.decode()
    both = browser.get(f"/console/run-rows/?run={ended.pk}").context["seen"].lines
    assert [(each.code, each.tone) for each in both] == [("second", "idle"), ("first", "bad")]
    entries = AuditEntry.objects.filter(action="run_rows.read").order_by("seq")
    assert [each.facts["query"] for each in entries] == [
        {"run": str(ended.pk), "rows": "moved", "step": "freeze_wallets", "before": ""},
        {"run": str(ended.pk), "rows": "failed", "reason_code": "first", "before": ""},
        {"run": str(ended.pk), "rows": "failed", "before": ""},
    ]


def test_the_list_goes_on_row_by_row_and_into_a_file(
    ended: Run,
    browser: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = f"/console/run-rows/?run={ended.pk}&rows=moved&step=freeze_wallets"
    monkeypatch.setattr("winddown.site.reading.PAGE_ROWS", 3)
    first = browser.get(address).context["seen"]
    rest = browser.get(f"/console/run-rows/?{first.older_query}").context["seen"]
    assert len(first.lines) == 3
    assert len({line.subject for line in [*first.lines, *rest.lines]}) == 4
    rows = table(browser.get(address.replace("/?", "/file/?")))
    assert len(rows) - rows.index([]) - 2 == 4


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "Enter the number of a run."),
        ("run=99999", "There is no such run."),
        ("run=x", "There is no such run."),
        ("run={run}&rows=moved", "Enter the step whose rows were moved."),
        ("run={run}&step=fly", "The run has these steps: withhold_authorised_top_ups,"),
    ],
)
def test_what_names_no_rows_is_said_beside_its_field(
    ended: Run, browser: Client, query: str, sentence: str
) -> None:
    address = "/console/run-rows/?" + query.format(run=ended.pk)
    assert sentence in browser.get(address).content.decode()
    assert not AuditEntry.objects.filter(action="run_rows.read").exists()


def test_a_customer_reads_no_rows(ended: Run, signed_in: Callable[..., Client]) -> None:
    customer = Wallet.objects.first()
    assert customer is not None
    answer = signed_in(customer.account).get(f"/console/run-rows/?run={ended.pk}")
    assert answer.status_code == 403
