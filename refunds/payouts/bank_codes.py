"""The public bank and branch codes in tables, one version beside the other, one of them active."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from refunds.bankfiles.zengin_codes import BankRow, BranchRow
from refunds.models import Bank, BankDataset, Branch
from winddown import clock
from winddown.actors import Actor, require
from winddown.evidence import audit


def load(
    *,
    version: str,
    banks: Iterable[BankRow],
    branches: Iterable[BranchRow],
    actor: Actor,
    reason: str,
) -> tuple[BankDataset, bool]:
    """The codes of the version are loaded and active.

    Returns the version, and False if it was active before. Earlier versions stay, so that an old
    payee can be read as it was entered.
    """
    require(actor, "refunds.adopt_terms", by_system=True, action="load bank codes")
    with transaction.atomic():
        present = BankDataset.objects.select_for_update().filter(version=version).first()
        if present is not None and present.active:
            return present, False
        BankDataset.objects.filter(active=True).update(active=False)
        if present is None:
            present = _copied(version, banks, branches)
        BankDataset.objects.filter(pk=present.pk).update(active=True)
        audit.append(
            "bank_codes.load",
            f"bank_dataset:{version}",
            actor=actor,
            reason=reason,
            banks=present.banks,
            branches=present.branches,
        )
        return BankDataset.objects.get(pk=present.pk), True


def _copied(version: str, banks: Iterable[BankRow], branches: Iterable[BranchRow]) -> BankDataset:
    dataset = BankDataset.objects.create(
        version=version, banks=0, branches=0, loaded_at=clock.now()
    )
    dataset.banks = _copy(
        "COPY refunds_bank (dataset_id, code, name, kana) FROM STDIN",
        ((dataset.pk, *row) for row in banks),
    )
    dataset.branches = _copy(
        "COPY refunds_branch (dataset_id, bank_code, code, name, kana) FROM STDIN",
        ((dataset.pk, *row) for row in branches),
    )
    dataset.save(update_fields=["banks", "branches"])
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Bank._meta.db_table}, {Branch._meta.db_table}")
    return dataset


def _copy(sql: str, rows: Iterable[tuple[object, ...]]) -> int:
    with connection.cursor() as cursor:
        with cursor.copy(sql) as channel:
            for row in rows:
                channel.write_row(row)
        return int(cursor.rowcount)
