"""`manage.py import_issuer_answers`: every answer in an issuer's file takes effect, once."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from refunds.models import Issuer
from refunds.remedies import issuer_answers
from winddown import texts
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Import an issuer's answer file. Lines that are doubtful wait in quarantine."
    examples = (
        'import_issuer_answers answers.csv --issuer jcb --by hana --reason "answers of the week"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path, help="the file of answers")
        parser.add_argument("--issuer", metavar="CODE", required=True, help="who answered")

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options)
        issuer = Issuer.objects.filter(code=options["issuer"]).first()
        if issuer is None or not options["path"].is_file():
            raise CommandError("there is no such issuer or no such file", returncode=2)
        done = issuer_answers.import_answers(
            issuer,
            options["path"].read_bytes(),
            name=texts.name_of(options["path"]),
            actor=actor,
            reason=options["reason"],
        )
        self.say(
            f"{done.applied} answers took effect, {done.repeated} were here before,"
            f" {done.not_awaited} were not awaited, {len(done.quarantined)} are in quarantine.",
            applied=done.applied,
            repeated=done.repeated,
            not_awaited=done.not_awaited,
            quarantined=[
                {"number": each.pk, "line": each.line, "why": each.why, "cell": each.cell}
                for each in done.quarantined
            ],
        )
