"""`manage.py export_issuer_asks`: the approved requests to each issuer are in one file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from refunds.models import Issuer, IssuerFile
from refunds.remedies import requests
from refunds.remedies.transports import TRANSPORTS
from winddown.actors import Actor
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Write the approved requests, one file per issuer; also hand a stored file out again."
    examples = (
        'export_issuer_asks --out issuers --issuer jcb --by hana --reason "requests of the week"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", type=Path, required=True, help="directory for the files")
        parser.add_argument("--issuer", metavar="CODE", help="this issuer only")
        parser.add_argument(
            "--again", action="store_true", help="repeat requests that are overdue or need more"
        )
        parser.add_argument(
            "--as",
            dest="written_as",
            choices=sorted(TRANSPORTS),
            default="",
            help="the format, if it is not the usual one of the issuer",
        )
        parser.add_argument(
            "--file", type=int, metavar="ID", help="hand out this stored file, unchanged"
        )

    def act(self, options: dict[str, Any]) -> None:
        actor = self.proven_actor(options)
        files = (
            self.sent(options, actor=actor)
            if options["file"] is None
            else [self.stored(options, actor=actor)]
        )
        rows = sum(file.rows for file, _ in files)
        names = [path.name for _, path in files]
        self.say(f"{rows} requests in {len(files)} files.", rows=rows, files=names)

    def stored(self, options: dict[str, Any], *, actor: Actor) -> tuple[IssuerFile, Path]:
        """The stored file is in the directory again, unchanged."""
        file = IssuerFile.objects.select_related("issuer").filter(pk=options["file"]).first()
        if file is None:
            raise CommandError(f"there is no file {options['file']}", returncode=2)
        path = requests.hand_into(file, options["out"], actor=actor, reason=options["reason"])
        return file, path

    def sent(self, options: dict[str, Any], *, actor: Actor) -> list[tuple[IssuerFile, Path]]:
        """Every approved request is in a file for its issuer. Returns the new files."""
        issuers = Issuer.objects.order_by("code")
        if options["issuer"] is not None:
            issuers = issuers.filter(code=options["issuer"])
            if not issuers:
                raise CommandError(f"there is no issuer {options['issuer']}", returncode=2)
        sent = [
            requests.send_into(
                issuer,
                options["out"],
                actor=actor,
                reason=options["reason"],
                again=options["again"],
                written_as=options["written_as"],
            )
            for issuer in issuers
        ]
        return [each for each in sent if each is not None]
