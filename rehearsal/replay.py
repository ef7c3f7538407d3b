"""The 7pay case from launch to the end of the refund window, on real files, servers, workers and dates."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum

from rehearsal import stage
from rehearsal.case import Case, load_case
from rehearsal.generator import generate_case
from rehearsal.processes import Processes
from rehearsal.report import Figure, Report
from rehearsal.storyteller import Storyteller
from wallets import movements
from wallets.models import Snapshot, Wallet
from winddown import audit, capabilities, clock, loading, milestones, runner
from winddown.command import show_progress
from winddown.errors import PastDeadline, WinddownError
from winddown.machines import SYSTEM, transition_one
from winddown.models import Milestone, Programme, PublicNotice, Run

WAIT_S_MAX = 1_800


class ReplayFailed(WinddownError):
    """The replay cannot go on: {why}"""


class Replay:
    """One pass through the case. `play` tells the story while it happens and leaves the report filled."""

    def __init__(self, *, accounts: int, seed: int, directory: Path, storyteller: Storyteller) -> None:
        self.case: Case = load_case()
        self.directory = directory
        self.files = directory / "case"
        self.storyteller = storyteller
        self.report = Report(accounts=accounts, seed=seed)
        self.cast: stage.Cast
        self.processes: Processes
        self.manifest: dict[str, Any] = {}

    def play(self) -> Report:
        """The whole case has happened in this database, and the report says how it ended."""
        self.prepare()
        with Processes(logs=self.directory) as self.processes:
            self.attack_and_containment()
        with self.report.phase("verify"):
            audit.seal()
            self.report.close_books()
        self.report.see_memory()
        return self.report

    def prepare(self) -> None:
        tell = self.storyteller
        with self.report.phase("prepare"):
            stage.empty_database()
            self.cast = stage.set_up(self.case)
        with self.report.phase("generate") as phase:
            self.manifest = generate_case(
                accounts=self.report.accounts, seed=self.report.seed, out=self.files, progress=tell.progress
            )
            phase.rows = sum(file["rows"] for file in self.manifest["files"])
        tell.line(f"{phase.rows:,} rows of the case generated for {self.report.accounts:,} accounts.")

    # --- July: the attack and its containment ---------------------------------------------------------------------

    def attack_and_containment(self) -> None:
        case, cast = self.case, self.cast
        self.move_to(case.at("stop_card_top_ups"))
        with transaction.atomic():
            transition_one(
                Programme.current(), "declare_incident", actor=cast.commander, reason="strange sign-ins and charges",
                aware_at=clock.now(),
            )
            audit.append("programme.declare_incident", "programme", actor=cast.commander)
        self.carry_out(
            "freeze-charges", maker=cast.commander, checker=cast.deputy, reason="charges by stolen accounts",
            params={"sources": ["credit_card", "debit_card"], "register": False},
        )
        self.move_to(case.at("stop_all_top_ups") - dt.timedelta(seconds=1))
        for kind in ("accounts", "external_identities", "wallets", "funding_cards", "top_ups"):
            self.load(kind)
        self.load("payments", "2019_07_01")
        self.load("auth_events", "2019_07_01")
        self.move_to(case.at("stop_all_top_ups"))
        self.carry_out(
            "freeze-charges", maker=cast.commander, checker=cast.deputy, reason="every source is abused"
        )
        self.move_to(case.at("suspend_external_login"))
        self.carry_out(
            "suspend-external-login", maker=cast.commander, checker=cast.deputy, reason="sign-ins without a password"
        )

    # --- how things are done --------------------------------------------------------------------------------------

    def move_to(self, at: dt.datetime) -> None:
        clock.travel(at)
        self.storyteller.date(at)

    def load(self, kind: str, since: str = "") -> None:
        """Every file of the kind (from `since` on, where it comes in deliveries) is loaded with its control totals."""
        name = f"{kind}_{since}" if since else kind
        entries = [
            entry for entry in self.manifest["files"]
            if entry["loader"] == f"load_{kind}" and entry["path"].startswith(name)
        ]
        for entry in entries:
            with self.report.phase(f"load {Path(entry['path']).stem}") as phase:
                loading.load(
                    kind, self.files / entry["path"], actor=self.cast.commander, expect_rows=entry["rows"],
                    expect_sum=entry["sum_minor"], reason="take-over from the core system",
                    progress=self.storyteller.progress,
                )
                phase.rows = entry["rows"]
            self.storyteller.line(f"{entry['path']}: {entry['rows']:,} rows in {phase.seconds:.1f} s")

    def carry_out(
        self, workflow: str, *, maker: Any, checker: Any, reason: str, params: dict[str, Any] | None = None
    ) -> Run:
        """The workflow was planned by one, approved by another, started, and worked off by the real workers."""
        run = self.plan_and_approve(workflow, maker=maker, checker=checker, reason=reason, params=params)
        run = runner.start(run, actor=maker)
        return self.follow(run)

    def plan_and_approve(
        self, workflow: str, *, maker: Any, checker: Any, reason: str, params: dict[str, Any] | None = None
    ) -> Run:
        run = runner.plan(workflow, actor=maker, reason=reason, params=params)
        return runner.approve(run, actor=checker, digest=run.plan_digest, reason="plan checked")

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
        moved = runner.moved(run)
        phase.rows = sum(moved.values())
        self.report.see_memory(self.processes.peak_memory_kib())
        self.storyteller.line(
            f"{run.workflow}: " + (", ".join(f"{step.replace('_', ' ')} {rows:,}" for step, rows in moved.items()) or "nothing to move")
            + f" in {phase.seconds:.1f} s"
        )
        if run.state != Run.State.SUCCEEDED:
            raise ReplayFailed(why=f"{run} ended as {run.state}: {runner.failures_by_reason(run)}")
        return run
