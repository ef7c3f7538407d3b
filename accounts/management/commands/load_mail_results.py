"""manage.py load_mail_results: the results of our notices in the mail server's log are recorded."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from accounts.reset_notices import mail_results
from winddown.loading.command import LoadCommand


def instant(text: str) -> dt.datetime:
    """A time with its offset from UTC."""
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError("must be a time like 2019-07-30T18:00:00+09:00") from error
    if at.tzinfo is None:
        raise ArgumentTypeError("has no offset from UTC; write it like 2019-07-30T18:00:00+09:00")
    return at


class Command(LoadCommand):
    help = "Load the mail server's results about notices from a CSV file, whole or not at all."
    kind = "mail_results"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--complete-until",
            type=instant,
            metavar="INSTANT",
            help="with this file, all of the log up to this time is loaded: unknown notices from"
            " before that are not in it are queued again",
        )

    def act(self, options: dict[str, Any]) -> None:
        super().act(options)
        if options["columns"]:
            return
        if options["complete_until"]:
            done = mail_results.settle(
                complete_until=options["complete_until"],
                actor=self.actor(options),
                reason=options["reason"],
            )
            self.say(
                f"{done.queued_again:,} unknown notices were not in the log and are queued again;"
                f" {done.still_unknown:,} stay unknown.",
                queued_again=done.queued_again,
                still_unknown=done.still_unknown,
            )
        mail_results.pause_runs_in_trouble()
