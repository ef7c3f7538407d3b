"""The claims desk and the issuer desk: a case from the telephone call to the closed claim."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from refunds.claims import reporting
from refunds.models import Chargeback, FraudClaim, IssuerAction, Loss, Remedy
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import Scene
from tests.signing_in import code_typed
from wallets.models import Payment, TopUp
from winddown.actors import SYSTEM
from winddown.models import Approval, AuditEntry

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def support(staff: Callable[..., Any]) -> Any:
    return staff("support")


def approve(person: Any, *, amount: int | None = None) -> None:
    """The person approves the newest request on its page."""
    request = Approval.objects.latest("pk")
    given: dict[str, Any] = {"digest": request.digest, "reason": "evidence seen"}
    if amount is not None:
        given["amount"] = str(amount)
    answer = browser_of(person).post(f"/console/approvals/{request.pk}/approve/", given)
    assert answer.status_code == 302, answer.content.decode()


def run(name: str, person: Any, **options: Any) -> str:
    said = StringIO()
    call_command(name, by=person.login_id, reason="test", stdout=said, **options)
    return said.getvalue()


def test_a_case_goes_from_the_call_to_the_closed_claim_by_pages(
    scene: Scene, support: Any, staff: Callable[..., Any]
) -> None:
    analyst, supervisor = staff("fraud_analyst"), staff("fraud_supervisor")
    wallet = scene.victim(30_000, spent=31_000, own=5_000)
    charge, goods = TopUp.objects.get(wallet=wallet), Payment.objects.get()
    called = {"wallet": f"account:{wallet.account_id}", "channel": "support", "reason": "a call"}
    for _ in range(2):
        browser_of(support).post("/console/claims/report/", called)
    claim = FraudClaim.objects.get()
    assert (claim.channel, claim.state) == ("support", "reported")

    desk = browser_of(analyst, headers=ENGLISH)
    assert claim.reference in desk.get("/console/claims/").content.decode()
    desk.post("/console/claims/take-up/", {"claims": claim.reference, "reason": "first"})
    named = {
        "claim": claim.reference,
        "movements": f"top_up:{charge.pk} payment:{goods.pk}",
        "reason": "the holder says so",
    }
    for _ in range(2):
        desk.post("/console/claims/losses/", named)
    assert sorted(Loss.objects.values_list("funding", "amount_minor")) == [
        ("credit", 30_000),
        ("own_balance", 1_000),
    ]
    seen = desk.get(f"/console/claims/{claim.pk}/").content.decode()
    for text in (f"payment:{goods.pk}", "The thief", "31,000"):
        assert text in seen
    assert AuditEntry.objects.filter(action="claim.open", subject=claim.subject).exists()
    desk.post(
        "/console/claims/propose/",
        {"claims": claim.reference, "verdict": "confirm", "reason": "investigated"},
    )
    approve(supervisor, amount=31_000)
    claim.refresh_from_db()
    assert claim.state == "remedying"

    desk.post("/console/issuers/submit/", {"issuer": "HOSHI", "reason": "confirmed"})
    approve(supervisor, amount=30_000)
    file = desk.post("/console/issuers/send/", {"issuer": "HOSHI", "reason": "out"})
    assert claim.reference in file.content.decode()
    assert IssuerAction.objects.get().state == "sent"
    assert "HOSHI" in desk.get("/console/issuers/?queue=awaited").content.decode()


def test_the_same_case_by_commands(scene: Scene, support: Any, staff: Callable[..., Any]) -> None:
    analyst, supervisor = staff("fraud_analyst"), staff("fraud_supervisor")
    wallet = scene.victim(4_000, 6_000, spent=1_000, own=0, funding="points")
    first, second = TopUp.objects.filter(wallet=wallet).order_by("pk")
    run("report_claim", support, wallet=f"wallet:{wallet.pk}", channel="support")
    claim = FraudClaim.objects.get()
    run("take_up_claims", analyst, claims=claim.reference)
    run("ask_claim_holder", analyst, claims=claim.reference)
    run("resume_claims", analyst, claims=str(claim.pk))
    both = f"top_up:{first.pk},top_up:{second.pk}"
    run("name_losses", analyst, claim=claim.reference, movements=both)
    lost = Loss.objects.get(top_up=second)
    run("drop_loss", analyst, loss=lost.pk)
    run(
        "name_payers",
        analyst,
        claim=claim.reference,
        payments=f"payment:{Payment.objects.get().pk}",
        payer="holder",
    )
    run("propose_claims", analyst, claims=claim.reference, verdict="confirm")
    approve(supervisor, amount=4_000)
    run("recredit_losses", supervisor)
    claim.refresh_from_db()
    assert (claim.state, Remedy.objects.get().kind) == ("remedied", "points_recredit")
    compliance = staff("compliance")
    with code_typed(compliance):
        run("publish_figures", compliance, as_of="2019-07-02T15:00")
    run("reopen_claim", supervisor, claim=claim.reference)
    approve(staff("compliance"))
    claim.refresh_from_db()
    assert claim.state == "reopened"


def test_what_the_desk_does_not_understand_is_refused_beside_the_field(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    (claim,) = scene.reported(scene.victim(30_000))
    desk = browser_of(staff("fraud_analyst"), headers=ENGLISH)
    for verb, given, said in (
        ("take-up", {"claims": "FC99999999"}, "There is no claim FC99999999"),
        ("take-up", {"claims": "FC1; DROP"}, "is no claim"),
        ("losses", {"claim": f"{claim.pk} {claim.pk + 1}", "movements": "x"}, "There is no claim"),
        ("losses", {"claim": claim.pk, "movements": "refund:1"}, "refund:1 is no movement"),
        ("losses", {"claim": claim.pk, "movements": "payment:999"}, "There is no payment:999"),
        ("payers", {"claim": claim.pk, "payments": "top_up:1", "payer": "thief"}, "no movement"),
        ("propose", {"claims": claim.pk, "verdict": "reject"}, "A rejection needs its reason"),
        (
            "propose",
            {"claims": claim.pk, "verdict": "confirm", "rejection": "no_loss"},
            "Only a rejection has a reason",
        ),
    ):
        answer = desk.post(f"/console/claims/{verb}/", {**given, "reason": "test"})
        assert said in answer.content.decode(), (verb, given)
    assert desk.get("/console/claims/99999/").status_code == 404
    assert desk.get("/console/claims/nothing/").status_code == 404
    with pytest.raises(SystemExit):
        run("take_up_claims", scene.analyst, claims="FC99999999")


def test_a_rejection_is_appealed_to_other_people(
    scene: Scene, support: Any, staff: Callable[..., Any]
) -> None:
    analyst, supervisor = staff("fraud_analyst"), staff("fraud_supervisor")
    (claim,) = scene.reported(scene.victim(30_000))
    desk = browser_of(analyst)
    desk.post(
        "/console/claims/propose/",
        {
            "claims": claim.reference,
            "verdict": "reject",
            "rejection": "no_loss",
            "note": "We found no loss.",
            "reason": "investigated",
        },
    )
    approve(supervisor, amount=30_000)
    run("appeal_claim", support, claim=claim.reference)
    claim.refresh_from_db()
    assert claim.state == "appealed"
    desk.post("/console/claims/take-up/", {"claims": claim.reference, "reason": "mine"})
    claim.refresh_from_db()
    assert claim.state == "appealed"
    other = browser_of(staff("fraud_analyst"))
    other.post("/console/claims/take-up/", {"claims": claim.reference, "reason": "other"})
    claim.refresh_from_db()
    assert claim.state == "investigating"


def test_a_chargeback_is_registered_once_by_page_and_command(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    analyst = staff("fraud_analyst")
    given = {
        "issuer": "HOSHI",
        "chargeback_ref": "CB-1",
        "scheme": "visa",
        "scheme_reason": "10.4",
        "amount": "30000",
        "arn": "12345678",
        "due_at": "2019-08-01T24:00",
    }
    desk = browser_of(analyst, headers=ENGLISH)
    for _ in range(2):
        desk.post("/console/issuers/chargeback/", {**given, "reason": "notice"})
    run("register_chargeback", analyst, **given)
    assert Chargeback.objects.get().state == "received"
    assert "CB-1" in desk.get("/console/issuers/").content.decode()
    for wrong, said in (
        ({"arn": "12345678901234567890123"}, "check digit must be right"),
        ({"arn": ""}, "Give the ARN or the RRN"),
        ({"amount": "0"}, "above zero"),
        ({"issuer": "NOBODY"}, "There is no such card issuer"),
    ):
        answer = desk.post("/console/issuers/chargeback/", {**given, **wrong, "reason": "x"})
        assert said in answer.content.decode(), wrong


def test_two_people_answer_a_chargeback_after_a_refund_by_pages_and_commands(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    """History F: matched, the difference of 500 shown, answered with the refund's ARN."""
    analyst, supervisor = staff("fraud_analyst"), staff("fraud_supervisor")
    wallet = scene.victim(30_000, funding="debit")
    TopUp.objects.filter(wallet=wallet).update(arn="12345678")
    scene.confirmed(wallet)
    scene.answer(scene.asked(), "accepted_refunded", refund_arn="87654321")
    given = {"issuer": "HOSHI", "scheme": "visa", "scheme_reason": "10.4", "amount": "29500"}
    run("register_chargeback", analyst, chargeback_ref="CB-1", arn="12345678", **given)
    desk = browser_of(analyst, headers=ENGLISH)
    seen = desk.get("/console/issuers/").content.decode()
    for text in ("To be represented", "87654321", "Made good already", "500", "docs.chargeflow.io"):
        assert text in seen, text
    answered = {"chargeback": "CB-1", "answer": "accept", "reason": "x"}
    assert "not open" in desk.post("/console/issuers/reply/", answered).content.decode()
    for _ in range(2):
        desk.post("/console/issuers/reply/", answered | {"answer": "represent"})
    request = Approval.objects.latest("pk")
    page = browser_of(supervisor, headers=ENGLISH).get(f"/console/approvals/{request.pk}/approve/")
    for text in ("Less than the charge", "500", "87654321"):
        assert text in page.content.decode(), text
    approve(supervisor, amount=29_500)
    run("record_chargeback_outcome", analyst, chargeback="CB-1", outcome="lose")
    assert "two people settle it" in desk.get("/console/issuers/").content.decode()
    run("settle_chargeback", analyst, chargeback="CB-1", note="the cardholder has both")
    approve(supervisor, amount=29_500)
    assert Chargeback.objects.get().state == "closed"


def test_a_chargeback_is_matched_and_accepted_by_commands(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    analyst, supervisor = staff("fraud_analyst"), staff("fraud_supervisor")
    scene.confirmed(scene.victim(30_000))
    given = {"issuer": "HOSHI", "scheme": "visa", "scheme_reason": "10.4", "amount": "30000"}
    run("register_chargeback", analyst, chargeback_ref="CB-1", arn="12345678", **given)
    run("match_chargeback", analyst, chargeback="CB-1", charge=TopUp.objects.get().pk)
    approve(supervisor, amount=30_000)
    run("answer_chargeback", analyst, chargeback="CB-1", answer="accept")
    approve(supervisor, amount=30_000)
    assert Chargeback.objects.get().state == "accepted"
    assert Remedy.objects.get(state="remedied").kind == "chargeback_accepted"
    with pytest.raises(SystemExit):
        run("answer_chargeback", analyst, chargeback="CB-9", answer="accept")


def test_who_may_not_work_on_claims_is_refused(scene: Scene, staff: Callable[..., Any]) -> None:
    (claim,) = scene.reported(scene.victim(30_000))
    stranger = browser_of(staff("treasury_operator"))
    for address in ("claims/", f"claims/{claim.pk}/", "claims/take-up/", "issuers/submit/"):
        assert stranger.get(f"/console/{address}").status_code == 403, address


def test_files_of_reports_and_of_movements_are_in_once(
    scene: Scene, support: Any, staff: Callable[..., Any], tmp_path: Path
) -> None:
    analyst = staff("fraud_analyst")
    wallets = [scene.victim(30_000, spent=31_000, own=5_000), scene.victim(20_000)]
    calls = tmp_path / "calls.csv"
    calls.write_text(
        "wallet_ref,channel\n" + "".join(f"{each.wallet_ref},customer\n" for each in wallets)
    )
    for _ in range(2):
        run("load_claims", support, file=str(calls))
    assert FraudClaim.objects.count() == 2
    taken = " ".join(each.reference for each in FraudClaim.objects.all())
    run("take_up_claims", analyst, claims=taken)
    goods = Payment.objects.get()
    lines = [f"{each.wallet.wallet_ref},top_up,{each.top_up_ref},thief" for each in all_charges()]
    lines.append(f"{goods.wallet.wallet_ref},payment,{goods.payment_ref},thief")
    moved = tmp_path / "moved.csv"
    moved.write_text("\n".join(["wallet_ref,movement,movement_ref,payer", *lines, ""]))
    desk = browser_of(analyst, headers=ENGLISH)
    for _ in range(2):
        with moved.open("rb") as file:
            desk.post("/console/claims/load-losses/", {"file": file, "reason": "lists"})
    assert sorted(Loss.objects.values_list("funding", "amount_minor")) == [
        ("credit", 20_000),
        ("credit", 30_000),
        ("own_balance", 1_000),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nobody,top_up,T,thief", "its wallet has no claim under work"),
        ("{wallet},top_up,nothing,thief", "there is no such movement"),
        ("{wallet},refund,{charge},thief", "there is no such movement"),
        ("{wallet},top_up,{charge},somebody", "there is no such payer"),
        ("{wallet},top_up,{charge},holder", "only a payment has another payer"),
        ("{wallet},top_up", "4 cells expected"),
    ],
)
def test_a_line_that_is_not_understood_leaves_nothing(
    scene: Scene, staff: Callable[..., Any], tmp_path: Path, line: str, why: str
) -> None:
    wallet = scene.victim(30_000, funding="points")
    (claim,) = reporting.report([wallet.pk], actor=SYSTEM, reason="test")
    reporting.take_up([claim], actor=scene.analyst, reason="test")
    charge = TopUp.objects.get().top_up_ref
    good = f"{wallet.wallet_ref},top_up,{charge},thief"
    path = tmp_path / "moved.csv"
    wrong = line.format(wallet=wallet.wallet_ref, charge=charge)
    path.write_text("\n".join(["wallet_ref,movement,movement_ref,payer", good, wrong, ""]))
    desk = browser_of(staff("fraud_analyst"), headers=ENGLISH)
    with path.open("rb") as file:
        answer = desk.post("/console/claims/load-losses/", {"file": file, "reason": "lists"})
    assert why in answer.content.decode()
    assert "line 3" in answer.content.decode()
    assert not Loss.objects.exists()


def all_charges() -> list[TopUp]:
    return list(TopUp.objects.filter(source="credit_card").select_related("wallet"))


def test_a_command_lists_the_claims_and_shows_one(scene: Scene, staff: Callable[..., Any]) -> None:
    """It names the movements as the other commands take them, and the journal says who looked."""
    other = staff("treasury_operator")
    (claim,) = scene.reported(scene.victim(30_000, spent=31_000, own=5_000))
    charge, goods = TopUp.objects.get(), Payment.objects.get()
    assert claim.reference in run("claims", scene.analyst)
    assert "0 of 0 claims." in run("claims", scene.analyst, queue="over")
    told = run("claims", scene.analyst, claim=claim.reference)
    for word in (f"top_up:{charge.pk}", f"payment:{goods.pk}", "The thief", "credit"):
        assert word in told
    assert AuditEntry.objects.filter(action="claim.open", actor=scene.analyst).count() == 1
    for person, number, code in ((scene.analyst, "FC99999999", 2), (other, claim.reference, 1)):
        with pytest.raises(SystemExit) as ended:
            run("claims", person, claim=number)
        assert ended.value.code == code
