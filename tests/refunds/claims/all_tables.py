"""Rows for every table that holds money, victims, deadlines, approvals or evidence.

The world of the claims tests has most of them. What is here is added before and after its refund.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts import addresses
from accounts.attacks import live
from accounts.models import ExternalIdentity, PersonMatch, User
from accounts.persons import matching as persons_matching
from accounts.persons import merging
from accounts.recovery import cases
from accounts.recovery.cases import Contact
from accounts.reset_notices import notice_files
from refunds.applications import origins, unusual
from refunds.applications.origins import Origin
from refunds.bankfiles import zengin_result, zengin_transfer
from refunds.bankfiles.answers import ResultLine, ReturnReason
from refunds.bankfiles.zengin_result import AnswerKind
from refunds.claims import deciding, lists, log_export, reserve, victims, ways_in
from refunds.closing import other_ends
from refunds.models import (
    ApplicationDocument,
    BankFile,
    Entitlement,
    IssuerFile,
    OtherEnd,
    OtherEndLine,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
    RuleHit,
    UnusualHit,
    Voucher,
)
from refunds.models.payout import reference_of
from refunds.payouts import (
    bank_days,
    matching,
    payment_blocks,
    payout_batches,
    results,
    uploads,
    voiding,
)
from refunds.remedies import chargebacks, quarantine
from tests import factories
from tests.owning import as_loader
from tests.refunds.claims.scene import HIT_AT, Scene, jst
from tests.refunds.claims.test_issuers import SOUND_ARN
from tests.refunds.conftest import House, person
from tests.refunds.payouts.camt import camt, entry
from wallets.models import TopUp
from wallets.movements import charging, spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.programme import capabilities, evidence_files
from winddown.programme.evidence_files import File


def before_the_stop(scene: Scene) -> None:
    """A charge and a payment changed their state, and a rule suspects a wallet."""
    clock.travel(HIT_AT - dt.timedelta(hours=3), frozen=True)
    wallet = factories.make_wallet(paid_minor=1_000)
    waiting = charging.top_up(
        wallet.pk,
        source="points",
        amount_minor=100,
        top_up_ref="authorised",
        actor=SYSTEM,
        authorised_only=True,
    )
    charging.post_authorised(waiting, actor=SYSTEM)
    reserved = spending.reserve(
        wallet.pk, amount_minor=50, merchant_ref="M", payment_ref="reserved", actor=SYSTEM
    )
    spending.settle(reserved, captured=True, actor=SYSTEM)
    suspected = scene.victim(1_000, 1_000, 1_000, funding="points")
    clock.travel(jst(2019, 7, 4), frozen=True)
    victims.claim_candidates(as_of=clock.now())
    assert RuleHit.objects.filter(wallet=suspected).exists()
    _disputed(scene)


def _disputed(scene: Scene) -> None:
    """Two people released the reserve for a claim. Others found that nothing was lost."""
    (claim,) = scene.reported(scene.victim(500, funding="points", spent=500))
    ways_in.search(actor=scene.analyst, reason="test")
    asked = reserve.ask_release([claim], actor=scene.supervisor, reason="test")
    approvals.carry_out(
        asked,
        shown=asked.digest,
        actor=person("refunds.decide_claim"),
        reason="test",
        approve=True,
    )
    decision = deciding.propose(
        [claim], verdict="reject", rejection="no_loss", actor=scene.analyst, reason="test"
    )
    lists.review([claim], agrees=True, actor=person("refunds.decide_claim"), reason="test")
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")


def _logs(scene: Scene, directory: Path) -> None:
    """Two people let the logs of a day out."""
    until = clock.now()
    asked = log_export.ask(
        until - dt.timedelta(days=1), until, "police", actor=scene.analyst, reason="test"
    )
    for permission in log_export.STAGES.values():
        request = approvals.newest(asked.subject)
        approvals.carry_out(
            request, shown=request.digest, actor=person(permission), reason="test", approve=True
        )
    log_export.write(1, directory / "logs", actor=scene.analyst, reason="test")


def after_the_refund(scene: Scene, house: House, directory: Path) -> None:
    """The issuer and the bank gave odd answers, all passwords were reset, and a person without a
    way in came to the desk.
    """
    _issuer(scene)
    _bank(house)
    _reset(directory)
    _case()
    _blocked()
    _merged()
    _unusual()
    _voucher()
    _deposited()
    _logs(scene, directory)
    live.begin_or_prolong(live.Tally(attempts=200, unknown=100, wrong=90), at=clock.now())
    live.end_past(at=clock.now() + dt.timedelta(days=1))
    capabilities.probe("payout")


def _blocked() -> None:
    """A customer, who is reached by post, is on a sanction list."""
    blocked = factories.make_customer()
    factories.give_postal_address(blocked)
    payment_blocks.enter(
        blocked,
        kind="sanction",
        evidence="list 3, entry 7",
        ends_at=clock.now() + dt.timedelta(days=90),
        actor=person("refunds.block_payment"),
        reason="test",
    )


def _merged() -> None:
    """Two accounts are one person's."""
    phone, kana = "090-7777-8888", "サトウ ハナコ"
    for _ in range(2):
        factories.give_birth_date(factories.make_customer(phone=phone, kana_name=kana))
    persons_matching.find()
    asked = merging.ask_merge(
        PersonMatch.objects.get(),
        evidence="file 7",
        actor=person("accounts.match_persons"),
        reason="test",
    )
    approvals.carry_out(
        asked,
        shown=asked.digest,
        actor=person("accounts.match_persons"),
        reason="test",
        approve=True,
    )


def _unusual() -> None:
    """A rule of two people found an application unusual."""
    asked = unusual.ask_rule(
        "one_device",
        mode="observe",
        least=2,
        hours=24,
        source="test",
        actor=person("refunds.decide_unusual"),
        reason="test",
    )
    approvals.carry_out(
        asked,
        shown=asked.digest,
        actor=person("refunds.decide_unusual"),
        reason="test",
        approve=True,
    )
    with transaction.atomic():
        application = RefundApplication.objects.latest("pk")
        origins.keep(application, Origin(device="one"), None)
        UnusualHit.objects.create(
            application=application, rule="one_device", size=2, found_at=clock.now()
        )
        ApplicationDocument.objects.create(
            application=application,
            applicant="heir",
            code="identity",
            source="test",
            asked_at=clock.now(),
            asked_by=factories.make_staff(),
            content_sealed=b"sealed",
            sha256="0" * 64,
            media_type="application/pdf",
            received_at=clock.now(),
            received_by=application.applicant,
            checked_at=clock.now(),
            checked_by=factories.make_staff(),
            accepted=True,
        )
        audit.append("test.unusual", application.subject, actor=SYSTEM)


def _voucher() -> None:
    """The list of a voucher was never sent."""
    paid = Payout.objects.filter(batch__isnull=False).latest("pk")
    with transaction.atomic():
        made = Voucher.objects.create(
            payout=paid,
            batch=paid.batch,
            code_sealed=b"code",
            expires_on=clock.now().date(),
            made_at=clock.now(),
        )
        transition_one(made, "void", actor=SYSTEM, reason="test")
        audit.append("test.void", f"voucher:{made.pk}", actor=SYSTEM)


def _deposited() -> None:
    """Two people signed what the authority took, and what it gave back. No refund moves: all were
    paid.
    """
    maker, second = (factories.make_staff(role) for role in ("compliance", "treasury_approver"))
    for number, kind in enumerate((OtherEnd.Kind.DEPOSITED, OtherEnd.Kind.RETURNED), start=1):
        _listed(f"{other_ends.SUBJECT}:{number}", kind, maker, second)


def _listed(subject: str, kind: str, maker: Any, second: Any) -> None:
    owed = Entitlement.objects.earliest("pk")
    with transaction.atomic():
        asked = approvals.ask(
            subject,
            stage=other_ends.STAGE,
            content={},
            permission=other_ends.PERMISSION,
            maker=maker,
            reason="test",
        )
        approvals.decide(
            subject,
            stage=other_ends.STAGE,
            actor=second,
            digest=asked.digest,
            reason="test",
            approve=True,
        )
        end = OtherEnd.objects.create(
            kind=kind,
            institution="Bureau",
            contact="03",
            reference="R-1",
            ended_on=clock.now().date(),
            evidence=evidence_files.keep(File(f"{kind}.pdf", kind.encode()), action="test"),
            items=1,
            total_minor=owed.amount_minor,
            approval_subject=subject,
        )
        OtherEndLine.objects.create(end=end, entitlement=owed)
        audit.append("test.deposit", subject, actor=SYSTEM)


def _issuer(scene: Scene) -> None:
    """The charge was refunded by the issuer, which then asked what for, and then charged back."""
    charge = TopUp.objects.get(amount_minor=20_000, source="credit_card")
    TopUp.objects.filter(pk=charge.pk).update(rrn="918315000001", arn=SOUND_ARN)
    asked = IssuerFile.objects.get()
    scene.answer(asked, "accepted_refunded", refund_arn=SOUND_ARN)
    doubtful = scene.answer(asked, "accepted_refunded", amount_minor=1).quarantined
    settled = quarantine.ask(doubtful, actor=scene.analyst, reason="test")
    approvals.carry_out(
        settled, shown=settled.digest, actor=scene.supervisor, reason="test", approve=True
    )
    scene.answer(asked, "need_info")
    chargebacks.register(
        scene.issuer,
        chargeback_ref="CB1",
        scheme="visa",
        scheme_reason="10.4",
        amount_minor=20_000,
        due_at=clock.now() + dt.timedelta(days=30),
        actor=scene.analyst,
        reason="test",
        rrn="918315000001",
    )


def _bank(house: House) -> None:
    """The bank answers about a transfer that nobody made, and two people clear it up. A refund that
    it had paid comes back.
    """
    batch = PayoutBatch.objects.get()
    file = zengin_transfer.read(b"".join(payout_batches.content(batch)))
    stranger = file.items[0]._replace(reference=reference_of(1, 999_999))
    paid = Payout.objects.filter(state="settled", entitlement__isnull=False).latest("pk")
    _void_statement(house, paid)
    (back,) = (item for item in file.items if item.reference == paid.reference)
    for kind, line in (("R", (stranger, None)), ("F", (back, ReturnReason.ACCOUNT_CLOSED))):
        content = zengin_result.write_results(
            remitter=file.header.remitter,
            value_date=batch.value_date,
            answered_on=batch.value_date,
            kind=AnswerKind(kind),
            lines=[ResultLine(*line)],
        )
        whole = b"".join(content)
        uploads.upload(whole, actor=house.treasury, reason="test")
        with as_loader():
            results.import_file(whole, actor=house.treasury, reason="test")
    house.clear(ReconciliationBreak.objects.get(state="open"))
    _statement(house, batch)


def _void_statement(house: House, paid: Payout) -> None:
    """A statement of somebody else is booked, its credit matched with a refund, and all undone."""
    content = camt(entry("CRDT", paid.amount_minor, currency="JPY"), currency="JPY")
    with as_loader():
        done = results.import_file(content, actor=house.treasury, reason="test")
    file = BankFile.objects.get(pk=done.file_id)
    (found,) = file.breaks.all()
    house.agree_as_second(
        matching.ask_match([found.pk], [paid.pk], actor=house.treasury, reason="test")
    )
    house.agree_as_second(voiding.ask_void(file, actor=house.treasury, reason="test"))


def _statement(house: House, batch: PayoutBatch) -> None:
    """The bank's statement has the money of the whole batch, which left our account."""
    content = camt(
        entry("DBIT", batch.total_minor or 0, currency="JPY"), currency="JPY", before=10**9
    )
    with as_loader():
        results.import_file(content, actor=house.treasury, reason="test")
    bank_days.tie(actor=house.treasury, reason="test")


def _reset(directory: Path) -> None:
    """Passwords and one provider are gone; the notices are with the carrier. A second reset
    superseded the fence of the first.
    """
    maker, checker = (factories.make_staff("incident_commander") for _ in range(2))
    person: User = factories.make_customer(
        login_id="reached", email="reached@example.com", email_verified_at=clock.now()
    )
    ExternalIdentity.objects.create(
        user=person, provider="line", subject="reached", linked_at=clock.now()
    )
    ended: list[Any] = [
        factories.worked_off(
            factories.started_run(workflow, maker=maker, checker=checker, params=params)
        )
        for workflow, params in (
            ("reset-all-passwords", {"mail": "file"}),
            ("reset-all-passwords", {"mail": "file"}),
            ("suspend-external-login", {"providers": ["line"]}),
        )
    ]
    notice_files.hand_over(ended[0], channel="email", actor=maker, reason="test")


def _case() -> None:
    """Two people and two proofs gave somebody a way in."""
    maker, witness = factories.make_staff("support"), factories.make_staff("support")
    address = addresses.understood("new@example.com")
    assert address is not None
    contact = Contact("Taro Yamada", "old@example.com", address.text, "the telephone is lost")
    case = cases.open_case(contact, address=address, language="en", network=None)
    case = cases.take(case, actor=witness, reason="test")
    for kind in ("identity_document", "call_back"):
        cases.add_proof(case, kind=kind, note="seen", actor=witness)
    case = cases.propose(case, account="reached", actor=maker, reason="test")
    asked = approvals.standing(case.subject, stage=cases.STAGE)
    assert asked is not None
    checker = factories.make_staff("fraud_supervisor")
    cases.decide(case, actor=checker, digest=asked.digest, reason="test", approve=True)
