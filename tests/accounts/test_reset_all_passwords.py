"""reset-all-passwords over 2,000 people, and the lifting of its fence."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from accounts.credentials import fencing, passwords
from accounts.models import CredentialFence, DeviceToken, ResetNotice, Session, User
from accounts.models.user import WITHOUT_PASSWORD
from tests import factories
from tests.accounts.conftest import NEW, OLD
from tests.owning import as_owner
from tests.signing_in import code_typed
from winddown import clock
from winddown.errors import GuardNotMet, NothingToDecide, NotPermitted, SamePerson
from winddown.evidence import invariants
from winddown.models import Batch, Run, StepTotal
from winddown.runs import control, planning, progress, registry, working

pytestmark = pytest.mark.django_db

RESET = "reset-all-passwords"
OURS = ("I8", "I24", "I24b", "I9", "I9b", "I14", "I20")


def breaches() -> dict[str, list[str]]:
    return {each.code: each.breaches() for each in invariants.known() if each.code in OURS}


def none() -> dict[str, list[str]]:
    return {code: [] for code in breaches()}


def test_the_plan_counts_the_people_who_cannot_be_reached_before_anybody_approves(
    population: Any, plan_of: Any
) -> None:
    """Rule 12."""
    population(2_000)

    content = plan_of(RESET)

    assert content["counts"] == {
        "customers": 2_000,
        "passwords": 1_800,
        "notices": 1_600,
        "notices_by_email": 800,
        "notices_by_phone": 800,
        "notices_by_letter": 0,
        "wave_1": 100,
        "wave_2": 0,
        "wave_3": 700,
    }
    assert content["locked_out"] == {"without_channel": 400, "only_external_login": 100}
    assert content["excluded"] == {"staff": 2, "told_by_an_earlier_reset": 0}
    assert content["estimates"] == {
        "sessions": 2_000,
        "device_tokens": 0,
        "told_first": 0,
        "told_next": 0,
    }


def test_an_unverified_address_is_not_counted_as_a_channel(person: Any, plan_of: Any) -> None:
    """Rule 12."""
    person(email_verified_at=None)
    person(email="", phone="", phone_verified_at=clock.now())
    person(email_verified_at=None, phone="09000000000", phone_verified_at=clock.now())

    assert plan_of(RESET)["locked_out"]["without_channel"] == 2


def test_the_run_does_what_the_plan_said(population: Any, done: Any) -> None:
    """Rule 61, I24."""
    population(2_000)

    run = done(RESET, mail="file")

    assert run.state == Run.State.SUCCEEDED
    counted = run.plans.get().content
    assert progress.moved(run) == {
        "remove_passwords": counted["counts"]["passwords"],
        "remove_sessions": counted["estimates"]["sessions"],
        "queue_notices": counted["counts"]["notices"],
    }
    customers = User.objects.customers()
    assert not customers.with_password().exists()
    assert customers.values("password").distinct().count() == 1_801, "each at random, 200 as before"
    assert customers.exclude(refused_hash="").count() == 1_800
    assert customers.filter(password_removed_at__gte=run.as_of).count() == 1_800
    assert not Session.objects.exists()
    assert breaches() == none()


def test_each_person_has_one_notice_on_a_verified_channel(population: Any, done: Any) -> None:
    """I25: one notice key per person and run."""
    population(200)

    done(RESET, mail="file")

    assert ResetNotice.objects.count() == 160
    assert not ResetNotice.objects.filter(channel="email", user__email_verified_at=None).exists()
    assert not ResetNotice.objects.filter(channel="phone", user__phone_verified_at=None).exists()
    assert set(ResetNotice.objects.values_list("state", flat=True)) == {"queued"}


def test_a_second_run_changes_nothing(population: Any, done: Any) -> None:
    """Rule 4: nobody is notified twice, and no password is removed twice."""
    population(2_000)
    first = done(RESET, mail="file")
    rows = list(User.objects.order_by("pk").values())

    second = done(RESET, mail="file")

    assert (first.state, second.state) == ("succeeded", "succeeded")
    assert progress.moved(second) == {}
    assert list(User.objects.order_by("pk").values()) == rows
    assert ResetNotice.objects.count() == 1_600
    assert second.plans.get().content["excluded"]["told_by_an_earlier_reset"] == 1_600
    assert breaches() == none()


def test_a_second_run_resets_and_notifies_those_who_set_a_password_since(
    person: Any, done: Any
) -> None:
    someone, other = person(), person()
    done(RESET, mail="file")
    passwords.choose_password(someone, NEW, authority_at=clock.now())

    second = done(RESET, mail="file")

    assert progress.moved(second) == {"remove_passwords": 1, "queue_notices": 1}
    assert ResetNotice.objects.filter(user=someone).count() == 2
    assert ResetNotice.objects.filter(user=other).count() == 1


def test_a_repeated_batch_changes_nothing(population: Any, started: Any) -> None:
    """Rule 62: a batch can be done again after a crash."""
    population(100)
    run = factories.worked_off(started(RESET, mail="file"))
    rows = list(User.objects.order_by("pk").values())

    for step in registry.get(RESET).steps(run):
        with transaction.atomic():
            assert step.apply(run, Batch(run=run), step.rows(run)).rows == 0, step.name

    assert list(User.objects.order_by("pk").values()) == rows
    assert ResetNotice.objects.count() == 80


def test_device_tokens_from_before_the_fence_are_revoked_and_later_ones_stay(
    person: Any, started: Any
) -> None:
    someone = person()
    before = DeviceToken.objects.create(
        user=someone, digest="old", device_name="app", issued_at=clock.now(), method="password"
    )
    run = started(RESET, mail="file")
    later = DeviceToken.objects.create(
        user=someone, digest="new", device_name="app", issued_at=clock.now(), method="password"
    )

    run = factories.worked_off(run)

    assert run.state == "succeeded"
    assert progress.moved(run)["revoke_device_tokens"] == 1
    assert DeviceToken.objects.get(pk=before.pk).revoked_at is not None
    assert DeviceToken.objects.get(pk=later.pk).revoked_at is None


def test_a_reset_does_not_change_staff(population: Any, staff: Any, done: Any) -> None:
    """Rule 16."""
    population(50)
    officer = staff("support", email="officer@example.com", email_verified_at=clock.now())
    officer.set_password(OLD)
    officer.save()
    before = list(User.objects.filter(kind="staff").order_by("pk").values())

    done(RESET, mail="file")

    assert list(User.objects.filter(kind="staff").order_by("pk").values()) == before
    assert not ResetNotice.objects.filter(user__kind="staff").exists()


def test_people_who_register_between_plan_and_start_do_not_change_the_plan(
    programme: Any, person: Any, two: Any
) -> None:
    early = person()
    run = factories.approved_run(RESET, maker=two[0], checker=two[1])
    late = person()
    passwords.choose_password(early, NEW, authority_at=clock.now())

    run = factories.worked_off(planning.start(run, actor=two[0]))

    assert run.state == Run.State.SUCCEEDED
    assert not User.objects.get(pk=late.pk).has_usable_password(), "they are reset all the same"
    assert ResetNotice.objects.count() == 2


def test_the_fence_does_not_wait_for_a_new_count_and_a_changed_plan_pauses_the_run(
    programme: Any, person: Any, two: Any
) -> None:
    """Rule 10."""
    first, second = person(), person()
    run = factories.approved_run(RESET, maker=two[0], checker=two[1])
    User.objects.filter(pk=second.pk).update(email_verified_at=None)

    run = planning.start(run, actor=two[0])
    assert not fencing.take_fence().accepts(first.password_set_at)
    run = factories.worked_off(run)

    assert run.state == Run.State.PAUSED
    assert "The data changed since the approval" in progress.paused_because(run)
    assert not StepTotal.objects.filter(run=run).exists()
    assert User.objects.customers().with_password().count() == 2


def test_a_run_paused_for_a_changed_plan_goes_on_only_when_the_plan_is_true_again(
    programme: Any, person: Any, two: Any
) -> None:
    changed = person()
    run = factories.approved_run(RESET, maker=two[0], checker=two[1])
    User.objects.filter(pk=changed.pk).update(email_verified_at=None)
    run = factories.worked_off(planning.start(run, actor=two[0]))
    run = factories.worked_off(control.resume(run, actor=two[0], reason="as it is"))
    assert run.state == Run.State.PAUSED

    User.objects.filter(pk=changed.pk).update(email_verified_at=changed.email_verified_at)
    run = factories.worked_off(control.resume(run, actor=two[0], reason="true again"))

    assert run.state != Run.State.PAUSED
    assert not User.objects.customers().with_password().exists()


def test_verification_finds_rows_that_were_left(population: Any, done: Any) -> None:
    """Each gap is planted after the run."""
    population(20)
    run = done(RESET, mail="file")
    workflow = registry.get(RESET)
    assert workflow.verify(run) == []
    first, second = User.objects.customers().order_by("pk")[:2]
    old = run.as_of - dt.timedelta(days=1)

    User.objects.filter(pk=first.pk).update(password="argon2$again", password_set_at=old)
    Session.objects.create(
        session_key="left", expire_date=clock.now(), user=second, issued_at=old, method="password"
    )
    User.objects.create(
        login_id="missed", phone="09011112222", phone_verified_at=old, registered_at=old
    )

    assert workflow.verify(run) == [
        "1 passwords from before the fence are left",
        "1 sessions from before the fence are left",
        "1 people who can be reached have no notice",
    ]
    assert len(breaches()["I24"]) == 2


def test_parameters_of_other_workflows_are_refused(plan_of: Any) -> None:
    with pytest.raises(GuardNotMet, match="mail and limits"):
        plan_of(RESET, provider="line")


# --- lifting the fence ------------------------------------------------------------------------


@pytest.fixture
def paused(started: Any, two: Any, person: Any) -> Run:
    person()
    return control.pause(started(RESET), actor=two[0], reason="wait")


def test_two_people_lift_the_fence_and_old_credentials_are_accepted_again(
    person: Any, browser: Any, started: Any, two: Any
) -> None:
    someone, window = person(), browser()
    window.sign_in(someone.login_id)
    run = started(RESET)
    control.pause(run, actor=two[0], reason="wrong service")
    fencing.request_lift(actor=two[0], reason="wrong service")
    assert not browser().sign_in(someone.login_id), "a request alone lifts nothing"

    fencing.lift(actor=two[1], reason="agreed")

    assert window.who() == someone.login_id
    assert browser().sign_in(someone.login_id)
    assert Run.objects.get(pk=run.pk).state == Run.State.ABORTED
    assert breaches() == none()


def test_nobody_lifts_the_fence_alone(paused: Run, two: Any) -> None:
    with pytest.raises(NothingToDecide):
        fencing.lift(actor=two[0], reason="mine")
    fencing.request_lift(actor=two[0], reason="wrong")

    with pytest.raises(SamePerson):
        fencing.lift(actor=two[0], reason="mine")
    with pytest.raises(DatabaseError, match="no second person"), transaction.atomic():
        CredentialFence.objects.filter(run=paused).update(state="lifted", lifted_at=clock.now())
    assert CredentialFence.objects.get().state == "standing"


def test_lifting_the_fence_requires_the_permission(paused: Run, staff: Any) -> None:
    with pytest.raises(NotPermitted):
        fencing.request_lift(actor=staff("support"), reason="please")


def test_the_fence_cannot_be_lifted_once_a_batch_has_removed_passwords(
    person: Any, started: Any, two: Any
) -> None:
    person()
    run = started(RESET)
    working.work(run.pk, batches_max=1)
    control.pause(run, actor=two[0], reason="too late")
    assert progress.moved(run) == {"remove_passwords": 1}

    with pytest.raises(GuardNotMet, match="has removed passwords"):
        fencing.request_lift(actor=two[0], reason="back")


def test_the_database_keeps_a_fence_with_two_signatures_after_a_removal(
    paused: Run, two: Any
) -> None:
    fencing.request_lift(actor=two[0], reason="back")
    control.resume(paused, actor=two[0], reason="on")
    working.work(paused.pk, batches_max=1)
    control.pause(paused, actor=two[0], reason="off")

    with pytest.raises(GuardNotMet, match="has removed passwords"):
        fencing.lift(actor=two[1], reason="agreed")


def test_a_running_run_is_paused_before_its_fence_is_lifted(started: Any, two: Any) -> None:
    started(RESET)

    with pytest.raises(GuardNotMet, match="while its run is paused"):
        fencing.request_lift(actor=two[0], reason="back")


def test_a_late_batch_of_a_run_with_a_lifted_fence_removes_nothing(
    person: Any, paused: Run, two: Any
) -> None:
    fencing.request_lift(actor=two[0], reason="wrong")
    fencing.lift(actor=two[1], reason="agreed")
    step = registry.get(RESET).step(paused, "remove_passwords")

    moved = step.apply(paused, Batch(run=paused), User.objects.customers().all())

    assert moved.rows == 0
    assert not User.objects.customers().filter(WITHOUT_PASSWORD).exists()


def test_an_earlier_fence_still_holds_after_the_later_one_is_lifted(
    person: Any, browser: Any, started: Any, two: Any
) -> None:
    someone = person()
    first = started(RESET)
    control.pause(first, actor=two[0], reason="x")
    control.abort(first, actor=two[0], reason="x")
    second = started(RESET)
    states = CredentialFence.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["superseded", "standing"]
    control.pause(second, actor=two[0], reason="x")
    fencing.request_lift(actor=two[0], reason="x")
    fencing.lift(actor=two[1], reason="x")

    assert not browser().sign_in(someone.login_id)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts_credentialfence SET not_before = '2000-01-01'",
        "UPDATE accounts_credentialfence SET state = 'lifted', lifted_at = now()",
        "DELETE FROM accounts_credentialfence",
        "INSERT INTO accounts_credentialfence (not_before, run_id, state)"
        " SELECT now(), id, 'standing' FROM winddown_run",
    ],
)
def test_sql_cannot_move_the_fence(paused: Run, change: str) -> None:
    from django.db import connection

    with (
        as_owner(),
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_the_command_requests_and_approves_the_lifting(paused: Run, two: Any, capsys: Any) -> None:
    call_command("lift_credential_fence", "--by", two[0].login_id, "--reason", "wrong service")
    with code_typed(two[1]):
        call_command(
            *("lift_credential_fence", "--agree", "--json"),
            *("--by", two[1].login_id, "--reason", "agreed"),
        )

    assert '"state": "lifted"' in capsys.readouterr().out


def test_the_command_plans_and_runs(programme: Any, person: Any, two: Any, capsys: Any) -> None:
    person()
    maker = ("--by", two[0].login_id, "--reason", "attack")
    call_command("reset_all_passwords", "--plan", *maker)
    run = Run.objects.get()
    planning.approve(run, actor=two[1], digest=run.plan_digest, reason="agreed")

    call_command("reset_all_passwords", "--run", *maker, "--json")

    assert Run.objects.get().state == "succeeded"
    assert '"remove_passwords": 1' in capsys.readouterr().out
