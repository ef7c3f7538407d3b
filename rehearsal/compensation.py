"""The victims' act of the replay: found, reported, decided by two, asked for at their issuers."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db.models import Sum

from refunds.claims import damage, deciding, holding, losses, reporting, victims
from refunds.models import AskList, ClaimDecision, FraudClaim, Issuer, IssuerAction
from refunds.remedies import follow_up, issuer_answers, own_funds, requests
from rehearsal import issuers
from rehearsal.report import Figure
from wallets.models import Payment, Posting, TopUp, Wallet
from winddown import clock

if TYPE_CHECKING:
    from rehearsal.replay import Replay

Hit = dict[str, str]
"""One row of truth/victims.csv: a movement that the holder, when asked, says was not the own one."""


class Compensation:
    """What fraud analysts, supervisors, customers and issuers did about the victims."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.cast = replay.cast
        self.tell = replay.storyteller.line
        self.hits = list(_rows(replay.files / "truth" / "victims.csv"))

    # --- July -------------------------------------------------------------------------------------

    def find_and_hold(self) -> None:
        """The rules have named candidates, and what is suspicious in their wallets is held."""
        with self.replay.report.phase("find victims") as phase:
            found = victims.find(as_of=clock.now())
            held = holding.hold_candidates(
                found.candidates, actor=self.cast.analyst, reason="suspected fraud"
            )
            phase.rows = found.hits + found.suspicions
        self.tell(
            f"{len(found.candidates):,} candidates by {found.hits:,} rule hits,"
            f" {found.suspicions:,} suspicions, {held:,} wallets held in part."
        )

    def compare_suspected(self, *, told_as_of: dt.datetime) -> None:
        """The first count that was told beside what the rules point at: suspicions, not claims."""
        hits = victims.all_matches(as_of=told_as_of)
        top_ups = {top_up for hit in hits for top_up in hit.evidence["top_ups"]}
        amount = TopUp.objects.filter(pk__in=top_ups).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        early = next(each for each in self.replay.case.damage.restatements if not each.exact)
        wallets = len({hit.wallet_id for hit in hits})
        self._figure("people suspected", told_as_of, early.victims, wallets, tolerance=0.1)
        self._figure("amount suspected", told_as_of, early.amount_minor, amount, tolerance=0.1)

    def report_and_confirm(self, *, known_by: dt.datetime) -> None:
        """The victims known by then reported what was not theirs; an analyst proposed, a supervisor
        confirmed.
        """
        hits = [
            hit for hit in self.hits if dt.datetime.fromisoformat(hit["known_from"]) <= known_by
        ]
        with self.replay.report.phase("confirm claims") as phase:
            phase.rows = self._confirm(hits)
        self.tell(f"{phase.rows:,} claims confirmed by a second person.")

    def _confirm(self, hits: list[Hit]) -> int:
        cast = self.cast
        wallets = Wallet.objects.in_bulk(
            {hit["wallet_ref"] for hit in hits}, field_name="wallet_ref"
        )
        accepted = set(
            FraudClaim.objects.filter(state__in=FraudClaim.ACCEPTED).values_list(
                "wallet_id", flat=True
            )
        )
        hits = [hit for hit in hits if wallets[hit["wallet_ref"]].pk not in accepted]
        ids = sorted({wallets[hit["wallet_ref"]].pk for hit in hits})
        reporting.report(ids, actor=cast.support, reason="the holder called")
        open_claims = {
            claim.wallet_id: claim
            for claim in FraudClaim.objects.filter(wallet_id__in=ids).exclude(
                state__in=FraudClaim.SETTLED
            )
        }
        reporting.take_up(open_claims.values(), actor=cast.analyst, reason="reported or found")
        moved: dict[str, dict[str, Any]] = {
            "top_up": TopUp.objects.in_bulk(_refs(hits, "top_up"), field_name="top_up_ref"),
            "payment": Payment.objects.in_bulk(_refs(hits, "payment"), field_name="payment_ref"),
        }
        losses.name_losses(
            [
                (
                    open_claims[wallets[hit["wallet_ref"]].pk],
                    moved[hit["movement"]][hit["movement_ref"]],
                )
                for hit in hits
            ],
            actor=cast.analyst,
            reason="the holder says so, the sign-ins agree",
        )
        return self._decide(list(open_claims.values()), verdict=ClaimDecision.Verdict.CONFIRM)

    def secure(self) -> None:
        """No thief can use an account any more: every password from before is dead."""
        holding.secure(at=clock.now(), actor=self.cast.analyst, reason="all passwords reset")

    def clear_suspects(self) -> None:
        """Whoever is left under suspicion made the movements in person: rejected by two, and the
        holds are released.
        """
        left = list(FraudClaim.objects.filter(state__in=["candidate", "triage", "investigating"]))
        reporting.take_up(left, actor=self.cast.analyst, reason="not reported by the holder")
        cleared = self._decide(
            left,
            verdict=ClaimDecision.Verdict.REJECT,
            rejection=FraudClaim.Rejection.OWN_TRANSACTION,
        )
        holding.release(
            FraudClaim.objects.filter(state=FraudClaim.State.REJECTED),
            actor=self.cast.supervisor,
            reason="the holder made the movements",
        )
        self.tell(f"{cleared:,} suspicions dropped, their money is spendable again.")

    def _decide(self, chosen: list[FraudClaim], *, verdict: str, rejection: str = "") -> int:
        done = 0
        for start in range(0, len(chosen), ClaimDecision.CLAIMS_MAX):
            decision = deciding.propose(
                chosen[start : start + ClaimDecision.CLAIMS_MAX],
                verdict=verdict,
                actor=self.cast.analyst,
                reason="investigated",
                rejection=rejection,
            )
            done += deciding.decide(
                decision,
                actor=self.cast.supervisor,
                digest=decision.digest,
                reason="evidence looked at",
            )
        return done

    def publish(self, *, as_of: dt.datetime) -> None:
        """Victims and damage as of `as_of` are published, beside what the operator published then."""
        damage.publish(as_of=as_of, actor=self.cast.compliance, reason="press conference")

    def compare(self) -> None:
        """Every exact restatement is asked again of the present data: it must still say what was
        said then.
        """
        for told in self.replay.case.damage.restatements:
            if told.exact:
                now = damage.damage(as_of=told.as_of).total
                self._figure("victims", told.as_of, told.victims, now.victims)
                self._figure("damage, JPY", told.as_of, told.amount_minor, now.amount_minor)
        total = damage.damage(as_of=clock.now()).total
        self.replay.report.victims = total.victims
        self.replay.report.damage_minor = total.amount_minor

    def claw_back(self) -> None:
        """What thieves left in the wallets is back with the operator, as much as the case says they
        left.
        """
        holding.claw_back(
            FraudClaim.objects.filter(state__in=FraudClaim.ACCEPTED),
            actor=self.cast.supervisor,
            reason="fraudulent value not spent",
        )
        amount = Posting.objects.filter(journal__kind="claw_back").balance_minor("fraud_loss")
        left = sum(
            int(row["unspent_minor"])
            for row in _rows(self.replay.files / "truth" / "clawbacks.csv")
        )
        self.tell(f"JPY {amount:,} of fraudulent charges found unspent and clawed back.")
        self.replay.report.checks["what thieves left was clawed back, to the yen"] = amount == left

    # --- August and later: the issuers ------------------------------------------------------------

    def ask_issuers(self) -> int:
        """What can be stopped or refunded at the cards' issuers is asked for by file, approved by a
        second person; returns how many asks went out. Unanswered asks and those that need more are
        repeated under the same key.
        """
        cast = self.cast
        drafts = list(IssuerAction.objects.filter(state=IssuerAction.State.DRAFT).order_by("pk"))
        for start in range(0, len(drafts), AskList.ACTIONS_MAX):
            asked = requests.submit(
                drafts[start : start + AskList.ACTIONS_MAX],
                actor=cast.analyst,
                reason="confirmed losses",
            )
            requests.decide(asked, actor=cast.supervisor, digest=asked.digest, reason="agreed")
        follow_up.mark_overdue()
        sent = self._send(again=False) + self._send(again=True)
        if sent:
            self.tell(f"{sent:,} asks sent to the card issuers.")
        return sent

    def _send(self, *, again: bool) -> int:
        asks = self.replay.directory / "issuers" / "asks"
        asks.mkdir(parents=True, exist_ok=True)
        sent = 0
        for issuer in Issuer.objects.order_by("code"):
            file = requests.send(
                issuer, actor=self.cast.analyst, reason="losses of the incident", again=again
            )
            if file is not None:
                requests.write_to(file, asks)
                sent += file.rows
        return sent

    def hear_issuers(self) -> None:
        """The simulated issuers answered by file; each answer is a remedy or opens the next route."""
        directory = self.replay.directory / "issuers"
        paths = issuers.answer_directory(
            directory / "asks", directory / "answers", seed=self.replay.report.seed, at=clock.now()
        )
        applied = 0
        for path in paths:
            done = issuer_answers.import_answers(
                Issuer.objects.get(code=issuers.issuer_of(path)),
                path.read_bytes(),
                name=path.name,
                actor=self.cast.analyst,
                reason="answer of the issuer",
            )
            applied += done.applied
        self.tell(f"{applied:,} answers of issuers took effect.")

    def close_asks(self) -> None:
        """What the statements show to be done is verified and closed, here or by the hourly job."""
        follow_up.verify_and_close()
        closed = IssuerAction.objects.filter(state=IssuerAction.State.CLOSED).count()
        self.tell(f"{closed:,} asks to issuers are verified and closed.")

    def give_back_points(self) -> None:
        done = own_funds.recredit_points(actor=self.cast.supervisor, reason="points of victims")
        self.tell(f"{done:,} points losses given back as points.")

    def _figure(
        self,
        what: str,
        as_of: dt.datetime,
        published: int,
        reproduced: int,
        *,
        tolerance: float = 0,
    ) -> None:
        at = as_of.astimezone(self.replay.case.programme.time_zone)
        self.replay.report.figures.append(
            Figure(what, f"{at:%Y-%m-%d %H:%M}", published, reproduced, tolerance)
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _refs(hits: list[Hit], movement: str) -> list[str]:
    return [hit["movement_ref"] for hit in hits if hit["movement"] == movement]
