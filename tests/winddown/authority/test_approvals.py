"""Four eyes: the maker is never the checker, by any command, page, account or statement."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import pytest
from django.core.management import call_command
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction

from tests import factories
from tests.signing_in import code_typed
from tests.unguarded import past_the_guards
from winddown.authority import approvals
from winddown.errors import (
    AskedAlready,
    GuardNotMet,
    NothingToDecide,
    NotPermitted,
    PlanChanged,
    PlanExpired,
    SamePerson,
    TransitionRefused,
)
from winddown.models import Approval, AuditEntry, Run, RunTransition, Signature
from winddown.runs import planning

pytestmark = pytest.mark.usefixtures("programme")
A_DAY = dt.timedelta(hours=24)


@pytest.fixture
def maker(staff):
    return staff("incident_commander")


@pytest.fixture
def checker(staff):
    return staff("compliance")


@pytest.fixture
def run(maker):
    return planning.plan("freeze-charges", actor=maker, reason="incident")


def approve(run, actor, **changed):
    return planning.approve(
        run, actor=actor, reason="seen", **{"digest": run.plan_digest, **changed}
    )


def standing(run):
    return Approval.objects.filter(subject=run.subject).latest("pk")


def sign_by_sql(request, signer, *, digest=None, part="approved", number="forged"):
    """A signature as somebody with psql would write it, with any column changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO winddown_signature"
            " (approval_id, subject, stage, part, signer_id, staff_number, digest, reason, at)"
            " VALUES (%s, 'other', 'other', %s, %s, %s, %s, '', '2000-01-01Z')",
            [request.pk, part, signer.pk, number, digest or request.digest],
        )


def state(run):
    return Run.objects.get(pk=run.pk).state


def test_the_digest_of_a_content_stays_the_same_in_every_version():
    """Whoever keeps a plan outside computes its digest again, years later."""
    digest = approvals.digest_of({"b": "円", "a": [1, None, dt.date(2026, 11, 27)]})
    written = '{"a":[1,null,"2026-11-27"],"b":"円"}'
    assert digest == hashlib.sha256(written.encode()).hexdigest()


# --- the permitted way --------------------------------------------------------------------------


def test_a_second_person_approves_exactly_the_plan_that_was_shown(run, maker, checker):
    approved = approve(run, checker)
    assert approved.state == "approved"
    signed = Signature.objects.get(subject=run.subject, part="approved")
    assert (signed.signer, signed.staff_number) == (checker, checker.staff_number)
    assert signed.digest == run.plan_digest
    assert planning.checker(run) == checker
    assert RunTransition.objects.filter(subject_id=run.pk).latest("pk").actor_id == checker.pk


def test_a_second_decision_is_refused(run, checker, staff):
    approve(run, checker)
    with pytest.raises(NothingToDecide):
        approve(run, staff("compliance"))
    with pytest.raises(NothingToDecide):
        planning.reject(run, actor=staff("compliance"), digest=run.plan_digest, reason="no")


def test_a_rejected_run_has_ended(run, checker):
    assert (
        planning.reject(run, actor=checker, digest=run.plan_digest, reason="no").state == "aborted"
    )
    assert not Signature.objects.filter(part="approved").exists()
    with pytest.raises(TransitionRefused):
        planning.start(run, actor=checker)


# --- the same person ----------------------------------------------------------------------------


def test_the_maker_cannot_approve_their_own_plan(run, maker):
    """Rule 23."""
    with pytest.raises(SamePerson):
        approve(run, maker)
    assert state(run) == "awaiting_approval"


def test_a_superuser_is_not_exempt(staff):
    """Rule 23."""
    root = staff(is_superuser=True)
    run = planning.plan("freeze-charges", actor=root, reason="incident")
    with pytest.raises(SamePerson):
        approve(run, root)


def test_a_second_account_of_the_maker_cannot_approve(run, maker, staff):
    """Rule 23: the person counts, not the account."""
    alias = staff("compliance", staff_number=maker.staff_number)
    with pytest.raises(SamePerson):
        approve(run, alias)
    with pytest.raises(DatabaseError):
        Signature.objects.create(
            approval=standing(run),
            part="approved",
            signer=alias,
            digest=run.plan_digest,
            reason="",
            at=run.requested_at,
            staff_number="somebody else",
        )


def test_the_orm_cannot_sign_for_the_maker(run, maker):
    with pytest.raises(DatabaseError), transaction.atomic():
        Signature.objects.create(
            approval=standing(run),
            subject="something else",
            stage="other",
            part="approved",
            signer=maker,
            staff_number="forged",
            digest=run.plan_digest,
            reason="",
            at=run.requested_at,
        )
    assert state(run) == "awaiting_approval"


def test_sql_cannot_sign_for_the_maker(run, maker):
    with pytest.raises(DatabaseError, match="one_signature_per_person_and_subject"):
        sign_by_sql(standing(run), maker)


def test_sql_cannot_forge_the_signer_subject_or_time_of_a_signature(run, checker):
    """The database writes subject, stage, person and time."""
    sign_by_sql(standing(run), checker)
    signed = Signature.objects.get(subject=run.subject, part="approved")
    assert (signed.stage, signed.staff_number) == ("run", checker.staff_number)
    assert signed.at >= run.requested_at


def test_a_customer_cannot_sign(run, customer):
    with pytest.raises(DatabaseError, match="member of staff"):
        sign_by_sql(standing(run), customer())


def test_nobody_can_sign_as_maker_of_a_request_of_another_person(run, checker):
    with pytest.raises(DatabaseError, match="maker signs the own request"):
        sign_by_sql(standing(run), checker, part="maker")


def test_a_person_who_decided_cannot_become_the_maker_of_the_same_subject(maker, checker):
    approvals.ask(
        "payout_batch:9", stage="one", content=1, permission="", maker=maker, reason="first"
    )
    digest = approvals.digest_of(1)
    approvals.decide("payout_batch:9", stage="one", actor=checker, digest=digest, reason="yes")
    with pytest.raises(SamePerson):
        approvals.ask(
            "payout_batch:9", stage="two", content=2, permission="", maker=checker, reason="mine"
        )
    assert approvals.standing("payout_batch:9", stage="two") is None


def test_a_person_signs_only_one_stage_of_a_subject(maker, checker, staff):
    """The maker is never the checker, over all stages."""
    for stage in ("first", "second"):
        approvals.ask("thing:1", stage=stage, content=1, permission="", maker=maker, reason="")
    digest = approvals.digest_of(1)
    approvals.decide("thing:1", stage="first", actor=checker, digest=digest, reason="")
    with pytest.raises(SamePerson):
        approvals.decide("thing:1", stage="second", actor=checker, digest=digest, reason="")
    approvals.decide(
        "thing:1", stage="second", actor=staff(is_superuser=True), digest=digest, reason=""
    )


def test_an_approval_requires_its_permission(run, staff):
    """Rule 23: support may not approve a run, and neither may a person who has left."""
    for person in (staff("support"), staff("auditor"), staff("compliance", is_active=False)):
        with pytest.raises(NotPermitted):
            approve(run, person)
    assert state(run) == "awaiting_approval"


# --- another plan -------------------------------------------------------------------------------


def test_the_old_digest_cannot_approve_a_changed_plan(run, maker, checker, wallets):
    shown = run.plan_digest
    wallets(3)
    replanned = planning.replan(run, actor=maker, reason="more wallets")
    assert replanned.plan_digest != shown
    with pytest.raises(PlanChanged):
        approve(run, checker, digest=shown)
    assert approve(replanned, checker).state == "approved"


def test_a_superseded_request_cannot_be_signed(run, maker, checker, wallets):
    old = standing(run)
    wallets(3)
    planning.replan(run, actor=maker, reason="more wallets")
    with pytest.raises(DatabaseError, match="superseded"):
        sign_by_sql(old, checker)
    with pytest.raises(DatabaseError, match="superseded"), transaction.atomic():
        Signature.objects.create(
            approval=old,
            part="approved",
            signer=checker,
            digest=old.digest,
            reason="",
            at=old.requested_at,
        )


def test_an_equal_new_plan_supersedes_the_old_one(run, maker, checker):
    old = standing(run)
    planning.replan(run, actor=maker, reason="again")
    with pytest.raises(DatabaseError, match="superseded"):
        sign_by_sql(old, checker)
    assert approve(run, checker).state == "approved"


def test_a_signature_with_another_digest_is_refused(run, checker):
    with pytest.raises(DatabaseError, match="another plan"):
        sign_by_sql(standing(run), checker, digest="0" * 64)


@pytest.mark.parametrize(("reason", "error"), [("\0", DataError), (None, IntegrityError)])
def test_another_error_of_the_database_is_raised_as_it_is(run, checker, reason, error):
    with pytest.raises(error), transaction.atomic():
        approvals.decide(
            run.subject, stage="run", actor=checker, digest=run.plan_digest, reason=reason
        )
    assert approvals.standing(run.subject, stage="run") is not None


def test_a_person_who_planned_again_cannot_approve(run, checker, staff):
    other = staff("incident_commander")
    replanned = planning.replan(run, actor=other, reason="mine now")
    with pytest.raises(SamePerson):
        approve(replanned, other)
    with pytest.raises(SamePerson):
        approve(replanned, run.maker)
    assert approve(replanned, checker).state == "approved"


def test_a_run_that_changed_after_its_approval_does_not_start(run, maker, checker, wallets):
    """Rule 61."""
    approve(run, checker)
    wallets(1)
    with pytest.raises(PlanChanged):
        planning.start(run, actor=maker)
    assert state(run) == "approved"


def test_a_run_with_parameters_changed_by_sql_does_not_start(run, maker, checker):
    approve(run, checker)
    with pytest.raises(DatabaseError, match="cannot change any more"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(params={"sources": ["points"], "register": False})
    past_the_guards(
        'UPDATE winddown_run SET params = \'{"sources": ["points"], "register": false}\''
    )
    with pytest.raises(PlanChanged):
        planning.start(run, actor=maker)


def test_sql_cannot_approve_a_run_without_a_signature(run):
    """SQL is refused as the command is."""
    with pytest.raises(DatabaseError, match="no approval of a second person"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(state="approved")


def test_sql_cannot_approve_a_plan_that_was_not_signed(run, checker):
    sign_by_sql(standing(run), checker)
    with pytest.raises(DatabaseError, match="no approval of a second person"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(state="approved", plan_digest="0" * 64)


def test_sql_cannot_start_an_unapproved_run(run):
    with pytest.raises(DatabaseError, match="not declared"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(state="running")


# --- too late -----------------------------------------------------------------------------------


@pytest.fixture
def late(run, rehearsal_clock):
    """`late(delta)` freezes the clock so long after the request."""

    def travel(delta):
        rehearsal_clock.travel(standing(run).requested_at + delta, frozen=True)

    return travel


def test_a_request_can_be_approved_until_its_last_microsecond(run, checker, late):
    late(A_DAY - dt.timedelta(microseconds=1))
    assert approve(run, checker).state == "approved"


def test_an_expired_request_is_refused_by_every_door(run, checker, late):
    late(A_DAY)
    with pytest.raises(PlanExpired):
        approve(run, checker)
    with pytest.raises(DatabaseError, match="expired"):
        sign_by_sql(standing(run), checker)
    with pytest.raises(SystemExit):
        command(run, checker)
    assert state(run) == "awaiting_approval"
    assert approvals.open_requests() == []


def test_an_approved_run_can_start_until_its_last_microsecond(run, maker, checker, late):
    approve(run, checker)
    late(A_DAY)
    with pytest.raises(PlanExpired):
        planning.start(run, actor=maker)
    assert state(run) == "approved"
    late(A_DAY - dt.timedelta(microseconds=1))
    assert planning.start(run, actor=maker).state == "running"
    # Started without a reason of its own, it has the reason of the plan.
    assert RunTransition.objects.latest("pk").reason == "incident"
    assert AuditEntry.objects.get(action="run.start").reason == "incident"


def test_sql_cannot_use_an_expired_signature(run, checker, late):
    sign_by_sql(standing(run), checker)
    late(A_DAY)
    with pytest.raises(DatabaseError, match="no approval"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(state="approved")


# --- the command --------------------------------------------------------------------------------


def command(run, person, *words, digest=None):
    with code_typed(person):
        call_command(
            "approve",
            run.subject,
            *words,
            by=person.login_id,
            reason="seen",
            digest=digest or run.plan_digest[:32],
        )


def test_the_command_approves_for_a_second_person(run, checker):
    command(run, checker)
    assert state(run) == "approved"


def test_the_command_refuses_the_maker_and_another_account_of_the_maker(run, maker, staff, capsys):
    alias = staff("compliance", staff_number=maker.staff_number)
    for person in (maker, alias):
        with pytest.raises(SystemExit) as refused:
            command(run, person, "--json")
        assert refused.value.code == 1
        assert json.loads(capsys.readouterr().out)["refused"] == "SamePerson"
    assert state(run) == "awaiting_approval"


def test_the_command_refuses_a_changed_plan(run, maker, checker, wallets):
    shown = run.plan_digest[:32]
    wallets(2)
    planning.replan(run, actor=maker, reason="more")
    with pytest.raises(SystemExit) as refused:
        command(run, checker, digest=shown)
    assert refused.value.code == 1
    assert state(run) == "awaiting_approval"


@pytest.mark.parametrize(("asked", "refusal"), [(False, "NothingToDecide"), (True, "GuardNotMet")])
def test_the_command_refuses_what_nobody_asked_or_what_is_decided_elsewhere(
    maker, checker, capsys, asked, refusal
):
    """No command decides about a `thing`."""
    if asked:
        approvals.ask("thing:1", stage="one", content=1, permission="", maker=maker, reason="first")
    with pytest.raises(SystemExit), code_typed(checker):
        call_command(
            "approve",
            "thing:1",
            "--json",
            by=checker.login_id,
            reason="seen",
            digest=approvals.digest_of(1),
        )
    assert json.loads(capsys.readouterr().out)["refused"] == refusal
    assert not Signature.objects.filter(part="approved").exists()


@pytest.mark.parametrize("digest", [None, "", "0", "abc"])
def test_the_command_requires_the_digest_that_was_shown(run, checker, digest):
    """A person who did not look cannot approve, and a digest that is too short is refused."""
    with pytest.raises(Exception, match="digest") as refused, code_typed(checker):
        call_command("approve", run.subject, by=checker.login_id, reason="seen", digest=digest)
    assert refused.value.returncode == 2
    assert state(run) == "awaiting_approval"


def test_the_command_lists_the_waiting_requests(run, capsys):
    call_command("approve")
    assert run.plan_digest[:32] in capsys.readouterr().out


def test_an_approved_run_cannot_be_planned_again(run, maker, checker):
    approve(run, checker)
    with pytest.raises(GuardNotMet):
        planning.replan(run, actor=maker, reason="again")


def test_planning_requires_its_permission(staff):
    with pytest.raises(NotPermitted):
        planning.plan("freeze-charges", actor=staff("support"), reason="x")
    assert not Run.objects.exists()


def test_the_factory_makes_the_same_run_as_the_commands(maker, checker):
    """The other tests begin with such a run."""
    run = factories.approved_run("freeze-charges", maker=maker, checker=checker)
    assert (run.state, run.maker) == ("approved", maker)


def test_a_form_that_is_sent_twice_asks_once(run, maker, checker, rehearsal_clock):
    """Within a minute, and by the same person for the same reason."""
    asked = Approval.objects.count()
    at = Approval.objects.latest("pk").requested_at
    for seconds in (0, 60):
        rehearsal_clock.travel(at + dt.timedelta(seconds=seconds), frozen=True)
        with pytest.raises(AskedAlready):
            planning.replan(run, actor=maker, reason="incident")
        assert Approval.objects.count() == asked
    planning.replan(run, actor=maker, reason="counted anew")
    rehearsal_clock.travel(at + dt.timedelta(seconds=121), frozen=True)
    planning.replan(run, actor=maker, reason="counted anew")
    assert Approval.objects.count() == asked + 2


# --- a list that two people sign ----------------------------------------------------------------


@pytest.fixture
def listed():
    """A list of two lines, and what is signed about it; `lines` can change."""
    lines = ["one", "two"]
    return lines, approvals.SignedList(
        subject="list:1", stage="test", permission="winddown.approve_run", content=lambda: lines
    )


def test_a_signed_list_is_approved_as_it_was_asked_for(listed, maker, checker):
    _, signed = listed
    asked = signed.ask(maker=maker, reason="t")

    signature = signed.decide(actor=checker, digest=asked.digest, reason="seen")

    assert (signature.part, signature.signer_id) == (Signature.Part.APPROVED, checker.pk)
    with pytest.raises(NothingToDecide):
        signed.decide(actor=checker, digest=asked.digest, reason="again")


def test_a_list_that_has_changed_since_is_not_approved(listed, maker, checker):
    lines, signed = listed
    asked = signed.ask(maker=maker, reason="t")
    lines.append("three")

    with pytest.raises(PlanChanged), transaction.atomic():
        signed.decide(actor=checker, digest=asked.digest, reason="seen")

    assert not Signature.objects.filter(part=Signature.Part.APPROVED).exists()
    with pytest.raises(PlanChanged):
        signed.refuse_change(since=asked.digest)
    lines.pop()
    signed.refuse_change(since=asked.digest)
