"""What every act of a replay does: move the time, load files, and carry out runs on real workers."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.browser import Browser
from rehearsal.case import Case
from rehearsal.desk import Desk
from rehearsal.doors import Doors
from rehearsal.report import Figure, Report
from rehearsal.serving import Site
from rehearsal.stage import PEOPLE, Cast
from rehearsal.storyteller import Storyteller
from winddown import clock
from winddown.errors import WinddownError
from winddown.models import Milestone, Run
from winddown.runs import progress
from winddown.runs.command import show_progress

WAIT_S_MAX = 1_800


class ReplayFailed(WinddownError):
    """The replay cannot go on: {why}"""


@dataclass(frozen=True, slots=True)
class Operations:
    """One replay under way: its case, people, files and workers, and what is done with them."""

    case: Case
    cast: Cast
    doors: Doors
    manifest: dict[str, Any]
    directory: Path
    site: Site
    report: Report
    storyteller: Storyteller

    @property
    def files(self) -> Path:
        """The directory of the generated case."""
        return self.directory / "case"

    def tell(self, sentence: str) -> None:
        self.storyteller.line(sentence)

    def figure(
        self,
        what: str,
        *,
        as_of: dt.datetime,
        published: int,
        reproduced: int,
        tolerance: float = 0,
    ) -> None:
        """The report has a published figure beside the one that this replay reproduced."""
        at = as_of.astimezone(self.case.programme.time_zone)
        self.report.figures.append(
            Figure(what, f"{at:%Y-%m-%d %H:%M}", published, reproduced, tolerance)
        )

    # --- People at the pages ----------------------------------------------------------------------

    def browser(self, *, network: str) -> Browser:
        """Returns the browser of a customer, at the portal."""
        return Browser(self.site.address, sent=self.report.forms, network=network)

    def desk(self, login: str) -> Desk:
        """The member of staff has signed in at the console."""
        browser = Browser(self.site.console, sent=self.report.forms)
        self.report.staff.append(PEOPLE[login])
        return Desk(login, browser, cast=self.cast, doors=self.doors)

    # --- Time and files ---------------------------------------------------------------------------

    def move_to(self, at: dt.datetime, *, frozen: bool = False) -> None:
        """It is `at`, and stays so while `frozen`: a load must not take longer than its instant."""
        clock.travel(at, frozen=frozen)
        self.storyteller.date(at)

    def load(self, kind: str, since: str = "") -> None:
        """Every file of the kind is loaded with its control totals.

        Payments and sign-ins come in deliveries; `since` is the first day of the one to load.
        """
        name = f"{kind}_{since}" if since else kind
        entries = [
            entry
            for entry in self.manifest["files"]
            if entry["loader"] == f"load_{kind}" and entry["path"].startswith(name)
        ]
        for entry in entries:
            with self.report.phase(f"load {Path(entry['path']).stem}") as phase:
                words = [f"--expect-rows={entry['rows']}"]
                if entry["sum_minor"] is not None:
                    words.append(f"--expect-sum={entry['sum_minor']}")
                self.doors.must(
                    f"load_{kind}",
                    str(self.files / entry["path"]),
                    *words,
                    by="commander",
                    reason="take-over from the core system",
                )
                phase.rows = entry["rows"]
            self.tell(f"{entry['path']}: {entry['rows']:,} rows in {phase.seconds:.1f} s")

    # --- Runs -------------------------------------------------------------------------------------

    def carry_out(
        self,
        workflow: str,
        *,
        reason: str,
        params: dict[str, Any] | None = None,
        maker: str = "commander",
        checker: str = "deputy",
    ) -> Run:
        """One person planned the workflow, another approved it, and the real workers ended it."""
        run = self.plan_and_approve(
            workflow, reason=reason, params=params, maker=maker, checker=checker
        )
        self.doors.must(workflow.replace("-", "_"), "--start", by=maker, reason=reason)
        return self.follow(run)

    def plan_and_approve(
        self,
        workflow: str,
        *,
        reason: str,
        params: dict[str, Any] | None = None,
        maker: str = "commander",
        checker: str = "deputy",
    ) -> Run:
        """A run of the workflow is approved and has not started."""
        word = workflow.replace("-", "_")
        given = f"--params={json.dumps(params or {})}"
        planned = self.doors.must(word, "--plan", given, by=maker, reason=reason)
        self.doors.must(
            "approve",
            f"run:{planned['run']}",
            f"--digest={planned['digest']}",
            by=checker,
            reason="plan checked",
        )
        return Run.objects.get(pk=planned["run"])

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
                self.tell(
                    f"The tick fired {milestone.kind}, {milestone.late_by} after the instant."
                )
                return run
            if dead := self.site.dead():
                raise ReplayFailed(why=dead)
            time.sleep(0.1)
        raise ReplayFailed(why=f"no tick started {workflow}; see {self.directory / 'beat.log'}")

    def follow(self, run: Run) -> Run:
        """The run has ended, and ended without failures."""
        with self.report.phase(run.workflow) as phase, show_progress(run):
            run = self._wait_for_end(run)
        moved = progress.moved(run)
        phase.rows = sum(moved.values())
        self.report.note_memory(self.site.peak_memory_kib())
        steps = ", ".join(f"{step.replace('_', ' ')} {rows:,}" for step, rows in moved.items())
        self.tell(f"{run.workflow}: {steps or 'nothing to move'} in {phase.seconds:.1f} s")
        if run.state != Run.State.SUCCEEDED:
            raise ReplayFailed(
                why=f"{run} ended as {run.state}: {progress.failures_by_reason(run)}"
            )
        return run

    def _wait_for_end(self, run: Run) -> Run:
        deadline = time.monotonic() + WAIT_S_MAX
        while True:
            run = Run.objects.get(pk=run.pk)
            if run.state in Run.ENDED:
                return run
            if dead := self.site.dead():
                raise ReplayFailed(why=dead)
            if time.monotonic() > deadline:
                raise ReplayFailed(why=f"{run} is still {run.state} after {WAIT_S_MAX} s")
            time.sleep(0.1)
