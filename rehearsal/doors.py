"""What staff of a rehearsal do in a shell: they run commands, and what they are refused is noted."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import User
from winddown.authority import approvals
from winddown.errors import WinddownError
from winddown.models import Run


class CommandFailed(WinddownError):
    """{command} was refused: {why}"""


class Act(Protocol):
    """Runs a command as somebody, as `Doors.run` and `Doors.must` do."""

    def __call__(self, *words: str, by: str, reason: str) -> dict[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Stall:
    """What would not go on, how often, for how much in minor units, and why. Somebody in the `role`
    mends it by the `door`, which is a command or a page.
    """

    what: str
    number: int
    why: str
    role: str
    door: str
    amount_minor: int = 0


@dataclass(slots=True)
class Doors:
    """Commands. `through` counts those that were run, by name; `stalls` has the refusals."""

    through: Counter[str] = field(default_factory=Counter)
    stalls: list[Stall] = field(default_factory=list)

    def run(self, *words: str, by: str, reason: str) -> dict[str, Any] | None:
        """The command has run. Returns the facts that it told last; None after a refusal."""
        self.through[words[0].replace("-", "_")] += 1
        out = io.StringIO()
        called = [*words, f"--by={by}", f"--reason={reason}", "--json"]
        try:
            call_command(*called, stdout=out, stderr=io.StringIO())
        except CommandError as error:
            self.stall(words[0], 1, str(error), role=_role_of(by), door=words[0])
            return None
        except SystemExit as end:
            if end.code:
                told = _last(out.getvalue())
                rows = int(told.get("refused_rows") or 1)
                why = str(told.get("message", end))
                what = " ".join([words[0], *(Path(each).name for each in words[1:2])])
                self.stall(what, rows, why, role=_role_of(by), door=words[0])
                return None
        return _last(out.getvalue())

    def shell(self, *words: str) -> str:
        """The command, for which nobody signs, has run. Returns what it printed.

        Raises `CommandFailed`.
        """
        self.through[words[0]] += 1
        out = io.StringIO()
        try:
            call_command(*words, stdout=out, stderr=io.StringIO())
        except CommandError as error:
            raise CommandFailed(command=words[0], why=str(error)) from error
        except SystemExit as end:
            if end.code:
                raise CommandFailed(command=words[0], why=out.getvalue()) from end
        return out.getvalue()

    def program(self, *words: str, more: Mapping[str, str]) -> str:
        """As `shell`, in a process of its own with more variables in its environment."""
        self.through[words[0]] += 1
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=settings.BASE_DIR,
            env=os.environ | dict(more),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CommandFailed(command=words[0], why=done.stderr[-500:])
        return done.stdout

    def decide(self, subject: str, *, by: str, reason: str) -> bool:
        """The newest request about the subject is approved. Returns whether it was."""
        asked = approvals.newest(subject)
        words = ("approve", subject, f"--digest={asked.digest}")
        return self.run(*words, by=by, reason=reason) is not None

    def carry_out(
        self, command: str, *, maker: str, checker: str, reason: str, params: dict[str, Any]
    ) -> Run | None:
        """One person planned the workflow, another approved it, and it ran to its end in this
        process. Returns the run, or None if it did not come so far.
        """
        run = self.approved(command, maker=maker, checker=checker, reason=reason, params=params)
        if run is None or self.run(command, "--run", by=maker, reason=reason) is None:
            return None
        run = Run.objects.get(pk=run.pk)
        if run.state != Run.State.SUCCEEDED:
            failed, why = run.failures.count(), f"it is {run.state}"
            self.stall(str(run), failed, why, role=_role_of(maker), door=f"{command} --retry")
        return run

    def approved(
        self, command: str, *, maker: str, checker: str, reason: str, params: dict[str, Any]
    ) -> Run | None:
        """A plan of the workflow is approved, and nothing has run. Returns its run."""
        words = (command, "--plan", f"--params={json.dumps(params)}")
        planned = self.run(*words, by=maker, reason=reason)
        if planned is None or not self.decide(f"run:{planned['run']}", by=checker, reason=reason):
            return None
        return Run.objects.get(pk=planned["run"])

    def must(self, *words: str, by: str, reason: str) -> dict[str, Any]:
        """The command has run. Returns the facts that it told last. Raises `CommandFailed`."""
        told = self.run(*words, by=by, reason=reason)
        if told is None:
            raise CommandFailed(command=words[0], why=self.stalls[-1].why)
        return told

    def stall(
        self, what: str, number: int, why: str, *, role: str, door: str, amount_minor: int = 0
    ) -> None:
        self.stalls.append(Stall(what, number, why, role, door, amount_minor))

    @contextmanager
    def noted(self, what: str, *, role: str, door: str) -> Iterator[None]:
        """What is refused inside is noted, and the rehearsal goes on after the block."""
        try:
            yield
        except WinddownError as refusal:
            self.stall(what, 1, str(refusal), role=role, door=door)


def _role_of(login: str) -> str:
    """Returns the first role of the member of staff."""
    return User.objects.get(login_id=login).groups.order_by("pk").values_list("name", flat=True)[0]


def _last(output: str) -> dict[str, Any]:
    lines = output.strip().splitlines()
    return dict(json.loads(lines[-1])) if lines else {}
