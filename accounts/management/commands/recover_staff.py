"""`manage.py recover_staff LOGIN`: one colleague asks, a second agrees and gets the link."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from accounts.models import User
from accounts.recovery import links, staff_recovery
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Let a colleague choose a new password. Asks; with --agree, a second person agrees."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("login_id", help="whose password is lost")
        parser.add_argument("--agree", action="store_true", help="agree, and print the link")

    def act(self, options: dict[str, Any]) -> None:
        actor = self.proven_actor(options) if options["agree"] else self.actor(options)
        reason = options["reason"]
        person = User.objects.filter(login_id=options["login_id"].lower()).first()
        if person is None:
            raise CommandError(f"{options['login_id']} is nobody here", returncode=2)
        if options["agree"]:
            link = staff_recovery.agree(person, actor=actor, reason=reason)
            url = settings.SITE_URL + reverse("recovery:open", args=[links.token(link)])
            self.say(f"Hand this over in person, within 15 minutes: {url}", link=url)
        else:
            asked = staff_recovery.request(person, actor=actor, reason=reason)
            self.say("It waits for a second person: add --agree.", subject=asked.subject)
