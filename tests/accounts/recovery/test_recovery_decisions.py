"""Who may do what in a recovery case, and that nobody decides it alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, DataError, connection, transaction

from accounts.errors import AddressTaken
from accounts.models import ProofStep, RecoveryCase
from accounts.recovery import by_link, cases
from tests import factories
from tests.accounts.conftest import NEW
from tests.accounts.mail_server import Mailbox
from tests.accounts.recovery.casework import (
    NEW_ADDRESS,
    approved,
    case_link,
    collecting,
    console,
    digest,
    opened,
    proposed,
)
from tests.owning import as_owner
from tests.winddown.bare_rows import states_of
from winddown import clock
from winddown.authority import approvals
from winddown.errors import (
    AskedAlready,
    GuardNotMet,
    NotPermitted,
    PlanChanged,
    SamePerson,
    TransitionRefused,
    WinddownError,
)

pytestmark = pytest.mark.django_db

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


def test_a_verb_is_refused_from_a_state_it_is_not_declared_for(
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


def test_nobody_approves_their_own_proposal(locked_out: Any, staff: Callable[..., Any]) -> None:
    """Rule 23: this holds for a superuser and for a second account of the person too."""
    both = staff("support", "fraud_supervisor", staff_number="P-1")
    again = staff("fraud_supervisor", staff_number="P-1", is_superuser=True)
    case = proposed(both, locked_out)

    for one in (both, again):
        with pytest.raises(SamePerson):
            cases.decide(case, actor=one, digest=digest(case), reason="t", approve=True)
    case.refresh_from_db()
    assert case.state == "proposed"


def test_a_person_who_recorded_a_proof_cannot_decide(
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


def test_the_console_disables_an_own_proposal_with_the_reason_and_refuses_its_form(
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


def test_a_proposal_cannot_change_after_it_was_signed(
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
    with (
        as_owner(),
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
    ):
        ProofStep.objects.update(note="other")


def test_a_decision_about_another_digest_is_refused(
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
    with pytest.raises(AskedAlready):
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
    with pytest.raises(DataError), transaction.atomic():
        cases.add_proof(case, kind="call_back", note="\0", actor=helper)
    with pytest.raises(DatabaseError, match="too few kinds"), transaction.atomic():
        RecoveryCase.objects.filter(pk=case.pk).update(state="proposed", account=locked_out)


def test_staff_are_not_recovered_as_customers(helper: Any, staff: Callable[..., Any]) -> None:
    """Rule 16."""
    case, colleague = collecting(helper, "identity_document", "call_back"), staff("support")

    with pytest.raises(GuardNotMet, match="no customer"):
        cases.propose(case, account=colleague.login_id, actor=helper, reason="t")
    with pytest.raises(DatabaseError, match="not about a customer"), transaction.atomic():
        RecoveryCase.objects.filter(pk=case.pk).update(state="proposed", account=colleague)


def test_the_address_of_another_account_is_refused_as_a_new_channel(
    locked_out: Any, helper: Any, supervisor: Any, person: Callable[..., Any]
) -> None:
    person(email=NEW_ADDRESS)
    case = collecting(helper, "identity_document", "call_back")

    with pytest.raises(GuardNotMet, match="another account has this address"):
        cases.propose(case, account=locked_out.login_id, actor=helper, reason="t")


def test_a_case_is_not_proposed_where_a_plain_reset_works(
    helper: Any, person: Callable[..., Any]
) -> None:
    case = collecting(helper, "identity_document", "call_back")
    reachable = person(email=NEW_ADDRESS)

    with pytest.raises(GuardNotMet, match="a plain reset works"):
        cases.propose(case, account=reachable.login_id, actor=helper, reason="t")


def test_an_account_has_one_case_under_decision(locked_out: Any, helper: Any) -> None:
    first, second = (collecting(helper, "identity_document", "call_back") for _ in range(2))
    cases.propose(first, account=locked_out.login_id, actor=helper, reason="t")
    assert first.pk != second.pk

    with pytest.raises(GuardNotMet, match="another case of this account"):
        cases.propose(second, account=locked_out.login_id, actor=helper, reason="t")


def test_an_address_given_to_another_account_after_the_approval_is_refused(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox
) -> None:
    link = case_link(approved(helper, supervisor, locked_out))
    factories.make_customer(email=NEW_ADDRESS)

    with pytest.raises(AddressTaken):
        by_link.choose_password(link, NEW)
    link.refresh_from_db()
    assert link.used_at is None
