"""The electronic notice at its public address, which is a real server here."""

from __future__ import annotations

import datetime as dt
import ipaddress
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.utils import translation

from refunds.workflows.refund_balances import exclude
from tests import factories
from tests.config.test_every_door import browser_of
from winddown import clock
from winddown.errors import GuardNotMet
from winddown.models import NoticeCorrection, NoticeInterruption, NoticePublication, PublicNotice
from winddown.programme import (
    gates,
    milestones,
    notice_watch,
    public_pages,
    publications,
)
from winddown.programme.evidence_files import File
from winddown.runs import clockwork
from winddown.site.alarm_finders import notice_alarms

NOTICE = b"<h1>Refund</h1>"
CORRECTED = b"<h1>Refund</h1><p>It was down.</p>"
OCTOBER = dt.datetime.fromisoformat("2019-10-01T00:00:00+09:00")
AFTER = dt.datetime.fromisoformat("2020-01-11T00:00:00+09:00")
A_DAY, AN_HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("programme")


class Web:
    """The server of the operator. `does` is how it answers."""

    def __init__(self) -> None:
        self.does: Callable[[BaseHTTPRequestHandler], object] = self.serves(NOTICE)
        self.over = threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.does(self)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/notice?lang=ja"

    def serves(self, content: bytes, *, status: int = 200, length: int | None = None) -> Any:
        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            request.send_header("Location", "/elsewhere")
            request.send_header("Content-Length", str(len(content) if length is None else length))
            request.end_headers()
            request.wfile.write(content)

        return answer

    def drips(self, request: BaseHTTPRequestHandler) -> None:
        """Sends a byte now and then, and never comes to an end."""
        request.send_response(200)
        request.end_headers()
        while not self.over.wait(0.02):
            request.wfile.write(b"x")

    def says_nothing(self, _request: BaseHTTPRequestHandler) -> None:
        self.over.wait()

    def goes_down(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def web(settings: Any) -> Iterator[Web]:
    settings.REACHED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    server = Web()
    yield server
    server.goes_down()


@pytest.fixture
def notice(rehearsal_clock: Any, programme: Any) -> PublicNotice:
    """A window of 102 days from 1 October 2019; it is its first instant."""
    clock.travel(OCTOBER, frozen=True)
    notice = factories.publish_notice(dt.date(2020, 1, 10))
    factories.publish_everywhere(notice)
    return notice


@pytest.fixture
def published(notice: PublicNotice, web: Web, staff: Any) -> NoticePublication:
    return publications.record(
        actor=staff("compliance"),
        reason="r",
        channel="electronic_notice",
        place="our page",
        url=web.url,
        began_at=OCTOBER,
        file=File(name="notice.html", content=NOTICE),
    )


def interrupted(publication: NoticePublication, *, since: dt.datetime, hours: float) -> None:
    NoticeInterruption.objects.create(
        publication=publication,
        kind="down",
        detail="status 503",
        began_at=since,
        ended_at=since + hours * AN_HOUR,
    )


def test_the_server_decides_what_a_probe_finds(
    published: NoticePublication, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    for does, found in (
        (web.serves(NOTICE), "intact"),
        (web.serves(b"another"), "altered"),
        (web.serves(NOTICE + b"x" * 9_000_000), "altered"),
        (web.serves(NOTICE, status=302), "altered"),
        (web.serves(NOTICE, status=503), "down"),
        (web.serves(NOTICE[:-1], length=len(NOTICE)), "down"),
    ):
        web.does = does
        assert notice_watch.probe(published).found == found, does
    # No answer, and an answer that never ends.
    monkeypatch.setattr(published.evidence, "content", NOTICE * 1_000_000)
    for limit, does in (("ANSWER_S_MAX", web.says_nothing), ("WHOLE_S_MAX", web.drips)):
        web.does = does
        with monkeypatch.context() as short:
            short.setattr(public_pages, limit, 0.2)
            assert notice_watch.probe(published).found == "down", does
    web.goes_down()
    assert notice_watch.probe(published).found == "down"


def test_a_notice_that_leads_inside_is_not_read(web: Web, settings: Any) -> None:
    """Somebody who records an address could else have our own servers asked for it."""
    asked = []
    web.does = asked.append
    settings.REACHED_NETWORKS = []
    port = web.url.split(":")[2]
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"):
        with pytest.raises(public_pages.Unreachable, match="PrivateAddress"):
            public_pages.read(f"http://{host}:{port}", bytes_max=100)
    with pytest.raises(public_pages.Unreachable, match="PrivateAddress"):
        public_pages.read("https://localhost/notice", bytes_max=100)
    assert not asked


def test_the_watch_counts_each_interruption_from_probe_to_probe(
    published: NoticePublication, web: Web
) -> None:
    """A look every five minutes; the same trouble is one interruption."""
    clockwork.do_watches()
    assert len(notice_watch.probe_due()) == 0
    for minutes, does in (
        (5, web.serves(b"", status=500)),
        (10, web.serves(b"", status=500)),
        (15, web.serves(b"changed")),
        (25, web.serves(NOTICE)),
    ):
        web.does = does
        clock.travel(OCTOBER + dt.timedelta(minutes=minutes), frozen=True)
        assert len(notice_watch.probe_due()) == 1
    told = [(each.kind, each.ended_at - each.began_at) for each in NoticeInterruption.objects.all()]
    assert told == [("down", dt.timedelta(minutes=10)), ("altered", dt.timedelta(minutes=10))]
    seen = notice_watch.meter()
    assert (seen.used, seen.allowed) == (dt.timedelta(minutes=20), 244.8 * AN_HOUR)
    with pytest.raises(DatabaseError), transaction.atomic():
        NoticeInterruption.objects.update(began_at=OCTOBER)
    with pytest.raises(DatabaseError), transaction.atomic():
        NoticeInterruption.objects.update(ended_at=OCTOBER + A_DAY)


def test_another_address_ends_no_interruption_and_no_time_counts_twice(
    published: NoticePublication, web: Web, staff: Any
) -> None:
    """Two pages carry the notice. One stays down, while the other is looked at in between."""
    second = Web()
    publications.record(
        actor=staff("compliance"),
        reason="r",
        channel="electronic_notice",
        place="our other page",
        url=second.url,
        began_at=OCTOBER,
        file=File(name="other.html", content=CORRECTED),
    )
    second.does = second.serves(CORRECTED)
    web.does = web.serves(b"", status=500)
    for minutes in range(0, 65, 5):
        clock.travel(OCTOBER + dt.timedelta(minutes=minutes), frozen=True)
        if minutes == 30:
            second.does = second.serves(b"changed")
        assert len(notice_watch.probe_due()) == 2
    told = [(each.kind, each.ended_at) for each in NoticeInterruption.objects.order_by("pk")]
    assert told == [("down", None), ("altered", None)]
    assert notice_watch.meter().used == AN_HOUR
    second.goes_down()


def test_a_clock_that_was_put_back_keeps_no_interruption_open(
    published: NoticePublication, web: Web
) -> None:
    clock.travel(OCTOBER + AN_HOUR, frozen=True)
    web.does = web.serves(b"", status=500)
    notice_watch.probe(published)
    web.does = web.serves(NOTICE)
    clock.travel(OCTOBER, frozen=True)
    notice_watch.probe(published)
    assert [each.ended_at for each in NoticeInterruption.objects.all()] == [OCTOBER + AN_HOUR]


def test_the_last_probe_comes_after_the_window(published: NoticePublication, web: Web) -> None:
    web.does = web.serves(b"", status=500)
    clock.travel(AFTER - AN_HOUR, frozen=True)
    notice_watch.probe_due()
    for later in (dt.timedelta(), A_DAY):
        clock.travel(AFTER + later, frozen=True)
        notice_watch.probe_due()
    assert published.probes.count() == 2
    assert notice_watch.meter().used == AN_HOUR


def test_a_tenth_of_the_period_is_allowed_and_not_more(published: NoticePublication) -> None:
    """Rule L5: 102 days allow 244.8 hours, 60 days 144."""
    interrupted(published, since=OCTOBER, hours=244.8)
    assert not notice_watch.meter().exceeded
    interrupted(published, since=AFTER - AN_HOUR, hours=30)  # an hour of it is in the window
    assert notice_watch.meter().exceeded
    assert "interrupted for 245.8 hours, and the law allows 244.8" in notice_watch.gaps()[0]
    assert notice_watch.hours(dt.timedelta(days=60) / notice_watch.SHARE) == "144.0"


def test_nobody_is_excluded_without_a_correction_or_a_probe_after_the_window(
    published: NoticePublication, web: Web, programme: Any, staff: Any
) -> None:
    """Rule L5."""
    factories.bring_to(programme, "refunding")
    interrupted(published, since=OCTOBER, hours=2)
    clock.travel(AFTER, frozen=True)
    with pytest.raises(GuardNotMet, match="1 interruptions .* no correction"):
        exclude.refuse_to_exclude()
    assert [str(gap) for gap in notice_watch.gaps()][1:] == [
        "the electronic notice was never probed"
    ]
    notice_watch.probe_due()
    assert len(notice_watch.gaps()) == 1
    notice_watch.attach_correction(
        actor=staff("compliance"),
        reason="r",
        statement="two hours",
        file=File(name="n", content=CORRECTED),
    )
    exclude.refuse_to_exclude()
    interrupted(published, since=OCTOBER + A_DAY, hours=245)
    with pytest.raises(GuardNotMet, match="247.0 hours, and the law allows 244.8"):
        exclude.refuse_to_exclude()


def posted(person: Any, content: bytes) -> None:
    browser_of(person).post(
        "/console/programme/attach-correction/",
        {
            "statement": "two hours",
            "reason": "test",
            "evidence": SimpleUploadedFile("n.html", content),
        },
    )


@pytest.mark.parametrize("door", ["command", "page"])
def test_a_correction_is_attached_with_the_notice_and_is_no_alteration(
    published: NoticePublication, web: Web, staff: Any, door: str, tmp_path: Any
) -> None:
    person = staff("compliance")

    def attach(content: bytes, by: Any = person) -> int:
        path = tmp_path / "n.html"
        path.write_bytes(content)
        if door == "page":
            posted(by, content)
        else:
            try:
                call_command(
                    "attach_correction",
                    f"--evidence={path}",
                    "--statement=two hours",
                    by=by.login_id,
                    reason="test",
                    stdout=StringIO(),
                )
            except SystemExit:
                return NoticeCorrection.objects.count()
        return NoticeCorrection.objects.count()

    assert attach(CORRECTED) == 0  # nothing to correct
    interrupted(published, since=OCTOBER - AN_HOUR, hours=1)
    web.does = web.serves(b"", status=500)
    notice_watch.probe(published)
    assert attach(CORRECTED) == 0  # interrupted now
    web.does = web.serves(NOTICE)
    notice_watch.probe(published)
    assert attach(NOTICE) == 0  # without the statement
    assert attach(CORRECTED, staff("support")) == 0
    assert [each.subject.split(":")[2] for each in notice_alarms(clock.now())] == ["correction"]

    assert attach(CORRECTED) == 2

    (carrying,) = notice_watch.watched()
    assert carrying.replaces == published
    # The earlier page counts for an hour, and the new one at once.
    for minutes, served, found in (
        (59, NOTICE, "intact"),
        (59, CORRECTED, "intact"),
        (61, NOTICE, "altered"),
    ):
        web.does = web.serves(served)
        clock.travel(OCTOBER + dt.timedelta(minutes=minutes), frozen=True)
        assert notice_watch.probe(carrying).found == found


def test_the_command_and_the_pages_show_what_is_found(
    published: NoticePublication, web: Web, staff: Any
) -> None:
    told = StringIO()
    call_command("probe_notice", stdout=told)
    assert "is intact" in told.getvalue()
    web.does = web.serves(b"changed")
    with pytest.raises(SystemExit):
        call_command("probe_notice", stdout=told)
    clock.travel(OCTOBER + AN_HOUR, frozen=True)
    browser = browser_of(staff("compliance"), headers={"accept-language": "en"})
    page = browser.get("/console/programme/").content.decode()
    assert "1.0 of 244.8 hours" in page
    assert "To be attached" in page
    assert "The electronic notice is not probed." in browser.get("/console/").content.decode()
    web.does = web.serves(NOTICE)
    notice_watch.probe_due()
    form = browser.get("/console/programme/attach-correction/").context["form"]
    assert "From 2019-10-01 00:00 JST" in str(form["statement"].value())


def test_without_an_electronic_notice_there_is_nothing_to_watch(notice: PublicNotice) -> None:
    told = StringIO()
    call_command("probe_notice", stdout=told)
    assert "no electronic notice" in told.getvalue()
    assert (notice_watch.meter(), notice_watch.gaps(), notice_alarms(clock.now())) == (None, [], [])


# --- the gate before an exclusion ---------------------------------------------------------------


def said() -> list[str]:
    with translation.override("en"):
        return [str(count) for count in gates.failing(gates.measured("notice"))]


def test_the_gate_counts_the_minutes_beyond_the_tenth_and_what_lacks_a_correction(
    published: NoticePublication, staff: Any
) -> None:
    assert said() == []
    interrupted(published, since=OCTOBER, hours=244.5)
    clock.travel(OCTOBER + 300 * AN_HOUR, frozen=True)
    without = "Interruptions of the electronic notice without a correction"
    assert said() == [f"{without}: 1 of 1"]
    interrupted(published, since=OCTOBER + 250 * AN_HOUR, hours=1.3)
    assert said() == [
        "Minutes that the electronic notice was interrupted beyond the allowed tenth: 60 of 14,688",
        f"{without}: 2 of 2",
    ]
    officer = staff("compliance")
    at = clock.now() + AN_HOUR
    milestones.set_milestone("holders_paid", at=at, actor=officer, reason="r")
    milestones.assign(
        "holders_paid",
        owner_role="compliance",
        owner="",
        gate="notice",
        needs=[],
        actor=officer,
        reason="r",
    )
    with translation.override("en"), pytest.raises(GuardNotMet, match="60 of 14,688"):
        milestones.reach("holders_paid", actor=officer, reason="r")
    page = browser_of(officer, headers={"accept-language": "en"}).get("/console/programme/")
    assert "beyond the allowed tenth: 60 of 14,688" in page.content.decode()


def test_nobody_is_excluded_while_a_channel_of_the_law_is_missing(
    rehearsal_clock: Any, programme: Any
) -> None:
    clock.travel(OCTOBER, frozen=True)
    notice = factories.publish_notice(dt.date(2020, 1, 10))
    factories.bring_to(programme, "refunding")
    missing = "Channels of the notice that the law asks for and nobody recorded: 4 of 4"
    assert said() == [missing]
    clock.travel(OCTOBER + 103 * 24 * AN_HOUR, frozen=True)
    with translation.override("en"), pytest.raises(GuardNotMet, match="nobody recorded: 4 of 4"):
        exclude.refuse_to_exclude()
    factories.publish_everywhere(notice)
    assert said() == []
    exclude.refuse_to_exclude()
