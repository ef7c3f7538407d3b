"""A migration that adds a column to a witnessed table leaves the digests of older rows right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from tests import factories
from tests.config.test_every_door import browser_of
from tests.owning import as_owner
from tests.unguarded import past_the_guards
from winddown import clock
from winddown.errors import GuardNotMet
from winddown.evidence import invariants
from winddown.models import FilingReceipt
from winddown.programme import evidence_files, filing_duties, filings, stages
from winddown.programme.evidence_files import File

SHA256 = hashlib.sha256(b"receipt").hexdigest()


def migrate(*to: str) -> None:
    with as_owner():
        call_command("migrate", *to, verbosity=0)


def as_owner_says(statement: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def version(own_database: Any, staff: Callable[..., Any]) -> Any:
    """A version of a filing, in a database of its own."""
    factories.make_programme()
    officer = staff("compliance")
    stages.declare_incident(actor=staff("incident_commander"), reason="attack")
    key = next(each.key for each in filing_duties.due() if each.clock == "aware")
    return filings.write(key, sections={}, actor=officer, reason="known now")


def insert(version: Any, column: str, value: object) -> None:
    """A receipt is recorded with the columns of that time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO winddown_filingreceipt"
            f" (version_id, number, received_on, filed_by_id, filed_at, {column})"
            " VALUES (%s, '7', '2022-07-05', %s, now(), %s)",
            [version.pk, version.author_id, value],
        )


def kept() -> Any:
    return evidence_files.keep(File("receipt.pdf", b"receipt"), action="test")


def edited(columns: str) -> list[str]:
    """Returns what I14b says of an edit of the receipts, which is taken back."""
    with transaction.atomic():
        past_the_guards(f"UPDATE winddown_filingreceipt SET {columns}")
        found = invariants.rows_rewritten()
        transaction.set_rollback(True)
    return found


def test_a_receipt_from_before_the_files_is_migrated(
    version: Any, staff: Callable[..., Any]
) -> None:
    migrate("winddown", "0022")
    insert(version, "evidence_sha256", SHA256)
    migrate()

    receipt = FilingReceipt.objects.get()
    assert (receipt.evidence, receipt.sha256) == (None, SHA256)
    assert invariants.rows_rewritten() == []
    assert invariants.guards_missing() == []
    number = kept().pk
    for columns in (
        "number = '8'",
        f"evidence_sha256 = '{'0' * 64}'",
        f"evidence_sha256 = '', evidence_id = {number}",
    ):
        (sentence,) = edited(columns)
        assert sentence.startswith("FilingReceipt ")
    auditor = staff("auditor")
    with translation.override("en"), pytest.raises(GuardNotMet, match="only its SHA-256"):
        filings.disclose_evidence(receipt, actor=auditor, reason="r")
    filing = version.filing
    address = f"/console/filings/{filing.kind}:{filing.authority}:{filing.clock_on}/"
    assert SHA256 in browser_of(auditor).get(address).content.decode()


def test_a_database_that_ran_the_first_form_of_the_migration_becomes_the_same(
    version: Any,
) -> None:
    migrate("winddown", "0025")
    as_owner_says(
        "ALTER TABLE winddown_filingreceipt DROP COLUMN evidence_sha256,"
        " ALTER COLUMN evidence_id SET NOT NULL"
    )
    insert(version, "evidence_id", kept().pk)
    migrate()

    receipt = FilingReceipt.objects.get()
    assert receipt.sha256 == SHA256
    assert invariants.rows_rewritten() == []
    assert invariants.guards_missing() == []
    for columns in ("number = '8'", f"evidence_id = NULL, evidence_sha256 = '{'0' * 64}'"):
        (sentence,) = edited(columns)
        assert sentence.startswith("FilingReceipt ")


@pytest.mark.django_db
def test_a_new_receipt_has_a_file(programme: Any, staff: Callable[..., Any]) -> None:
    stages.declare_incident(actor=staff("incident_commander"), reason="attack")
    key = next(each.key for each in filing_duties.due() if each.clock == "aware")
    written = filings.write(key, sections={}, actor=staff("compliance"), reason="r")
    with pytest.raises(DatabaseError, match="has no file"), transaction.atomic():
        FilingReceipt.objects.create(
            version=written,
            number="7",
            received_on=clock.now().date(),
            evidence_sha256=SHA256,
            filed_by=written.author,
            filed_at=clock.now(),
        )
