"""The form of a workflow's command: plan, start, run, pause, resume, abort, retry, status."""

from __future__ import annotations

import json
import sys
import threading
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from winddown import texts
from winddown.authority.staff_command import SHOWN_MIN, StaffCommand, shown_amount
from winddown.errors import GuardNotMet, RunNotFound, says
from winddown.models import Plan, Run
from winddown.runs import control, planning, progress, registry, waking, working

# The exit code that a shell gives a process ended by Ctrl-C.
INTERRUPTED = 130


def rows_a_second(text: str) -> int | None:
    """Returns the rate of --rate; None for no limit."""
    if text == "off":
        return None
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"{text} is neither a positive number nor `off`")
    return int(text)


class WorkflowCommand(StaffCommand):
    """`manage.py <workflow> --plan | --start | --run | --pause | --resume | --abort | --retry CODE --of RUN |
    --status`.
    """

    workflow: ClassVar[str]
    example: ClassVar[str] = ""
    """Parameters of a plan in JSON, as the help shows them."""
    family = "Workflows"
    exits: ClassVar[dict[int, str]] = {
        **StaffCommand.exits,
        INTERRUPTED: "Ctrl-C; the workers go on with the run",
    }

    @classmethod
    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        word = cls.workflow.replace("-", "_")
        params = f" --params '{cls.example}'" if cls.example else ""
        cls.examples = (
            f'{word} --plan{params} --by hana --reason "list-type attack"',
            'approve run:3 --digest DIGEST --by ken --reason "counts checked"',
            f"{word} --run --by hana",
            f'{word} --retry CODE --of 3 --by hana --reason "mended"',
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        todo = parser.add_mutually_exclusive_group(required=True)
        todo.add_argument(
            "--plan",
            action="store_true",
            help="count and sum what would happen, and ask for approval",
        )
        todo.add_argument(
            "--start",
            action="store_true",
            help="start the approved run, and leave it to the workers",
        )
        todo.add_argument(
            "--run",
            action="store_true",
            help="start the approved run, or go on with it, and follow it",
        )
        todo.add_argument("--pause", action="store_true", help="start no further batch")
        todo.add_argument("--resume", action="store_true", help="go on after a pause")
        todo.add_argument(
            "--abort",
            action="store_true",
            help="end the run for good; what is under way ends first",
        )
        todo.add_argument(
            "--retry", metavar="CODE", help="try the failures of this reason code again; takes --of"
        )
        todo.add_argument("--status", action="store_true", help="say how far the newest run is")
        parser.add_argument(
            "--params",
            default="{}",
            metavar="JSON",
            help=self._params_told(),
        )
        parser.add_argument(
            "--of", type=int, metavar="RUN", help="with --retry: the number of the run"
        )
        parser.add_argument(
            "--rate",
            type=rows_a_second,
            default=SUPPRESS,
            metavar="ROWS_S",
            help="with --run: at most so many rows a second, or `off`",
        )

    def _params_told(self) -> str:
        keys = registry.get(self.workflow).form.told()
        return f"parameters of the plan, as a JSON object: {keys or 'it takes none'}"

    def act(self, options: dict[str, Any]) -> None:
        for verb in ("plan", "start", "run", "pause", "resume", "abort", "retry", "status"):
            if options[verb]:
                getattr(self, verb)(options)

    def plan(self, options: dict[str, Any]) -> None:
        try:
            params = texts.read_json(options["params"])
        except ValueError as error:
            raise CommandError(f"--params is not JSON: {error}", returncode=2) from error
        if not isinstance(params, dict):
            raise CommandError("--params is not a JSON object", returncode=2)
        run = planning.plan(
            self.workflow, actor=self.actor(options), reason=options["reason"], params=params
        )
        self._show_plan(run)

    def start(self, options: dict[str, Any]) -> None:
        run = progress.latest(self.workflow, states=(Run.State.APPROVED,))
        run = planning.start(run, actor=self.actor(options), reason=options["reason"])
        self.say(f"{run} is started.", run=run.pk, state=run.state)

    def run(self, options: dict[str, Any]) -> None:
        run = progress.latest(self.workflow, states=Run.FOLLOWED)
        if run.state == Run.State.APPROVED:
            person = self.actor(options, reason_needed=False)
            run = planning.start(run, actor=person, reason=options["reason"])
        if "rate" in options:
            control.set_rate(
                run,
                rows_s_max=options["rate"],
                actor=self.actor(options, reason_needed=False),
                reason=options["reason"],
            )
        try:
            self._follow(run)
        except KeyboardInterrupt:
            self.say(f"{run} is left to the workers; --run follows it again.", run=run.pk)
            raise SystemExit(INTERRUPTED) from None
        self.status(options)

    def pause(self, options: dict[str, Any]) -> None:
        run = progress.latest(self.workflow, states=(Run.State.RUNNING,))
        control.pause(run, actor=self.actor(options), reason=options["reason"])
        self.say(f"{run} is paused.", run=run.pk, state=Run.State.PAUSED)

    def resume(self, options: dict[str, Any]) -> None:
        run = progress.latest(self.workflow, states=(Run.State.PAUSED,))
        control.resume(run, actor=self.actor(options), reason=options["reason"])
        self.say(f"{run} goes on.", run=run.pk, state=Run.State.RUNNING)

    def abort(self, options: dict[str, Any]) -> None:
        run = progress.latest(self.workflow, states=Run.ABORTABLE)
        control.abort(run, actor=self.actor(options), reason=options["reason"])
        self.say(f"{run} is aborted; what it did stays done.", run=run.pk, state=Run.State.ABORTED)

    def retry(self, options: dict[str, Any]) -> None:
        if options["of"] is None:
            raise CommandError("--retry takes --of RUN, the number of the run", returncode=2)
        run = Run.objects.filter(workflow=self.workflow, pk=options["of"]).first()
        if run is None:
            raise RunNotFound(workflow=self.workflow, wanted=f"number {options['of']}")
        code = options["retry"]
        rows = control.retry_failed(
            run, reason_code=code, actor=self.actor(options), reason=options["reason"]
        )
        if not rows:
            there = ", ".join(progress.failures_by_reason(run)) or "none"
            raise GuardNotMet(
                action=says("retry {code} of {run}", code=code, run=run),
                why=says("its failures are: {there}", there=there),
            )
        self.say(f"{rows} failures {code} of {run} wait again.", run=run.pk, code=code, rows=rows)

    def status(self, options: dict[str, Any]) -> None:
        run = Run.objects.filter(workflow=self.workflow).order_by("-pk").first()
        if run is None:
            self.say(f"{self.workflow} was never planned.", run=None)
            return
        done, failed = progress.moved(run), progress.failures_by_reason(run)
        steps = ", ".join(f"{step} {rows:,}" for step, rows in done.items()) or "nothing moved yet"
        failures = (
            "; failures: " + ", ".join(f"{code} {n:,}" for code, n in failed.items())
            if failed
            else ""
        )
        why = progress.paused_because(run)
        left = registry.get(self.workflow).left(run)
        sentences = [f"{run} is {run.state}: {steps}{failures}.", *left]
        self.say(
            " ".join([*sentences, f"Paused: {why}"] if why else sentences),
            run=run.pk,
            state=run.state,
            paused=why,
            moved=done,
            failures=failed,
            digest=run.plan_digest,
        )

    def _show_plan(self, run: Run) -> None:
        plan = Plan.objects.filter(run=run).order_by("-pk").first()
        if plan is None:
            raise AssertionError("a run is written together with its plan")
        if self.as_json:
            self.say(
                f"{run} waits for approval.", run=run.pk, digest=run.plan_digest, plan=plan.content
            )
            return
        self.say(f"{run} waits for approval by a second person. It would do this:")
        for part in ("counts", "sums_minor", "excluded", "locked_out", "terms", "estimates"):
            for name, value in plan.content[part].items():
                is_sum = part == "sums_minor" or name.endswith("_minor")
                label = f"{part.removesuffix('_minor').replace('_', ' '):12}"
                self.say(f"  {label} {name.removesuffix('_minor'):32} {_told(value, is_sum)}")
        self.say(f"  digest {run.plan_digest}")
        self.say(
            f"Approve: manage.py approve {run.subject} --digest {run.plan_digest[:SHOWN_MIN]} --by LOGIN --reason WHY"
        )

    def _follow(self, run: Run) -> None:
        """Does the run's batches in this process, beside other workers, with bars on a terminal.
        After Ctrl-C the run can be resumed.
        """
        if not sys.stdout.isatty() or self.as_json:
            while run.pk in waking.owed() and working.work(run.pk, seconds_max=60):
                pass
            return
        with show_progress(run):
            while run.pk in waking.owed():
                if not working.work(run.pk, seconds_max=60):
                    threading.Event().wait(0.5)


def _told(value: Any, is_sum: bool) -> str:
    """Returns a figure of a plan as people read it."""
    if not isinstance(value, int):
        return json.dumps(value, ensure_ascii=False)
    return shown_amount(value) if is_sum else f"{value:,}"


class show_progress:  # noqa: N801  reads as a clause: `with show_progress(run):`
    """Inside, a terminal shows the run's steps as bars with the remaining time. A separate thread
    reads the batches and draws them.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        self.thread.join(timeout=5)

    def _draw(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=False) as bars:
            shown: dict[str, Any] = {}
            while True:
                last = self.over.is_set()
                seen = progress.progress(self.run)
                title = registry.get(self.run.workflow).name
                if seen.step not in shown:
                    for task in shown.values():
                        bars.update(task, completed=bars.tasks[task].total)
                    shown[seen.step] = bars.add_task(
                        f"{title} {seen.step or 'counts its plan'}", total=seen.expected or 1
                    )
                bars.update(
                    shown[seen.step], completed=seen.moved + seen.failed if seen.expected else 1
                )
                if last:
                    break
                self.over.wait(0.3)
        connection.close()
