"""`manage.py export_issuer_asks`: the approved requests to each issuer are in one file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.models import Issuer, IssuerFile
from refunds.remedies import requests
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
            "--file", type=int, metavar="ID", help="hand out this stored file, unchanged"
        )

    def act(self, options: dict[str, Any]) -> None:
        actor = self.proven_actor(options)
        options["out"].mkdir(parents=True, exist_ok=True)
        if options["file"]:
            files = list(
                IssuerFile.objects.filter(pk=options["file"], direction=IssuerFile.Direction.ASK)
            )
        else:
            files = self.sent(options, actor=actor)
        names = [requests.write_to(file, options["out"]).name for file in files]
        rows = sum(file.rows for file in files)
        self.say(f"{rows} requests in {len(files)} files.", rows=rows, files=names)

    def sent(self, options: dict[str, Any], *, actor: Actor) -> list[IssuerFile]:
        """Every approved request is in a file for its issuer. Returns the new files."""
        issuers = Issuer.objects.order_by("code")
        if options["issuer"]:
            issuers = issuers.filter(code=options["issuer"])
        sent = [
            requests.send(issuer, actor=actor, reason=options["reason"], again=options["again"])
            for issuer in issuers
        ]
        return [file for file in sent if file is not None]
