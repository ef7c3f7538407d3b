"""`manage.py approve SUBJECT`: decide, as a second person, what somebody else asked for."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from winddown.authority import approvals
from winddown.authority.staff_command import StaffCommand
from winddown.errors import GuardNotMet, NothingToDecide, PlanChanged
from winddown.models import Approval

SHOWN_MIN = 12


class Command(StaffCommand):
    help = "Approve or reject a request as a second person. Without a subject, list what waits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("subject", nargs="?", help="as listed, for example run:12")
        parser.add_argument(
            "--digest", help="the digest that was shown, or at least its first 12 digits"
        )
        parser.add_argument("--reject", action="store_true", help="refuse instead")

    def act(self, options: dict[str, Any]) -> None:
        if not options["subject"]:
            self._list()
            return
        subject = options["subject"]
        person = self.actor(options)
        request = Approval.objects.filter(subject=subject).order_by("-pk").first()
        if request is None:
            raise NothingToDecide(subject=subject)
        digest = request.digest
        shown = options["digest"] or ""
        if len(shown) < SHOWN_MIN:
            raise CommandError(
                f"--digest is missing or short: give at least the first {SHOWN_MIN} digits of what you were shown",
                returncode=2,
            )
        if not digest.startswith(shown):
            raise PlanChanged(subject=subject, approved=shown[:SHOWN_MIN], now=digest[:SHOWN_MIN])
        kind, _, key = subject.partition(":")
        decider = approvals.DECIDERS.get(kind)
        if decider is None:
            raise GuardNotMet(action=f"decide {subject}", why=f"{kind} is decided at its own desk")
        decider(
            approvals.Decided(
                key=key,
                stage=request.stage,
                actor=person,
                digest=digest,
                reason=options["reason"],
                approve=not options["reject"],
            )
        )
        self.say(
            f"{subject} is {'rejected' if options['reject'] else 'approved'}.",
            subject=subject,
            digest=digest,
        )

    def _list(self) -> None:
        waiting = approvals.open_requests()
        if not waiting:
            self.say("Nothing waits for approval.", waiting=[])
        for each in waiting:
            self.say(
                f"{each.subject} ({each.stage}), asked by account {each.maker_id}, digest {each.digest[:12]}, until "
                f"{each.expires_at:%Y-%m-%d %H:%M %Z}: {each.reason}",
                subject=each.subject,
                digest=each.digest,
            )
