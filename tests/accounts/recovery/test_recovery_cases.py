"""Assisted recovery: two kinds of proof, two people, and the person's own last step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts import addresses
from accounts.errors import AddressTaken, LinkDead
from accounts.models import Message, OneTimeLink, ProofStep, RecoveryCase, User
from accounts.recovery import by_link, cases
from accounts.recovery.cases import Contact
from accounts.sign_in import second_factor
from tests import factories
from tests.accounts.conftest import NEW
from tests.accounts.mail_server import Mailbox, link_in, mail_server, text_of
from tests.signing_in import code_typed, open_session
from tests.winddown.bare_rows import states_of
from winddown import clock
from winddown.authority import approvals
from winddown.errors import (
    GuardNotMet,
    NotPermitted,
    PlanChanged,
    SamePerson,
    TransitionRefused,
    WinddownError,
)
from winddown.evidence import invariants
from winddown.models import AuditEntry
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db
EN = {"accept-language": "en"}
NEW_ADDRESS = "reached@example.com"


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as mails:
        yield mails


@pytest.fixture
def helper(staff: Callable[..., Any]) -> Any:
    return staff("support")


@pytest.fixture
def supervisor(staff: Callable[..., Any]) -> Any:
    return staff("fraud_supervisor")


@pytest.fixture
def locked_out(person: Callable[..., Any]) -> Any:
    """A customer whose address nobody reads any more."""
    return person(email="old@example.com")


def opened(address: str = NEW_ADDRESS) -> RecoveryCase:
    found = addresses.understood(address)
    assert found is not None
    return cases.open_case(
        Contact("Taro Yamada", "old@example.com", address, "the telephone is lost"),
        address=found,
        language="en",
        network=None,
    )


def collecting(helper: Any, *kinds: str, address: str = NEW_ADDRESS) -> RecoveryCase:
    case = cases.take(opened(address), actor=helper, reason="test")
    for kind in kinds:
        cases.add_proof(case, kind=kind, note="seen", actor=helper)
    return case


def proposed(helper: Any, account: Any, **more: Any) -> RecoveryCase:
    case = collecting(helper, "identity_document", "call_back", **more)
    return cases.propose(case, account=account.login_id, actor=helper, reason="it is them")


def approved(helper: Any, supervisor: Any, account: Any, **more: Any) -> RecoveryCase:
    case = proposed(helper, account, **more)
    return cases.decide(case, actor=supervisor, digest=digest(case), reason="agreed", approve=True)


def digest(case: RecoveryCase) -> str:
    asked = approvals.standing(case.subject, stage=cases.STAGE)
    return asked.digest if asked else ""


def console(actor: Any) -> Client:
    browser = Client(headers=EN)
    open_session(browser, actor)
    return browser


# --- the whole way ------------------------------------------------------------------------------


def test_the_whole_way_through_portal_and_console(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox, programme: Any
) -> None:
    visitor, support, second = Client(headers=EN), console(helper), console(supervisor)
    wrote = {"name": "Taro Yamada", "who": NEW_ADDRESS, "account": "?", "story": "lost it all"}
    shown = visitor.post("/recovery/help/", wrote, follow=True)
    case = RecoveryCase.objects.get()
    assert case.reference in shown.content.decode()

    page = f"/console/recovery/{case.pk}/"
    support.post(f"{page}take/", {"reason": "mine"})
    for kind in ("identity_document", "past_transactions"):
        support.post(f"{page}proof/", {"kind": kind, "note": "matches what we know"})
    support.post(f"{page}propose/", {"account": locked_out.login_id, "reason": "it is them"})
    inbox = second.get("/console/").content.decode()
    assert f'href="{page}"' in inbox
    answer = second.post(
        f"{page}approve/", {"reason": "agreed", "digest": digest(case)}, follow=True
    )
    assert "Done." in answer.content.decode()

    clockwork.tick()
    (told,) = mailbox.to(NEW_ADDRESS)
    assert case.reference in text_of(told)
    assert "http" not in text_of(told)
    assert "approved" in visitor.get("/recovery/case/").content.decode().lower()
    visitor.post("/recovery/case/link/")
    clockwork.tick()
    visitor.get(urlsplit(link_in(mailbox.to(NEW_ADDRESS)[-1])).path)
    assert visitor.post("/recovery/password/", {"password": NEW, "again": NEW}).status_code == 302

    clockwork.tick()
    case.refresh_from_db()
    locked_out.refresh_from_db()
    assert case.state == "completed"
    assert locked_out.email == NEW_ADDRESS
    assert locked_out.channel_changed_at is not None
    assert locked_out.check_password(NEW)
    (warned,) = mailbox.to("old@example.com")
    assert NEW_ADDRESS not in text_of(warned)
    assert "another address" in text_of(warned)
    visitor.post("/sign-in/", {"login_id": locked_out.login_id, "password": NEW})
    assert "_auth_user_id" in visitor.session
    acts = AuditEntry.objects.filter(subject=case.subject).order_by("seq")
    assert [each.action.partition(".")[2] for each in acts] == [
        "open", "take", "proof", "proof", "propose", "approve", "complete",
    ]  # fmt: skip
    assert invariants.breached() == {}


# --- a lost second factor -----------------------------------------------------------------------


def with_factors(someone: Any) -> Any:
    second_factor.add_app(someone)
    RecoveryCodes.activate(someone)
    return someone


def completed(case: RecoveryCase, address: str, mailbox: Mailbox) -> None:
    """The person uses the link of the approved case."""
    visitor = Client(headers=EN)
    visitor.post("/recovery/case/", {"reference": case.reference})
    visitor.post("/recovery/case/link/")
    clockwork.tick()
    visitor.get(urlsplit(link_in(mailbox.to(address)[-1])).path)
    assert visitor.post("/recovery/password/", {"password": NEW, "again": NEW}).status_code == 302


def signed_in(someone: Any) -> bool:
    browser = Client(headers=EN)
    browser.post("/sign-in/", {"login_id": someone.login_id, "password": NEW})
    return "_auth_user_id" in browser.session


@pytest.mark.parametrize("address", [NEW_ADDRESS, "own@example.com"])
def test_lost_factors_go_with_the_persons_last_step_and_not_before(
    address: str, person: Any, helper: Any, supervisor: Any, mailbox: Mailbox, programme: Any
) -> None:
    """Also for somebody who still reads the own mail, whom no plain reset would help."""
    at = clock.now() - dt.timedelta(days=1)
    someone = with_factors(person(email="own@example.com", email_verified_at=at))
    case = collecting(helper, "identity_document", "call_back", address=address)
    browser = console(helper)
    sent = {"account": someone.login_id, "second_factor_lost": "lost", "reason": "telephone lost"}
    browser.post(f"/console/recovery/{case.pk}/propose/", sent)
    case.refresh_from_db()
    shown = console(supervisor).get(f"/console/recovery/{case.pk}/approve/").content.decode()
    assert "Is lost: app, passkeys and recovery codes are removed" in shown

    cases.decide(case, actor=supervisor, digest=digest(case), reason="agreed", approve=True)
    assert Authenticator.objects.filter(user_id=someone.pk).count() == 2
    completed(case, address, mailbox)

    assert not Authenticator.objects.filter(user_id=someone.pk).exists()
    assert signed_in(someone)
    someone.refresh_from_db()
    assert (someone.email, someone.channel_changed_at is not None) == (address, True)
    entry = AuditEntry.objects.get(subject=case.subject, action="recovery.complete")
    assert entry.facts["second_factor_removed"] is True


def test_factors_that_are_not_lost_stay(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox, programme: Any
) -> None:
    with_factors(locked_out)
    completed(approved(helper, supervisor, locked_out), NEW_ADDRESS, mailbox)

    assert Authenticator.objects.filter(user_id=locked_out.pk).count() == 2
    assert not signed_in(locked_out), "the second step is asked for"


def test_nothing_is_lost_that_was_never_there(locked_out: Any, helper: Any) -> None:
    case = collecting(helper, "identity_document", "call_back")
    with pytest.raises(GuardNotMet, match="no second factor"):
        cases.propose(
            case, account=locked_out.login_id, actor=helper, reason="t", second_factor_lost=True
        )


def test_the_same_way_by_commands(locked_out: Any, helper: Any, supervisor: Any) -> None:
    case = opened()

    def run(*arguments: str, by: Any = helper) -> str:
        out = StringIO()
        with code_typed(by):
            call_command(*arguments, f"--by={by.login_id}", "--reason=test", stdout=out)
        return out.getvalue()

    assert case.reference in run("recovery_cases", "--list")
    run("recovery_cases", case.reference.lower(), "--take")
    run("recovery_cases", case.reference, "--proof=call_back", "--note=answered")
    run("recovery_cases", case.reference, "--proof=card_last4", "--note=right")
    run("recovery_cases", case.reference, f"--propose={locked_out.account_ref}")
    with pytest.raises(SystemExit):
        run("approve", case.subject, f"--digest={digest(case)[:12]}")
    run("approve", case.subject, f"--digest={digest(case)[:12]}", by=supervisor)

    case.refresh_from_db()
    assert case.state == "approved"


def test_whoever_is_rejected_is_told_why_by_message_and_on_the_page(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox
) -> None:
    """As rule 24 asks it of claims."""
    case = proposed(helper, locked_out)
    cases.decide(case, actor=supervisor, digest=digest(case), reason="weak", approve=False)

    clockwork.tick()

    why = "What we received does not prove that it is your account."
    assert why in text_of(mailbox.to(NEW_ADDRESS)[0])
    visitor = Client(headers=EN)
    shown = visitor.post("/recovery/case/", {"reference": case.reference}, follow=True)
    assert why in shown.content.decode()
    assert "weak" not in shown.content.decode()


# --- who may what -------------------------------------------------------------------------------

ROLES = {
    "support": {"take", "proof", "propose", "decline"},
    "fraud_supervisor": {"approve", "reject", "revoke"},
    "incident_commander": set(),
    "treasury_approver": set(),
    "auditor": set(),
}
VERBS: dict[str, tuple[str, Callable[[RecoveryCase, Any, Any], object]]] = {
    "take": ("opened", lambda case, by, who: cases.take(case, actor=by, reason="t")),
    "proof": (
        "collecting",
        lambda case, by, who: cases.add_proof(case, kind="card_last4", note="t", actor=by),
    ),
    "propose": (
        "ready",
        lambda case, by, who: cases.propose(case, account=who.login_id, actor=by, reason="t"),
    ),
    "decline": (
        "opened",
        lambda case, by, who: cases.decline(case, code="no_answer", actor=by, reason="t"),
    ),
    "approve": (
        "proposed",
        lambda case, by, who: cases.decide(
            case, actor=by, digest=digest(case), reason="t", approve=True
        ),
    ),
    "reject": (
        "proposed",
        lambda case, by, who: cases.decide(
            case, actor=by, digest=digest(case), reason="t", approve=False
        ),
    ),
    "revoke": (
        "approved",
        lambda case, by, who: cases.revoke(case, code="not_proved", actor=by, reason="t"),
    ),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("role", ROLES)
def test_each_role_does_its_part_and_no_other(
    locked_out: Any, helper: Any, supervisor: Any, staff: Callable[..., Any], role: str, verb: str
) -> None:
    state, act = VERBS[verb]
    case = {
        "opened": lambda: opened(),
        "collecting": lambda: collecting(helper),
        "ready": lambda: collecting(helper, "identity_document", "call_back"),
        "proposed": lambda: proposed(helper, locked_out),
        "approved": lambda: approved(helper, supervisor, locked_out),
    }[state]()
    actor = staff(role)

    if verb in ROLES[role]:
        act(case, actor, locked_out)
    else:
        with pytest.raises(NotPermitted):
            act(case, actor, locked_out)


def test_no_verb_works_from_a_state_it_is_not_declared_for(
    locked_out: Any, helper: Any, supervisor: Any, staff: Callable[..., Any]
) -> None:
    both = staff("support", "fraud_supervisor")
    allowed = {(edge.source, edge.name) for edge in RecoveryCase.edges()}
    assert {source for source, _ in allowed} | {"completed", "rejected"} == set(
        states_of(RecoveryCase)
    )
    rows = {
        "opened": opened(),
        "collecting": collecting(helper),
        "approved": approved(helper, supervisor, locked_out),
    }
    for state, case in rows.items():
        for verb in ("take", "decline", "revoke"):
            if (state, verb) not in allowed:
                with pytest.raises(TransitionRefused):
                    VERBS[verb][1](case, both, locked_out)


# --- nobody decides alone -----------------------------------------------------------------------


def test_nobody_approves_the_own_proposal(locked_out: Any, staff: Callable[..., Any]) -> None:
    """Rule 23: through the procedure, also as superuser and under a second account."""
    both = staff("support", "fraud_supervisor", staff_number="P-1")
    again = staff("fraud_supervisor", staff_number="P-1", is_superuser=True)
    case = proposed(both, locked_out)

    for one in (both, again):
        with pytest.raises(SamePerson):
            cases.decide(case, actor=one, digest=digest(case), reason="t", approve=True)
    case.refresh_from_db()
    assert case.state == "proposed"


def test_whoever_recorded_a_proof_does_not_decide(
    locked_out: Any, helper: Any, staff: Callable[..., Any]
) -> None:
    both = staff("support", "fraud_supervisor")
    case = collecting(helper, "identity_document")
    cases.add_proof(case, kind="call_back", note="answered", actor=both)
    case = cases.propose(case, account=locked_out.login_id, actor=helper, reason="t")

    with pytest.raises(SamePerson):
        cases.decide(case, actor=both, digest=digest(case), reason="t", approve=True)
    with pytest.raises(DatabaseError, match="not decided by another"), transaction.atomic():
        approvals.decide(
            case.subject, stage=cases.STAGE, actor=both, digest=digest(case), reason="t"
        )
        RecoveryCase.objects.filter(pk=case.pk).update(state="approved")


def test_the_console_shows_the_own_proposal_disabled_with_the_reason_and_refuses_its_form(
    locked_out: Any, staff: Callable[..., Any]
) -> None:
    both = staff("support", "fraud_supervisor")
    case = proposed(both, locked_out)
    browser = console(both)

    shown = browser.get(f"/console/recovery/{case.pk}/").content.decode()
    assert "Your own request: a second person decides." in shown
    assert f"/console/recovery/{case.pk}/approve/" not in shown
    browser.post(f"/console/recovery/{case.pk}/approve/", {"reason": "t", "digest": digest(case)})

    case.refresh_from_db()
    assert case.state == "proposed"


def test_neither_the_orm_nor_sql_approves_or_rejects_without_a_signature(
    locked_out: Any, helper: Any
) -> None:
    case = proposed(helper, locked_out)

    for state in ("approved", "rejected"):
        with pytest.raises(DatabaseError, match="not decided by another"), transaction.atomic():
            RecoveryCase.objects.filter(pk=case.pk).update(state=state, rejection="not_proved")
        with pytest.raises(DatabaseError, match="not decided by another"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE accounts_recoverycase SET state = %s, rejection = 'x' WHERE id = %s",
                    [state, case.pk],
                )


def test_what_was_proposed_stays_as_it_was_signed(
    locked_out: Any, helper: Any, person: Any
) -> None:
    case, other = proposed(helper, locked_out), person()

    with pytest.raises(GuardNotMet, match="not collecting"):
        cases.add_proof(case, kind="card_last4", note="late", actor=helper)
    for change in (
        {"account": other},
        {"second_factor_lost": True},
        {"contact_sealed": b"x"},
        {"contact_fingerprint": "x"},
    ):
        with pytest.raises(DatabaseError, match="kept as it is"), transaction.atomic():
            RecoveryCase.objects.filter(pk=case.pk).update(**change)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ProofStep.objects.update(note="other")


def test_a_decision_covers_the_digest_that_was_shown(
    locked_out: Any, helper: Any, supervisor: Any
) -> None:
    case = proposed(helper, locked_out)

    with pytest.raises(PlanChanged):
        cases.decide(case, actor=supervisor, digest="0" * 64, reason="t", approve=True)


def test_an_expired_proposal_is_renewed_by_its_maker(
    locked_out: Any, helper: Any, supervisor: Any, rehearsal_clock: Any
) -> None:
    case = proposed(helper, locked_out)
    rehearsal_clock.travel(clock.now() + cases.DECIDE_WITHIN + dt.timedelta(seconds=1))
    with pytest.raises(WinddownError, match="expired"):
        cases.decide(case, actor=supervisor, digest=digest(case), reason="t", approve=True)

    cases.propose(case, account="", actor=helper, reason="still them")

    assert (
        cases.decide(case, actor=supervisor, digest=digest(case), reason="t", approve=True).state
        == "approved"
    )


# --- what a proposal needs ----------------------------------------------------------------------


def test_one_kind_of_proof_is_not_enough(locked_out: Any, helper: Any) -> None:
    case = collecting(helper, "identity_document")

    with pytest.raises(GuardNotMet, match="1 kinds of proof"):
        cases.propose(case, account=locked_out.login_id, actor=helper, reason="t")
    with pytest.raises(GuardNotMet, match="has it already"):
        cases.add_proof(case, kind="identity_document", note="again", actor=helper)
    with pytest.raises(DatabaseError, match="too few kinds"), transaction.atomic():
        RecoveryCase.objects.filter(pk=case.pk).update(state="proposed", account=locked_out)


def test_staff_are_not_recovered_as_customers(helper: Any, staff: Callable[..., Any]) -> None:
    """Rule 16."""
    case, colleague = collecting(helper, "identity_document", "call_back"), staff("support")

    with pytest.raises(GuardNotMet, match="no customer"):
        cases.propose(case, account=colleague.login_id, actor=helper, reason="t")
    with pytest.raises(DatabaseError, match="not about a customer"), transaction.atomic():
        RecoveryCase.objects.filter(pk=case.pk).update(state="proposed", account=colleague)


def test_an_address_of_another_account_is_no_new_channel(
    locked_out: Any, helper: Any, supervisor: Any, person: Callable[..., Any]
) -> None:
    person(email=NEW_ADDRESS)
    case = collecting(helper, "identity_document", "call_back")

    with pytest.raises(GuardNotMet, match="another account has this address"):
        cases.propose(case, account=locked_out.login_id, actor=helper, reason="t")


def test_an_address_that_another_account_got_after_the_approval_is_no_new_channel(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox
) -> None:
    link = case_link(approved(helper, supervisor, locked_out))
    factories.make_customer(email=NEW_ADDRESS)

    with pytest.raises(AddressTaken):
        by_link.choose_password(link, NEW)
    link.refresh_from_db()
    assert link.used_at is None


# --- the link -----------------------------------------------------------------------------------


def case_link(case: RecoveryCase) -> OneTimeLink:
    visitor = Client(headers=EN)
    visitor.post("/recovery/case/", {"reference": case.reference})
    visitor.post("/recovery/case/link/")
    clockwork.tick()
    return OneTimeLink.objects.filter(case=case).latest("pk")


@pytest.mark.parametrize("state", ["opened", "collecting", "proposed", "rejected"])
def test_only_an_approved_case_has_a_link(
    locked_out: Any, helper: Any, mailbox: Mailbox, state: str
) -> None:
    case = {
        "opened": lambda: opened(),
        "collecting": lambda: collecting(helper),
        "proposed": lambda: proposed(helper, locked_out),
        "rejected": lambda: cases.decline(opened(), code="no_answer", actor=helper, reason="t"),
    }[state]()

    with pytest.raises(OneTimeLink.DoesNotExist):
        case_link(case)


def test_a_revoked_approval_kills_the_link(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox
) -> None:
    case = approved(helper, supervisor, locked_out)
    link = case_link(case)
    cases.revoke(case, code="not_proved", actor=supervisor, reason="the owner called")

    with pytest.raises(LinkDead):
        by_link.choose_password(link, NEW)


def test_a_completed_case_opens_nothing_more_and_the_old_channel_neither(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox
) -> None:
    phone = "090-1234-5678"
    User.objects.filter(pk=locked_out.pk).update(phone=phone, phone_verified_at=clock.now())
    case = approved(helper, supervisor, locked_out)
    link = case_link(case)
    by_link.choose_password(link, NEW)

    with pytest.raises(LinkDead):
        by_link.choose_password(link, "one more different sentence")
    locked_out.refresh_from_db()
    assert locked_out.phone_verified_at is None
    warned = Message.objects.filter(kind="channel_changed").values_list("channel", flat=True)
    assert sorted(warned) == ["email", "phone"]


# --- the data of people -------------------------------------------------------------------------


def test_contact_data_is_sealed_masked_and_its_reading_recorded(
    locked_out: Any, helper: Any, staff: Callable[..., Any]
) -> None:
    """Rule 64."""
    case = opened()
    with connection.cursor() as cursor:
        cursor.execute("SELECT c::text FROM accounts_recoverycase c")
        assert "reached@" not in str(cursor.fetchall())
    browser = console(helper)
    page = f"/console/recovery/{case.pk}/"
    for place in (page, "/console/recovery/", f"{page}contact/"):
        shown = browser.get(place).content.decode()
        assert NEW_ADDRESS not in shown
        assert "Taro" not in shown
    assert "r***@e***.com" in browser.get(page).content.decode()

    unexplained = browser.post(f"{page}contact/", {"reason": ""})
    assert NEW_ADDRESS not in unexplained.content.decode()
    shown = browser.post(f"{page}contact/", {"reason": "to call them"})
    assert NEW_ADDRESS in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]

    (read,) = AuditEntry.objects.filter(action="recovery.read_contact")
    assert (read.actor, read.reason) == (helper, "to call them")
    with pytest.raises(NotPermitted):
        cases.disclose_contact(case, actor=staff("auditor"), reason="curious")


def test_the_queue_is_for_those_who_work_it(staff: Callable[..., Any], helper: Any) -> None:
    case = opened()
    for place in ("/console/recovery/", f"/console/recovery/{case.pk}/"):
        assert console(helper).get(place).status_code == 200
        assert console(staff("treasury_operator")).get(place).status_code == 403


def test_the_queue_is_filtered_by_its_address(helper: Any, rehearsal_clock: Any) -> None:
    old = opened()
    rehearsal_clock.travel(clock.now() + dt.timedelta(days=4))
    young = collecting(helper)
    browser = console(helper)

    def listed(query: str) -> list[int]:
        return [each.pk for each in browser.get(f"/console/recovery/{query}").context["seen"].cases]

    assert listed("") == [old.pk, young.pk]
    assert listed("?days=3") == [old.pk]
    assert listed("?state=collecting") == [young.pk]
    assert listed("?state=nonsense&days=x&page=-1") == [old.pk, young.pk]


def test_a_reference_nobody_has_is_answered_and_tells_nothing() -> None:
    visitor = Client(headers=EN)
    answer = visitor.post("/recovery/case/", {"reference": "AAAA-BBBB-CCCC"})

    assert answer.status_code == 200
    assert "There is no case with this reference." in answer.content.decode()
