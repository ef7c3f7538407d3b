"""`manage.py filing list|show|write|propose|file|evidence|answer`: what the authorities are told."""

from __future__ import annotations

import datetime as dt
import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.utils import translation

from winddown import clock, files, texts
from winddown.authority import approvals
from winddown.authority.staff_command import StaffCommand
from winddown.authority.verb_command import VerbCommand
from winddown.models import Filing, FilingReceipt, Programme
from winddown.programme import evidence_files, filing_duties, filings
from winddown.programme.filing_duties import Due
from winddown.programme.filing_kinds import KINDS
from winddown.site import filing_page

ANSWERS = [Filing.State.ACCEPTED.value, Filing.State.RETURNED.value]


class List(StaffCommand):
    help = "List what is due, with its day, its state, and who comes next."
    examples = ("filing list --by hana",)

    def act(self, options: dict[str, Any]) -> None:
        filing_page.require_sight(self.actor(options, reason_needed=False))
        with translation.override("en"):
            for line in filing_page.lines():
                late = ", overdue" if line.overdue else ""
                self.say(
                    f"{line.due.key}  due {line.due.due_on}{late}  {line.state}"
                    f"  waits for: {line.waits_for or 'nobody'}",
                    filing=line.due.key,
                    due_on=line.due.due_on,
                    overdue=line.overdue,
                    state=line.state,
                    waits_for=str(line.waits_for),
                )


class Show(StaffCommand):
    help = (
        "Print the newest version as the file that `filing write` reads, with its figures as"
        " comments. Before the first version it is empty."
    )
    examples = ("filing show incident_final:privacy_commission:2022-07-03 --by hana",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        _add_key(parser)

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options, reason_needed=False)
        filing_page.require_sight(actor)
        due = _due(options)
        seen = filing_page.look(due, actor=actor)
        with translation.override("en"):
            lines = [f"# {due.title}, {due.addressee}, due {due.due_on}"]
            lines += [f"# {figure.title}: {figure.value:,}" for figure in seen.figures]
            for code, section in KINDS[due.kind].sections.items():
                text = seen.version.sections[code] if seen.version else ""
                escaped = text.replace("\\", "\\\\").replace('"', '\\"')
                lines += [f"# {section.title}", f'{code} = """', f'{escaped}"""']
        self.say(
            "\n".join(lines),
            filing=due.key,
            version=seen.version.number if seen.version else 0,
            sections=seen.version.sections if seen.version else {},
            figures=seen.version.figures if seen.version else {},
        )


class Write(StaffCommand):
    help = "Write a new version from a TOML file with a text for each section."
    examples = (
        "filing write incident_final:privacy_commission:2022-07-03 report.toml --by hana "
        '--reason "first version"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        _add_key(parser)
        parser.add_argument(
            "file", metavar="FILE", type=Path, help="the sections, as `show` prints"
        )
        parser.add_argument(
            "--as-of", default="", help="the instant of the figures, as 2019-09-30T24:00; now"
        )

    def act(self, options: dict[str, Any]) -> None:
        version = filings.write(
            options["key"],
            sections=_sections(options["file"]),
            as_of=_instant(options["as_of"]),
            actor=self.actor(options),
            reason=options["reason"],
        )
        figures = ", ".join(f"{code} {value:,}" for code, value in version.figures.items())
        self.say(
            f"Version {version.number} is written. {figures}",
            version=version.number,
            figures=version.figures,
        )


class Propose(StaffCommand):
    help = "Ask two people beside the author to approve the newest version."
    examples = (
        "filing propose incident_final:privacy_commission:2022-07-03 --by hana --reason "
        '"it is complete"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        _add_key(parser)

    def act(self, options: dict[str, Any]) -> None:
        version = filings.propose(
            _filing(options), actor=self.actor(options), reason=options["reason"]
        )
        self.say_awaited(
            f"Version {version.number} waits for two people beside you, one after the other.",
            approvals.newest(version.filing.subject),
        )


class File(StaffCommand):
    help = "Record that the authority has the approved version, with its receipt."
    examples = (
        "filing file incident_final:privacy_commission:2022-07-03 --number 12 "
        '--received-on 2022-07-01 --evidence receipt.pdf --by hana --reason "handed in"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        _add_key(parser)
        parser.add_argument("--number", required=True, help="the number of the receipt")
        parser.add_argument(
            "--received-on", required=True, type=dt.date.fromisoformat, help="as 2019-10-01"
        )
        parser.add_argument(
            "--evidence",
            required=True,
            type=Path,
            help="the stamped copy or the answer, which is kept",
        )

    def act(self, options: dict[str, Any]) -> None:
        path = options["evidence"]
        with _opened(path) as opened:
            evidence = evidence_files.File(name=texts.name_of(path), content=opened.read())
        receipt = filings.file(
            _filing(options),
            number=options["number"],
            received_on=options["received_on"],
            evidence=evidence,
            actor=self.proven_actor(options),
            reason=options["reason"],
        )
        self.say(f"It is filed: receipt {receipt.number}.", evidence_sha256=evidence.sha256)


class Evidence(StaffCommand):
    help = "Write the file that shows the receipt of the newest version. The journal records it."
    examples = (
        "filing evidence incident_final:privacy_commission:2022-07-03 --out receipts --by hana "
        '--reason "the auditor asks"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        _add_key(parser)
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")

    def act(self, options: dict[str, Any]) -> None:
        filing = _filing(options)
        receipt = FilingReceipt.objects.filter(version=filings.newest_of(filing)).first()
        if receipt is None:
            raise CommandError(f"{options['key']} has no receipt yet", returncode=2)
        found = filings.disclose_evidence(
            receipt, actor=self.proven_actor(options), reason=options["reason"]
        )
        name = f"receipt-{receipt.pk}-{found.name}"
        path = files.write_once(options["out"], name, [found.content])
        self.say(f"{path} holds the evidence.", path=str(path))


class Answer(StaffCommand):
    help = "Record that the authority accepted the filing, or sent it back."
    examples = (
        "filing answer incident_final:privacy_commission:2022-07-03 accepted --by hana "
        '--reason "letter of today"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        _add_key(parser)
        parser.add_argument("answer", choices=ANSWERS, help="what it answered")

    def act(self, options: dict[str, Any]) -> None:
        done = filings.answer(
            _filing(options),
            accepted=options["answer"] == Filing.State.ACCEPTED,
            actor=self.actor(options),
            reason=options["reason"],
        )
        self.say(f"The filing is {done.state}.", state=done.state)


class Command(VerbCommand):
    help = "List the filings that are due, write and propose them, and record their receipts."
    verbs: ClassVar = {
        "list": List,
        "show": Show,
        "write": Write,
        "propose": Propose,
        "file": File,
        "evidence": Evidence,
        "answer": Answer,
    }


def _add_key(parser: ArgumentParser) -> None:
    parser.add_argument("key", metavar="FILING", help="as `list` prints it")


def _due(options: dict[str, Any]) -> Due:
    due = filing_duties.find(options["key"])
    if due is None:
        raise CommandError(f"nothing is due as {options['key']}: see filing list", returncode=2)
    return due


def _filing(options: dict[str, Any]) -> Filing:
    filing = _due(options).filing
    if filing is None:
        raise CommandError(f"{options['key']} has no version: see filing write", returncode=2)
    return filing


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", returncode=2) from error


def _sections(path: Path) -> dict[str, str]:
    with _opened(path) as file:
        try:
            read = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} is no TOML: {error}", returncode=2) from error
    if wrong := [code for code, text in read.items() if not isinstance(text, str)]:
        raise CommandError(f"{path}: {', '.join(wrong)} must be a text", returncode=2)
    return read


def _instant(text: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        return clock.instant(text, zone=Programme.current().time_zone)
    except ValueError as error:
        raise CommandError("--as-of is written like 2019-09-30T24:00", returncode=2) from error
