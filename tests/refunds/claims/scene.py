"""The world of the claims tests: a victim's wallet, the thief's movements, and the people who
decide.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import AuthEvent
from refunds.claims import deciding, lists, losses, reporting
from refunds.models import ClaimDecision, FraudClaim, Issuer, IssuerAction, IssuerFile, Remedy
from refunds.remedies import issuer_answers, requests
from refunds.remedies.exchange_lines import AnswerLine
from refunds.remedies.transports import transport_of
from tests import factories
from wallets.models import FundingCard, LedgerAccount, Payment, Posting, TopUp, Wallet
from wallets.movements import charging, spending
from winddown import clock
from winddown.actors import SYSTEM

JST = ZoneInfo("Asia/Tokyo")


def jst(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=JST)  # type: ignore[arg-type,misc]


HIT_AT = jst(2019, 7, 2, 15)


@dataclass
class Scene:
    """A programme with an issuer, an analyst and a supervisor, on the rehearsal clock."""

    analyst: Any = field(default_factory=lambda: factories.make_staff("fraud_analyst"))
    supervisor: Any = field(default_factory=lambda: factories.make_staff("fraud_supervisor"))
    issuer: Issuer = field(
        default_factory=lambda: Issuer.objects.create(
            code="HOSHI",
            name="Hoshi",
            closes_on_day=15,
            pays_on_day=10,
            stop_before_days=5,
            source="test",
        )
    )

    def at(self, *parts: int) -> dt.datetime:
        """The clock stands still at this time in Japan."""
        instant = jst(*parts)
        clock.travel(instant, frozen=True)
        return instant

    def victim(
        self, *amounts: int, funding: str = "credit", spent: int = 0, own: int = 0
    ) -> Wallet:
        """A wallet that a thief charged at 15:00 on 2 July and spent from a minute later."""
        clock.travel(HIT_AT - dt.timedelta(hours=2), frozen=True)
        wallet = factories.make_wallet(paid_minor=own)
        card = self.card(wallet, funding) if funding in ("credit", "debit") else None
        source = {"credit": "credit_card", "debit": "debit_card"}.get(funding, funding)
        for number, amount in enumerate(amounts):
            clock.travel(HIT_AT + dt.timedelta(seconds=20 * number), frozen=True)
            charging.top_up(
                wallet.pk,
                source=source,
                amount_minor=amount,
                top_up_ref=factories.unique("T"),
                actor=SYSTEM,
                card=card,
            )
        if spent:
            clock.travel(HIT_AT + dt.timedelta(minutes=1, seconds=20 * len(amounts)), frozen=True)
            self.pay(wallet, spent)
        return Wallet.objects.get(pk=wallet.pk)

    def card(self, wallet: Wallet, funding: str) -> FundingCard:
        return FundingCard.objects.create(
            card_ref=factories.unique("C"),
            account_id=wallet.account_id,
            issuer_code="HOSHI",
            brand="visa",
            funding=funding,
            card_token=factories.unique("tok"),
            bin="902101",
            last4="0001",
            registered_at=clock.now(),
        )

    def pay(
        self, wallet: Wallet, amount: int, prefecture: str = "Osaka", category: str = ""
    ) -> Payment:
        return spending.pay(
            wallet.pk,
            amount_minor=amount,
            merchant_ref="M1",
            payment_ref=factories.unique("P"),
            actor=SYSTEM,
            prefecture=prefecture,
            merchant_category=category,
        )

    def sign_in(
        self,
        wallet: Wallet,
        at: dt.datetime,
        *,
        device: str,
        country: str = "JP",
        network: str = "203.0.113.7",
        displaced: bool = False,
    ) -> None:
        AuthEvent.objects.create(
            occurred_at=at,
            login_id=wallet.account.login_id,
            user_id=wallet.account_id,
            outcome="success",
            method="password",
            network=network,
            device_ref=device,
            country=country,
            displaced_session=displaced,
        )

    def reported(self, *wallets: Wallet) -> list[FraudClaim]:
        """Claims under investigation with every charge and, where there is none, every payment
        named a loss."""
        made = reporting.report([wallet.pk for wallet in wallets], actor=SYSTEM, reason="test")
        reporting.take_up(made, actor=self.analyst, reason="test")
        losses.name_losses(
            [(claim, movement) for claim in made for movement in lost_in(claim)],
            actor=self.analyst,
            reason="test",
        )
        return [FraudClaim.objects.get(pk=claim.pk) for claim in made]

    def proposed(self, *wallets: Wallet) -> ClaimDecision:
        return deciding.propose(
            self.reported(*wallets), verdict="confirm", actor=self.analyst, reason="test"
        )

    def confirmed(self, *wallets: Wallet) -> list[FraudClaim]:
        found = deciding.propose_lists(
            self.reported(*wallets), verdict="confirm", actor=self.analyst, reason="test"
        )
        if sample := lists.waiting():
            lists.review(
                FraudClaim.objects.filter(pk__in=sample),
                agrees=True,
                actor=factories.make_staff("fraud_supervisor"),
                reason="test",
            )
        for decision in found:
            deciding.decide(decision, actor=self.supervisor, digest=decision.digest, reason="test")
        return list(FraudClaim.objects.filter(decision__in=found).order_by("pk"))

    def asked(self) -> IssuerFile:
        """Every draft to the issuer is approved by a second person and sent."""
        drafts = IssuerAction.objects.filter(state=IssuerAction.State.DRAFT).order_by("pk")
        asked = requests.submit(drafts, actor=self.analyst, reason="test")
        requests.decide(asked, actor=self.supervisor, digest=asked.digest, reason="test")
        file = requests.send(self.issuer, actor=self.analyst, reason="test")
        assert file is not None
        return file

    def answer(self, file: IssuerFile, code: str, **changes: Any) -> issuer_answers.Imported:
        return self.hear(answers(file, code, **changes))

    def hear(self, content: bytes) -> issuer_answers.Imported:
        return issuer_answers.import_answers(
            self.issuer, content, name="answers.csv", actor=self.analyst, reason="test"
        )


def lost_in(claim: FraudClaim) -> list[TopUp | Payment]:
    charges = list(
        TopUp.objects.filter(
            wallet=claim.wallet_id, source__in=["credit_card", "debit_card", "points"]
        )
    )
    return [*charges] if charges else list(Payment.objects.filter(wallet=claim.wallet_id))


def answers(file: IssuerFile, code: str, **changes: Any) -> bytes:
    """The answer `code` to every line of the request file."""
    by = transport_of(file.issuer)
    lines = []
    for line, request in enumerate(by.read_requests(file.content), start=2):
        values = {
            "line": line,
            "action_ref": request.action_ref,
            "attempt": request.attempt,
            "issuer_code": request.issuer_code,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "answer_code": code,
            "answered_at": clock.now(),
            "statement_on": None,
            "refund_arn": "",
            "note": "",
        }
        lines.append(AnswerLine(**(values | changes)))
    return by.write_answers(lines).encode(by.encoding)


def balance(account: LedgerAccount | str) -> int:
    """Returns the balance in the ledger; credits are positive."""
    return sum(Posting.objects.filter(account=account).values_list("amount_minor", flat=True))


def kinds(wallet: Wallet) -> list[tuple[str, str]]:
    """Returns kind and state of the wallet's remedies in the order of their opening."""
    remedies = Remedy.objects.filter(loss__claim__wallet=wallet).order_by("pk")
    return list(remedies.values_list("kind", "state"))
