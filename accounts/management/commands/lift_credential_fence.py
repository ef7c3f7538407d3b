"""`manage.py lift_credential_fence`: one asks, a second agrees, while no password is gone."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accounts.credentials import fencing
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Ask to lift the standing credential fence, or agree to it as a second person."
    examples = (
        'lift_credential_fence --by hana --reason "no password is gone yet"',
        'lift_credential_fence --agree --by ken --reason "I saw the same"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--agree", action="store_true", help="agree, as a second person, to what was asked"
        )

    def act(self, options: dict[str, Any]) -> None:
        verb = fencing.lift if options["agree"] else fencing.request_lift
        actor = self.proven_actor(options) if options["agree"] else self.actor(options)
        fence = verb(actor=actor, reason=options["reason"])
        self.say(
            f"{fence} is lifted: what customers had before is accepted again; its run is aborted."
            if options["agree"]
            else f"Lifting {fence} waits for a second person: add --agree.",
            fence=fence.pk,
            state=fence.state,
        )
