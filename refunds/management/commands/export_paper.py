"""`manage.py export_paper`: signed papers in both languages, and the check of one."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError

from refunds.closing import papers
from refunds.models import PayoutBatch
from refunds.workflows.shred_personal_data import certificates
from winddown import files
from winddown.authority.staff_command import StaffCommand
from winddown.models import Run


class Command(StaffCommand):
    help = (
        "Write signed pages in both languages: of a payout batch, the final settlement statements of"
        " merchants, or the certificate of a deletion. --check says whether a file is one of ours, unchanged."
    )
    examples = (
        'export_paper --batch 3 --out papers/ --by hana --reason "for the file"',
        'export_paper --merchant M-1 --out papers/ --by hana --reason "asked for it"',
        'export_paper --all-merchants --out papers/ --by hana --reason "final settlement"',
        'export_paper --deletion 9 --out papers/ --by hana --reason "for the authority"',
        "export_paper --check papers/payout_batch-3.html",
    )
    exits: ClassVar[dict[int, str]] = {0: "written, or found unchanged", 1: "refused or changed"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--batch", type=int, metavar="NUMBER", help="of this payout batch")
        chosen.add_argument("--merchant", metavar="REF", help="of this merchant")
        chosen.add_argument("--all-merchants", action="store_true", help="one for each merchant")
        chosen.add_argument(
            "--deletion", type=int, metavar="RUN", help="certificate of what this run deleted"
        )
        chosen.add_argument("--check", type=Path, metavar="FILE", help="check this file")
        parser.add_argument("--out", type=Path, metavar="DIR", help="directory for the files")

    def act(self, options: dict[str, Any]) -> None:
        if options["check"] is not None:
            self._check(options["check"])
            return
        if options["out"] is None:
            raise CommandError("--out is missing: name the directory for the files", returncode=2)
        actor = self.proven_actor(options)
        for paper in papers.export(self._asked(options), actor=actor, reason=options["reason"]):
            path = files.write_once(options["out"], paper.file_name, [paper.content()])
            self.say(f"{path}", path=str(path), signature=paper.signature)

    def _asked(self, options: dict[str, Any]) -> list[papers.Paper]:
        if options["batch"] is not None:
            batch = PayoutBatch.objects.filter(pk=options["batch"]).first()
            if batch is None:
                raise CommandError(f"--batch: there is no batch {options['batch']}", returncode=2)
            return [papers.of_batch(batch)]
        if options["deletion"] is not None:
            run = Run.objects.filter(pk=options["deletion"]).first()
            if run is None:
                raise CommandError(
                    f"--deletion: there is no run {options['deletion']}", returncode=2
                )
            return [papers.of_deletion(certificates.of_run(run))]
        known = papers.merchants() if options["all_merchants"] else [options["merchant"]]
        return [papers.of_merchant(each) for each in known]

    def _check(self, file: Path) -> None:
        if not file.is_file():
            raise CommandError(f"--check: there is no file {file}", returncode=2)
        paper = papers.verified(file.read_text(errors="replace"))
        if paper is None:
            self.say(f"{file} was changed, or is none of ours.")
            raise SystemExit(1)
        self.say(f"{file} is ours, unchanged: {paper.kind} {paper.key}.")
