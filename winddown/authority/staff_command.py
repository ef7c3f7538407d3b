"""What all commands share: who acts, how a refusal is printed, JSON, and exit codes."""

from __future__ import annotations

import datetime as dt
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from getpass import getpass
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone, translation

from winddown import card_numbers, clock, money, texts
from winddown.authority.role_words import missing
from winddown.errors import NotPermitted, WinddownError
from winddown.models import Approval, Programme
from winddown.registries import Registry
from winddown.terminal import RecordedCommand

PROOFS: Registry[Callable[[Any, str], None]] = Registry(
    "proofs of the person",
    entries_are="raises when what was typed does not prove that the person of --by is there",
    owner=__name__,
)

REFUSED: Registry[Callable[[WinddownError, Any], None]] = Registry(
    "what hears of refusals",
    entries_are="is told what the person of --by was refused, after it was rolled back",
    owner=__name__,
)


# A person who decides types at least so many digits of the digest that was shown.
# A maker who may choose the content finds two with the same twelve digits in an afternoon.
SHOWN_MIN = 32


class StaffCommand(RecordedCommand):
    """A command that a named member of staff runs: exit code 0 done, 1 refused, 2 not understood."""

    family: ClassVar[str] = "Commands that a member of staff signs for"
    exits: ClassVar[dict[int, str]] = {0: "done", 1: "refused", 2: "not understood"}
    _person: Any

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", metavar="LOGIN", help="the member of staff who answers for it")
        parser.add_argument("--reason", default="", help="why, for the audit journal")
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object instead of sentences"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = bool(options["json"])
        given = {name: _storable(value) for name, value in options.items()}
        if given != options:
            self.stderr.write("What could not be read of the arguments was replaced by \ufffd.")
        options = given
        self._person = None
        try:
            with timezone.override(_zone()):
                self.act(options)
        except WinddownError as refusal:
            if self._person is not None:
                for note in REFUSED.values():
                    note(refusal, self._person)
            # Commands speak English, also where a fact is a text of the pages.
            with translation.override("en"):
                facts = {name: str(fact) for name, fact in refusal.facts.items()}
                self.say(_said(refusal, self._person), refused=refusal.code, **facts)
            raise SystemExit(refusal.exit_code) from refusal

    def act(self, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def actor(self, options: dict[str, Any], *, reason_needed: bool = True) -> Any:
        """Returns the person named by --by, who must be active staff. --reason must say something."""
        if not options["by"]:
            raise CommandError(
                "--by is missing: name the member of staff who answers for this", returncode=2
            )
        if reason_needed and texts.is_blank(options["reason"]):
            raise CommandError("--reason is missing: the audit journal needs it", returncode=2)
        if card_numbers.told_in(options["reason"] or ""):
            raise CommandError(
                "--reason has a card number: write only its last four digits", returncode=2
            )
        person = (
            get_user_model()
            .objects.filter(login_id=options["by"].lower(), kind="staff", is_active=True)
            .first()
        )
        if person is None:
            raise CommandError(f"--by: {unknown_member(options['by'])}", returncode=2)
        self._person = person
        return person

    def proven_actor(self, options: dict[str, Any]) -> Any:
        """Returns the person named by --by, who has proved to be there. A rehearsal asks for no
        proof.

        The code is typed at the terminal, or is the next line of the standard input. It is never an
        argument, because every account of the machine can read those.
        """
        person = self.actor(options)
        if not clock.is_rehearsal():
            if not PROOFS.names():
                raise CommandError("nothing here can prove who somebody is", returncode=1)
            code = typed_line(f"Code of {person.login_id}: ")
            for prove in PROOFS.values():
                prove(person, code)
        return person

    def shown_digest(self, options: dict[str, Any]) -> str:
        """Returns the digits of --digest, which are enough to name what the person was shown."""
        shown = str(options["digest"] or "")
        if len(shown) < SHOWN_MIN:
            raise CommandError(
                f"--digest is missing or short: give at least the first {SHOWN_MIN} digits of what"
                " you were shown",
                returncode=2,
            )
        return shown

    def say_awaited(self, sentence: str, asked: Approval, **facts: Any) -> None:
        """Prints the sentence, and the command by which a second person decides."""
        self.say(
            f"{sentence} A second person decides: manage.py approve {asked.subject}"
            f" --digest {asked.digest[:SHOWN_MIN]} --by LOGIN --reason WHY",
            subject=asked.subject,
            digest=asked.digest,
            **facts,
        )

    def say(self, sentence: str, **facts: Any) -> None:
        """Prints one sentence for people, or the facts as JSON."""
        if self.as_json:
            self.stdout.write(
                json.dumps(
                    {"message": sentence, **facts}, cls=DjangoJSONEncoder, ensure_ascii=False
                )
            )
        else:
            self.stdout.write(texts.printable(sentence))


def _said(refusal: WinddownError, person: Any) -> str:
    """Returns the refusal as a command prints it: the person by login, a right and its roles by
    their names.
    """
    login = "" if person is None else person.login_id
    facts = dict(refusal.facts)
    if login and facts.get("actor") == person.pk:
        facts["actor"] = login
    if isinstance(refusal, NotPermitted):
        may_not = f"{facts['actor']} may not {facts['action'] or 'do this'}."
        known = (
            f" `manage.py who_can --person {login}` prints what {login} may do." if login else ""
        )
        return f"{may_not} {missing(str(facts['permission']))}{known}"
    return refusal.sentence(**facts)


def unknown_member(login: str) -> str:
    """Returns the sentence about a login that no active member of staff has."""
    known = get_user_model().objects.filter(kind="staff", is_active=True)
    near = texts.nearest(login, known.order_by("login_id").values_list("login_id", flat=True))
    hint = f" Did you mean {near}?" if near else ""
    return f"{login} is not an active member of staff.{hint}"


def shown(at: dt.datetime) -> str:
    """Returns the instant as a command prints it: in the programme's zone, with its name."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}"


def shown_amount(minor: int) -> str:
    """Returns the amount as a command prints it: "JPY 12,345", in the programme's currency."""
    return money.spoken(minor, currency=Programme.current().currency, locale="en")


def _zone() -> dt.tzinfo:
    """Returns the programme's zone, and UTC before there is a programme."""
    programme = Programme.objects.filter(pk=1).first()
    return programme.zone if programme else dt.UTC


def _storable(value: Any) -> Any:
    """Returns the option with its text made storable. A path still names its file."""
    if isinstance(value, str):
        return texts.storable(value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    return value


def typed_line(prompt: str) -> str:
    """Returns the line that was typed, which the terminal does not show."""
    return getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().strip()
