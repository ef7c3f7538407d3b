"""`manage.py staff add|roles|disable|list`: the members of staff, their roles and their accounts."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError

from accounts import member_page, staff_roles
from accounts.credentials import access
from accounts.models import User
from accounts.staff_acts import STAFF
from winddown.authority import roles
from winddown.authority.staff_command import StaffCommand, unknown_member
from winddown.authority.verb_command import VerbCommand
from winddown.site.act_command import ActCommand


class Add(ActCommand):
    help = (
        "Add a member of staff. Then `staff roles` asks for the roles, and `recover_staff` for the"
        " link with which the person chooses a password; a second person decides about each."
    )
    examples = (
        'staff add --login-id ken --name "Mori Ken" --email ken@example.jp --staff-number '
        '1002 --by hana --reason "joins today"',
    )
    acts = STAFF
    verb = "add"
    done = "The account is there. Ask now for its roles (staff roles) and its link (recover_staff)."


class Roles(StaffCommand):
    help = (
        "Ask for a colleague to have exactly the roles that are named, and no other. A second"
        " person decides with `manage.py approve`."
    )
    examples = ('staff roles ken --role treasury_operator --by hana --reason "takes over payouts"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        _add_login(parser)
        parser.add_argument(
            "--role",
            action="append",
            default=[],
            choices=list(roles.ROLES),
            help="a role of the colleague from then on; repeat it for each, leave it out for none",
        )

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options)
        asked = staff_roles.request(
            _member(options), wanted=options["role"], actor=actor, reason=options["reason"]
        )
        self.say_awaited("The roles are as they were.", asked)


class Disable(StaffCommand):
    help = "Let a colleague in no more and end what is open of the account, or let in again."
    examples = ('staff disable ken --by hana --reason "left the company"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        _add_login(parser)
        parser.add_argument("--undo", action="store_true", help="let the colleague in again")

    def act(self, options: dict[str, Any]) -> None:
        actor, person = self.actor(options), _member(options)
        verb = access.enable if options["undo"] else access.disable
        verb(person, actor=actor, reason=options["reason"])
        done = "is let in again" if options["undo"] else "is disabled"
        self.say(f"{person} {done}.", account=person.pk)


class List(StaffCommand):
    help = (
        "List the members of staff: login, name, staff number, roles, and whether they can sign in."
    )
    examples = ("staff list --by hana",)

    def act(self, options: dict[str, Any]) -> None:
        member_page.require_sight(self.actor(options, reason_needed=False))
        number = 0
        while True:
            number += 1
            found = member_page.members(page=number)
            for each in found.members:
                self._line(each)
            if not found.more:
                return

    def _line(self, member: member_page.Member) -> None:
        person = member.person
        held = [group.name for group in person.groups.all()]
        stands = "usable" if person.is_active else "disabled"
        factor = "second factor" if member.has_factor else "no second factor"
        self.say(
            f"{person.login_id}  {person.display_name}  {person.staff_number}"
            f"  {', '.join(held) or 'no role'}  {stands}  {factor}",
            login_id=person.login_id,
            name=person.display_name,
            staff_number=person.staff_number,
            roles=held,
            is_active=person.is_active,
            second_factor=member.has_factor,
        )


class Command(VerbCommand):
    help = "Add a colleague, ask for roles, disable an account, or list the members of staff."
    verbs: ClassVar = {"add": Add, "roles": Roles, "disable": Disable, "list": List}


def _add_login(parser: ArgumentParser) -> None:
    parser.add_argument("login_id", metavar="LOGIN", help="the colleague")


def _member(options: dict[str, Any]) -> User:
    person = User.objects.named(options["login_id"]).filter(kind=User.Kind.STAFF).first()
    if person is None:
        raise CommandError(unknown_member(options["login_id"]), returncode=2)
    return person
