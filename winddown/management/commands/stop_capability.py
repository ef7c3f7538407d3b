"""`manage.py stop_capability CODE`: one person stops at once; a second ratifies within 24 hours."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from winddown.authority.staff_command import StaffCommand
from winddown.programme import capabilities


class Command(StaffCommand):
    help = "Stop capabilities at once (one person), or ask to restore them (a second person then approves)."
    examples = (
        'stop_capability top_up:credit_card spend --by hana --reason "strange charges"',
        'stop_capability spend --restore --by hana --reason "the cause is removed"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "codes",
            nargs="+",
            metavar="CODE",
            help="for example top_up:credit_card, spend, register",
        )
        parser.add_argument("--restore", action="store_true", help="ask to let it through again")

    def act(self, options: dict[str, Any]) -> None:
        person = self.actor(options)
        for code in options["codes"]:
            if options["restore"]:
                capabilities.request_restore(code, actor=person, reason=options["reason"])
                self.say_awaited(
                    f"{code} stays stopped.", capabilities.asked_about(code), code=code
                )
            elif capabilities.stop(code, actor=person, reason=options["reason"]):
                self.say_awaited(
                    f"{code} is stopped, to be ratified within 24 hours.",
                    capabilities.asked_about(code),
                    code=code,
                    stopped=True,
                )
            else:
                self.say(f"{code} was stopped already; nothing changed.", code=code, stopped=False)
