"""Every page of the console, every role and every method: who holds no permission is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import translation

from config import urls
from refunds.applications.desk_acts import DESK
from refunds.applications.document_acts import DOCUMENTS
from refunds.applications.person_acts import PERSONS
from refunds.applications.unusual_acts import UNUSUAL
from refunds.claims.desk_acts import DESK as CLAIM_ACTS
from refunds.closing.closing_page import CLOSING
from refunds.closing.other_end_page import OTHER_ENDS
from refunds.payouts import payout_acts
from refunds.payouts.bank_code_acts import BANK_CODES
from refunds.payouts.payment_block_acts import BLOCKS
from refunds.remedies.desk_acts import DESK as ISSUER_ACTS
from refunds.reminder_acts import REMINDERS
from tests import factories
from tests.accounts.recovery import casework
from tests.config.test_every_door import DOORS as EVERY_DOOR
from tests.config.test_every_door import OF_STAFF, PUBLIC, browser_of
from winddown.authority.role_words import missing
from winddown.authority.roles import OR, ROLES
from winddown.models import Approval, AuditEntry
from winddown.runs import planning
from winddown.site import doors
from winddown.site.alarm_acts import DUTY
from winddown.site.doors import DOORS
from winddown.site.programme_acts import PROGRAMME

pytestmark = pytest.mark.django_db

ALL = ""
CASES = "accounts.work_recovery_case or accounts.decide_recovery_case"
STAFF = "accounts.recover_staff or accounts.assign_roles"
RESET = "accounts.fence_credentials or accounts.send_reset_notice"
BATCHES = "refunds.make_payout_batch or refunds.approve_payout_batch"
PAYOUTS = (
    "refunds.make_payout_batch or refunds.approve_payout_batch or refunds.transmit_payout_batch"
    " or refunds.stop_release or refunds.reconcile or winddown.read_audit"
)
CLAIMS = (
    "refunds.report_claim or refunds.work_claim or refunds.decide_claim or refunds.reopen_claim"
)
ISSUERS = (
    "refunds.draft_issuer_action or refunds.send_issuer_action or refunds.approve_issuer_action"
)
AT_THE_DESK = (
    "refunds.work_application or refunds.decide_application or refunds.approve_late_claim"
    " or wallets.release_wallet or refunds.make_payout_batch"
)
FILINGS = (
    "winddown.write_filing or winddown.approve_filing or winddown.file_filing"
    " or winddown.read_audit"
)
# What a page takes; of several permissions one is enough.
PAGES = {
    "cases:case": CASES,
    "cases:contact": CASES,
    "cases:decide": CASES,
    "cases:list": CASES,
    "console:alarm_acknowledge": ALL,
    "console:alarms": ALL,
    "console:announcement": ALL,
    "console:announcements": ALL,
    "console:approval_decide": ALL,
    "console:approvals": "winddown.read_audit",
    "console:approvals_file": "winddown.read_audit",
    "console:attack": ALL,
    "console:audit": "winddown.read_audit",
    "console:audit_file": "winddown.read_audit",
    "console:breaches": ALL,
    "console:duty": ALL,
    "console:filing": FILINGS,
    "console:filing_act": FILINGS,
    "console:filings": FILINGS,
    "console:hold_candidates": "wallets.hold_wallet",
    "console:incident": ALL,
    "console:look_up": "winddown.look_up",
    "console:look_up_contact": "accounts.read_contact",
    "console:look_up_file": "winddown.read_audit",
    "console:look_up_find": "winddown.look_up",
    "console:merchant_evidence": "winddown.read_audit",
    "console:merchants": "winddown.publish_notice or winddown.read_audit",
    "console:merchants_act": ALL,
    "console:notice_evidence": "winddown.read_audit",
    "console:filing_evidence": "winddown.read_audit",
    "console:bank_codes": "refunds.adopt_terms or refunds.approve_payout_batch",
    "console:bank_codes_act": "refunds.adopt_terms or refunds.approve_payout_batch",
    "console:bank_answer": PAYOUTS,
    "console:bank_answer_act": PAYOUTS,
    "console:bank_answers": PAYOUTS,
    "console:bank_day_act": PAYOUTS,
    "console:bank_days": PAYOUTS,
    "console:break_act": PAYOUTS,
    "console:breaks": PAYOUTS,
    "console:matching": PAYOUTS,
    "console:payout": PAYOUTS,
    "console:payout_act": PAYOUTS,
    "console:payouts": PAYOUTS,
    "console:application": AT_THE_DESK,
    "console:applications": AT_THE_DESK,
    "console:applications_act": ALL,
    "console:claim": CLAIMS,
    "console:claims": CLAIMS,
    "console:claims_act": ALL,
    "console:exposure": CLAIMS,
    "console:figures": CLAIMS,
    "console:ways_in": CLAIMS,
    "console:issuers": ISSUERS,
    "console:issuers_act": ALL,
    "console:payment_block_act": "refunds.block_payment",
    "console:payment_blocks": "refunds.block_payment",
    "console:person": "accounts.match_persons",
    "console:persons": "accounts.match_persons",
    "console:persons_act": "accounts.match_persons",
    "console:document_act": "refunds.work_application",
    "console:documents": "refunds.work_application",
    "console:unusual": "refunds.work_application or refunds.decide_unusual",
    "console:unusual_act": "refunds.work_application or refunds.decide_unusual",
    "console:batch_paper": "refunds.take_closing_proof",
    "console:merchant_paper": "refunds.take_closing_proof",
    "console:deletion_paper": "refunds.take_closing_proof",
    "console:other_ends": ALL,
    "console:other_ends_act": ALL,
    "console:unclaimed_file": "winddown.post_exclusion",
    "console:closing": ALL,
    "console:closing_act": ALL,
    "console:closing_document": "refunds.keep_closing_document",
    "console:payout_view_act": "refunds.take_payout_view",
    "console:payout_view_file": "refunds.take_payout_view",
    "console:payout_views": "refunds.take_payout_view",
    "console:plan": "winddown.plan_run",
    "console:poster": ALL,
    "console:programme": ALL,
    "console:programme_act": ALL,
    "console:reminders": ALL,
    "console:reminders_act": ALL,
    "console:reset": RESET,
    "console:reset_act": RESET,
    "console:restored": BATCHES,
    "console:restored_decide": BATCHES,
    "console:run": ALL,
    "console:recalls": PAYOUTS,
    "console:vouchers": f"{PAYOUTS}{OR}refunds.work_application",
    "console:voucher_act": f"{PAYOUTS}{OR}refunds.work_application",
    "console:traces": f"{PAYOUTS}{OR}refunds.work_application",
    "console:trace_act": f"{PAYOUTS}{OR}refunds.work_application",
    "console:recall_act": PAYOUTS,
    "console:waves": PAYOUTS,
    "console:unpaid": PAYOUTS,
    "console:unpaid_file": "refunds.reconcile",
    "console:wave_act": PAYOUTS,
    "console:tracing": ALL,
    "console:tracing_act": ALL,
    "console:run_decide": ALL,
    "console:run_rows": ALL,
    "console:run_rows_file": ALL,
    "console:set_up": "winddown.change_set_up",
    "console:set_up_change": "winddown.change_set_up",
    "console:set_up_decide": "winddown.change_set_up",
    "console:switch": ALL,
    "console:switch_decide": ALL,
    "console:switch_probe": ALL,
    "console:switches_stop": "winddown.stop_capability",
    "console:verify": ALL,
    "console:witness": "winddown.load_data",
    "staff:add": STAFF,
    "staff:decide": STAFF,
    "staff:list": STAFF,
    "staff:member": STAFF,
    "staff:who_can": ALL,
}
# What the verb of a page takes beside it, where the page offers the verb in this test.
VERBS = {
    "cases:decide": {"take": "accounts.work_recovery_case"},
    "console:approval_decide": {
        "approve": "winddown.approve_run",
        "reject": "winddown.approve_run",
    },
    "console:programme_act": {
        "declare-incident": "winddown.declare_incident",
        "announce": "winddown.announce_termination",
        "set-milestone": "winddown.set_milestone",
        "assign-milestone": "winddown.set_milestone",
        "reach-milestone": "winddown.reach_milestone",
        "publish-notice": "winddown.publish_notice",
        "publish-contact": "winddown.publish_notice",
        "report-funds": "winddown.report_funds",
        "record-publication": "winddown.publish_notice",
        "attach-correction": "winddown.publish_notice",
        "draft-announcement": "winddown.announce_termination",
    },
    "console:applications_act": {
        "enter": "refunds.work_application",
        "load": "refunds.work_application",
        "number": "refunds.work_application",
        "form": "refunds.work_application",
        "end-number": "refunds.work_application",
        "verify": "refunds.work_application",
        "confirm": "refunds.work_application",
        "ask": "refunds.work_application",
        "answer": "refunds.work_application",
        "correct": "refunds.work_application",
        "compensation": "refunds.work_application",
        "leave": "refunds.work_application",
        "method": "refunds.work_application",
        "propose": "refunds.work_application",
        "reject": "refunds.decide_application",
        "withdraw": "refunds.work_application",
        "hold": "refunds.hold_entitlement",
        "release": "wallets.release_wallet",
        "override": "refunds.work_application",
        "shared": "refunds.work_application",
        "check-file": "refunds.make_payout_batch",
    },
    "console:bank_codes_act": {"load": "refunds.adopt_terms"},
    "console:claims_act": {
        **dict.fromkeys(
            (
                "report",
                "report-card",
                "enquire",
                "take-answer",
                "keep-file",
                "load-reports",
                "appeal",
            ),
            "refunds.report_claim",
        ),
        **dict.fromkeys(
            (
                "pack",
                "load-losses",
                "find",
                "find-ways",
                "ask-logs",
                "take-logs",
                "take-up",
                "ask",
                "resume",
                "losses",
                "payers",
                "drop-loss",
                "propose",
                "ask-again",
                "answer-enquiry",
                "read-file",
                "assign",
                "due",
                "snooze",
                "escalate",
                "note",
                "see-link",
            ),
            "refunds.work_claim",
        ),
        "release": "wallets.release_wallet",
        "review": "refunds.decide_claim",
        "drop": "refunds.decide_claim",
        "close": "refunds.decide_claim",
        "release-reserve": "refunds.decide_claim",
        "reopen": "refunds.reopen_claim",
        "publish": "winddown.publish_notice",
    },
    "console:issuers_act": {
        "submit": "refunds.draft_issuer_action",
        **dict.fromkeys(
            ("chargeback", "reply", "match", "outcome", "settle-chargeback"),
            "refunds.draft_issuer_action",
        ),
        "send": "refunds.send_issuer_action",
        "hand-out": "refunds.send_issuer_action",
        "preview": "refunds.send_issuer_action",
        "answers": "refunds.send_issuer_action",
        "by-hand": "refunds.send_issuer_action",
        "settle": "refunds.send_issuer_action",
        "escalate": "refunds.send_issuer_action",
        "take-doubt": "refunds.send_issuer_action",
        "settle-doubt": "refunds.send_issuer_action",
        "recredit": "refunds.decide_claim",
        "instead": "refunds.decide_claim",
    },
    "console:payment_block_act": {
        "enter": "refunds.block_payment",
        "lift": "refunds.block_payment",
    },
    "console:persons_act": dict.fromkeys(PERSONS, "accounts.match_persons"),
    "console:document_act": dict.fromkeys(DOCUMENTS, "refunds.work_application"),
    "console:unusual_act": {verb: act.permission for verb, act in UNUSUAL.items()},
    "console:payout_act": {
        "export": "refunds.make_payout_batch",
        "release": "refunds.make_payout_batch",
        "stop": "refunds.stop_release",
        "transmit": "refunds.transmit_payout_batch",
        "accept": "refunds.reconcile",
        "void": "refunds.make_payout_batch",
        "lines": "refunds.make_payout_batch",
        "refusal": "refunds.reconcile",
        "close": "refunds.reconcile",
        "waiver": "refunds.reconcile",
        "give-up": "refunds.reconcile",
    },
    "console:bank_answer_act": {"upload": "refunds.reconcile", "book": "refunds.reconcile"},
    "console:bank_day_act": {"tie": "refunds.reconcile"},
    "console:other_ends_act": {
        "return": "winddown.post_exclusion",
        "claimed": "winddown.post_exclusion",
        "deposit": "winddown.post_exclusion",
        "transfer": "winddown.post_exclusion",
    },
    "console:closing_act": {
        "paper": "refunds.take_closing_proof",
        "regulator-pack": "winddown.file_filing",
        "resolution-pack": "refunds.export_resolution_pack",
        "document": "refunds.keep_closing_document",
        "prove": "refunds.take_closing_proof",
    },
    "console:payout_view_act": {"take": "refunds.take_payout_view"},
    "console:break_act": {
        "take": "refunds.reconcile",
        "clear": "refunds.reconcile",
        "clear-all": "refunds.reconcile",
        "match": "refunds.reconcile",
    },
    "console:merchants_act": {
        "send": "winddown.publish_notice",
        "remind": "winddown.publish_notice",
        "letters": "winddown.publish_notice",
        "record-receipt": "winddown.publish_notice",
    },
    "console:duty": {
        "set": "winddown.set_duty_address",
        "end": "winddown.set_duty_address",
    },
    "console:reminders_act": {
        "begin": "winddown.publish_notice",
        "letters": "winddown.publish_notice",
        "claim-letters": "winddown.publish_notice",
    },
    "console:reset_act": {
        "lift": "accounts.fence_credentials",
        "notices": "accounts.send_reset_notice",
        "messages": "accounts.send_reset_notice",
        "again": "accounts.send_reset_notice",
        "take": "accounts.send_reset_notice",
        "unreachable": "accounts.send_reset_notice",
    },
    "console:recall_act": dict.fromkeys(("ask", "take-up", "done", "failed"), "refunds.reconcile"),
    "console:wave_act": {
        "plan": "refunds.make_payout_batch",
        "withdraw": "refunds.make_payout_batch",
    },
    "console:tracing_act": {
        "record": "refunds.work_application",
        "load": "winddown.publish_notice",
    },
    "console:run_decide": {
        "approve": "winddown.approve_run",
        "reject": "winddown.approve_run",
        "plan-again": "winddown.plan_run",
        "abort": "winddown.abort_run",
    },
    "console:switch_decide": {"stop": "winddown.stop_capability"},
    "staff:add": {"": "accounts.assign_roles"},
    "staff:decide": {
        "recover": "accounts.recover_staff",
        "roles": "accounts.assign_roles",
        "disable": "accounts.disable_account",
    },
}
# The verbs of one declaration each. Four are not offered in the stage of this test:
# tests/config/test_end_mode.py.
ACTS = {
    "console:programme_act": set(PROGRAMME)
    - {"withdraw-incident", "restore", "complete", "report"},
    "console:applications_act": set(DESK),
    "console:claims_act": set(CLAIM_ACTS),
    "console:issuers_act": set(ISSUER_ACTS),
    "console:other_ends_act": set(OTHER_ENDS),
    "console:closing_act": set(CLOSING),
    "console:bank_codes_act": set(BANK_CODES),
    "console:payment_block_act": set(BLOCKS),
    "console:persons_act": set(PERSONS),
    "console:document_act": set(DOCUMENTS),
    "console:unusual_act": set(UNUSUAL),
    "console:payout_act": set(payout_acts.BATCHES),
    "console:break_act": set(payout_acts.BREAKS),
    "console:duty": set(DUTY),
    "console:reminders_act": set(REMINDERS),
}
ONLY_POST = {"console:look_up_find", "console:switch_probe", "console:verify"}


class Page(NamedTuple):
    """An address of a page or of its verb, and the permissions that it takes."""

    name: str
    address: str
    takes: tuple[str, ...]


def names() -> Iterator[str]:
    for resolver in urls.urlpatterns:
        if str(resolver.pattern) == "console/":
            for entry in resolver.url_patterns:  # type: ignore[union-attr]
                assert isinstance(entry, URLPattern)
                yield f"{resolver.namespace}:{entry.name}"  # type: ignore[union-attr]


def addresses(numbers: dict[str, int]) -> Iterator[Page]:
    for name, takes in PAGES.items():
        for verb, also in VERBS.get(name, {"": ALL}).items():
            given: dict[str, Any] = {
                "verb": verb,
                "code": "spend",
                "name": "freeze-charges",
                "key": "x",
                "sha256": "0" * 64,
            }
            given["number"] = numbers.get(name, numbers.get(name.partition(":")[0], 0))
            wanted = set(re.findall(r"<\w+:(\w+)>", PATTERNS[name]))
            if "verb" in wanted and not verb:
                given["verb"] = "approve"
            address = reverse(name, kwargs={key: given[key] for key in wanted})
            yield Page(name, address, tuple(each for each in (takes, also) if each))


PATTERNS = {
    f"{resolver.namespace}:{entry.name}": str(entry.pattern)
    for resolver in urls.urlpatterns
    if str(resolver.pattern) == "console/"
    for entry in resolver.url_patterns  # type: ignore[union-attr]
}


def may(role: str, takes: tuple[str, ...]) -> bool:
    return all(set(each.split(OR)) & set(ROLES.get(role, ())) for each in takes)


@pytest.fixture
def numbers(programme: Any, staff: Callable[..., Any]) -> dict[str, int]:
    """A run that waits for approval, its request, a case and a member of staff."""
    factories.make_wallets(1)
    run = planning.plan("freeze-charges", actor=staff("incident_commander"), reason="test")
    return {
        "console:run": run.pk,
        "console:run_decide": run.pk,
        "console:approval_decide": Approval.objects.get(subject=run.subject).pk,
        "cases": casework.opened().pk,
        "staff": staff().pk,
    }


def test_every_page_of_the_console_is_declared_here_and_has_its_door() -> None:
    assert set(names()) - PUBLIC == set(PAGES)
    assert set(DOORS) == set(PAGES)
    for name, takes in PAGES.items():
        assert OR.join(DOORS[name].permissions) == takes, name
    for name, verbs in ACTS.items():
        assert set(VERBS[name]) >= verbs, name


METHODS = ("GET", "POST")


def opened(browser: Client, pages: Iterable[Page], *, role: str, every: bool) -> int:
    """The pages answer as the permissions of the role say: by every method, or by one of the two in
    turn, the other one for the next role. Returns how many requests were refused.
    """
    refused, turn = 0, [*ROLES, ""].index(role)
    for number, each in enumerate(pages):
        for method in METHODS if every else (METHODS[(number + turn) % len(METHODS)],):
            answer = browser.generic(method, each.address)
            if answer.status_code == 405:
                assert (method == "GET") == (each.name in ONLY_POST), (each, method)
            elif may(role, each.takes):
                assert answer.status_code in (200, 302, 404), (each, method)
            else:
                assert answer.status_code == 403, (each, method)
                refused += 1
    return refused


def test_without_a_role_only_the_pages_for_all_staff_open(
    numbers: dict[str, int], staff: Callable[..., Any], long_form: bool
) -> None:
    """They are open to every role, as no page asks for the absence of a permission."""
    person = staff()
    pages = list(addresses(numbers))

    refused = opened(browser_of(person), pages, role="", every=long_form)

    assert 0 < refused < 2 * len(pages)
    assert AuditEntry.objects.filter(action="refused", actor=person).count() == refused


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_its_permissions_say_and_each_refusal_is_recorded(
    role: str, numbers: dict[str, int], staff: Callable[..., Any], long_form: bool
) -> None:
    """In the proof by every method."""
    person = staff(role)
    browser = browser_of(person)

    pages = [each for each in addresses(numbers) if each.takes]
    refused = opened(browser, pages, role=role, every=long_form)

    assert AuditEntry.objects.filter(action="refused", actor=person).count() == refused
    first = doors.menu(person, here="console:incident")
    second = [line for each in DOORS for line in doors.beside(person, here=each)]
    menu = {line.url for line in (*first, *second)}
    assert menu == {
        reverse(name)
        for name, takes in PAGES.items()
        if DOORS[name].title and may(role, (takes,) if takes else ())
    }
    start = browser.get("/")["Location"]
    assert start == reverse(doors.STARTS[role])
    assert start in menu


def test_a_refused_page_says_who_could(programme: Any, staff: Callable[..., Any]) -> None:
    staff("auditor", display_name="Ito Sakura")
    staff("compliance", display_name="Mori Ken", is_active=False)
    for language in ("en", "ja"):
        browser = browser_of(staff("support"), headers={"accept-language": language})
        answer = browser.get("/console/audit/")
        said = answer.content.decode()
        assert answer.status_code == 403
        with translation.override(language):
            assert missing("winddown.read_audit") in said
        assert "Ito Sakura" in said
        assert "Mori Ken" not in said
        assert "winddown.read_audit" not in said
    (entry, _other) = AuditEntry.objects.filter(action="refused")
    assert entry.facts["facts"]["permission"] == "winddown.read_audit"
    assert entry.facts["facts"]["action"] == "open console:audit"


def test_somebody_without_a_role_begins_at_the_incident(
    programme: Any, staff: Callable[..., Any]
) -> None:
    assert browser_of(staff()).get("/")["Location"] == "/console/"
    assert Client().get("/").status_code == 200


def test_a_page_outside_the_console_answers_every_role_alike(
    programme: Any, staff: Callable[..., Any]
) -> None:
    pages = [door for door in EVERY_DOOR if not door.name.startswith(OF_STAFF)]
    answers = {
        role: {
            (door, method): browser.generic(method, door.address).status_code
            for browser in [browser_of(staff(*roles), raise_request_exception=False)]
            for door in pages
            for method in ("GET", "HEAD")
        }
        for role, roles in {"": (), **{role: (role,) for role in ROLES}}.items()
    }

    for role, answered in answers.items():
        assert answered == answers[""], role
