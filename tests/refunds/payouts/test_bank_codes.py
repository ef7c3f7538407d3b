"""One version of the public bank codes is active, and earlier ones stay."""

from __future__ import annotations

import pytest

from refunds.bankfiles.zengin_codes import BankRow, BranchRow
from refunds.models import BankDataset, Branch
from refunds.payouts import bank_codes
from tests.refunds.conftest import person
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db


def load(version: str) -> tuple[BankDataset, bool]:
    return bank_codes.load(
        version=version,
        banks=[BankRow("0001", "みずほ", "ﾐｽﾞﾎ")],
        branches=[BranchRow("0001", "001", "本店", "ﾎﾝﾃﾝ")],
        actor=person("refunds.adopt_terms"),
        reason="test",
    )


def test_each_version_is_copied_once_and_the_last_one_loaded_is_active() -> None:
    first, changed = load("2019-10")
    assert (changed, first.active, first.banks, first.branches) == (True, True, 1, 1)
    for version, changed in (("2019-11", True), ("2019-11", False), ("2019-10", True)):
        loaded = load(version)
        assert (loaded[0].version, loaded[1]) == (version, changed)
        assert BankDataset.objects.get(active=True) == loaded[0]
    assert (BankDataset.objects.count(), Branch.objects.count()) == (2, 2)
    assert AuditEntry.objects.filter(action="bank_codes.load").count() == 3
