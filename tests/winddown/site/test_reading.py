"""Audit journal, approvals and look-up: read by those who may, in pages and files, and on record."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.recovery import cases
from refunds.models import Entitlement
from tests import factories
from tests.winddown.site.readings import codes, entry, table
from wallets.models import Wallet
from winddown import words
from winddown.authority import approvals
from winddown.loading import file_kinds
from winddown.models import AuditEntry, Programme
from winddown.programme import capabilities
from winddown.site import look_up_page, reading

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]
ROOT = Path(__file__).resolve().parents[3]
PLACES = ("audit", "approvals", "look-up")


def for_a_reason(browser: Client) -> Client:
    """The person of the browser has given a reason for what they look up."""
    session = browser.session
    session[look_up_page.REASON] = "an audit"
    session.save()
    return browser


# --- who may read, and the record ---------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("file", ["", "file/"])
def test_reading_takes_the_permission_and_a_refusal_stands_in_the_journal(
    place: str, file: str, staff: Callable[..., Any], programme: Any, signed_in: SignedIn
) -> None:
    # Support may look customers up, and reads no file of it.
    other = staff("treasury_operator" if place == "look-up" and not file else "support")
    permission = "winddown.look_up" if place == "look-up" and not file else "winddown.read_audit"
    address = f"/console/{place}/{file}?q=account:1"
    visitor = factories.make_customer()

    assert Client().get(address)["Location"].startswith("/sign-in/")
    assert not AuditEntry.objects.exists()
    for person in (visitor, other):
        assert signed_in(person).get(address).status_code == 403
    assert [
        (each.action, each.actor, each.facts["facts"]["permission"])
        for each in AuditEntry.objects.order_by("seq")
    ] == [("refused", visitor, "staff"), ("refused", other, permission)]
    for role in ("auditor", "compliance"):
        assert for_a_reason(signed_in(staff(role))).get(address).status_code == 200


def test_the_menu_names_the_lists_to_those_who_may_read_them(
    browser: Client, staff: Callable[..., Any], signed_in: SignedIn
) -> None:
    assert 'href="/console/audit/"' in browser.get("/console/").content.decode()
    support = signed_in(staff("support")).get("/console/").content.decode()
    assert 'href="/console/audit/"' not in support


@pytest.mark.parametrize(
    ("address", "action", "subject"),
    [
        ("/console/audit/?action=run", "audit.read", "audit"),
        ("/console/audit/file/?action=run", "audit.read", "audit"),
        ("/console/approvals/?person=ito", "approvals.read", "approvals"),
        ("/console/approvals/file/?person=ito", "approvals.read", "approvals"),
        ("/console/look-up/?q=account:0", "look_up.read", "look_up"),
    ],
)
def test_each_reading_is_one_entry_with_its_query(
    browser: Client, auditor: Any, address: str, action: str, subject: str
) -> None:
    for number in range(3):
        entry("run.plan", f"run:{number}")
    for_a_reason(browser)
    before = AuditEntry.objects.count()

    assert browser.get(address).status_code == 200

    read = AuditEntry.objects.order_by("seq")[before:]
    assert [(each.action, each.subject, each.actor) for each in read] == [
        (action, subject, auditor)
    ]
    assert read[0].facts["as_file"] is ("/file/" in address)
    if "action=run" in address:
        assert read[0].facts["query"] == {"action": "run", "before": ""}
        assert read[0].facts["rows"] == 3


def test_looking_at_the_empty_form_reads_nothing(browser: Client) -> None:
    assert browser.get("/console/look-up/").status_code == 200
    assert browser.get("/console/look-up/file/")["Location"] == "/console/look-up/?"
    assert not AuditEntry.objects.exists()


# --- filters ------------------------------------------------------------------------------------


def test_the_journal_is_filtered_by_what_the_address_says(
    browser: Client, staff: Callable[..., Any]
) -> None:
    sato = staff("support", display_name="Sato Keiko")
    entry("run.plan", "run:1", actor=sato, reason="first")
    entry("run.approve", "run:12")
    entry("run.batch", "run:1:freeze_wallets:1")
    entry("runaway", "other")
    entry("refused", f"account:{sato.pk}", actor=sato, refusal="NotPermitted", facts={})

    def found(query: str) -> list[str]:
        return codes(browser.get(f"/console/audit/?{query}&until=2099-01-01"))

    for person in (sato.login_id, sato.login_id.upper(), sato.staff_number, "sato"):
        assert found(f"person={person}") == ["refused", "run.plan"]
    assert found("person=system") == ["runaway", "run.batch", "run.approve"]
    assert found("action=run") == ["run.batch", "run.approve", "run.plan"]
    assert found("action=run.approve") == ["run.approve"]
    assert found("subject=run:1") == ["run.batch", "run.plan"]
    assert found("result=refused") == ["refused"]
    assert found("person=nobody+at+all") == []


def test_days_are_those_of_the_programme_and_the_last_one_counts(
    rehearsal_clock: Any, browser: Client
) -> None:
    """15:00 UTC is midnight in Japan."""
    for at, code in (
        ("2019-07-03T14:59", "before"),
        ("2019-07-03T15:00", "first"),
        ("2019-07-04T14:59", "last"),
        ("2019-07-04T15:00", "after"),
    ):
        rehearsal_clock.travel(dt.datetime.fromisoformat(f"{at}+00:00"), frozen=True)
        entry(code)

    answer = browser.get("/console/audit/?since=2019-07-04&until=2019-07-04")

    assert codes(answer) == ["last", "first"]
    assert "2019-07-04 23:59:00 JST" in answer.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=0001-01-01",
        "until=9999-12-31",
        "since=2019-07-05&until=2019-07-04",
        "before=x",
        "result=perhaps",
    ],
)
@pytest.mark.parametrize("place", ["audit", "approvals"])
def test_filters_that_are_not_understood_are_said_and_nothing_is_read(
    browser: Client, place: str, query: str
) -> None:
    answer = browser.get(f"/console/{place}/?{query}")

    assert "There is a problem" in answer.content.decode()
    assert "<title>Error:" in answer.content.decode()
    assert not AuditEntry.objects.exists()
    file = browser.get(f"/console/{place}/file/?{query}")
    assert file.status_code == 302
    assert file["Location"].startswith(f"/console/{place}/?")


# --- pages --------------------------------------------------------------------------------------


def test_pages_follow_each_other_without_gap_and_keep_the_filters(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 3)
    seqs = [str(entry("test.act")) for _ in range(7)]
    entry("other")

    pages, query = [], "?action=test"
    while query:
        answer = browser.get(f"/console/audit/{query}")
        seen = answer.context["seen"]
        assert set(codes(answer)) == {"test.act"}
        pages.append([line.key for line in seen.lines])
        # What is written meanwhile moves no row to another page.
        entry("test.act")
        if not seen.older:
            assert "Older ones" not in answer.content.decode()
        query = f"?{seen.older_query}" if seen.older else ""

    assert [key for page in pages for key in page] == seqs[::-1]
    assert [len(page) for page in pages] == [3, 3, 1]


def test_a_page_takes_as_many_queries_whatever_it_shows(
    browser: Client, staff: Callable[..., Any]
) -> None:
    people = [staff("support") for _ in range(10)]

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            browser.get("/console/audit/?action=test")
        return len(seen)

    entry("test.act", actor=people[0])
    queries()
    few = queries()
    for person in people:
        entry("test.act", actor=person)
    assert queries() == few


# --- files --------------------------------------------------------------------------------------


def test_a_file_says_its_query_and_its_time_and_has_all_rows(
    browser: Client, auditor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)
    for number in range(5):
        entry("test.act", f"thing:{number}", actor=auditor, reason=f"because {number}")

    answer = browser.get("/console/audit/file/?action=test&person=ito")
    rows = table(answer)

    assert answer["Content-Disposition"].startswith('attachment; filename="audit-2')
    assert rows[1] == ["Query", "/console/audit/?person=ito&action=test"]
    assert rows[2][0] == "Read at"
    assert rows[2][1].endswith(" JST")
    assert rows[3] == ["Rows", "5"]
    assert rows[5][:3] == ["Time", "Person", "Number"]
    assert [row[5] for row in rows[6:]] == [f"thing:{number}" for number in (4, 3, 2, 1, 0)]
    assert rows[6][1:3] == ["Ito", auditor.staff_number]
    assert rows[6][6] == "because 4"
    assert "no-store" in answer["Cache-Control"]


def test_a_file_that_is_full_says_where_the_rest_is(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FILE_ROWS_MAX", 2)
    seqs = [entry("test.act") for _ in range(4)]

    rows = table(browser.get("/console/audit/file/?action=test"))

    assert rows[4] == ["Not in this file", f"/console/audit/?action=test&before={seqs[2]}"]
    rest = table(browser.get(f"/console/audit/file/?action=test&before={seqs[2]}"))
    # Also full, and nothing comes after it.
    assert rest[3:5] == [["Rows", "2"], []]
    assert len(rest) == 8


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "＝", " =", "\t="])
def test_no_cell_of_a_file_is_a_formula(browser: Client, begins: str) -> None:
    entry("test.act", f"{begins}cmd", reason=f"{begins}HYPERLINK(1)")

    (row,) = table(browser.get("/console/audit/file/?action=test"))[6:]

    assert row[5] == f"'{begins}cmd"
    assert row[6] == f"'{begins}HYPERLINK(1)"


# --- what is shown ------------------------------------------------------------------------------


def test_a_proof_of_identity_stays_in_its_case(browser: Client, staff: Callable[..., Any]) -> None:
    support = staff("support")
    subject = "recovery_case:1"
    entry("recovery.proof", subject, actor=support, reason="passport TK1234567", kind="identity")
    asked = approvals.ask(
        subject,
        stage=cases.STAGE,
        content={"proofs": [{"note": "passport TK1234567"}], "contact": "f" * 64},
        permission=cases.DECIDE,
        maker=support,
        reason="both proofs were seen",
    )

    for address in ("audit/", "audit/file/", "approvals/", "approvals/file/"):
        said = browser.get(f"/console/{address}").content.decode()
        assert subject in said
        assert "TK1234567" not in said
        assert "f" * 64 not in said
    assert asked.reason in browser.get("/console/approvals/").content.decode()


def test_a_command_says_from_where_and_a_customer_is_a_number(browser: Client) -> None:
    customer = factories.make_customer(display_name="Suzuki Hanako")
    entry("access.sign_out_everywhere", actor=customer)
    command = {"name": "approve", "os_account": "ops", "host": "box", "terminal": "/dev/pts/1"}
    entry("run.approve", command=command)
    entry("refused", refusal="SamePerson", facts={"permission": ""})

    answer = browser.get("/console/audit/")
    said = answer.content.decode()

    assert "manage.py approve, ops@box" in said
    assert f"account:{customer.pk}" in said
    assert "Suzuki" not in said
    assert [str(line.result) for line in answer.context["seen"].lines] == [
        "Refused",
        "Done",
        "Done",
    ]


def test_a_request_shows_who_decided_and_what_waits(
    browser: Client, staff: Callable[..., Any]
) -> None:
    one, two, three = (staff("incident_commander", display_name=name) for name in "ABC")
    capabilities.stop("spend", actor=one, reason="an attack")
    capabilities.ratify("spend", actor=two, reason="I saw it")
    capabilities.request_restore("spend", actor=one, reason="it is over")
    asked = {
        "subject": "test:1",
        "stage": "test",
        "content": {},
        "permission": "winddown.approve_run",
        "maker": three,
        "reason": "again",
    }
    approvals.ask(**asked)
    approvals.ask(**asked)
    approvals.decide(
        "test:1",
        stage="test",
        actor=two,
        digest=approvals.digest_of({}),
        reason="no",
        approve=False,
    )
    approvals.ask(**{**asked, "subject": "test:2", "valid_for": dt.timedelta(seconds=-1)})

    def found(query: str) -> list[tuple[str, str, str]]:
        seen = browser.get(f"/console/approvals/?{query}").context["seen"]
        return [(line.subject, line.code, str(line.result)) for line in seen.lines]

    everything = found("")
    assert everything == [
        ("test:2", "test", "Expired"),
        ("test:1", "test", "Rejected"),
        ("test:1", "test", "Replaced by a later one"),
        (everything[3][0], "restore", "Waits"),
        (everything[4][0], "ratify", "Approved"),
    ]
    assert found("result=waiting") == everything[3:4]
    assert found("result=approved") == everything[4:]
    assert found("result=rejected") == everything[1:2]
    assert found("result=superseded") == everything[2:3]
    assert found("result=expired") == everything[:1]
    assert found("person=B") == [everything[1], everything[4]]
    assert found("subject=test:1") == everything[1:3]
    said = browser.get("/console/approvals/?result=approved").content.decode()
    assert "B " + two.staff_number in said
    assert "I saw it" in said
    assert 'href="/console/switches/spend/"' in said


# --- words --------------------------------------------------------------------------------------


def _codes_in_the_source() -> set[str]:
    """Every audit code that stands in the source as it is written into the journal."""
    found = set()
    for room in ("winddown", "accounts", "wallets", "refunds"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
                if called in ("audit.append", "append") and isinstance(node, ast.Call):
                    code = node.args[0]
                    if isinstance(code, ast.Constant):
                        found.add(str(code.value))
    return found


def test_every_act_has_words_in_both_languages() -> None:
    found = _codes_in_the_source()
    assert {"run.plan", "staff_roles.request", "payout_batch.export"} <= found
    found |= {f"load.{kind}" for kind in file_kinds.KINDS.names()}
    found |= {f"programme.{edge.name}" for edge in Programme.edges()}
    found |= {f"wallet.{edge.name}" for edge in Wallet.edges()}
    found |= {f"entitlement.{edge.name}" for edge in Entitlement.edges()}
    assert found - set(words.ACTS.names()) == set()
    with translation.override("ja"):
        assert [code for code in found if str(words.act_title(code)).isascii()] == []


# --- languages, and what is gone ----------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_the_pages_are_in_japanese_too(
    place: str, auditor: Any, holder: Any, signed_in: SignedIn
) -> None:
    browser = for_a_reason(signed_in(auditor, language="ja"))
    entry("run.approve", "run:1", actor=auditor, reason="確認した")

    said = browser.get(f"/console/{place}/?q=wallet:{holder.pk}").content.decode()
    head = table(browser.get(f"/console/{place}/file/?q=wallet:{holder.pk}"))[5]

    assert '<html lang="ja">' in said
    assert "閲覧は記録されます" in said or "この閲覧も記録されます" in said
    assert head == ["日時", "実行者", "番号", "操作", "コード", "対象", "理由", "結果", "補足"]


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        "/admin/login/",
        "/admin/password_change/",
        "/admin/mfa/authenticator/",
        "/admin/winddown/auditentry/",
    ],
)
def test_no_other_door_leads_to_rows_or_passwords(
    address: str, staff: Callable[..., Any], programme: Any, signed_in: SignedIn
) -> None:
    browser = signed_in(staff(is_superuser=True))
    assert browser.get(address).status_code == 404
    assert browser.post(address, {}).status_code == 404
