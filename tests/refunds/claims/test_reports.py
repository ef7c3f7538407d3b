"""Reports of movements that were not the holder's own: on the own page, by telephone, and by a
cardholder without a wallet.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from accounts import outbox
from accounts.models import Message
from refunds.claims import deciding, reporting, reports, thieves, victims
from refunds.models import ClaimFile, ClaimNote, FraudClaim, FraudReport
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import Scene
from tests.refunds.claims.test_claims_desk import approve, run
from tests.signing_in import code_typed
from wallets.models import Payment, TopUp, Wallet
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, says
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db
CARD = "4111 1111 1111 1111"
AT = "/account/fraud/"


def of_holder(wallet: Wallet, **headers: str) -> Client:
    """A browser in which the holder signed in, whose address is verified."""
    holder = wallet.account
    holder.email, holder.email_verified_at = f"holder{holder.pk}@example.com", clock.now()
    holder.save(update_fields=["email", "email_verified_at"])
    return browser_of(holder, headers={"accept-language": "en", **headers})


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_customer_reports_reads_how_far_it_is_and_appeals(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    wallet = scene.victim(30_000, spent=31_000, own=5_000)
    charge, goods = TopUp.objects.get(wallet=wallet, source="credit_card"), Payment.objects.get()
    browser = of_holder(wallet)
    page = text(browser.get(f"{AT}report/"))
    assert f'value="top_up:{charge.pk}"' in page
    assert "JPY 30,000" in page

    assert "Choose a movement" in text(browser.post(f"{AT}report/", {"words": " "}))
    kept = browser.post(f"{AT}report/", {"words": f"my card {CARD}", "movements": ["payment:0"]})
    assert "has a card number" in text(kept)
    assert "Select a valid choice" in text(kept)
    assert CARD in text(kept)
    assert not FraudReport.objects.exists()

    said = {"movements": [f"top_up:{charge.pk}"], "noticed_on": "2019-07-02", "words": "not me"}
    for _ in range(2):
        answer = browser.post(f"{AT}report/", said, follow=True)
    claim = FraudClaim.objects.get()
    assert f"Your reference number is {claim.reference}" in text(answer)
    assert "We received your report" in text(answer)
    report = FraudReport.objects.get()
    assert (report.movements, str(report.noticed_on), reports.words_of(report)) == (
        [f"top_up:{charge.pk}"],
        "2019-07-02",
        "not me",
    )
    assert b"not me" not in bytes(report.words_sealed or b"")
    assert list(Message.objects.values_list("kind", "facts__reference")) == [
        ("fraud_reported", claim.reference)
    ]
    browser.post(f"{AT}report/", {"movements": [f"payment:{goods.pk}"], "words": "this too"})
    assert FraudReport.objects.filter(claim=claim).count() == 2
    assert FraudClaim.objects.count() == 1

    stranger = of_holder(factories.make_wallet())
    for address in (f"{AT}{claim.pk}/", f"{AT}{claim.pk}/file/", f"{AT}{claim.pk}/appeal/"):
        assert stranger.get(address).status_code == 404

    reporting.take_up([claim], actor=scene.analyst, reason="test")
    decision = deciding.propose(
        [claim],
        verdict="reject",
        rejection="no_loss",
        note="Nothing.",
        actor=scene.analyst,
        reason="x",
    )
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="x")
    told = Message.objects.latest("pk")
    assert (told.kind, told.facts["rejection"]) == ("fraud_decided", "no_loss")
    page = text(browser.get(f"{AT}{claim.pk}/"))
    for part in ("We do not make these movements good", "nothing was lost", "Nothing.", "appeal"):
        assert part in page
    assert browser.get(f"{AT}{claim.pk}/appeal/").status_code == 200
    for _ in range(2):
        browser.post(f"{AT}{claim.pk}/appeal/", {"words": "I was abroad"})
    claim.refresh_from_db()
    assert claim.state == "appealed"
    assert reports.words_of(FraudReport.objects.latest("pk")) == "I was abroad"
    assert "I was abroad" not in str(list(AuditEntry.objects.values_list("reason", "facts")))
    assert "We received your appeal" in text(browser.get(AT))


def test_a_confirmed_claim_tells_who_pays_in_both_languages(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    browser = of_holder(wallet)
    (claim,) = scene.confirmed(wallet)
    page = text(browser.get(f"{AT}{claim.pk}/"))
    assert "We ask your card company not to debit this amount" in page
    assert "Who acts: Your card company" in page
    japanese = of_holder(wallet, **{"accept-language": "ja"})
    assert "カード会社" in text(japanese.get(f"{AT}{claim.pk}/"))
    assert "身に覚えのないものを選んでください" in text(japanese.get(f"{AT}report/"))
    told = Message.objects.get(kind="fraud_decided")
    mail = outbox._text(told, "emails/fraud_decided.body.txt")
    assert claim.reference in mail
    assert "JPY 30,000 is made good to you" in mail
    assert "30,000円" in mail


def test_words_alone_are_a_question_that_an_analyst_answers(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    wallet = factories.make_wallet()
    browser = of_holder(wallet)
    for _ in range(2):
        answer = browser.post(f"{AT}report/", {"words": "it worked with no balance"}, follow=True)
    asked = FraudReport.objects.get()
    assert asked.reference in text(answer)
    assert not FraudClaim.objects.exists()
    desk = browser_of(staff("fraud_analyst"), headers={"accept-language": "en"})
    assert "it worked with no balance" in text(desk.get("/console/claims/"))
    given = {"enquiry": asked.reference, "answer": f"pay with {CARD}", "reason": "looked"}
    assert "card number" in text(desk.post("/console/claims/answer-enquiry/", given))
    given["answer"] = "The charge came a minute later."
    for _ in range(2):
        desk.post("/console/claims/answer-enquiry/", given)
    assert "The charge came a minute later." in text(browser.get(AT))
    run(
        "take_enquiry",
        staff("support"),
        wallet=f"wallet:{wallet.pk}",
        channel="support",
        words="again",
    )
    assert FraudReport.objects.filter(kind="enquiry").count() == 2


def test_the_wallet_of_a_thief_is_held_and_its_holder_is_told_nothing(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    wallet = scene.victim(20_000)
    browser, charge = of_holder(wallet), TopUp.objects.get(wallet=wallet)
    support = staff("support")
    for _ in range(2):
        said = run(
            "report_stolen_card",
            support,
            charge=f"top_up:{charge.pk}",
            channel="support",
            words="my card was stolen",
        )
    claim = FraudClaim.objects.get()
    assert claim.reference in said
    wallet.refresh_from_db()
    assert wallet.state == Wallet.State.HELD
    assert not Message.objects.exists()
    assert claim.reference not in text(browser.get(AT))
    assert browser.get(f"{AT}{claim.pk}/").status_code == 404
    with pytest.raises(GuardNotMet, match="thief's own"):
        thieves.refuse_release([wallet.pk], action=says("release"))
    supervisor = browser_of(scene.supervisor, headers={"accept-language": "en"})
    given = {"claims": claim.reference, "reason": "test"}
    supervisor.post("/console/claims/release/", given)
    wallet.refresh_from_db()
    assert wallet.state == Wallet.State.HELD
    assert "The wallet is the thief's own" in text(supervisor.get(f"/console/claims/{claim.pk}/"))


def test_a_holder_confirms_or_corrects_what_we_saw(scene: Scene, staff: Callable[..., Any]) -> None:
    wallets = [scene.victim(10_000, 10_000, 10_000, spent=29_000, funding="points") for _ in "ab"]
    victims.claim_candidates(as_of=clock.now())
    browsers = [of_holder(wallet) for wallet in wallets]
    for wallet in wallets:
        reporting.report([wallet.pk], actor=SYSTEM, reason="test", channel="rule")
    claims = list(FraudClaim.objects.order_by("wallet_id"))
    named = " ".join(claim.reference for claim in claims)
    analyst = staff("fraud_analyst")
    run("take_up_claims", analyst, claims=named)
    assert "2 holders are asked" in run("ask_claim_holder", analyst, claims=named)
    assert "0 holders are asked" in run("ask_claim_holder", analyst, claims=named)
    assert Message.objects.filter(kind="fraud_asked").count() == 2
    assert "may not have been yours" in text(browsers[0].get("/"))
    first = f"{AT}{claims[0].pk}/answer/"
    page = text(browsers[0].get(first))
    proposed = FraudReport.objects.get(claim=claims[0], given_at=None).proposed
    for each in proposed:
        assert f'value="{each}"' in page
    assert "Choose a movement" in text(browsers[0].post(first, {"words": ""}))
    charge = TopUp.objects.filter(wallet=wallets[0], source="points").earliest("pk")
    for _ in range(2):
        browsers[0].post(first, {"movements": [f"top_up:{charge.pk}"]})
    browsers[1].post(f"{AT}{claims[1].pk}/answer/", {"all_mine": "on", "movements": proposed})
    answers = FraudReport.objects.exclude(given_at=None).filter(asked_at__isnull=False)
    assert [each.movements for each in answers.order_by("claim")] == [[f"top_up:{charge.pk}"], []]
    assert {each.state for each in FraudClaim.objects.all()} == {"investigating"}


def test_files_are_kept_sealed_and_read_with_a_record(
    scene: Scene, staff: Callable[..., Any], tmp_path: Path
) -> None:
    wallet = scene.victim(30_000)
    browser = of_holder(wallet)
    (claim,) = scene.reported(wallet)
    at, analyst = f"{AT}{claim.pk}/file/", staff("fraud_analyst")
    pdf = b"%PDF-1.7\nthe police"
    for name, content, why in (
        ("a.exe", b"MZ", "only PDF, PNG, JPEG, CSV and text"),
        ("a.csv", b"card\n4111-1111-1111-1111\n", "card number"),
        (f"{CARD}.pdf", pdf, "card number"),
    ):
        answer = browser.post(at, {"file": SimpleUploadedFile(name, content)})
        assert why in text(answer), name
    for _ in range(2):
        browser.post(at, {"file": SimpleUploadedFile("police.pdf", pdf)})
    kept = ClaimFile.objects.get()
    assert (kept.media_type, kept.size) == ("application/pdf", len(pdf))
    assert pdf not in bytes(kept.content_sealed)
    desk = browser_of(analyst, headers={"accept-language": "en"})
    assert kept.sha256 in text(desk.get(f"/console/claims/{claim.pk}/"))
    read = desk.post("/console/claims/read-file/", {"file": kept.pk, "reason": "to look"})
    assert read.content == pdf
    with code_typed(analyst):
        call_command(
            "export_claim_file", str(kept.pk), out=tmp_path, by=analyst.login_id, reason="x"
        )
    assert (tmp_path / kept.name).read_bytes() == pdf
    assert AuditEntry.objects.filter(action="claim_file.read", subject=claim.subject).count() == 2
    scan = tmp_path / "note.txt"
    scan.write_text("seen")
    run("keep_claim_file", staff("support"), claim=claim.reference, file=str(scan))
    assert ClaimFile.objects.count() == 2


def test_linked_claims_block_the_decision_until_somebody_looked(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    wallets = [scene.victim(30_000), scene.victim(20_000)]
    for wallet, address in zip(wallets, ("taro.yamada", "taro.yamoda"), strict=True):
        wallet.account.email = f"{address}@example.com"
        wallet.account.save(update_fields=["email"])
    claims = [scene.reported(wallet)[0] for wallet in wallets]
    analyst = staff("fraud_analyst")
    desk = browser_of(analyst, headers={"accept-language": "en"})
    given = {"claims": claims[0].reference, "verdict": "confirm", "reason": "investigated"}
    assert "hangs together" in text(desk.post("/console/claims/propose/", given))
    page = text(desk.get(f"/console/claims/{claims[0].pk}/"))
    assert "e-mail addresses that differ by a letter" in page
    both = {"claim": claims[0].reference, "other": claims[1].reference}
    for _ in range(2):
        desk.post("/console/claims/see-link/", {**both, "reason": "one family"})
    assert ClaimNote.objects.filter(kind="link_seen").count() == 2
    desk.post("/console/claims/propose/", given)
    approve(scene.supervisor, amount=30_000)
    claims[0].refresh_from_db()
    assert claims[0].state == "remedying"
    apart = factories.make_wallet()
    (other,) = reporting.report([apart.pk], actor=SYSTEM, reason="test")
    with pytest.raises(SystemExit):
        run("see_linked_claim", analyst, claim=claims[0].reference, other="FC99999999")
    refused = {"claim": claims[0].reference, "other": other.reference, "reason": "x"}
    assert "are not linked" in text(desk.post("/console/claims/see-link/", refused))


def test_the_desk_shares_its_work(scene: Scene, staff: Callable[..., Any]) -> None:
    claims = [scene.reported(scene.victim(amount))[0] for amount in (10_000, 20_000, 30_000)]
    analyst = staff("fraud_analyst")
    desk = browser_of(analyst, headers={"accept-language": "en"})

    def shown(query: str = "") -> list[str]:
        page = text(desk.get(f"/console/claims/{query}"))
        return [
            each.reference
            for each in sorted(claims, key=lambda each: page.find(f">{each.reference}<"))
            if f">{each.reference}<" in page
        ]

    small, middle, large = (each.reference for each in claims)
    assert shown() == [large, middle, small]
    run("set_claims_due", analyst, claims=middle, until="2019-08-01T12:00")
    assert shown() == [middle, large, small]
    run("escalate_claims", analyst, claims=small)
    assert shown() == [small, middle, large]
    run("snooze_claims", analyst, claims=large, until="2019-07-20T12:00")
    assert shown() == [small, middle]
    assert shown("?queue=work&put_off=on") == [small, middle, large]
    run("assign_claims", analyst, claims=middle, member=analyst.login_id)
    assert shown(f"?queue=work&person={analyst.login_id}") == [middle]
    run("note_claim", analyst, claim=small)
    late = {"claims": middle, "until": "2019-09-01T12:00", "reason": "x"}
    assert "is due before" in text(desk.post("/console/claims/snooze/", late))
    wrong = {"claims": middle, "member": staff("treasury_operator").login_id, "reason": "x"}
    assert "may not work on claims" in text(desk.post("/console/claims/assign/", wrong))
    noted = {"claim": small, "reason": f"card {CARD}"}
    assert "card number" in text(desk.post("/console/claims/note/", noted))
    assert sorted(ClaimNote.objects.values_list("kind", flat=True)) == [
        "assigned",
        "due",
        "escalated",
        "note",
        "snoozed",
    ]
