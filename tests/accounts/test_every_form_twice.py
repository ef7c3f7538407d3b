"""Every form of the site that is sent twice, as by a double click, acts once and answers so that a
person understands it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import console as accounts_console
from accounts import staff_roles
from accounts.credentials import access
from accounts.models import AuthEvent, RecoveryCase, Session
from accounts.recovery import staff_recovery
from accounts.sign_in import second_factor
from refunds.payouts import payment_blocks, refund_limits
from tests import factories
from tests.accounts.conftest import NEW, OLD
from tests.accounts.mail_server import Mailbox, link_in
from tests.accounts.recovery import casework
from tests.accounts.sign_in.test_endings import token_for
from tests.config.test_every_door import DOORS, browser_of, sent
from tests.signing_in import sign_in
from tests.winddown import freeze_and_hold
from tests.winddown.programme.test_acts import DONE, STATES
from winddown import business_days, clock
from winddown.alarms import duty_addresses, sounding
from winddown.models import Alarm, Approval, AuditEntry, Capability, Programme, Run
from winddown.programme import capabilities, filing_duties, filings, stages
from winddown.runs import clockwork, control, planning
from winddown.set_up import beginning, reading, writing
from winddown.site import console
from winddown.site.alarm_acts import DUTY

pytestmark = pytest.mark.django_db
FACTOR = "/account/second-factor/"
IN_ENGLISH = {"accept-language": "en"}


class Form(NamedTuple):
    """A filled-in form, in the browser that sends it."""

    browser: Client
    address: str
    given: dict[str, Any]


class World(NamedTuple):
    """Who fills in the forms."""

    person: Callable[..., Any]
    staff: Callable[..., Any]
    mailbox: Mailbox
    workflow: Any

    def officer(self) -> Any:
        return self.staff("incident_commander")

    def console(self, someone: Any, address: str, **given: Any) -> Form:
        browser = browser_of(someone, headers=IN_ENGLISH)
        return Form(browser, f"/console/{address}", {"reason": "test", **given})

    def customer(self, address: str, **given: Any) -> Form:
        someone = self.person()
        second_factor.add_app(someone)
        return Form(browser_of(someone, headers=IN_ENGLISH), address, given)

    def mailed(self, someone: Any) -> Client:
        """Returns a browser that has opened the link for a new password."""
        browser = Client(headers=IN_ENGLISH)
        browser.post("/recovery/", {"who": someone.login_id})
        clockwork.tick()
        browser.get(urlsplit(link_in(self.mailbox.to(someone.email)[-1])).path)
        return browser

    def planned(self) -> Run:
        factories.make_wallets(30)
        return planning.plan("test-freeze-and-hold", actor=self.officer(), reason="test")

    def approved(self) -> Run:
        run = self.planned()
        by, digest = self.staff("compliance"), run.plan_digest
        return planning.approve(run, actor=by, digest=digest, reason="test")

    def running(self) -> Run:
        return planning.start(self.approved(), actor=self.officer(), reason="test")

    def run(self, verb: str, run: Run, **given: Any) -> Form:
        someone = self.staff("compliance") if verb in ("approve", "reject") else self.officer()
        return self.console(someone, f"runs/{run.pk}/{verb}/", digest=run.plan_digest, **given)

    def colleague(self) -> Any:
        return self.staff("support", email="own@example.com")


@pytest.fixture
def world(person: Any, staff: Any, mailbox: Mailbox, programme: Any) -> Any:
    with freeze_and_hold.registered() as workflow:
        yield World(person, staff, mailbox, workflow)


# --- each form, by its door and its verb --------------------------------------------------------


def new_password(world: World) -> Form:
    given = {"password": NEW, "again": NEW}
    return Form(world.mailed(world.person()), "/recovery/password/", given)


def link_of_a_case(world: World) -> Form:
    browser = Client(headers=IN_ENGLISH)
    someone = world.person(email="old@example.com")
    case = casework.approved(world.staff("support"), world.staff("fraud_supervisor"), someone)
    browser.post("/recovery/case/", {"reference": case.reference})
    once = browser.get("/recovery/case/").context["once"]["once"].value()
    return Form(browser, "/recovery/case/link/", {"once": str(once)})


def with_a_key(address: str, **given: Any) -> Callable[[World], Form]:
    """The form has the key that its page gives it."""

    def make(world: World) -> Form:
        browser = Client(headers=IN_ENGLISH)
        once = browser.get(address).context["form"]["once"].value()
        return Form(browser, address, {**given, "once": str(once)})

    return make


def sign_out(world: World) -> Form:
    return world.customer("/sign-out/")


def end_a_session(world: World) -> Form:
    someone = world.person()
    sign_in(Client(), someone.login_id, OLD)
    browser = Client(headers=IN_ENGLISH)
    sign_in(browser, someone.login_id, OLD)
    other = Session.objects.filter(user=someone).earliest("pk")
    return Form(browser, f"/account/sessions/{other.pk}/end/", {})


def revoke_a_device(world: World) -> Form:
    form = world.customer("")
    number = token_for(form.browser).json()["number"]
    return form._replace(address=f"/account/devices/{number}/revoke/")


def a_case(verb: str) -> Callable[[World], Form]:
    def make(world: World) -> Form:
        helper, supervisor = world.staff("support"), world.staff("fraud_supervisor")
        someone = world.person(email="old@example.com")
        if verb == "take":
            case = casework.opened()
        elif verb in ("proof", "propose", "decline"):
            kinds = [] if verb == "proof" else ["identity_document", "call_back"]
            case = casework.collecting(helper, *kinds)
        elif verb == "revoke":
            case = casework.approved(helper, supervisor, someone)
        else:
            case = casework.proposed(helper, someone)
        who = supervisor if verb in ("approve", "reject", "revoke") else helper
        more = {
            "proof": {"kind": "identity_document", "note": "seen"},
            "propose": {"account": someone.login_id},
            "decline": {"code": "not_proved"},
            "revoke": {"code": "not_proved"},
        }
        given = {"digest": casework.digest(case), **more.get(verb, {})}
        return world.console(who, f"recovery/{case.pk}/{verb}/", **given)

    return make


def a_colleague(verb: str) -> Callable[[World], Form]:
    def make(world: World) -> Form:
        someone, digest = world.colleague(), ""
        if verb in ("agree", "refuse"):
            digest = staff_recovery.request(someone, actor=world.officer(), reason="lost").digest
        if verb.endswith("-roles"):
            asked = staff_roles.request(
                someone, wanted=["compliance"], actor=world.officer(), reason="moved"
            )
            digest = asked.digest
        if verb == "enable":
            access.disable(someone, actor=world.officer(), reason="left")
        given = {"digest": digest, "roles": ["compliance"], "second_factor_lost": "kept"}
        return world.console(world.officer(), f"staff/{someone.pk}/{verb}/", **given)

    return make


def a_switch(verb: str) -> Callable[[World], Form]:
    def make(world: World) -> Form:
        if verb != "stop":
            capabilities.stop("spend", actor=world.officer(), reason="test")
        if verb in ("restore", "keep-stopped"):
            capabilities.request_restore("spend", actor=world.officer(), reason="test")
        return world.console(world.officer(), f"switches/spend/{verb}/")

    return make


def a_run(verb: str) -> Callable[[World], Form]:
    def make(world: World) -> Form:
        if verb in ("approve", "reject", "plan-again"):
            return world.run(verb, world.planned())
        if verb == "start":
            return world.run(verb, world.approved())
        world.workflow.refuses = set(factories.make_wallets(2)) if verb == "retry" else set()
        run = world.running()
        if verb == "resume":
            control.pause(run, actor=world.officer(), reason="test")
        if verb == "retry":
            factories.worked_off(run)
            return world.run(verb, run, reason_code="WalletNotUsable")
        return world.run(verb, run, rows_s_max="5")

    return make


def an_act(verb: str) -> Callable[[World], Form]:
    def make(world: World) -> Form:
        role, typed, _ = DONE[verb]
        programme = Programme.current()
        if verb in STATES:
            factories.bring_to(programme, STATES[verb])
        day = clock.now().date()
        later = {
            "aware_at": f"{day}T00:00",
            "at": f"{day + dt.timedelta(days=9)}T24:00",
            "window_first_day": str(day + dt.timedelta(days=9)),
            "window_last_day": str(
                business_days.roll_forward(day + dt.timedelta(days=99), calendar="japan")
            ),
        }
        given = typed | {key: later[key] for key in typed if key in later}
        return world.console(world.staff(role), f"programme/{verb}/", **given)

    return make


def a_filing(verb: str) -> Callable[[World], Form]:
    def make(world: World) -> Form:
        stages.declare_incident(actor=world.officer(), reason="test")
        due = next(each for each in filing_duties.due() if each.kind == "incident_preliminary")
        officer = world.staff("compliance")
        if verb == "propose":
            filings.write(due.key, sections={}, actor=officer, reason="test")
        return world.console(officer, f"filings/{due.key}/{verb}/")

    return make


def a_change_of_the_set_up(world: World) -> Form:
    content = writing.in_force().replace('name = "', 'name = "New ')
    return world.console(world.officer(), "set-up/change/", content=content)


def a_decision_about_the_set_up(world: World) -> Form:
    content = writing.in_force().replace('name = "', 'name = "New ')
    asked = beginning.ask(reading.read(content.encode()), actor=world.officer(), reason="test")
    return world.console(world.officer(), "set-up/1/approve/", digest=asked.digest)


def a_request(verb: str) -> Callable[[World], Form]:
    def make(world: World) -> Form:
        asked = Approval.objects.get(subject=world.planned().subject)
        address = f"approvals/{asked.pk}/{verb}/"
        return world.console(world.staff("compliance"), address, digest=asked.digest)

    return make


def a_new_colleague(world: World) -> Form:
    typed = {"login_id": "mei", "name": "Mei", "email": "mei@example.com", "staff_number": "9"}
    return world.console(world.officer(), "staff/add/", **typed)


def a_payment_block(verb: str) -> Callable[[World], Form]:
    def make(world: World) -> Form:
        holder, officer = factories.make_customer(), world.staff("compliance")
        if verb == "enter":
            typed = {"account": f"account:{holder.pk}", "kind": "dispute", "evidence": "file 7"}
            typed["ends_at"] = f"{clock.now() + dt.timedelta(days=9):%Y-%m-%d}T24:00"
            return world.console(officer, "payment-blocks/enter/", **typed)
        ends_at = clock.now() + dt.timedelta(days=9)
        block = payment_blocks.enter(
            holder, kind="dispute", evidence="7", ends_at=ends_at, actor=officer, reason="test"
        )
        return world.console(officer, "payment-blocks/lift/", number=str(block.pk))

    return make


def a_payout_view(world: World) -> Form:
    factories.make_wallets(1, paid_minor=500)
    refund_limits.adopt(
        actor=world.staff("compliance"),
        reason="test",
        source="test",
        remitter_code="1234567890",
        remitter_name="ｻｸﾗ",
        bank_code="0001",
        branch_code="001",
        account_number="7654321",
    )
    return world.console(world.staff("treasury_operator"), "payout-views/take/")


def a_closing_proof(world: World) -> Form:
    factories.bring_to(Programme.current(), "settling")
    return world.console(world.staff("treasury_operator"), "closing/prove/")


def a_closing_document(world: World) -> Form:
    given = {
        "kind": "agreement",
        "subject": "Bank A",
        "owner": "Treasury",
        "retrieval": "at_once",
        "reviewed_on": f"{clock.now():%Y-%m-%d}",
    }
    form = world.console(world.staff("compliance"), "closing/document/", **given)
    # A file is read once: each sending takes a new one.
    return form._replace(given=Sent(form.given))


class Sent(dict[str, Any]):
    """A form with a file, which is sent from its first byte each time."""

    def items(self) -> Any:
        return {**self, "evidence": SimpleUploadedFile("a.pdf", b"signed")}.items()


def an_acknowledgement(world: World) -> Form:
    sounding.watch()
    return world.console(world.officer(), f"alarms/{Alarm.objects.latest('pk').pk}/acknowledge/")


def a_duty_address(verb: str) -> Callable[[World], Form]:
    given = {"role": "compliance", "channel": "mail", "address": "d@example.com", "language": "ja"}

    def make(world: World) -> Form:
        if verb == "end":
            duty_addresses.set_address(**given, actor=world.officer(), reason="test")
        form = world.console(world.officer(), f"alarms/duty/{verb}/")
        return form._replace(given={**form.given, **given})

    return make


FORMS: dict[str, Callable[[World], Form]] = {
    "console:closing_act document": a_closing_document,
    "console:closing_act prove": a_closing_proof,
    "console:bank_day_act tie": lambda world: world.console(
        world.staff("treasury_operator"), "bank-days/tie/"
    ),
    "console:payout_view_act take": a_payout_view,
    **{f"console:payment_block_act {verb}": a_payment_block(verb) for verb in ("enter", "lift")},
    "recovery:ask": with_a_key("/recovery/", who="someone@example.com"),
    "recovery:register": with_a_key("/register/", who="new@example.com"),
    "recovery:help": lambda world: Form(
        Client(headers=IN_ENGLISH),
        "/recovery/help/",
        {"name": "Taro", "who": "reached@example.com", "story": "lost"},
    ),
    "recovery:case_link": link_of_a_case,
    "recovery:password": new_password,
    "recovery:address": lambda world: world.customer("/account/address/"),
    "sign_out": sign_out,
    "sign_out_everywhere": lambda world: world.customer("/sign-out/everywhere/"),
    "end_session": end_a_session,
    "revoke_device": revoke_a_device,
    "mfa_deactivate_totp": lambda world: world.customer(f"{FACTOR}app/remove/"),
    "console:plan": lambda world: world.console(
        world.officer(), "workflows/freeze-charges/plan/", sources=["points"]
    ),
    "console:switches_stop": lambda world: world.console(
        world.officer(), "switches/stop/", codes=["spend", "transfer"]
    ),
    **{f"console:approval_decide {verb}": a_request(verb) for verb in ("approve", "reject")},
    "console:alarm_acknowledge": an_acknowledgement,
    **{f"console:duty {verb}": a_duty_address(verb) for verb in DUTY},
    "console:set_up_change": a_change_of_the_set_up,
    "console:set_up_decide": a_decision_about_the_set_up,
    **{f"console:filing_act {verb}": a_filing(verb) for verb in ("write", "propose")},
    "staff:add": a_new_colleague,
    **{f"console:programme_act {verb}": an_act(verb) for verb in DONE},
    **{f"cases:decide {verb}": a_case(verb) for verb in accounts_console._ACTS},
    **{f"staff:decide {verb}": a_colleague(verb) for verb in accounts_console._STAFF_ACTS},
    **{f"console:run_decide {verb}": a_run(verb) for verb in console._RUN_ACTS},
    **{f"console:switch_decide {verb}": a_switch(verb) for verb in console._SWITCH_ACTS},
}
# The first sending ends a session, and changes no other row.
ENDS_A_SESSION = {"sign_out", "end_session"}
# What these do twice is what the person sees or asks for twice, or another test sends it twice.
ELSEWHERE = {
    "account_login": "the second is another sign-in, which is an attempt of its own",
    "account_reauthenticate": "it proves again what was proved",
    "cases:contact": "each reading is shown once, and recorded",
    "console:hold_candidates": "tests/refunds/claims/test_claims.py: the second holds 0",
    "console:look_up_contact": "each reading is shown once, and recorded",
    "console:look_up_find": "it only leads to a page that is read",
    "console:merchants_act": "tests/accounts/merchants/test_merchant_notices.py",
    "claim_code": "tests/refunds/payouts/test_methods.py",
    "refund:claim": "tests/refunds/applications/test_claim_numbers.py",
    "refund:claim_code": "tests/refunds/applications/test_claim_numbers.py",
    "refund:claim_end": "tests/refunds/applications/test_claim_numbers.py",
    "console:other_ends_act": "tests/refunds/closing/test_other_ends.py",
    "console:reminders_act": "tests/refunds/applications/test_reminders.py",
    "console:voucher_act": "tests/refunds/payouts/test_lost_vouchers.py",
    "lost_code": "tests/refunds/payouts/test_lost_vouchers.py",
    "console:trace_act": "tests/refunds/payouts/test_arrivals.py",
    "refund:prove": "a code works once: tests/refunds/applications/test_proved.py",
    "refund:arrived": "tests/refunds/payouts/test_arrivals.py",
    "console:recall_act": "tests/refunds/payouts/test_recalls.py",
    "console:wave_act": "tests/refunds/payouts/test_waves.py",
    "console:bank_codes_act": "tests/refunds/payouts/test_bank_codes.py",
    "console:tracing_act": "tests/refunds/test_exclusion.py",
    "console:persons_act": "tests/refunds/applications/test_persons.py",
    "console:document_act": "tests/refunds/applications/test_documents.py",
    **dict.fromkeys(
        ("fraud_answer", "fraud_appeal", "fraud_file", "fraud_report"),
        "tests/refunds/claims/test_reports.py",
    ),
    "refund:documents": "tests/refunds/applications/test_documents.py",
    "console:unusual_act": "tests/refunds/applications/test_unusual.py",
    "console:applications_act": "tests/refunds/applications/test_desk.py",
    "console:claims_act": "tests/refunds/claims/test_claims_desk.py",
    "console:issuers_act": "tests/refunds/claims/test_claims_desk.py",
    "console:bank_answer_act": "tests/refunds/payouts/test_answer_doors.py",
    "console:payout_act": "tests/refunds/payouts/test_payout_doors.py",
    "console:break_act": "tests/refunds/payouts/test_payout_doors.py",
    "console:reset_act": "tests/accounts/reset_notices/test_reset_page.py",
    "console:restored_decide": "tests/refunds/payouts/test_sent_files.py",
    "console:switch_probe": "each attempt is a probe, which is recorded",
    "console:verify": "each verification is recorded, and changes nothing else",
    "console:witness": "tests/winddown/evidence/test_witnessing.py",
    "console:begin": "tests/winddown/set_up/test_page.py",
    "devices": "tests/accounts/sign_in/test_device_sent_twice.py",
    "external_sign_in": "it only leads to the provider",
    "home": "it is only read",
    "mfa_activate_totp": "tests/accounts/sign_in/test_second_factor.py",
    "mfa_add_webauthn": "a challenge is answered once",
    "mfa_authenticate": "a code works once: tests/accounts/sign_in/test_second_factor.py",
    "mfa_generate_recovery_codes": "the page shows the codes of the last form",
    "mfa_index": "it is only read",
    "mfa_login_webauthn": "a challenge is answered once",
    "mfa_reauthenticate": "a code works once: tests/accounts/sign_in/test_second_factor.py",
    "mfa_reauthenticate_webauthn": "a challenge is answered once",
    "mfa_remove_webauthn": "the second finds no passkey",
    "mfa_view_recovery_codes": "it is only read",
    "notice_check": "it only reads",
    "open_sessions": "it is only read",
    "openid_connect_callback": "an answer works once: tests/accounts/sign_in",
    "recovery:case": "it only leads to the case",
    "recovery:first_password": "the first ends the session",
    **dict.fromkeys(
        ("refund:account", "refund:address", "refund:bank", "refund:name"),
        "it keeps the same answer again",
    ),
    **dict.fromkeys(
        ("refund:again", "refund:change", "refund:check", "refund:leave", "refund:withdraw"),
        "tests/refunds/applications/test_portal.py",
    ),
    "refund:statement_check": "it only reads",
    "recovery:sent": "a code works once: tests/accounts/recovery",
    "set_language": "it sets the same language",
    "sign_in": "the second is another sign-in, which is an attempt of its own",
}


def test_every_form_is_sent_twice_here_or_says_why_not(world: World) -> None:
    """A new form is refused here until it is said what its second sending does."""
    browser = browser_of(world.officer(), raise_request_exception=False)
    taken = {door.name for door in DOORS if sent(browser, door)[0].status_code != 405}

    assert taken - set(ELSEWHERE) == {form.partition(" ")[0] for form in FORMS}


def rows() -> dict[str, int]:
    """Returns how many rows each table has, without attempts to sign in and notes of refusals."""
    found = {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model not in (AuditEntry, AuthEvent, Session) and model._meta.managed
    }
    return found | {"entries": AuditEntry.objects.exclude(action="refused").count()}


def states() -> list[Any]:
    return [
        list(Run.objects.order_by("pk").values_list("pk", "state")),
        list(Capability.objects.order_by("code").values_list("code", "state", "version")),
        list(RecoveryCase.objects.order_by("pk").values_list("pk", "state")),
        list(Alarm.objects.order_by("pk").values_list("pk", "state")),
    ]


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_is_sent_twice_acts_once_and_says_what_happened(
    world: World, name: str
) -> None:
    form = FORMS[name](world)
    before = rows(), states()

    first = form.browser.post(form.address, form.given)
    assert first.status_code in (200, 302), first.content.decode()
    after = rows(), states()
    assert after != before or name in ENDS_A_SESSION
    second = form.browser.post(form.address, form.given)

    assert (rows(), states()) == after
    assert is_understood(form.browser, second), (second.status_code, second.content.decode())


def is_understood(browser: Client, answer: Any) -> bool:
    """Returns whether the answer, or the page to which it leads, tells the person something."""
    if answer.status_code == 302:
        said = [str(message) for message in get_messages(answer.wsgi_request)]
        return bool(said) or browser.get(answer["Location"]).status_code == 200
    return answer.status_code in (200, 404, 410) and b"<h1" in answer.content
