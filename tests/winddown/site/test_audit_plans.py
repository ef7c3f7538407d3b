"""Each filter of the audit journal reads an index, however long the journal is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.owning import as_owner
from tests.unguarded import past_the_guards
from winddown.site import audit_page
from winddown.site.reading import PAGE_ROWS

pytestmark = pytest.mark.django_db

ENTRIES = 30_000
# filter -> what is typed, and the index that finds it
FILTERS = {
    "nothing": ({}, "winddown_auditentry_pkey"),
    "person": ({"person": "rare reader"}, "audit_by_actor"),
    "action": ({"action": "staff_roles.approve"}, "audit_by_action"),
    "first word of the action": ({"action": "staff_roles"}, "audit_by_action"),
    "result": ({"result": "refused"}, "audit_by_action"),
    "subject": ({"subject": "run:77"}, "audit_by_subject"),
}


@pytest.fixture
def long_journal(staff: Callable[..., Any]) -> None:
    """Thousands of entries of batches, and ten of each other kind, which are the oldest."""
    reader, other = staff(display_name="rare reader"), staff()
    past_the_guards(
        "INSERT INTO winddown_auditentry"
        " (seq, at, actor_id, action, subject, reason, facts, rows, xact_id, previous, hash)"
        " SELECT n, now(),"
        f" CASE WHEN n % 3000 = 0 THEN {reader.pk} ELSE {other.pk} END,"
        " CASE WHEN n <= 10 THEN 'staff_roles.approve' WHEN n <= 20 THEN 'refused'"
        " ELSE 'run.batch' END,"
        " 'run:' || n % 3000, '', '{}', '', n, '', ''"
        f" FROM generate_series(1, {ENTRIES}) n"
    )
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE winddown_auditentry")


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_reads_its_index(long_journal: None, name: str) -> None:
    typed, index = FILTERS[name]
    form = audit_page.AuditForm(typed)
    assert form.is_valid()
    with CaptureQueriesContext(connection) as asked:
        found = audit_page.SOURCE.lines(form.cleaned_data, PAGE_ROWS)
    assert found
    (sql,) = (each["sql"] for each in asked if "winddown_auditentry" in each["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor)
    assert index in plan, plan
    assert "Seq Scan on winddown_auditentry" not in plan
