"""Fraud in an operator's rehearsal: claims, and what simulated issuers do about them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from django.db.models import Max, QuerySet

from accounts.models import User
from refunds.attribution import wallet_traces
from refunds.claims import intake
from refunds.claims.desk_acts import AGREES
from refunds.models import (
    ClaimDecision,
    FraudClaim,
    Issuer,
    IssuerAction,
    PaymentPayer,
    RequestList,
    RuleHit,
)
from rehearsal import issuers
from rehearsal.claim_files import in_sample, references, written
from rehearsal.own_staff import Staff
from wallets.models import TopUp
from winddown import clock
from winddown.models import FundingSource

SEED = 7
MOODS = issuers.Moods(declined_every=4, silent_every=3)
ANSWERED_AFTER = dt.timedelta(days=2)
# A request that is declined opens the next route, which may be another request.
ROUNDS_MAX = 4
BY_CARD = (FundingSource.Kind.CREDIT_CARD, FundingSource.Kind.DEBIT_CARD)


class OwnClaims:
    """What the fraud desk, holders and issuers do. `claimed` holders say that the newest top-up of
    their card was not theirs.
    """

    def __init__(self, staff: Staff, *, out: Path, claimed: int) -> None:
        self.staff = staff
        self.doors = staff.doors
        self.requests, self.answers = out / "to-issuers", out / "from-issuers"
        self.claimed = claimed

    def work(self) -> bool:
        """The claims are confirmed or rejected by two people, and the issuers were asked until
        nothing more comes of it. Returns whether there was any claim.
        """
        self.staff.act("fraud_analyst", "find_victims", "--hold=part")
        with self.doors.noted("claims", role="fraud_analyst", door="/console/look-up/"):
            self._report()
            if not FraudClaim.objects.exists():
                return False
            self._decide()
            self.staff.act("fraud_supervisor", "recredit_losses")
            for _ in range(ROUNDS_MAX):
                if not self._ask():
                    break
        return True

    def follow_up(self) -> None:
        """What the issuers promised is held against the statements that have come since."""
        self.staff.act("fraud_analyst", "follow_up_claims")

    # --- claims -----------------------------------------------------------------------------------

    def _report(self) -> None:
        """So many holders who pay by card have reported a loss, beside those whom the rules found."""
        found = _by_card().exclude(wallet__claims__isnull=False).order_by("wallet", "-occurred_at")
        newest = found.distinct("wallet").values_list("wallet__wallet_ref", flat=True)
        lines = [(ref, FraudClaim.Channel.CUSTOMER.value) for ref in newest[: self.claimed]]
        path = written(self.requests.parent, "calls", intake.REPORTS, lines)
        self.staff.act("support", "load_claims", f"--file={path}")

    def _decide(self) -> None:
        """Every claim has its losses and is confirmed; one without a loss is rejected."""
        claims = list(
            FraudClaim.objects.filter(state__in=FraudClaim.UNDER_WORK)
            .select_related("wallet")
            .order_by("pk")
        )
        for named in references(claims):
            self.staff.act("fraud_analyst", "take_up_claims", f"--claims={named}")
        lost = self._losses(claims)
        lines = [
            (claim.wallet.wallet_ref, "top_up", top_up.top_up_ref, PaymentPayer.Payer.THIEF.value)
            for claim in claims
            for top_up in lost.get(claim.pk, ())
        ]
        path = written(self.requests.parent, "movements", intake.LOSSES, lines)
        self.staff.act("fraud_analyst", "load_losses", f"--file={path}")
        self._propose([each for each in claims if lost.get(each.pk)], ClaimDecision.Verdict.CONFIRM)
        self._propose(
            [each for each in claims if each.pk not in lost],
            ClaimDecision.Verdict.REJECT,
            rejection=FraudClaim.Rejection.OWN_TRANSACTION,
        )
        self.staff.act("fraud_supervisor", "release_holds")

    def _losses(self, claims: Iterable[FraudClaim]) -> dict[int, list[TopUp]]:
        """Returns the losses of each claim that has one: the top-ups that a rule points at, or the
        newest one by card of somebody who reported. It is empty where no issuer of them is known.
        """
        by_claim: dict[int, set[int]] = defaultdict(set)
        for claim, evidence in RuleHit.objects.filter(claim__in=claims).values_list(
            "claim_id", "evidence"
        ):
            by_claim[claim] |= set(evidence.get("top_ups", ()))
        reported = {each.wallet_id: each.pk for each in claims if not by_claim.get(each.pk)}
        own = _by_card().filter(wallet__in=reported).order_by("wallet", "-occurred_at", "-pk")
        for top_up in own.distinct("wallet"):
            by_claim[reported[top_up.wallet_id]].add(top_up.pk)
        known = set(Issuer.objects.values_list("code", flat=True))
        named = _lost().filter(pk__in=set().union(*by_claim.values())).select_related("card")
        strange = named.exclude(card=None).exclude(card__issuer_code__in=known)
        for code in sorted(set(strange.values_list("card__issuer_code", flat=True))):
            of_issuer = strange.filter(card__issuer_code=code)
            self.doors.stall(
                f"issuer {code}",
                of_issuer.count(),
                "the set-up file does not name it, so nobody asks it about its cards",
                role="compliance",
                door="begin",
            )
        usable = {each.pk: each for each in named.difference(strange)}
        return {
            claim: [usable[pk] for pk in sorted(ids) if pk in usable]
            for claim, ids in by_claim.items()
            if ids
        }

    def _propose(
        self, chosen: list[FraudClaim], verdict: ClaimDecision.Verdict, *, rejection: str = ""
    ) -> None:
        for named in references(chosen):
            words = ["propose_claims", f"--claims={named}", f"--verdict={verdict}"]
            if rejection:
                words.append(f"--rejection={rejection}")
            last = ClaimDecision.objects.aggregate(last=Max("pk"))["last"] or 0
            if self.staff.act("fraud_analyst", *words):
                for decision in ClaimDecision.objects.filter(pk__gt=last).order_by("pk"):
                    if sample := in_sample(decision):
                        words = ["review_claims", f"--claims={sample}", f"--finding={AGREES}"]
                        self.staff.act("fraud_supervisor", *words, number=1)
                    self.staff.approve(decision.subject, "fraud_supervisor")

    # --- issuers ----------------------------------------------------------------------------------

    def _ask(self) -> bool:
        """Every request that can go out is with its issuer, and what it answered has taken effect.
        Who has not answered in time is asked again next. Returns whether any request went out.
        """
        drafts = IssuerAction.objects.filter(state=IssuerAction.State.DRAFT).order_by("pk")
        while issuer := drafts.values_list("issuer__code", flat=True).first():
            if not self.staff.act("fraud_analyst", "submit_issuer_asks", f"--issuer={issuer}"):
                break
            listed = RequestList.objects.latest("pk")
            self.staff.approve(listed.subject, "fraud_supervisor")
        self.follow_up()
        sent = self._send() + self._send("--again")
        if not sent:
            return False
        self.staff.tell(f"{sent:,} requests to issuers.")
        self.staff.go_on(clock.now() + ANSWERED_AFTER)
        paths = issuers.answer_directory(
            self.requests, self.answers, seed=SEED, at=clock.now(), moods=MOODS
        )
        for path in paths:
            words = ("import_issuer_answers", str(path), f"--issuer={issuers.issuer_of(path)}")
            self.staff.act("fraud_analyst", *words)
        awaited = IssuerAction.objects.filter(state__in=IssuerAction.AWAITED)
        due = awaited.aggregate(last=Max("answer_due_at"))["last"]
        if due is not None and due > clock.now():
            self.staff.go_on(due + dt.timedelta(minutes=1))
        self.follow_up()
        return True

    def _send(self, *again: str) -> int:
        words = ("export_issuer_asks", f"--out={self.requests}", *again)
        told = self.staff.act("fraud_analyst", *words)
        return int(told["rows"]) if told else 0


def _lost() -> QuerySet[TopUp]:
    """Returns the top-ups that a thief can have made."""
    kinds = list(wallet_traces.FUNDING_OF_KIND)
    sources = FundingSource.objects.filter(kind__in=kinds).values("code")
    return TopUp.objects.filter(state__in=TopUp.CHARGED, source__in=sources)


def _by_card() -> QuerySet[TopUp]:
    sources = FundingSource.objects.filter(kind__in=BY_CARD).values("code")
    return TopUp.objects.filter(
        state__in=TopUp.CHARGED, source__in=sources, wallet__account__kind=User.Kind.CUSTOMER
    )
