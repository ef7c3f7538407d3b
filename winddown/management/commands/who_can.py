"""`manage.py who_can`: who may do what, who decides after whom, and which roles exclude each other."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from winddown.authority import roles, who_can
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Print who may do what: all permissions, one, or those of a role or a person."
        " Exit code 1 when the person holds roles that exclude each other."
    )
    exits: ClassVar[dict[int, str]] = {
        0: "told",
        1: "the person holds roles that exclude each other",
        2: "not understood",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("permission", nargs="?", help="for example refunds.decide_claim")
        parser.add_argument("--role", choices=tuple(roles.ROLES), help="what this role may do")
        parser.add_argument("--person", metavar="LOGIN", help="somebody of the staff")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
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
                raise CommandError(f"nobody asks for {name}", returncode=2)
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
