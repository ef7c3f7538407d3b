"""The 7pay case from launch to the end of the refund window, on real files, servers, workers and
dates.
"""

from __future__ import annotations

import datetime as dt
import shutil
import time
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import ResetNotice
from accounts.reset_notices import notice_files
from rehearsal import carrier, stage
from rehearsal.case import Case, load_case
from rehearsal.compensation import Compensation
from rehearsal.generator import generate_case
from rehearsal.processes import Processes
from rehearsal.refunding import Refunding
from rehearsal.report import Figure, Report
from rehearsal.storyteller import Storyteller
from wallets.models import Snapshot, Wallet
from wallets.movements import spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import PastDeadline, WinddownError
from winddown.evidence import audit
from winddown.loading import loader
from winddown.models import Milestone, Run
from winddown.programme import milestones, public_notice, stages
from winddown.runs import planning, progress
from winddown.runs.command import show_progress

WAIT_S_MAX = 1_800


class ReplayFailed(WinddownError):
    """The replay cannot go on: {why}"""


class Replay:
    """One pass through the case. `play` tells the story while it happens and leaves the report
    filled.
    """

    def __init__(
        self, *, accounts: int, seed: int, directory: Path, storyteller: Storyteller
    ) -> None:
        self.case: Case = load_case()
        self.directory = directory
        self.files = directory / "case"
        self.storyteller = storyteller
        self.report = Report(accounts=accounts, seed=seed)
        self.cast: stage.Cast
        self.processes: Processes
        self.victims: Compensation
        self.refunding: Refunding
        self.manifest: dict[str, Any] = {}

    def play(self) -> Report:
        """The whole case has happened in this database, and the report says how it ended."""
        self.prepare()
        with Processes(logs=self.directory) as self.processes:
            self.incident()
            self.announcement()
            self.shut_down()
            self.refund()
        with self.report.phase("verify"):
            audit.seal()
            self.report.close_books()
        self.report.see_memory()
        return self.report

    def prepare(self) -> None:
        tell = self.storyteller
        with self.report.phase("prepare"):
            # The bank and the issuers of an earlier replay must not answer this one.
            for name in ("case", "bank", "issuers", "notices"):
                shutil.rmtree(self.directory / name, ignore_errors=True)
            stage.empty_database()
            self.cast = stage.set_up(self.case)
        with self.report.phase("generate") as phase:
            self.manifest = generate_case(
                accounts=self.report.accounts,
                seed=self.report.seed,
                out=self.files,
                progress=tell.progress,
            )
            phase.rows = sum(file["rows"] for file in self.manifest["files"])
        tell.line(
            f"{phase.rows:,} rows of the case generated for {self.report.accounts:,} accounts."
        )

    # --- the timeline -----------------------------------------------------------------------------

    def incident(self) -> None:
        """July: the attack, the stops in their stages, and the victims."""
        case, cast = self.case, self.cast
        stopped = case.at("stop_all_top_ups")
        self.move_to(case.at("stop_card_top_ups"))
        stages.declare_incident(actor=cast.commander, reason="strange sign-ins and charges")
        self.carry_out(
            "freeze-charges",
            reason="charges by stolen accounts",
            params={"sources": ["credit_card", "debit_card"], "register": False},
        )
        self.move_to(stopped - dt.timedelta(seconds=1), frozen=True)
        for kind in ("accounts", "external_identities", "wallets", "funding_cards", "top_ups"):
            self.load(kind)
        self.load("payments", "2019_07_01")
        self.load("auth_events", "2019_07_01")
        self.move_to(stopped)
        self.carry_out("freeze-charges", reason="every source is abused")
        self.victims = Compensation(self)
        self.victims.find_and_hold()
        self.victims.compare_suspected(told_as_of=case.damage.restatements[0].as_of)
        self.move_to(case.at("suspend_external_login"))
        self.carry_out("suspend-external-login", reason="sign-ins without a password")
        self.move_to(stopped + dt.timedelta(days=12))
        self.load("payments", "2019_07_04")
        self.load("auth_events", "2019_07_04")
        self.victims.find_and_hold()
        for told in case.damage.restatements[1:]:
            if told.as_of > case.at("reset_all_passwords") > clock.now():
                self.move_to(case.at("reset_all_passwords"))
                self.reset_passwords()
                self.victims.secure()
            self.move_to(told.as_of - dt.timedelta(hours=1))
            self.victims.report_and_confirm(known_by=told.as_of)
            self.move_to(told.as_of)
            self.victims.publish(as_of=told.as_of)
            self.victims.ask_issuers()
        self.move_to(case.at("announce_end").replace(hour=0))
        self.load("payments", "2019_07_16")
        self.load("auth_events", "2019_07_16")
        self.victims.clear_suspects()
        self.victims.claw_back()

    def reset_passwords(self) -> None:
        """30 July: every password ends; the notices leave as files, and the carrier reports."""
        run = self.carry_out(
            "reset-all-passwords",
            reason="any password may be known to thieves",
            params={"mail": "file"},
        )
        for channel in ResetNotice.Channel.values:
            with self.report.phase(f"notices by {channel}") as phase:
                done = notice_files.hand_over(
                    run,
                    channel=channel,
                    to=self.directory / "notices",
                    actor=self.cast.commander,
                    reason="for the carrier",
                )
                phase.rows = done.rows
                if done.rows:
                    report = carrier.answer(
                        self.directory / "notices" / done.files[0],
                        at=clock.now(),
                        seed=self.report.seed,
                    )
                    loader.load("mail_results", report, actor=self.cast.commander)
            self.storyteller.line(f"{done.rows:,} notices by {channel} in {phase.seconds:.1f} s")

    def announcement(self) -> None:
        """August: the end is announced, the deadlines are set, the issuers are asked."""
        case, cast, service = self.case, self.cast, self.case.programme
        self.move_to(case.at("announce_end"))
        stages.announce(actor=cast.compliance, reason="the service cannot be made safe")
        milestones.set_milestone(
            Milestone.Kind.SPEND_ENDS,
            at=service.spend_ends_at,
            actor=cast.commander,
            reason="announced end of spending",
            ends_capability="spend",
            workflow="shut-down-by-deadline",
        )
        milestones.set_milestone(
            Milestone.Kind.REFUND_WINDOW_ENDS,
            at=service.refund_window_ends_at,
            actor=cast.compliance,
            reason="announced refund window",
        )
        self.victims.hear_issuers()
        self.move_to(case.at("start_compensation"))
        self.victims.give_back_points()
        # What an issuer declines opens the next route, which may be another request.
        while self.victims.ask_issuers():
            self.move_to(clock.now() + dt.timedelta(days=2))
            self.victims.hear_issuers()
        self.refunding = Refunding(self)
        self.refunding.make_ready()
        self.refunding.compensate()
        self.move_to(dt.datetime(2019, 9, 1, tzinfo=service.time_zone))
        self.load("payments", "2019_08_01")

    def shut_down(self) -> None:
        """30 September, 24:00: a payment passes in the last microsecond, none after it, and the
        balances are sealed.
        """
        case = self.case
        ends_at = case.programme.spend_ends_at
        self.move_to(ends_at - dt.timedelta(hours=9))
        self.plan_and_approve("shut-down-by-deadline", reason="end of the service")
        self.storyteller.line("The closing run is approved and waits for the clock.")
        self.move_to(ends_at - dt.timedelta(seconds=1), frozen=True)
        self.load("payments", "2019_09_01")
        clock.travel(ends_at - dt.timedelta(microseconds=1), frozen=True)
        passes = self._try_to_pay()
        clock.travel(ends_at, frozen=True)
        refused = not self._try_to_pay()
        self.report.checks["a payment at 23:59:59.999999 passes, one at 24:00 is refused"] = (
            passes and refused
        )
        self.move_to(ends_at)
        run = self.wait_for_start("shut-down-by-deadline")
        self.follow(run)
        sealed = Snapshot.objects.get()
        self.storyteller.line(
            f"Sealed: {sealed.wallets:,} wallets, JPY {sealed.paid_minor:,} to refund,"
            f" JPY {sealed.bonus_minor:,} of free value."
        )
        population, accounts = case.population, self.report.accounts
        holders = Wallet.objects.holding().count()
        at = "2019-09-30 24:00"
        self.report.figures += [
            Figure("holders at close (scaled)", at, population.holders(accounts=accounts), holders),
            Figure(
                "balance at close, JPY (scaled)",
                at,
                population.balance_minor(accounts=accounts),
                sealed.paid_minor,
            ),
        ]

    def refund(self) -> None:
        """October to January: applications, payouts, returns, and the exclusion at the end of the
        window.
        """
        service, cast = self.case.programme, self.cast
        public_notice.publish_notice(
            actor=cast.compliance, reason="statutory notice", **notice_of(self.case)
        )
        self.move_to(service.refund_window_opens_at + dt.timedelta(minutes=30))
        self.refunding.open()
        window_ends_at, last_on = service.refund_window_ends_at, service.refund_window_last_on
        self.refunding.live_through(service.refund_window_first_on, dt.date(2020, 1, 8))
        self.move_to(dt.datetime(2020, 1, 9, 12, tzinfo=service.time_zone))
        self.refunding.compare_unpaid()
        self.refunding.live_through(dt.date(2020, 1, 9), last_on)
        self.move_to(window_ends_at)
        self.refunding.exclude()
        self.refunding.live_through(last_on + dt.timedelta(days=1), dt.date(2020, 2, 29))
        self.victims.close_asks()
        self.victims.compare()

    def _try_to_pay(self) -> bool:
        """A holder tries to pay one yen of bonus or paid value at this very instant; it is undone
        at once if it passes.
        """
        holder = Wallet.objects.holding().filter(state="charge_frozen").order_by("pk").first()
        assert holder is not None, "the case leaves holders"
        try:
            with transaction.atomic():
                spending.pay(
                    holder.pk,
                    amount_minor=1,
                    merchant_ref="probe",
                    payment_ref=f"probe {clock.now()}",
                    actor=SYSTEM,
                )
                transaction.set_rollback(True)
        except PastDeadline:
            return False
        return True

    # --- how things are done ----------------------------------------------------------------------

    def move_to(self, at: dt.datetime, *, frozen: bool = False) -> None:
        """It is `at`, and stays so while `frozen`: a load must not take longer than its instant."""
        clock.travel(at, frozen=frozen)
        self.storyteller.date(at)

    def load(self, kind: str, since: str = "") -> None:
        """Every file of the kind (from `since` on, where it comes in deliveries) is loaded with its
        control totals.
        """
        name = f"{kind}_{since}" if since else kind
        entries = [
            entry
            for entry in self.manifest["files"]
            if entry["loader"] == f"load_{kind}" and entry["path"].startswith(name)
        ]
        for entry in entries:
            with self.report.phase(f"load {Path(entry['path']).stem}") as phase:
                loader.load(
                    kind,
                    self.files / entry["path"],
                    actor=self.cast.commander,
                    expect_rows=entry["rows"],
                    expect_sum=entry["sum_minor"],
                    reason="take-over from the core system",
                    progress=self.storyteller.progress,
                )
                phase.rows = entry["rows"]
            self.storyteller.line(
                f"{entry['path']}: {entry['rows']:,} rows in {phase.seconds:.1f} s"
            )

    def carry_out(
        self,
        workflow: str,
        *,
        reason: str,
        params: dict[str, Any] | None = None,
        maker: str = "commander",
        checker: str = "deputy",
    ) -> Run:
        """The workflow was planned by one, approved by another, started, and worked off by the real
        workers.
        """
        run = self.plan_and_approve(
            workflow, reason=reason, params=params, maker=maker, checker=checker
        )
        return self.follow(planning.start(run, actor=self.cast.people[maker]))

    def plan_and_approve(
        self,
        workflow: str,
        *,
        reason: str,
        params: dict[str, Any] | None = None,
        maker: str = "commander",
        checker: str = "deputy",
    ) -> Run:
        people = self.cast.people
        run = planning.plan(workflow, actor=people[maker], reason=reason, params=params)
        return planning.approve(
            run, actor=people[checker], digest=run.plan_digest, reason="plan checked"
        )

    def wait_for_start(self, workflow: str) -> Run:
        """The tick of the real beat has started the approved run."""
        deadline = time.monotonic() + WAIT_S_MAX
        while time.monotonic() < deadline:
            run = (
                Run.objects.filter(workflow=workflow)
                .exclude(state=Run.State.APPROVED)
                .order_by("-pk")
                .first()
            )
            if run is not None and run.started_at is not None:
                milestone = Milestone.objects.get(workflow=workflow)
                self.storyteller.line(
                    f"The tick fired {milestone.kind}, {milestone.late_by} after the instant."
                )
                return run
            if dead := self.processes.dead():
                raise ReplayFailed(why=dead)
            time.sleep(0.1)
        raise ReplayFailed(why=f"no tick started {workflow}; see {self.directory / 'beat.log'}")

    def follow(self, run: Run) -> Run:
        """The run has ended, and ended without failures."""
        deadline = time.monotonic() + WAIT_S_MAX
        with self.report.phase(run.workflow) as phase, show_progress(run):
            while True:
                run = Run.objects.get(pk=run.pk)
                if run.state in Run.ENDED:
                    break
                if dead := self.processes.dead():
                    raise ReplayFailed(why=dead)
                if time.monotonic() > deadline:
                    raise ReplayFailed(why=f"{run} is still {run.state} after {WAIT_S_MAX} s")
                time.sleep(0.1)
        moved = progress.moved(run)
        phase.rows = sum(moved.values())
        self.report.see_memory(self.processes.peak_memory_kib())
        self.storyteller.line(
            f"{run.workflow}: "
            + (
                ", ".join(f"{step.replace('_', ' ')} {rows:,}" for step, rows in moved.items())
                or "nothing to move"
            )
            + f" in {phase.seconds:.1f} s"
        )
        if run.state != Run.State.SUCCEEDED:
            raise ReplayFailed(
                why=f"{run} ended as {run.state}: {progress.failures_by_reason(run)}"
            )
        return run


def notice_of(case: Case) -> dict[str, Any]:
    """The public notice of the case's refund, with every statutory field."""
    service = case.programme
    return {
        "statement": "前払式支払手段の払戻しを行います。",
        "issuer_name": service.name,
        "instrument": service.name,
        "window_first_day": service.refund_window_first_on,
        "window_last_day": service.refund_window_last_on,
        "exclusion_statement": "期間内に申出のない方は、払戻しの手続から除斥されます。",
        "contact": "払戻し窓口 0120-000-000 9:00-18:00",
        "how_to_claim": "アプリまたはウェブの申出書",
        "how_it_is_paid": "銀行振込",
    }
