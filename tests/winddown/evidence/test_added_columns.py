"""A migration that adds a column to a witnessed table leaves the digests of older rows right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import translation

from tests.config.test_every_door import browser_of
from tests.unguarded import past_the_guards
from winddown import clock, witness
from winddown.errors import GuardNotMet
from winddown.evidence import invariants
from winddown.models import FilingReceipt
from winddown.programme import evidence_files, filing_duties, filings, stages
from winddown.programme.evidence_files import File

pytestmark = pytest.mark.django_db

SHA256 = hashlib.sha256(b"receipt").hexdigest()
# What a migration gave to the receipts that lacked the column.
OLDER = {"evidence_id": "NULL", "evidence_sha256": "''"}


@pytest.fixture
def version(programme: Any, staff: Callable[..., Any]) -> Any:
    """A version of a filing."""
    stages.declare_incident(actor=staff("incident_commander"), reason="attack")
    key = next(each.key for each in filing_duties.due() if each.clock == "aware")
    return filings.write(key, sections={}, actor=staff("compliance"), reason="known now")


def insert(version: Any, *, lacking: str, **columns: object) -> FilingReceipt:
    """A receipt stands as the migration left it: its digest is from before the column `lacking`."""
    named = "".join(f", {name}" for name in columns)
    values = "".join(f", '{value}'" for value in columns.values())
    past_the_guards(
        "INSERT INTO winddown_filingreceipt"
        f" (version_id, number, received_on, filed_by_id, filed_at, {lacking}{named})"
        f" VALUES ({version.pk}, '7', '2022-07-05', {version.author_id}, now(),"
        f" {OLDER[lacking]}{values})"
    )
    digest = witness.digest_sql(FilingReceipt, (), row="t", without=[lacking])
    past_the_guards(
        "INSERT INTO winddown_rowdigest (table_name, row_id, digest)"
        f" SELECT 'winddown_filingreceipt', id, {digest} FROM winddown_filingreceipt t"
    )
    return FilingReceipt.objects.get()


def kept() -> Any:
    return evidence_files.keep(File("receipt.pdf", b"receipt"), action="test")


def edited(columns: str) -> list[str]:
    """Returns what I14b says of an edit of the receipts, which is taken back."""
    with transaction.atomic():
        past_the_guards(f"UPDATE winddown_filingreceipt SET {columns}")
        found = invariants.rows_rewritten()
        transaction.set_rollback(True)
    return found


def test_a_receipt_from_before_the_files_is_as_its_writer_left_it(
    version: Any, staff: Callable[..., Any]
) -> None:
    receipt = insert(version, lacking="evidence_id", evidence_sha256=SHA256)
    assert (receipt.evidence, receipt.sha256) == (None, SHA256)
    assert invariants.rows_rewritten() == []
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


def test_a_receipt_from_before_its_digest_stood_beside_it_is_as_its_writer_left_it(
    version: Any,
) -> None:
    receipt = insert(version, lacking="evidence_sha256", evidence_id=kept().pk)
    assert receipt.sha256 == SHA256
    assert invariants.rows_rewritten() == []
    for columns in ("number = '8'", f"evidence_id = NULL, evidence_sha256 = '{'0' * 64}'"):
        (sentence,) = edited(columns)
        assert sentence.startswith("FilingReceipt ")


def test_a_new_receipt_has_a_file(version: Any) -> None:
    with pytest.raises(DatabaseError, match="has no file"), transaction.atomic():
        FilingReceipt.objects.create(
            version=version,
            number="7",
            received_on=clock.now().date(),
            evidence_sha256=SHA256,
            filed_by=version.author,
            filed_at=clock.now(),
        )
