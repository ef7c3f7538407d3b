"""`manage.py who_can`: who may do what, who decides after whom, and which roles exclude each other."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.utils import translation

from winddown import texts
from winddown.authority import roles, who_can
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Print who may do what: all permissions, one, those of a role or a person, or who carries a"
        " workflow or a subject from its first step to its last."
        " Exit code 1 when the person holds roles that exclude each other."
    )
    exits: ClassVar[dict[int, str]] = {
        0: "told",
        1: "the person holds roles that exclude each other",
        2: "not understood",
    }
    examples = (
        "who_can --of payout-batch",
        "who_can --of reset-all-passwords --verb approve",
        "who_can refunds.decide_claim",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("permission", nargs="?", help="for example refunds.decide_claim")
        parser.add_argument("--role", choices=tuple(roles.ROLES), help="what this role may do")
        parser.add_argument("--person", metavar="LOGIN", help="somebody of the staff")
        parser.add_argument(
            "--of",
            metavar="NAME",
            help=f"from the first step to the last: {', '.join(who_can.ways())}",
        )
        parser.add_argument("--verb", help="with --of: only the steps of this name")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    @translation.override("en")
    def handle(self, *args: Any, **options: Any) -> None:
        if options["of"] and options["of"] not in who_can.ways():
            hint = texts.did_you_mean(options["of"], who_can.ways())
            raise CommandError(f"--of: there is no {options['of']}. {hint}", returncode=2)
        if options["of"]:
            self._say_way(who_can.way(options["of"]), options)
            return
        held = self._roles(options)
        shown = self._permissions(options["permission"], held=held)
        clashes = roles.clashes(held or ())
        if options["json"]:
            facts = {
                "permissions": [asdict(each) for each in shown],
                "duties": who_can.duties(),
                "incompatible": who_can.incompatible(),
                "roles": held,
                "clashes": clashes,
            }
            self.stdout.write(json.dumps(facts))
        else:
            self._say(shown, whole=held is None and not options["permission"])
            for one, other in clashes:
                self.stdout.write(f"CLASH {one} and {other}: {roles.INCOMPATIBLE[one, other]}")
        if clashes:
            raise SystemExit(1)

    def _permissions(self, name: str | None, *, held: list[str] | None) -> list[who_can.Permission]:
        """Returns the named permission, or all, of those that the roles hold."""
        shown = [
            each for each in who_can.permissions() if held is None or set(held) & {*each.roles}
        ]
        if name:
            shown = [each for each in shown if each.name == name]
            if not shown:
                near = texts.nearest(name, [each.name for each in who_can.permissions()])
                hint = f" Did you mean {near}?" if near else ""
                raise CommandError(f"nobody asks for {name}.{hint}", returncode=2)
        return shown

    def _roles(self, options: dict[str, Any]) -> list[str] | None:
        """Returns the roles asked about; None for all of them."""
        if options["role"]:
            return [options["role"]]
        if not options["person"]:
            return None
        people = get_user_model().objects.filter(kind="staff", login_id=options["person"].lower())
        person = people.first()
        if person is None:
            raise CommandError(f"{options['person']} is not a member of staff", returncode=2)
        return roles.roles_of(person)

    def _say_way(self, way: who_can.Way, options: dict[str, Any]) -> None:
        steps = [each for each in way.steps if options["verb"] in (None, each.verb)]
        if not steps:
            known = dict.fromkeys(each.verb for each in way.steps)
            hint = texts.did_you_mean(options["verb"], known)
            raise CommandError(f"{way.name} has no step {options['verb']}. {hint}", returncode=2)
        if options["json"]:
            facts = asdict(way) | {"alone": way.alone, "only": way.only, "missing": way.missing}
            self.stdout.write(json.dumps(facts | {"steps": [asdict(each) for each in steps]}))
            return
        for step in steps:
            people = ", ".join(step.people) or "NOBODY"
            also = ", and the system by itself" if step.by_system else ""
            self.stdout.write(f"{step.verb}: {people}{also}")
            self.stdout.write(f"    {step.permission} ({', '.join(step.roles) or 'no role'})")
            for change in step.changes:
                self.stdout.write(f"    {change}")
        for verb, person in way.only.items():
            self.stdout.write(f"ONLY {person} can {verb}.")
        alone = ", ".join(way.alone) or "nobody"
        self.stdout.write(
            f"Every permission of {way.name}: {alone}. What two people must do, a second one with"
            " another staff number still decides."
        )

    def _say(self, shown: list[who_can.Permission], *, whole: bool) -> None:
        for each in shown:
            self.stdout.write(f"{each.name}: {', '.join(each.roles) or 'nobody, only the system'}")
            for words, things in (
                ("", each.transitions),
                ("asks for ", each.asks),
                ("decides ", each.decides),
            ):
                for thing in things:
                    self.stdout.write(f"    {words}{thing}")
        if not whole:
            return
        self.stdout.write("\nTwo people, never the same one:")
        for duty in roles.DUTIES:
            asks, decides = roles.roles_with(duty.asks), roles.roles_with(duty.decides)
            self.stdout.write(f"    {duty.subject}: {', '.join(asks)} -> {', '.join(decides)}")
        self.stdout.write("\nNever one person:")
        for (one, other), why in roles.INCOMPATIBLE.items():
            self.stdout.write(
                f"    {one} and {other}: {other if why.startswith('reads') else one} {why}"
            )
