"""Requests to card issuers and their answers, remedies and chargebacks."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction

from refunds.claims import deciding
from refunds.models import FraudClaim, IssuerAction, IssuerAnswer, Loss, Remedy
from refunds.remedies import cut_offs, follow_up, own_funds, requests, slots
from refunds.remedies.exchange_lines import luhn_digit
from refunds.remedies.transports import transport_of
from rehearsal import issuers
from tests import factories
from tests.owning import as_owner
from tests.refunds.claims.scene import HIT_AT, Scene, answers, balance, jst, kinds
from tests.refunds.claims.test_claims import breaches
from tests.unguarded import give_past_the_guards
from winddown import clock
from winddown.errors import GuardNotMet, LoadRefused, PlanChanged, PlanExpired, SamePerson
from winddown.evidence import audit

DIGITS = "7498750218200000000001"
SOUND_ARN = DIGITS + luhn_digit(DIGITS)
UNSOUND_ARN = DIGITS + str((int(luhn_digit(DIGITS)) + 1) % 10)


def test_a_credit_loss_before_the_cut_off_is_asked_to_be_stopped(scene: Scene) -> None:
    """Rule 18: the debit is on 13 August, the cut-off on 8 August, our margin two days."""
    scene.at(2019, 8, 7, 23)
    wallet = scene.victim(30_000)
    scene.at(2019, 8, 7, 23)
    scene.confirmed(wallet)
    action = IssuerAction.objects.get()
    assert action.kind == IssuerAction.Kind.STOP_DEBIT
    assert action.deadline_at == jst(2019, 8, 6)


def test_a_credit_loss_after_the_cut_off_takes_the_next_route_at_once(scene: Scene) -> None:
    """Rule 18."""
    wallet = scene.victim(30_000)
    scene.at(2019, 8, 8)
    scene.confirmed(wallet)
    assert kinds(wallet) == [("issuer_refund", "proposed")]


def test_a_stop_not_sent_before_the_cut_off_becomes_an_issuer_refund(scene: Scene) -> None:
    """Rule 18, both sides of the cut-off."""
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5)
    scene.confirmed(wallet)
    scene.at(2019, 8, 7, 23, 59)
    assert cut_offs.fall_back() == 0
    scene.at(2019, 8, 8)
    assert cut_offs.fall_back() == 1
    assert cut_offs.fall_back() == 0
    assert kinds(wallet) == [("stop_debit", "failed"), ("issuer_refund", "proposed")]


@pytest.mark.parametrize("state", ["sent", "need_info", "overdue", "escalated"])
def test_a_stop_that_the_issuer_did_not_confirm_falls_back_at_the_cut_off(
    scene: Scene, state: str
) -> None:
    """Silence, a question and an overdue answer wait no longer than the debit does."""
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5)
    scene.confirmed(wallet)
    file = scene.asked()
    if state == "need_info":
        scene.answer(file, "need_info")
    if state in ("overdue", "escalated"):
        scene.at(2019, 7, 20)
        follow_up.follow_up()
    if state == "escalated":
        follow_up.escalate(IssuerAction.objects.all(), actor=scene.analyst, reason="called")
    assert IssuerAction.objects.get().state == state
    scene.at(2019, 8, 7, 23, 59)
    assert follow_up.follow_up()["fell_back"] == 0
    scene.at(2019, 8, 8)
    assert follow_up.follow_up()["fell_back"] == 1
    assert kinds(wallet) == [("stop_debit", "failed"), ("issuer_refund", "proposed")]
    assert IssuerAction.objects.order_by("pk")[0].state == "closed"
    assert breaches() == {}


def test_nothing_leaves_after_the_cut_off_however_late_the_tick_is(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5)
    scene.confirmed(wallet)
    asked = requests.submit(IssuerAction.objects.all(), actor=scene.analyst, reason="test")
    requests.decide(asked, actor=scene.supervisor, digest=asked.digest, reason="test")
    scene.at(2019, 8, 8)
    assert requests.send(scene.issuer, actor=scene.analyst, reason="late") is None
    assert kinds(wallet) == [("stop_debit", "failed"), ("issuer_refund", "proposed")]


def test_no_answer_counts_after_the_cut_off_however_late_the_tick_is(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5)
    scene.confirmed(wallet)
    file = scene.asked()
    scene.at(2019, 8, 8)
    done = scene.answer(file, "accepted_debit_stopped")
    assert (done.applied, done.not_awaited) == (0, 1)
    assert kinds(wallet) == [("stop_debit", "failed"), ("issuer_refund", "proposed")]
    assert balance("fraud_suspense") == 30_000


def test_requests_that_nobody_approved_in_time_are_drafts_again(scene: Scene) -> None:
    scene.at(2019, 7, 5)
    scene.confirmed(scene.victim(30_000))
    scene.at(2019, 7, 5)
    asked = requests.submit(IssuerAction.objects.all(), actor=scene.analyst, reason="test")
    scene.at(2019, 7, 5, 23)
    assert follow_up.follow_up()["run_out"] == 0
    scene.at(2019, 7, 6)
    assert follow_up.follow_up()["run_out"] == 1
    assert follow_up.follow_up()["run_out"] == 0
    with pytest.raises(PlanExpired), transaction.atomic():
        requests.decide(asked, actor=scene.supervisor, digest=asked.digest, reason="late")
    assert scene.asked().rows == 1


def test_the_debit_of_a_debit_card_cannot_be_asked_to_be_stopped(scene: Scene) -> None:
    """Rule 20, for every writer."""
    wallet = scene.victim(30_000, funding="debit")
    scene.confirmed(wallet)
    assert kinds(wallet) == [("debit_reimbursement", "proposed")]
    with pytest.raises(IntegrityError), transaction.atomic():
        IssuerAction.objects.update(kind="stop_debit")


def test_a_request_is_sent_only_with_the_approval_of_a_second_person(scene: Scene) -> None:
    """Rule 23."""
    scene.confirmed(scene.victim(30_000))
    drafts = IssuerAction.objects.all()
    assert requests.send(scene.issuer, actor=scene.analyst, reason="test") is None
    asked = requests.submit(drafts, actor=scene.analyst, reason="test")
    with pytest.raises(DatabaseError, match="no approval of a second person"), transaction.atomic():
        IssuerAction.objects.filter(pk__gt=0).update(state="approved")
    person = factories.make_staff(staff_number=scene.analyst.staff_number)
    give_past_the_guards(person, "fraud_supervisor")
    with pytest.raises(SamePerson):
        requests.decide(asked, actor=person, digest=asked.digest, reason="mine")
    with pytest.raises(PlanChanged):
        requests.decide(asked, actor=scene.supervisor, digest="0" * 64, reason="other")
    assert requests.decide(asked, actor=scene.supervisor, digest=asked.digest, reason="ok") == 1


def test_a_stopped_debit_remedies_the_loss(scene: Scene) -> None:
    wallet = scene.victim(30_000, spent=30_000)
    scene.at(2019, 7, 5)
    scene.confirmed(wallet)
    file = scene.asked()
    scene.at(2019, 7, 8)
    done = scene.answer(file, "accepted_debit_stopped", statement_on=dt.date(2019, 8, 13))
    assert (done.applied, done.repeated) == (1, 0)
    assert kinds(wallet) == [("stop_debit", "remedied")]
    assert balance("fraud_suspense") == 0
    assert balance("funding_credit_card") == 0
    assert FraudClaim.objects.get().state == FraudClaim.State.REMEDIED
    assert follow_up.verify_and_close() == 0
    scene.at(2019, 8, 13)
    assert follow_up.verify_and_close() == 1
    assert breaches() == {}


@pytest.mark.parametrize(
    ("answer", "following"),
    [
        ("too_late_will_repay", ("issuer_refund", "proposed")),
        ("too_late_cannot", ("compensation_payout", "asked")),
        ("declined", ("compensation_payout", "asked")),
    ],
)
def test_a_too_late_answer_opens_the_next_route_in_the_same_transaction(
    scene: Scene, answer: str, following: tuple[str, str]
) -> None:
    """Rule 19."""
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5)
    scene.confirmed(wallet)
    scene.answer(scene.asked(), answer)
    assert kinds(wallet) == [("stop_debit", "failed"), following]
    assert IssuerAction.objects.order_by("pk").first().state == "fallback_opened"  # type: ignore[union-attr]
    assert balance("fraud_suspense") == 30_000
    assert breaches() == {}


def test_an_issuer_refund_instead_of_a_stop_remedies_the_loss(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    scene.confirmed(wallet)
    scene.answer(scene.asked(), "accepted_refunded", refund_arn=SOUND_ARN)
    assert kinds(wallet) == [("stop_debit", "failed"), ("issuer_refund", "remedied")]
    assert IssuerAction.objects.get().state == IssuerAction.State.REFUNDED
    assert follow_up.verify_and_close() == 1


def test_a_file_imported_a_second_time_changes_nothing(scene: Scene) -> None:
    """Rule 25: by the file's hash, and by the line in another file."""
    scene.confirmed(scene.victim(30_000, 20_000))
    content = answers(scene.asked(), "accepted_debit_stopped")
    assert scene.hear(content).applied == 2
    before = (list(IssuerAction.objects.values_list("state")), IssuerAnswer.objects.count())
    assert (scene.hear(content).applied, scene.hear(content).repeated) == (0, 2)
    lines = content.decode().splitlines(keepends=True)
    done = scene.hear("".join(lines[:2]).encode())
    assert (done.applied, done.repeated, done.not_awaited) == (0, 1, 0)
    assert (list(IssuerAction.objects.values_list("state")), IssuerAnswer.objects.count()) == before
    assert balance("fraud_suspense") == 0


def test_a_second_answer_to_an_answered_request_is_a_doubt(scene: Scene) -> None:
    """Rule 25."""
    wallet = scene.victim(30_000)
    scene.confirmed(wallet)
    file = scene.asked()
    scene.answer(file, "accepted_debit_stopped")
    done = scene.answer(file, "declined")
    assert (done.applied, done.not_awaited) == (0, 1)
    assert kinds(wallet) == [("stop_debit", "contested"), ("compensation_payout", "asked")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "columns"),
        (b"\xff\xfe", "UTF-8"),
        (b"action_ref,attempt\r\n", "columns"),
    ],
)
def test_a_file_that_is_no_answer_file_is_refused(scene: Scene, content: bytes, why: str) -> None:
    with pytest.raises(LoadRefused, match=why):
        scene.hear(content)


def test_a_request_without_an_answer_is_overdue_and_queued_with_its_age(scene: Scene) -> None:
    """Rule 26, I19: five bank business days after Friday 5 July end with 12 July."""
    scene.at(2019, 7, 5, 9)
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5, 9)
    scene.confirmed(wallet)
    scene.asked()
    scene.at(2019, 7, 12, 23, 59)
    assert follow_up.mark_overdue() == 0
    scene.at(2019, 7, 13)
    assert follow_up.mark_overdue() == 1
    assert follow_up.mark_overdue() == 0
    scene.at(2019, 7, 14)
    ((action, age),) = follow_up.overdue()
    assert (action.state, age) == ("overdue", dt.timedelta(days=1))


def test_an_overdue_request_is_repeated_under_the_same_key_and_a_late_answer_counts(
    scene: Scene,
) -> None:
    """Rule 26."""
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5)
    scene.confirmed(wallet)
    first = scene.asked()
    scene.at(2019, 7, 20)
    follow_up.mark_overdue()
    again = requests.send(scene.issuer, actor=scene.analyst, reason="test", again=True)
    assert again is not None
    action = IssuerAction.objects.get()
    assert (action.attempt, again.sequence) == (2, 2)
    assert str(action.key) in first.content
    assert str(action.key) in again.content
    assert scene.answer(again, "accepted_debit_stopped").applied == 1


def test_an_answer_to_an_earlier_attempt_is_kept_and_decides_nothing(scene: Scene) -> None:
    """Rule 26: the issuer answers each time that it is asked."""
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5)
    scene.confirmed(wallet)
    first = scene.asked()
    scene.at(2019, 7, 20)
    follow_up.mark_overdue()
    assert requests.send(scene.issuer, actor=scene.analyst, reason="test", again=True)
    assert scene.answer(first, "declined").applied == 0
    assert IssuerAction.objects.get().state == IssuerAction.State.SENT
    assert IssuerAnswer.objects.get().attempt == 1


def test_a_request_that_needs_information_waits_until_it_is_sent_again(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    scene.confirmed(wallet)
    scene.answer(scene.asked(), "need_info", note="which terminal?")
    assert kinds(wallet) == [("stop_debit", "asked")]
    assert requests.send(scene.issuer, actor=scene.analyst, reason="test") is None
    again = requests.send(scene.issuer, actor=scene.analyst, reason="test", again=True)
    assert again is not None
    scene.answer(again, "accepted_debit_stopped")
    assert kinds(wallet) == [("stop_debit", "remedied")]


def test_an_unanswered_request_that_is_not_queued_breaks_the_invariant(scene: Scene) -> None:
    """I19."""
    scene.at(2019, 7, 5)
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5)
    scene.confirmed(wallet)
    scene.asked()
    scene.at(2019, 7, 31)
    assert "I19" in breaches()
    follow_up.follow_up()
    assert "I19" not in breaches()


def test_the_request_file_holds_no_card_number_and_is_kept_as_sent(scene: Scene) -> None:
    """Rule 65."""
    wallet = scene.victim(30_000)
    scene.confirmed(wallet)
    file = scene.asked()
    assert wallet.account.login_id not in file.content
    assert "902101,0001" in file.content
    with (
        as_owner(),
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
    ):
        type(file).objects.filter(pk=file.pk).update(content="")


def test_a_loss_has_at_most_one_remedy_that_has_not_failed(scene: Scene) -> None:
    """Rule 17."""
    scene.confirmed(scene.victim(30_000, funding="points"))
    loss = Loss.objects.get()
    with pytest.raises(slots.RemedyTaken), transaction.atomic():
        slots.open_routes([(loss, "compensation_payout")], at=clock.now())
    own_funds.recredit(actor=scene.supervisor, reason="test")
    with pytest.raises(slots.RemedyTaken), transaction.atomic():
        slots.open_routes([(loss, "compensation_payout")], at=clock.now())
    assert Remedy.objects.count() == 1
    assert own_funds.recredit(actor=scene.supervisor, reason="test") == 0
    assert balance("fraud_suspense") == 0


def test_the_remedy_of_a_remedied_loss_cannot_fail(scene: Scene) -> None:
    """Rule 17, for every writer."""
    scene.confirmed(scene.victim(30_000, funding="points"))
    own_funds.recredit(actor=scene.supervisor, reason="test")
    with pytest.raises(DatabaseError, match="not declared"), transaction.atomic():
        Remedy.objects.filter(pk__gt=0).update(state="failed", failure="declined")


def test_points_that_cannot_be_returned_are_paid_instead(scene: Scene) -> None:
    wallet = scene.victim(30_000, funding="points")
    scene.confirmed(wallet)
    opened = own_funds.pay_instead(
        list(Remedy.objects.all()), actor=scene.supervisor, reason="left"
    )
    assert kinds(wallet) == [("points_recredit", "failed"), ("compensation_payout", "asked")]
    with pytest.raises(GuardNotMet):
        own_funds.pay_instead(opened, actor=scene.supervisor, reason="again")


def test_the_simulated_issuers_answer_the_same_for_the_same_seed(scene: Scene) -> None:
    scene.confirmed(*(scene.victim(1_000 + number) for number in range(30)))
    sent = scene.asked().content.encode()
    by, at = transport_of(scene.issuer), clock.now()
    said = issuers.answer_file(sent, by=by, seed=1, at=at)
    assert said == issuers.answer_file(sent, by=by, seed=1, at=at)
    done = scene.hear(said)
    assert done.applied == 30
    assert breaches() == {}


def test_eight_threads_at_once_remedy_no_loss_twice(
    own_database: Any, rehearsal_clock: Any, programme: Any
) -> None:
    """Rule 17, with real commits: eight threads return points and open other routes for the same
    losses.
    """
    rehearsal_clock.travel(HIT_AT, frozen=True)
    scene = Scene()
    scene.confirmed(*(scene.victim(30_000, funding="points") for _ in range(5)))
    losses = list(Loss.objects.order_by("pk"))
    start = threading.Barrier(8)
    refused: list[str] = []

    def recredit() -> None:
        own_funds.recredit(actor=scene.supervisor, reason="race")

    def pay() -> None:
        with transaction.atomic():
            waiting = list(Remedy.objects.filter(kind="points_recredit", state="asked"))
            slots.fall_back(
                waiting,
                "compensation_payout",
                failure="undeliverable",
                at=clock.now(),
                actor=scene.supervisor,
            )
            audit.append("test.pay", "remedies", actor=scene.supervisor)

    def again() -> None:
        with transaction.atomic():
            slots.open_routes([(loss, "points_recredit") for loss in losses], at=clock.now())
            audit.append("test.again", "remedies", actor=scene.supervisor)

    def racer(act: Callable[[], None]) -> None:
        try:
            start.wait()
            act()
        except (slots.RemedyTaken, DatabaseError) as refusal:
            refused.append(type(refusal).__name__)
        finally:
            connections.close_all()

    acts = [recredit, pay, again, recredit, pay, again, recredit, pay]
    threads = [threading.Thread(target=racer, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for loss in losses:
        living = Remedy.objects.filter(loss=loss).exclude(state="failed")
        assert living.count() == 1
        assert Remedy.objects.filter(loss=loss, state="remedied").count() <= 1
    done = Remedy.objects.filter(state="remedied").count()
    assert balance("fraud_suspense") == 30_000 * (5 - done)
    assert refused.count("RemedyTaken") >= 2
    assert breaches() == {}


def test_several_decisions_at_once_confirm_a_list_once(
    own_database: Any, rehearsal_clock: Any, programme: Any
) -> None:
    """Rule 23, with real commits: six supervisors decide the same list at the same time."""
    rehearsal_clock.travel(HIT_AT, frozen=True)
    scene = Scene()
    decision = scene.proposed(scene.victim(30_000))
    checkers = [factories.make_staff("fraud_supervisor") for _ in range(6)]
    start = threading.Barrier(len(checkers))
    outcomes: list[str] = []

    def decide(person: Any) -> None:
        try:
            start.wait()
            deciding.decide(decision, actor=person, digest=decision.digest, reason="race")
            outcomes.append("confirmed")
        except Exception as refusal:  # every refusal will do, a second confirmation will not
            outcomes.append(type(refusal).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=decide, args=(person,)) for person in checkers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("confirmed") == 1, outcomes
    assert balance("fraud_suspense") == 30_000
    assert breaches() == {}
