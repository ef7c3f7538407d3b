"""Where the public notice was published, with the evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, transaction

from tests import factories
from tests.config.test_every_door import browser_of
from tests.told import told
from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import AuditEntry, NoticeEvidence, NoticePublication, Programme
from winddown.programme import jurisdictions, publications
from winddown.programme.evidence_files import File

Record = Callable[..., NoticePublication]
OCTOBER = dt.datetime.fromisoformat("2019-10-01T00:00:00+09:00")
TYPED = {"channel": "newspaper", "place": "Morning paper, page 12", "began_at": "2019-10-01T00:00"}

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def noticed(rehearsal_clock: Any, programme: Any) -> Any:
    """The notice with a window from 1 October 2019 to 10 January 2020; it is 5 October."""
    clock.travel(dt.datetime.fromisoformat("2019-10-05T12:00:00+09:00"), frozen=True)
    return factories.publish_notice(dt.date(2020, 1, 10))


@pytest.fixture
def record(noticed: Any, staff: Any) -> Record:
    actor, files = staff("compliance"), iter(range(99))

    def record(channel: str = "newspaper", **given: Any) -> NoticePublication:
        file = File(name="page.pdf", content=b"%d" % next(files))
        known = {"place": "everywhere", "began_at": OCTOBER, "file": file}
        return publications.record(actor=actor, reason="r", channel=channel, **known | given)

    return record


def ran(person: Any, typed: dict[str, str], path: Path) -> int:
    words = [f"--{key.replace('_', '-')}={value}" for key, value in typed.items()]
    words += [f"--evidence={path}"] if path.exists() else []
    try:
        call_command(
            "record_publication", *words, by=person.login_id, reason="test", stdout=StringIO()
        )
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def posted(person: Any, typed: dict[str, str], path: Path) -> int:
    sent: dict[str, Any] = typed | {"reason": "test"}
    if path.exists():
        sent["evidence"] = SimpleUploadedFile("page.pdf", path.read_bytes())
    before = NoticePublication.objects.count()
    browser_of(person).post("/console/programme/record-publication/", sent)
    return 0 if NoticePublication.objects.count() > before else 1


@pytest.mark.parametrize("door", [ran, posted], ids=["command", "page"])
def test_a_publication_is_recorded_or_refused_through_its_door(
    noticed: Any, staff: Any, door: Callable[..., int], tmp_path: Path
) -> None:
    path, person = tmp_path / "page.pdf", staff("compliance")
    assert door(person, TYPED, path) != 0  # without evidence
    path.write_bytes(b"the page")
    for wrong in (
        {"place": " "},
        {"began_at": "2019-10-05T12:01"},
        {"began_at": "2019-06-30T00:00"},
        {"ended_at": "2019-09-30T00:00"},
        {"ended_at": "2019-10-06T00:00"},
        {"channel": "tv"},
        {"channel": "electronic_notice"},
        {"channel": "electronic_notice", "url": "ftp://example.org/"},
        {"channel": "electronic_notice", "url": "https://me:word@example.org/"},
        {"channel": "electronic_notice", "url": "https://[/"},
        {"replaces": "7"},
    ):
        try:
            assert door(person, TYPED | wrong, path) != 0, wrong
        except Exception as refused:
            assert type(refused).__name__ == "CommandError", wrong
    door(staff("support"), TYPED, path)
    assert not NoticePublication.objects.exists()
    assert not NoticeEvidence.objects.exists()

    assert door(person, TYPED, path) == 0

    kept = NoticePublication.objects.get()
    assert (kept.began_at, kept.ended_at, kept.recorded_by) == (OCTOBER, None, person)
    assert bytes(kept.evidence.content) == b"the page"
    assert AuditEntry.objects.filter(action="notice.record_publication", reason="test").exists()
    assert door(person, TYPED | {"place": "another"}, path) != 0  # the same file


def test_a_correction_is_a_new_row_that_keeps_the_evidence(record: Record) -> None:
    first = record(place="the wrong paper")
    second = record(place="the right paper", replaces=first, file=None)

    assert list(publications.standing(publications.newest_notice())) == [second]
    assert second.evidence == first.evidence
    with pytest.raises(GuardNotMet, match="does not stand"):
        record(replaces=first)
    with pytest.raises(DatabaseError), transaction.atomic():
        NoticePublication.objects.filter(pk=first.pk).update(place="x")


def test_what_the_law_asks_for_stays_open_until_it_is_published(record: Record) -> None:
    japan = jurisdictions.pack("japan")

    def states() -> list[str]:
        return [each.state for each in publications.duties(publications.newest_notice(), japan)]

    assert states() == ["missing"] * 4
    record("merchant", began_at=OCTOBER + dt.timedelta(days=1))
    record("office", ended_at=OCTOBER + dt.timedelta(days=2))
    record("web")
    ended = record("electronic_notice", url="https://example.org/n", ended_at=clock.now())
    assert states() == ["missing", "published", "late", "published"]
    record("electronic_notice", url="https://example.org/n", replaces=ended)
    assert states() == ["published", "published", "late", "published"]


def test_the_database_keeps_no_file_under_another_digest(record: Record) -> None:
    for content, digest in ((b"x", "0" * 64), (b"", "e3b0c44298fc1c149afbf4c8996fb924")):
        with pytest.raises(DatabaseError), transaction.atomic():
            NoticeEvidence.objects.create(sha256=digest, file_name="f", content=content)
    one = record()
    for wrong in (
        {"began_at": clock.now() + dt.timedelta(seconds=1)},
        {"ended_at": OCTOBER - dt.timedelta(seconds=1)},
        {"ended_at": clock.now() + dt.timedelta(days=1)},
        {"channel": "electronic_notice", "url": ""},
    ):
        fields = {"channel": "office", "began_at": OCTOBER} | wrong
        with pytest.raises(DatabaseError), transaction.atomic():
            NoticePublication.objects.create(
                notice=one.notice,
                evidence=one.evidence,
                recorded_by=one.recorded_by,
                recorded_at=clock.now(),
                **fields,
            )


def test_the_evidence_is_read_on_the_record(record: Record, staff: Any, tmp_path: Path) -> None:
    number = record(file=File(name="../a\r\nb.html", content=b"<script>")).pk
    address = f"/console/notice/evidence/{number}/"
    answer = browser_of(staff("auditor")).get(address)
    assert answer.content == b"<script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    auditor = staff("auditor")
    options = {"by": auditor.login_id, "reason": "audit", "out": tmp_path, "stdout": StringIO()}
    call_command("export_notice_evidence", number, **options)
    (file,) = tmp_path.iterdir()
    assert (file.read_bytes(), file.stat().st_mode & 0o77) == (b"<script>", 0)
    assert AuditEntry.objects.filter(action="notice.read_evidence").count() == 2

    assert browser_of(staff("support")).get(address).status_code == 403
    with pytest.raises(NotPermitted):
        publications.disclose_evidence(number, actor=staff("support"))
    with pytest.raises(SystemExit):
        call_command("export_notice_evidence", number + 1, **options)


def test_the_page_shows_what_is_missing_and_keeps_what_was_typed(
    record: Record, staff: Any
) -> None:
    record("office", place="Head office")
    browser = browser_of(staff("compliance"), headers={"accept-language": "en"})
    shown = browser.get("/console/programme/").content.decode()
    assert "Head office" in shown
    assert "Daily newspaper or Electronic notice" in shown
    poster = browser.get("/console/notice/poster/").content.decode()
    assert "What the cashier says" in poster
    assert "レジでのご案内" in poster
    refused = browser.post(
        "/console/programme/record-publication/",
        TYPED | {"evidence": SimpleUploadedFile("p", b"0"), "reason": "r"},
    )
    assert "same file" in told(refused)
    assert refused.context["form"]["place"].value() == TYPED["place"]


def test_no_publication_without_a_notice(staff: Any) -> None:
    with pytest.raises(GuardNotMet, match="no public notice"):
        publications.record(
            actor=staff("compliance"),
            reason="r",
            channel="web",
            place="x",
            began_at=Programme.current().launched_at,
            file=File(name="f", content=b"f"),
        )
