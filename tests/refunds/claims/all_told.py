"""A row in each table of what people were told, filed and declared, made by the verbs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from accounts.merchants import notices, receipts
from accounts.models import OneTimeLink
from accounts.recovery import links
from refunds.applications import claim_numbers, reminders
from refunds.bankfiles import calendar
from refunds.claims import files as claim_files
from refunds.claims import noting, reports
from refunds.claims.reports import Said
from refunds.closing import buckets, documents
from refunds.models import (
    ArrivalQuestion,
    ArrivalSample,
    BankAccount,
    BankProfile,
    ClaimTerms,
    ClosingProof,
    DeletionCertificate,
    FraudClaim,
    MethodTerms,
    Payout,
    Recall,
    Reminder,
    SchemeClock,
    Successor,
    TraceCase,
)
from refunds.payouts import payout_batches, traces, tracing, view_lists, waves
from tests import factories
from winddown import clock
from winddown.alarms import duty_addresses, sounding
from winddown.authority import approvals
from winddown.models import (
    Alarm,
    Announcement,
    Filing,
    Instrument,
    Merchant,
    NoticeProbe,
    Run,
    SetUpCode,
)
from winddown.programme import (
    announcements,
    filing_duties,
    filing_kinds,
    filings,
    notice_watch,
    publications,
)
from winddown.programme.evidence_files import File


def all_told() -> None:
    declared()
    filed()
    announced()
    published()
    reminded()
    listed()
    noted()
    merchants_told()
    alarmed()


def declared() -> None:
    """What the service consists of."""
    profile = BankProfile.objects.create(
        code="profile",
        lines_max=9,
        file_sum_max_minor=10**9,
        charset="jis_x_0201",
        name_truncation=30,
        cut_off="15:00",
        closed_days=[],
        account_types=["1"],
        source="test",
    )
    BankAccount.objects.create(
        code="account",
        profile=profile,
        remitter_code="1",
        remitter_name="ﾃｽﾄ",
        bank_code="0001",
        branch_code="001",
        account_type="1",
        account_number="0000001",
    )
    Instrument.objects.create(
        code="wallet",
        kind="prepaid_wallet",
        nature="third_party_prepaid",
        title_en="Balance",
        title_ja="残高",
    )
    Merchant.objects.create(merchant_ref="M-9", name="Shop", email="shop@example.com")
    MethodTerms.objects.create(
        code="claim_code",
        place=3,
        amount_max_minor=10_000,
        costs=[[10_000, 250]],
        money_days=1,
        valid_days=60,
        source="test",
    )
    Successor.objects.create(
        name="Wakaba", contact="03", day_max_minor=1, person_max_minor=1, source="test"
    )
    ClaimTerms.objects.create(tracing="fifo", source="test", adopted_at=clock.now())
    SchemeClock.objects.create(
        code="jcb_answer",
        scheme="jcb",
        stage="answer",
        days=30,
        source="test",
        valid_from=clock.now().date(),
    )
    at = clock.now()
    SetUpCode.objects.create(
        digest="0" * 64, issued_at=at, expires_at=at + dt.timedelta(hours=1), used_at=at
    )


def filed() -> None:
    """A report was written, signed by two beside its author, and is with the authority."""
    author = factories.make_staff("compliance")
    due = next(each for each in filing_duties.due() if each.is_open)
    texts = {
        code: "second factor | security | 2019-12-01" if section.is_measures else "known"
        for code, section in filing_kinds.KINDS[due.kind].sections.items()
    }
    version = filings.write(due.key, sections=texts, actor=author, reason="test")
    filings.propose(version.filing, actor=author, reason="test")
    for _ in range(2):
        filing = Filing.objects.get(pk=version.filing_id)
        filings.decide(
            filing,
            actor=factories.make_staff("treasury_approver"),
            digest=filings.newest_of(filing).digest,
            reason="read",
            approve=True,
        )
    filings.file(
        Filing.objects.get(pk=version.filing_id),
        number="R-1",
        received_on=filing_duties.today(),
        evidence=File("stamped.pdf", b"stamped"),
        actor=author,
        reason="test",
    )


def announced() -> None:
    """An announcement that a second person released."""
    made = announcements.draft(
        kind=Announcement.Kind.BANNER,
        title_ja="お知らせ",
        body_ja="終了",
        title_en="News",
        body_en="The end",
        actor=factories.make_staff("compliance"),
        reason="test",
    )
    _approved(made.subject)


def _approved(subject: str) -> None:
    request = approvals.newest(subject)
    approvals.carry_out(
        request,
        shown=request.digest,
        actor=factories.make_staff("incident_commander"),
        reason="read",
        approve=True,
    )


def published() -> None:
    """The electronic notice was unreachable once, and carries the correction."""
    officer: Any = factories.make_staff("compliance")
    publication = publications.record(
        actor=officer,
        reason="test",
        channel="electronic_notice",
        place="web",
        url="https://example.org/notice",
        began_at=clock.now(),
        file=File("notice.html", b"notice"),
    )
    for found in (NoticeProbe.Found.DOWN, NoticeProbe.Found.INTACT):
        with transaction.atomic():
            notice_watch._follow(
                NoticeProbe.objects.create(publication=publication, found=found, at=clock.now())
            )
        clock.travel(clock.now() + dt.timedelta(minutes=5), frozen=True)
    notice_watch.attach_correction(
        actor=officer,
        reason="test",
        statement="unreachable for five minutes",
        file=File("notice-2.html", b"notice with the statement"),
    )


def reminded() -> None:
    """Somebody got a letter."""
    schedule = reminders.begin(actor=factories.make_staff("compliance"), reason="test")
    Reminder.objects.create(
        schedule=schedule,
        days_before=60,
        holder=factories.make_customer(),
        channel=Reminder.Channel.LETTER,
    )
    claim_numbers.issue_to([factories.make_customer()])
    tracing.record(
        factories.make_customer(),
        kind="telephone",
        at=clock.now(),
        result="not_reached",
        evidence="call 7",
        actor=factories.make_staff("support"),
        reason="test",
    )


def traced() -> None:
    """Somebody of a sample said that the money did not arrive."""
    payout = Payout.objects.exclude(batch=None).earliest("pk")
    sample = ArrivalSample.objects.create(
        batch=payout.batch, seed="0" * 32, paid=1, asked=1, drawn_at=clock.now()
    )
    ArrivalQuestion.objects.create(sample=sample, payout=payout)
    trace = TraceCase.objects.create(
        payout=payout,
        account_end="0001",
        opened_at=clock.now(),
        opened_by=payout.holder,
        due_on=payout_batches.today(),
    )
    asker, second = (factories.make_staff("treasury_operator") for _each in range(2))
    came_back = payout.state in Payout.CAME_BACK
    outcome = TraceCase.Outcome.CAME_BACK if came_back else TraceCase.Outcome.ARRIVED
    request = traces.ask_close(
        trace, outcome=outcome, explanation="call 9", actor=asker, reason="test"
    )
    approvals.carry_out(request, shown=request.digest, actor=second, reason="read", approve=True)


def recalled() -> None:
    """The bank was asked for the money of a transfer, and asks the payee's bank."""
    asker = factories.make_staff("treasury_operator")
    recall = Recall.objects.create(
        payout=Payout.objects.earliest("pk"), asked_by=asker, asked_at=clock.now()
    )
    factories.move(recall, "take_up", actor=asker, answer="fax")


def planned() -> None:
    """Two people planned a payout wave for a bank day."""
    today = payout_batches.today()
    days = (today + dt.timedelta(days=number) for number in range(7, 28))
    pay_on = next(day for day in days if calendar.is_bank_business_day(day))
    request = waves.ask(
        record_on=today,
        cut_off_on=today,
        pay_on=pay_on,
        payees_close_days=1,
        actor=factories.make_staff("treasury_operator"),
        reason="test",
    )
    approvals.carry_out(
        request,
        shown=request.digest,
        actor=factories.make_staff("treasury_approver"),
        reason="read",
        approve=True,
    )


def listed() -> None:
    """Who could be paid and who could not was listed."""
    view_lists.take(actor=factories.make_staff("treasury_operator"), reason="test")
    planned()
    recalled()
    traced()
    documents.keep(
        documents.Given(
            kind="agreement",
            subject="Bank A",
            owner="Treasury",
            retrieval="at_once",
            reviewed_on=clock.now().date() - dt.timedelta(days=1),
            file=File(name="a.pdf", content=b"signed"),
        ),
        actor=factories.make_staff("compliance"),
        reason="test",
    )
    # Its wallets have not ended: the table gets a proof that nobody confirmed.
    ClosingProof.objects.create(
        as_of=clock.now(),
        rules=buckets.RULES,
        currency="JPY",
        wallets=0,
        buckets={},
        ledger={},
        rows_digest="",
        digest="0" * 64,
        marks={},
        taken_by=factories.make_staff("treasury_operator"),
    )
    # Nobody's data are due: the table gets a certificate that no run wrote.
    DeletionCertificate.objects.create(
        run=Run.objects.latest("pk"), issued_at=clock.now(), facts={}, digest="0" * 64
    )


def noted() -> None:
    """A customer asked something and was answered, a claim keeps a file, and somebody noted what it
    is about.
    """
    analyst, support = factories.make_staff("fraud_analyst"), factories.make_staff("support")
    asked = reports.enquire(
        factories.make_customer(), Said(words="odd"), actor=support, channel="support"
    )
    reports.answer_enquiry(asked, "it was late", actor=analyst, reason="test")
    claim = FraudClaim.objects.earliest("pk")
    claim_files.keep(claim, File("a.txt", b"seen"), actor=support, reason="test")
    noting.escalate([claim], actor=analyst, reason="test")


def merchants_told() -> None:
    """A merchant got a mail, and has confirmed it by its link."""
    officer = factories.make_staff("compliance")
    made = announcements.draft(
        kind=Announcement.Kind.MERCHANT,
        title_ja="加盟店の皆様へ",
        body_ja="終了",
        title_en="To merchants",
        body_en="The end",
        actor=officer,
        reason="test",
    )
    _approved(made.subject)
    notices.send(actor=officer, reason="test")
    link = OneTimeLink.objects.get(purpose=OneTimeLink.Purpose.MERCHANT)
    links.hand_over(link)
    receipts.confirm(link)


def alarmed() -> None:
    """The people on duty were told of an alarm, and somebody looks after it."""
    commander = factories.make_staff("incident_commander")
    for role in ("incident_commander", "compliance", "treasury_approver"):
        duty_addresses.set_address(
            role=role,
            channel="mail",
            address="duty@example.com",
            language="en",
            actor=commander,
            reason="test",
        )
    sounding.watch()
    alarm = Alarm.objects.order_by("pk").first()
    assert alarm is not None
    sounding.acknowledge(alarm, actor=commander, reason="test")
