"""`manage.py approve SUBJECT`: decide, as a second person, about another person's request."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import translation

from winddown.authority import approvals
from winddown.authority.staff_command import SHOWN_MIN, StaffCommand, shown
from winddown.site import panels


class Command(StaffCommand):
    help = "Approve or reject a request as a second person. Without a subject, list what waits."
    examples = (
        "approve",
        'approve run:3 --digest DIGEST --by ken --reason "counts checked"',
        'approve run:3 --digest DIGEST --reject --by ken --reason "too many wallets"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("subject", nargs="?", help="as listed, for example run:12")
        parser.add_argument(
            "--digest", help=f"the digest that was shown, or at least its first {SHOWN_MIN} digits"
        )
        parser.add_argument("--reject", action="store_true", help="refuse instead")

    def act(self, options: dict[str, Any]) -> None:
        subject = options["subject"]
        if not subject:
            self._list()
            return
        person = self.proven_actor(options)
        request = approvals.newest(subject)
        approvals.carry_out(
            request,
            shown=self.shown_digest(options),
            actor=person,
            reason=options["reason"],
            approve=not options["reject"],
        )
        verdict = "rejected" if options["reject"] else "approved"
        self.say(f"{subject} is {verdict}.", subject=subject, digest=request.digest)

    def _list(self) -> None:
        waiting = approvals.open_requests()
        if not waiting:
            self.say("Nothing waits for approval.", waiting=[])
        with translation.override("en"):
            for each in waiting:
                changes = panels.changes_of(each)
                figures = "".join(f" {change.name}: {change.number:,}." for change in changes)
                self.say(
                    f"{each.subject} ({each.stage}), asked by {each.maker.login_id},"
                    f" digest {each.digest[:SHOWN_MIN]}, until {shown(each.expires_at)}:"
                    f" {each.reason}.{figures}",
                    subject=each.subject,
                    digest=each.digest,
                    figures={str(change.name): change.number for change in changes},
                )
