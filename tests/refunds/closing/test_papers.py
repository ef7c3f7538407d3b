"""Papers to print: a batch on one page in both languages, and merchants' final statements, signed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from refunds.closing import papers
from refunds.models import PayoutBatch
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House
from tests.signing_in import code_typed
from wallets.movements import spending
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet
from winddown.models import AuditEntry, Merchant

pytestmark = pytest.mark.django_db


def is_ours(file: Path, capsys: pytest.CaptureFixture[str]) -> bool:
    try:
        call_command("export_paper", check=file)
    except SystemExit as ended:
        assert ended.code == 1
        return False
    return "unchanged" in capsys.readouterr().out


def test_a_batch_is_summed_up_on_one_signed_page_in_both_languages(
    house: House, staff: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owed, *_others = house.entitled(2)
    house.apply(owed)
    house.check_payees()
    batch = house.send(house.paid_batch())
    by = {"by": staff("treasury_operator").login_id, "reason": "for the file"}

    call_command("export_paper", batch=batch.pk, out=tmp_path, **by)

    file = tmp_path / f"payout_batch-{batch.pk}.html"
    text = file.read_text()
    for shown in ("総合振込の集計", "Summary of a payout batch", "1,000円", "JPY 1,000",
                  "2019-11-15", batch.sha256, batch.digest, house.approver2.staff_number):  # fmt: skip
        assert str(shown) in text
    assert is_ours(file, capsys)
    # The signature is of all that the page says, also of what people read.
    for was, now in (("JPY 1,000", "JPY 9,000"), ("&quot;payouts&quot;: 1,", "&quot;payouts&quot;: 2,")):  # fmt: skip
        assert was in text
        file.write_text(text.replace(was, now, 1))
        assert not is_ours(file, capsys)
    assert AuditEntry.objects.filter(action="paper.export", subject=batch.subject).exists()

    reader = browser_of(staff("compliance"), headers={"accept-language": "ja"})
    page = reader.get(f"/console/closing/batches/{batch.pk}/").content.decode()
    assert "総合振込の集計" in page
    assert "Summary of a payout batch" in page
    saved = reader.post("/console/closing/paper/", {"batch": batch.pk, "reason": "to keep"})
    (tmp_path / "saved.html").write_bytes(saved.getvalue())
    assert is_ours(tmp_path / "saved.html", capsys)
    neither = reader.post("/console/closing/paper/", {"reason": "to keep"})
    assert "総合振込、加盟店、処理のどれか一つ" in neither.content.decode()
    stranger = browser_of(staff("support"))
    assert stranger.get(f"/console/closing/batches/{batch.pk}/").status_code == 403
    with pytest.raises(SystemExit):
        call_command("export_paper", batch=batch.pk, out=tmp_path / "b",
                     by=staff("support").login_id, reason="mine")  # fmt: skip
    with pytest.raises(GuardNotMet, match="not sealed"):
        papers.of_batch(PayoutBatch(bank_code="0001"))


def test_the_statements_of_the_merchants_come_to_the_ledger(
    wallet: Callable[..., Any],
    programme: Any,
    staff: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Merchant.objects.create(merchant_ref="M-2", name="Second shop", email="s@example.com")
    paid = wallet(paid_minor=1000)
    for number, (ref, amount) in enumerate((("M-1", 300), ("M-1", 200), ("M-2", 100))):
        spending.pay(
            paid.pk, amount_minor=amount, payment_ref=f"p{number}", merchant_ref=ref, actor=SYSTEM
        )
    officer = staff("compliance")
    by = {"by": officer.login_id, "reason": "final settlement"}

    with code_typed(officer):
        call_command("export_paper", all_merchants=True, out=tmp_path, **by)

    first, second = tmp_path / "merchant-M-1.html", tmp_path / "merchant-M-2.html"
    assert "JPY 500" in first.read_text()
    assert "Second shop" in second.read_text()
    assert "100円" in second.read_text()
    assert is_ours(first, capsys)
    page = browser_of(staff("treasury_approver")).get("/console/closing/merchants/M-1/")
    assert "500円" in page.content.decode()
    unknown = browser_of(staff("compliance")).get("/console/closing/merchants/M-9/")
    assert unknown.status_code == 302

    spending.reserve(paid.pk, amount_minor=10, payment_ref="p9", merchant_ref="M-1", actor=SYSTEM)
    with pytest.raises(GuardNotMet, match="1 of its payments are not settled yet"):
        papers.of_merchant("M-1")
