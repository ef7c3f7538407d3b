"""The 7pay case from launch to the end of the refund window, on real files, servers, workers and
dates.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import translation

from accounts.models import ResetNotice
from rehearsal import carrier, publishing, stage
from rehearsal.case import Case, load_case
from rehearsal.compensation import Compensation
from rehearsal.customers import Customers
from rehearsal.doors import Doors
from rehearsal.operations import Operations, ReplayFailed
from rehearsal.people import home_network
from rehearsal.plans import Plan, load_behaviour, load_plan
from rehearsal.refunding import Refunding
from rehearsal.report import Figure, Report
from rehearsal.serving import RehearsedSite, free_port
from rehearsal.storyteller import Storyteller
from wallets.models import Snapshot, Wallet
from wallets.movements import spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import PastDeadline
from winddown.evidence import audit
from winddown.models import Milestone
from winddown.programme import stages


class Replay:
    """One pass through the case. `play` prints what happens and fills the report."""

    def __init__(
        self,
        *,
        accounts: int,
        seed: int,
        directory: Path,
        storyteller: Storyteller,
        plan: Plan | None = None,
    ) -> None:
        self.case: Case = load_case()
        self.plan = plan or load_plan()
        self.directory = directory
        self.storyteller = storyteller
        self.report = Report(
            accounts=accounts,
            seed=seed,
            plan=self.plan.code,
            measures=sorted(self.plan.measures),
        )
        self.doors = Doors()
        self.cast: stage.Cast
        self.operations: Operations
        self.victims: Compensation
        self.refunding: Refunding

    def play(self) -> Report:
        """The whole case has happened in this database, and the report says how it ended."""
        # The answers of the bank and the issuers to an earlier replay must not be read by this one.
        for name in ("case", "bank", "issuers", "notices"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
        with ThreadPoolExecutor(1) as aside:
            generated = aside.submit(self.generate)
            with self.report.phase("migrate"):
                stage.empty_database()
            self.live(generated)
        with self.report.phase("verify"):
            audit.seal()
            self.report.close_books()
        self.report.commands = dict(self.doors.through)
        self.report.note_memory()
        self.report.seconds = time.monotonic() - self.report.started
        return self.report

    def generate(self) -> dict[str, Any]:
        """The files are ready for the launch. Returns their manifest. A process of its own makes them,
        while this one makes the database ready. Raises `CommandFailed`.
        """
        with self.report.phase("generate") as phase:
            manifest: dict[str, Any] = json.loads(
                self.doors.program(
                    "generate_case",
                    f"--accounts={self.report.accounts}",
                    f"--seed={self.report.seed}",
                    f"--out={self.directory / 'case'}",
                    "--json",
                    more={},
                )
            )
            phase.rows = sum(file["rows"] for file in manifest["files"])
        self.report.note_memory(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        return manifest

    def live(self, generated: Future[dict[str, Any]]) -> None:
        """Everything has happened, from the launch to the end, at a site that is up meanwhile."""
        # 200 people come at the same time, more than one process of Python serves.
        with RehearsedSite(
            port=free_port(), logs=self.directory, tick_s=2, portal_processes=2
        ) as site:
            with self.report.phase("set up"):
                self.cast = stage.set_up(self.doors, more=self.plan.set_up)
            manifest = generated.result()
            rows = sum(file["rows"] for file in manifest["files"])
            self.storyteller.line(
                f"{rows:,} rows of the case generated for {self.report.accounts:,} accounts."
            )
            self.operations = Operations(
                case=self.case,
                cast=self.cast,
                doors=self.doors,
                manifest=manifest,
                directory=self.directory,
                site=site,
                report=self.report,
                storyteller=self.storyteller,
            )
            site.wait()
            self.victims = Compensation(self.operations)
            self.refunding = Refunding(self.operations, plan=self.plan, behaviour=load_behaviour())
            self.incident()
            self.announcement()
            self.shut_down()
            self.refund()
            self.end()

    # --- the timeline -----------------------------------------------------------------------------

    def incident(self) -> None:
        """July: the attack, the stops in their stages, and the victims."""
        case, operations = self.case, self.operations
        stopped = case.at("stop_all_top_ups")
        operations.move_to(case.at("stop_card_top_ups"))
        commander, deputy = operations.desk("commander"), operations.desk("deputy")
        declared = {"reason": "strange sign-ins and charges"}
        commander.act("/console/programme/declare-incident/", declared)
        why = "charges by stolen accounts"
        # Registration stays: nobody ticks its box.
        typed = {"sources": ["credit_card", "debit_card"], "register": [], "reason": why}
        run = commander.plan("freeze-charges", typed)
        deputy.approve(run, reason=why)
        commander.start(run, reason=why)
        operations.follow(run)
        operations.move_to(stopped - dt.timedelta(seconds=1), frozen=True)
        for kind in ("accounts", "external_identities", "wallets", "funding_cards", "top_ups"):
            operations.load(kind)
        operations.load("payments", "2019_07_01")
        operations.load("auth_events", "2019_07_01")
        operations.move_to(stopped)
        operations.carry_out("freeze-charges", reason="every source is abused")
        self.victims.find_and_hold(by_form=True)
        self.victims.compare_suspected(told_as_of=case.damage.restatements[0].as_of)
        operations.move_to(case.at("suspend_external_login"))
        operations.carry_out("suspend-external-login", reason="sign-ins without a password")
        operations.move_to(stopped + dt.timedelta(days=12))
        operations.load("payments", "2019_07_04")
        operations.load("auth_events", "2019_07_04")
        self.victims.find_and_hold()
        for told in case.damage.restatements[1:]:
            if told.as_of > case.at("reset_all_passwords") > clock.now():
                operations.move_to(case.at("reset_all_passwords"))
                self.reset_passwords()
                self.victims.secure()
            operations.move_to(told.as_of - dt.timedelta(hours=1))
            self.victims.report_and_confirm(known_by=told.as_of)
            operations.move_to(told.as_of)
            self.victims.publish(as_of=told.as_of)
            self.victims.send_requests()
        operations.move_to(case.at("announce_end").replace(hour=0))
        operations.load("payments", "2019_07_16")
        operations.load("auth_events", "2019_07_16")
        self.victims.clear_suspects()
        self.victims.compare_clawed_back()

    def reset_passwords(self) -> None:
        """30 July: every password ends. The notices are sent as files, and the carrier reports."""
        self.operations.carry_out(
            "reset-all-passwords",
            reason="any password may be known to thieves",
            params={"mail": "file"},
        )
        for channel in ResetNotice.Channel.values:
            with self.report.phase(f"notices by {channel}") as phase:
                phase.rows = carrier.carry(
                    channel,
                    act=self.doors.must,
                    directory=self.directory / "notices",
                    by="commander",
                    seed=self.report.seed,
                )
            self.operations.tell(f"{phase.rows:,} notices by {channel} in {phase.seconds:.1f} s")

    def come_back(self) -> None:
        """Customers did by the pages what the reset asks of everybody. Raises `ReplayFailed` if a
        page did not go on for one of them.
        """
        people = Customers(
            lambda person: self.operations.browser(
                network=home_network(int(str(person.account_ref)[1:]) - 1)
            ),
            notices=self.directory / "notices",
            doors=self.doors,
            by="commander",
            applying=self.refunding.applying_in_the_app(),
            sure=self.refunding.one_of_each,
        )
        with self.report.phase("customers at the pages") as phase:
            customers = people.come_back()
            phase.rows = self.report.customers = len(customers)
        self.refunding.people = people
        self.refunding.at_the_pages = {each.user_id: each for each in customers}
        if stopped := [each.refused for each in customers if each.refused]:
            raise ReplayFailed(why=f"{len(stopped)} customers were stopped: {stopped[0]}")
        self.operations.tell(
            f"{phase.rows:,} customers chose a password by the link or code that they were sent,"
            f" signed in and saw their balance, in {phase.seconds:.1f} s."
        )

    def announcement(self) -> None:
        """August: the end is announced, the deadlines are set, the issuers get requests."""
        case, service = self.case, self.case.programme
        operations = self.operations
        operations.move_to(case.at("announce_end"))
        asked = operations.doors.must(
            "announce_end", by="compliance", reason="the service cannot be made safe"
        )
        operations.doors.must(
            "approve",
            asked["subject"],
            f"--digest={asked['digest']}",
            by="commander",
            reason="decision of the board",
        )
        operations.doors.must(
            "set_milestone",
            f"--kind={Milestone.Kind.SPEND_ENDS}",
            f"--at={service.spend_ends_at.astimezone(service.time_zone):%Y-%m-%dT%H:%M}",
            "--ends-capability=spend",
            "--workflow=shut-down-by-deadline",
            by="commander",
            reason="announced end of spending",
        )
        self.come_back()
        support = operations.desk("support")
        somebody = self.victims.somebody()
        support.act("/console/look-up/", {"q": somebody, "reason": "the holder telephones"})
        self.victims.import_answers()
        operations.move_to(case.at("start_compensation"))
        self.victims.give_back_points()
        # A request that an issuer declines opens the next route, which may be another request.
        while self.victims.send_requests():
            operations.move_to(clock.now() + dt.timedelta(days=2))
            self.victims.import_answers()
        self.refunding.make_ready()
        self.refunding.compensate()
        operations.move_to(dt.datetime(2019, 9, 1, tzinfo=service.time_zone))
        operations.load("payments", "2019_08_01")
        for until in (dt.date(2019, 9, 2), dt.date(2019, 9, 27)):
            self.refunding.collect_accounts(until)

    def shut_down(self) -> None:
        """30 September, 24:00: a payment passes in the last microsecond and none after it. The
        balances are sealed.
        """
        case, operations = self.case, self.operations
        ends_at = case.programme.spend_ends_at
        operations.move_to(ends_at - dt.timedelta(hours=9))
        operations.plan_and_approve("shut-down-by-deadline", reason="end of the service")
        operations.tell("The closing run is approved and waits for the clock.")
        operations.move_to(ends_at - dt.timedelta(seconds=1), frozen=True)
        operations.load("payments", "2019_09_01")
        clock.travel(ends_at - dt.timedelta(microseconds=1), frozen=True)
        passes = self._try_to_pay()
        clock.travel(ends_at, frozen=True)
        refused = not self._try_to_pay()
        self.report.checks["a payment at 23:59:59.999999 passes, one at 24:00 is refused"] = (
            passes and refused
        )
        operations.move_to(ends_at)
        run = operations.wait_for_start("shut-down-by-deadline")
        operations.follow(run)
        sealed = Snapshot.objects.get()
        operations.tell(
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
        service, operations = self.case.programme, self.operations
        notice = {name: str(value) for name, value in notice_of(self.case).items()}
        compliance = operations.desk("compliance")
        typed = {**notice, "reason": "statutory notice"}
        compliance.act("/console/programme/publish-notice/", typed)
        with publishing.arguments() as publications:
            for said in publications:
                operations.doors.must(
                    "record_publication", *said, by="compliance", reason="statutory notice"
                )
        operations.move_to(service.refund_window_opens_at + dt.timedelta(minutes=30))
        self.refunding.open()
        window_ends_at, last_on = service.refund_window_ends_at, service.refund_window_last_on
        self.refunding.live_through(service.refund_window_first_on, dt.date(2020, 1, 8))
        counted_at = dt.datetime(2020, 1, 9, 12, tzinfo=service.time_zone)
        operations.move_to(counted_at)
        if self.plan.is_published:
            self.refunding.compare_unpaid(as_of=counted_at)
        self.refunding.drill()
        self.refunding.live_through(dt.date(2020, 1, 9), last_on)
        operations.move_to(window_ends_at)
        self.refunding.exclude()
        self.refunding.live_through(last_on + dt.timedelta(days=1), self.plan.until)
        self.victims.close_requests()
        self.victims.compare()
        auditor = operations.desk("auditor")
        for path in ("/console/invariants/", "/console/audit/", "/console/audit/file/"):
            auditor.browser.open(path)

    def end(self) -> None:
        """The closing proof and the completion are asked for, and the report has what is open."""
        asked = self.doors.run("closing_proof", by="treasury", reason="the window is over")
        if asked is not None:
            self.doors.decide(asked["subject"], by="approver", reason="counted too")
        self.doors.run("complete_programme", by="compliance", reason="the window is over")
        with translation.override("en"):
            self.report.open_at_the_end = [str(each) for each in stages.open_things()]

    def _try_to_pay(self) -> bool:
        """A holder has tried to pay one yen at this instant. Returns whether it was possible. The
        payment is undone.
        """
        holder = (
            Wallet.objects.holding().filter(state=Wallet.State.CHARGE_FROZEN).order_by("pk").first()
        )
        if holder is None:
            raise AssertionError("the case leaves holders")
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
