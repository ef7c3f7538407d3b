"""`manage.py drill`: who could be paid now and who could not, as two files."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from refunds.models import PayoutView, PayoutViewPart
from refunds.payouts import view_lists
from winddown import files, money
from winddown.authority.staff_command import StaffCommand
from winddown.models import Programme


class Command(StaffCommand):
    help = (
        "Take the two payout views: who could be paid now and who could not, and why. Payments go"
        " on meanwhile. --again writes the files of an earlier view, with the same bytes."
    )
    examples = (
        'drill --by hana --reason "monthly drill" --out views/',
        'drill --again 3 --by hana --reason "for the authority" --out views/',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="write payable and excluded lists there"
        )
        parser.add_argument("--again", type=int, metavar="VIEW", help="of this earlier view")

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options)
        if options["again"] is None:
            view = view_lists.take(actor=actor, reason=options["reason"])
        else:
            view = view_lists.open_again(options["again"], actor=actor, reason=options["reason"])
        self._tell(view)
        if options["out"] is not None:
            for name in PayoutViewPart.List.values:
                self._write(view, name, options["out"])

    def _write(self, view: PayoutView, name: str, directory: Path) -> None:
        try:
            path = files.write_once(directory, view_lists.file_name(view, name), view.pieces(name))
        except OSError as error:
            raise CommandError(f"--out: {error.strerror}: {directory}", returncode=1) from error
        self.say(f"{path}", file=str(path), sha256=getattr(view, f"{name}_sha256"))

    def _tell(self, view: PayoutView) -> None:
        currency = Programme.current().currency

        def spoken(minor: int) -> str:
            return money.spoken(minor, currency=currency, locale="en")

        self.say(
            f"Payout view {view.pk}: {view.payable_rows:,} could be paid"
            f" ({spoken(view.payable_minor)}), {view.excluded_rows:,} could not"
            f" ({spoken(view.excluded_minor)}). Without anybody's touch:"
            f" {view.people_share} of the people, {view.amount_share} of the amount."
            f" Difference to what is owed: {spoken(view.difference_minor)}.",
            view=view.pk,
            as_of=view.as_of,
            payable=[view.payable_rows, view.payable_minor],
            excluded=[view.excluded_rows, view.excluded_minor],
            straight_through=[view.straight_people, view.straight_minor],
            difference_minor=view.difference_minor,
        )
        for code in view_lists.CODES:
            if code in view.reasons:
                rows, minor = view.reasons[code]
                self.say(f"  {code}: {rows:,} ({spoken(minor)})", code=code, rows=rows, minor=minor)
