"""`manage.py import_issuer_answers`: every answer in an issuer's file takes effect, once."""

from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict
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
        parser.add_argument(
            "--preview", action="store_true", help="say what each line would do, and change nothing"
        )

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options)
        issuer = Issuer.objects.filter(code=options["issuer"]).first()
        if issuer is None or not options["path"].is_file():
            raise CommandError("there is no such issuer or no such file", returncode=2)
        content, name = options["path"].read_bytes(), texts.name_of(options["path"])
        if options["preview"]:
            self.foresee(issuer_answers.preview(issuer, content, name=name, actor=actor))
            return
        done = issuer_answers.import_answers(
            issuer, content, name=name, actor=actor, reason=options["reason"]
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

    def foresee(self, lines: list[issuer_answers.Foreseen]) -> None:
        counts = Counter(line.verdict for line in lines)
        self.say(
            f"{counts['new']} answers would take effect, {counts['known']} are known,"
            f" {counts['conflicting']} conflict, {counts['quarantined']} would be in quarantine.",
            lines=[asdict(line) for line in lines],
        )
