"""An answer of the bank is uploaded, looked at and booked at the console, and by its command."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection

from refunds.bankfiles.answers import ReturnReason
from refunds.models import BankFile, Payout, PayoutBatch, ReconciliationBreak, UploadedAnswer
from refunds.payouts import results, uploads
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House
from tests.refunds.payouts.test_one_inclusion import answer, on, waiting  # noqa: F401
from winddown.errors import PlanChanged
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db
IN_ENGLISH = {"accept-language": "en"}
UPLOAD, BOOK = "/console/bank-answers/upload/", "/console/bank-answers/book/"


@pytest.fixture
def sent(house: House, waiting: PayoutBatch) -> PayoutBatch:  # noqa: F811
    """Two refunds of 1,000 with the bank, on their value date."""
    batch = house.send(waiting)
    on(15)
    return batch


def browser(someone: Any, language: str = "en") -> Any:
    return browser_of(someone, headers={"accept-language": language})


def upload(someone: Any, content: bytes, *, language: str = "en") -> Any:
    given = {"file": SimpleUploadedFile("answer.txt", content), "reason": "from the bank"}
    return browser(someone, language).post(UPLOAD, given, follow=True)


def page_of(someone: Any, content: bytes) -> str:
    return f"/console/bank-answers/file/{results.sha256_of(content)}/"


def book(someone: Any, content: bytes, *, shown: str = "") -> Any:
    """The form of the page is sent, twice."""
    digest = shown or uploads.look(results.sha256_of(content), actor=someone).digest
    given = {"sha256": results.sha256_of(content), "digest": digest, "reason": "seen"}
    browser(someone).post(BOOK, given)
    return browser(someone).post(BOOK, given, follow=True)


def test_treasury_uploads_looks_and_books(house: House, sent: PayoutBatch) -> None:
    content = answer(sent, None, ReturnReason.ACCOUNT_CLOSED)
    page = upload(house.treasury, content).content.decode()
    assert "Nothing is booked yet" in page
    assert "1 (JPY 1,000)" in page
    assert f'href="/console/payouts/{sent.pk}/"' in page
    assert not BankFile.objects.filter(kind="results").exists()
    assert set(Payout.objects.values_list("state", flat=True)) == {"exported"}
    kept = UploadedAnswer.objects.get()
    assert content not in bytes(kept.content_sealed)

    done = book(house.treasury, content).content.decode()
    assert "This file was booked" in done
    assert sorted(Payout.objects.values_list("state", flat=True)) == ["returned", "settled"]
    assert AuditEntry.objects.filter(action="bank_file.import", facts__settled=1).count() == 1
    house.money_holds()

    # The same bytes a second time: what they did the first time.
    again = upload(house.treasury, content).content.decode()
    assert "It changes nothing a second time" in again
    assert "1 (JPY 1,000)" in again
    assert UploadedAnswer.objects.count() == 1
    listed = browser(house.treasury, "ja").get("/console/bank-answers/").content.decode()
    assert "振込結果" in listed


def test_conflicts_are_seen_before_they_become_breaks(house: House, sent: PayoutBatch) -> None:
    content = answer(sent, None, None, change={"amount_minor": 999})
    page = upload(house.treasury, content).content.decode()
    assert "Another amount" in page
    assert not ReconciliationBreak.objects.exists()
    done = book(house.treasury, content).content.decode()
    assert ReconciliationBreak.objects.filter(owner=house.treasury).count() == 2
    assert 'href="/console/breaks/"' in done


def test_a_preview_that_is_no_longer_so_is_not_booked(house: House, sent: PayoutBatch) -> None:
    content = answer(sent, None, None)
    upload(house.treasury, content)
    shown = uploads.look(results.sha256_of(content), actor=house.treasury).digest
    results.import_file(answer(sent, None, only=(0,)), actor=house.treasury, reason="other file")
    with pytest.raises(PlanChanged):
        uploads.book(
            results.sha256_of(content), shown=shown, actor=house.treasury, reason="too late"
        )
    page = book(house.treasury, content, shown=shown).content.decode()
    assert "has changed" in page
    assert Payout.objects.filter(state="settled").count() == 1
    assert "Known before" in page
    book(house.treasury, content)
    assert Payout.objects.filter(state="settled").count() == 2
    house.money_holds()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda content: content[:-60], "record"),
        (lambda content: b"hello", "was refused whole"),
        (lambda content: content + b" " * UploadedAnswer.BYTES_MAX, "import_bank_results"),
    ],
)
def test_what_cannot_be_booked_is_refused_beside_the_form(
    house: House, sent: PayoutBatch, spoil: Any, said: str
) -> None:
    answered = upload(house.treasury, spoil(answer(sent, None, None)))
    assert said in answered.content.decode()
    assert answered.redirect_chain == []
    assert not UploadedAnswer.objects.exists()


def test_an_answer_of_another_remitter_is_refused(house: House, sent: PayoutBatch) -> None:
    content = answer(sent, None, None)
    header = content[:4] + b"9999999999" + content[14:]
    assert "another remitter" in upload(house.treasury, header).content.decode()


def test_a_file_that_comes_early_is_refused_and_uploaded_later(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
) -> None:
    batch = house.send(waiting)
    content = answer(batch, None, None)
    assert "load the file again on that day" in upload(house.treasury, content).content.decode()
    on(15)
    assert "Nothing is booked yet" in upload(house.treasury, content).content.decode()


@pytest.mark.parametrize("address", [UPLOAD, BOOK])
def test_who_may_not_do_it_is_refused(house: House, sent: PayoutBatch, address: str) -> None:
    content = answer(sent, None, None)
    given = {
        "file": SimpleUploadedFile("answer.txt", content),
        "sha256": results.sha256_of(content),
        "reason": "test",
    }
    assert browser(house.support).post(address, given).status_code == 403
    assert not UploadedAnswer.objects.exists()


def test_the_command_says_what_it_would_change(
    house: House, sent: PayoutBatch, tmp_path: Path
) -> None:
    path = tmp_path / "answer.txt"
    path.write_bytes(answer(sent, None, ReturnReason.OTHER))

    def run(*words: str) -> str:
        said = StringIO()
        call_command(
            "import_bank_results", str(path), *words, by=house.treasury.login_id, stdout=said
        )
        return said.getvalue()

    assert "It would be: 1 settled, 1 returned" in run("--check")
    assert f"batch {sent.pk}: 2 lines of JPY 2,000" in run("--check")
    assert set(Payout.objects.values_list("state", flat=True)) == {"exported"}
    run("--reason=test")
    assert "The first time: 1 settled, 1 returned" in run("--check")
    house.money_holds()


def test_the_lines_are_gone_after_the_answer(house: House, sent: PayoutBatch) -> None:
    for _ in range(2):
        results.preview(answer(sent, None, None), actor=house.treasury)
    results.import_file(answer(sent, None, None), actor=house.treasury, reason="test")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM refunds_answerline")
        assert cursor.fetchone() == (0,)
