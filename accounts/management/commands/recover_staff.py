"""`manage.py recover_staff LOGIN`: one colleague asks, a second agrees and gets the link."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from accounts.models import User
from accounts.recovery import links, staff_recovery
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.authority.staff_command import SHOWN_MIN, StaffCommand
from winddown.errors import NothingToDecide


class Command(StaffCommand):
    help = (
        "Let a colleague choose a new password, and set up a new second factor if that is lost."
        " Asks; with --agree or --reject, a second person decides."
    )
    examples = ('recover_staff ken --by hana --reason "the password is lost"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("login_id", help="whose password is lost")
        parser.add_argument(
            "--second-factor-lost",
            action="store_true",
            help="ask for the second factor to be removed too; the old password ends with it",
        )
        parser.add_argument(
            "--digest",
            help=f"with --agree or --reject: the digest that was shown, or its first {SHOWN_MIN} digits",
        )
        verdict = parser.add_mutually_exclusive_group()
        verdict.add_argument("--agree", action="store_true", help="agree, and print the link")
        verdict.add_argument("--reject", action="store_true", help="reject the request")

    def act(self, options: dict[str, Any]) -> None:
        decides = options["agree"] or options["reject"]
        actor = self.proven_actor(options) if decides else self.actor(options)
        reason = options["reason"]
        person = User.objects.named(options["login_id"]).first()
        if person is None:
            raise CommandError(f"{options['login_id']} is nobody here", returncode=2)
        if decides:
            self._decide(person, options, actor=actor)
            return
        lost = options["second_factor_lost"]
        asked = staff_recovery.request(person, actor=actor, reason=reason, second_factor_lost=lost)
        self.say(
            f"It waits for a second person: add --agree --digest {asked.digest[:SHOWN_MIN]}.",
            subject=asked.subject,
            digest=asked.digest,
        )

    def _decide(self, person: User, options: dict[str, Any], *, actor: Actor) -> None:
        digest, reason = self._digest(person, options), options["reason"]
        if options["reject"]:
            staff_recovery.reject(person, actor=actor, digest=digest, reason=reason)
            self.say("It is rejected, and nothing has changed.")
            return
        link = staff_recovery.agree(person, actor=actor, digest=digest, reason=reason)
        url = settings.SITE_URL + reverse("recovery:open", args=[links.token(link)])
        self.say(f"Hand this over in person, within 15 minutes: {url}", link=url)

    def _digest(self, person: User, options: dict[str, Any]) -> str:
        """Returns the digest of the open request, which is the one that the person was shown."""
        asked = staff_recovery.waiting(person)
        if asked is None:
            raise NothingToDecide(subject=person.login_id)
        approvals.refuse_another(asked, shown=self.shown_digest(options))
        return asked.digest
