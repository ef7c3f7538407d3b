"""The part of the replay about the victims: they are found, two people decide, and issuers get
requests."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

from django.db.models import Max, Sum

from refunds.claims import damage, intake, links, victims
from refunds.claims.desk_acts import AGREES
from refunds.models import ClaimDecision, FraudClaim, IssuerAction, Remedy, RequestList
from rehearsal import issuers
from rehearsal.claim_files import in_sample, references, written
from rehearsal.operations import Operations
from rehearsal.stage import PEOPLE
from wallets.models import Hold, Posting, TopUp, Wallet
from winddown import clock
from winddown.authority import approvals

Hit = dict[str, str]
"""One row of truth/victims.csv: a movement that the holder did not make."""


class Compensation:
    """What fraud analysts, supervisors, customers and issuers did about the victims."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.cast = operations.cast
        self.doors = operations.doors
        self.case = operations.case
        self.report = operations.report
        self.tell = operations.tell
        self.hits = list(_rows(operations.files / "truth" / "victims.csv"))

    # --- July -------------------------------------------------------------------------------------

    def find_and_hold(self, *, by_form: bool = False) -> None:
        """The rules have found candidates, and the suspicious value in their wallets is held."""
        why = "suspected fraud"
        with self.report.phase("find victims") as phase:
            found = self.doors.must(
                "find_victims", *(() if by_form else ("--hold=part",)), by="analyst", reason=why
            )
            if by_form:
                analyst = self.operations.desk("analyst")
                analyst.act("/console/attack/hold/", {"extent": "part", "reason": why})
                found["held"] = Hold.objects.count()
            phase.rows = found["hits"] + found["suspicions"]
        self.tell(
            f"{found['candidates']:,} candidates by {found['hits']:,} rule hits,"
            f" {found['suspicions']:,} suspicions, {found['held']:,} wallets held in part."
        )

    def compare_suspected(self, *, told_as_of: dt.datetime) -> None:
        """The report has the first published count beside what the rules suspect, claim or not."""
        hits = victims.all_matches(as_of=told_as_of)
        top_ups = {top_up for hit in hits for top_up in hit.evidence["top_ups"]}
        amount = TopUp.objects.filter(pk__in=top_ups).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        early = next(each for each in self.case.damage.restatements if not each.exact)
        wallets = len({hit.wallet_id for hit in hits})
        for what, published, reproduced in (
            ("people suspected", early.victims, wallets),
            ("amount suspected", early.amount_minor, amount),
        ):
            self.operations.figure(
                what, as_of=told_as_of, published=published, reproduced=reproduced, tolerance=0.1
            )

    def report_and_confirm(self, *, known_by: dt.datetime) -> None:
        """The claims of the victims known by then are confirmed by an analyst and a supervisor."""
        hits = [
            hit for hit in self.hits if dt.datetime.fromisoformat(hit["known_from"]) <= known_by
        ]
        with self.report.phase("confirm claims") as phase:
            phase.rows = self._confirm(hits)
        self.tell(f"{phase.rows:,} claims confirmed by a second person.")

    def _confirm(self, hits: list[Hit]) -> int:
        wallets = Wallet.objects.in_bulk(
            {hit["wallet_ref"] for hit in hits}, field_name="wallet_ref"
        )
        accepted = set(
            FraudClaim.objects.filter(state__in=FraudClaim.ACCEPTED).values_list(
                "wallet_id", flat=True
            )
        )
        hits = [hit for hit in hits if wallets[hit["wallet_ref"]].pk not in accepted]
        refs = sorted({hit["wallet_ref"] for hit in hits})
        calls = written(self._claims, "calls", intake.REPORTS, [(ref, "customer") for ref in refs])
        self.doors.must("load_claims", f"--file={calls}", by="support", reason="the holders called")
        open_claims = FraudClaim.objects.filter(
            wallet__wallet_ref__in=refs, state__in=FraudClaim.UNDER_WORK
        )
        self._take_up(list(open_claims), reason="reported or found")
        lines = [(hit["wallet_ref"], hit["movement"], hit["movement_ref"], "thief") for hit in hits]
        moved = written(self._claims, "movements", intake.LOSSES, lines)
        self.doors.must(
            *("load_losses", f"--file={moved}"),
            by="analyst",
            reason="the holder says so, the sign-ins agree",
        )
        return self._decide(list(open_claims), verdict=ClaimDecision.Verdict.CONFIRM)

    @property
    def _claims(self) -> Path:
        return self.operations.directory / "claims"

    def _take_up(self, chosen: list[FraudClaim], *, reason: str) -> None:
        for named in references(chosen):
            self.doors.must("take_up_claims", f"--claims={named}", by="analyst", reason=reason)

    def somebody(self) -> str:
        """Returns the account reference of a victim who telephones."""
        wallet = Wallet.objects.select_related("account").get(wallet_ref=self.hits[0]["wallet_ref"])
        return str(wallet.account.account_ref)

    def secure(self) -> None:
        """No thief can use an account any more, because no earlier password works."""
        self.doors.must("follow_up_claims", by="analyst", reason="all passwords reset")

    def clear_suspects(self) -> None:
        """Claims still under suspicion are rejected by two people, and their holds are released.

        These holders made the movements themselves.
        """
        left = list(FraudClaim.objects.filter(state__in=FraudClaim.UNDER_WORK))
        self._take_up(left, reason="not reported by the holder")
        cleared = self._decide(
            left,
            verdict=ClaimDecision.Verdict.REJECT,
            rejection=FraudClaim.Rejection.OWN_TRANSACTION,
        )
        self.doors.must("release_holds", by="supervisor", reason="the holder made the movements")
        self.tell(f"{cleared:,} suspicions dropped, their money is spendable again.")

    def _decide(self, chosen: list[FraudClaim], *, verdict: str, rejection: str = "") -> int:
        done = 0
        self._look_at_links(chosen)
        for named in references(chosen):
            words = ["propose_claims", f"--claims={named}", f"--verdict={verdict}"]
            if rejection:
                words.append(f"--rejection={rejection}")
            last = ClaimDecision.objects.aggregate(last=Max("pk"))["last"] or 0
            self.doors.must(*words, by="analyst", reason="investigated")
            for decision in ClaimDecision.objects.filter(pk__gt=last).order_by("pk"):
                self._review(decision)
                if done or PEOPLE["supervisor"] in self.report.staff:
                    self._approve(decision.subject, decision.digest)
                else:
                    sum_minor = sum(decision_sums(decision))
                    supervisor = self.operations.desk("supervisor")
                    supervisor.decide(
                        decision.subject, reason="evidence checked", amount_minor=sum_minor
                    )
                done += decision.claims.count()
        return done

    def _review(self, decision: ClaimDecision) -> None:
        """Another supervisor agrees with each claim of the sample."""
        if sample := in_sample(decision):
            words = ("review_claims", f"--claims={sample}", f"--finding={AGREES}")
            self.doors.must(*words, by="supervisor2", reason="evidence read")

    def _look_at_links(self, chosen: list[FraudClaim]) -> None:
        """The analyst has looked at those of the claims that hang together. Simulated people have
        addresses that differ by a digit, and are different people.
        """
        found = links.unseen([claim.pk for claim in chosen])
        known = FraudClaim.objects.in_bulk({number for pair in found for number in pair})
        for one, other in sorted({(min(pair), max(pair)) for pair in found}):
            self.doors.must(
                *("see_linked_claim", f"--claim={known[one].reference}"),
                f"--other={known[other].reference}",
                by="analyst",
                reason="two people",
            )

    def _approve(self, subject: str, digest: str) -> None:
        """The supervisor has approved exactly what the digest is of."""
        words = ("approve", subject, f"--digest={digest}")
        self.doors.must(*words, by="supervisor", reason="evidence checked")

    def publish(self, *, as_of: dt.datetime) -> None:
        """Victims and damage as of `as_of` are published."""
        told = as_of.astimezone(self.case.programme.time_zone).replace(tzinfo=None)
        self.doors.must(
            *("publish_figures", f"--as-of={told.isoformat()}"),
            by="compliance",
            reason="press conference",
        )

    def compare(self) -> None:
        """The report has every exact restatement beside what the present data say of that time."""
        for told in self.case.damage.restatements:
            if told.exact:
                now = damage.damage(as_of=told.as_of).total
                for what, published, reproduced in (
                    ("victims", told.victims, now.victims),
                    ("damage, JPY", told.amount_minor, now.amount_minor),
                ):
                    self.operations.figure(
                        what, as_of=told.as_of, published=published, reproduced=reproduced
                    )
        total = damage.damage(as_of=clock.now()).total
        self.report.victims = total.victims
        self.report.damage_minor = total.amount_minor

    def compare_clawed_back(self) -> None:
        """The report says whether all the value that thieves left in the wallets was clawed back,
        which confirmation does.
        """
        amount = Posting.objects.filter(journal__kind="claw_back").balance_minor("fraud_loss")
        left = sum(
            int(row["unspent_minor"])
            for row in _rows(self.operations.files / "truth" / "clawbacks.csv")
        )
        self.tell(f"JPY {amount:,} of fraudulent charges found unspent and clawed back.")
        self.report.checks["what thieves left was clawed back, to the yen"] = amount == left

    # --- August and later: the issuers ------------------------------------------------------------

    def send_requests(self) -> int:
        """Issuers have a request for each loss that they can stop or refund. Returns how many were
        sent.

        A second person approves each list. Requests without an answer, and those that need more,
        are repeated under the same key.
        """
        drafts = IssuerAction.objects.filter(state=IssuerAction.State.DRAFT)
        while issuer := drafts.order_by("pk").values_list("issuer__code", flat=True).first():
            self.doors.must(
                *("submit_issuer_asks", f"--issuer={issuer}"),
                by="analyst",
                reason="confirmed losses",
            )
            listed = RequestList.objects.latest("pk")
            self._approve(listed.subject, listed.digest)
        self.doors.must("follow_up_claims", by="analyst", reason="before the requests go out")
        sent = self._send(again=False) + self._send(again=True)
        if sent:
            self.tell(f"{sent:,} requests sent to the card issuers.")
        return sent

    def _send(self, *, again: bool) -> int:
        words = ["export_issuer_asks", f"--out={self._requests_directory}"]
        if again:
            words.append("--again")
        done = self.doors.must(*words, by="analyst", reason="losses of the incident")
        return int(done["rows"])

    @property
    def _requests_directory(self) -> Path:
        return self.operations.directory / "issuers" / "requests"

    def import_answers(self) -> None:
        """The simulated issuers have answered by file. Each answer is a remedy or opens the next
        route.
        """
        paths = issuers.answer_directory(
            self._requests_directory,
            self.operations.directory / "issuers" / "answers",
            seed=self.report.seed,
            at=clock.now(),
        )
        applied = 0
        for path in paths:
            done = self.doors.must(
                *("import_issuer_answers", str(path), f"--issuer={issuers.issuer_of(path)}"),
                by="analyst",
                reason="answer of the issuer",
            )
            applied += done["applied"]
        self.tell(f"{applied:,} answers of issuers took effect.")

    def close_requests(self) -> None:
        """Requests that the statements show to be fulfilled are verified and closed."""
        self.doors.must("follow_up_claims", by="analyst", reason="statements are there")
        closed = IssuerAction.objects.filter(state=IssuerAction.State.CLOSED).count()
        self.tell(f"{closed:,} requests to issuers are verified and closed.")

    def give_back_points(self) -> None:
        """Every point that thieves spent is given back."""
        self.doors.must("recredit_losses", by="supervisor", reason="points of victims")
        done = Remedy.objects.filter(kind__in=Remedy.RECREDITS, state__in=Remedy.DONE).count()
        self.tell(f"{done:,} losses of points and bonus given back as such.")


def decision_sums(decision: ClaimDecision) -> list[int]:
    """Returns the losses of each claim that the decision is about."""
    return list(approvals.newest(decision.subject).summary["claims"].values())


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _refs(hits: list[Hit], movement: str) -> list[str]:
    return [hit["movement_ref"] for hit in hits if hit["movement"] == movement]
