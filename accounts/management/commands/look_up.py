"""`manage.py look_up`: an account or wallet without personal data, or a customer's contact in full."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.conf import settings
from django.utils import translation

from accounts import look_up
from accounts.models import User
from winddown import words
from winddown.actors import Actor
from winddown.authority.staff_command import StaffCommand, shown, shown_amount, typed_line
from winddown.site import look_up_page
from winddown.site.panels import Card, Fact


class Command(StaffCommand):
    help = (
        "Look an account or wallet up. The text is the next line of the standard input, never an"
        " argument, as it may be a person's address."
    )
    examples = (
        'look_up --by hana --reason "the customer calls"',
        'look_up --contact --by hana --reason "we call back"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--contact",
            action="store_true",
            help="show the customer's name and addresses in full; the auditor sees who did so",
        )

    def act(self, options: dict[str, Any]) -> None:
        import_module(settings.ROOT_URLCONF)  # imports the modules that add finders
        in_full, reason = options["contact"], options["reason"]
        actor = self.proven_actor(options) if in_full else self.actor(options)
        text = typed_line("Account or wallet: ")
        # What a card holds is made in the language of the moment.
        with translation.override("en"):
            self._look(text, in_full, actor=actor, reason=reason)

    def _look(self, text: str, in_full: bool, *, actor: Actor, reason: str) -> None:
        found = look_up_page.disclose_found(text, actor=actor, reason=reason)
        if not found:
            self.say("There is no such account or wallet.", found=[])
            raise SystemExit(2)
        if not in_full:
            cards = look_up_page.disclose_cards(found, actor=actor, reason=reason)
            self._say(cards)
            return
        number = found[0].subject.partition(":")[2]
        account = User.objects.filter(pk=number).first() if len(found) == 1 else None
        if account is None or not found[0].subject.startswith("account:"):
            self.say("Name one account.", found=[card.subject for card in found])
            raise SystemExit(2)
        facts = look_up.disclose_contact(account, actor=actor, reason=reason)
        self.say(_sentence(found[0].subject, facts), subject=found[0].subject)

    def _say(self, cards: list[Card]) -> None:
        told = "\n".join(_sentence(card.subject, [*card.facts, *_listed(card)]) for card in cards)
        self.say(told, found=[card.subject for card in cards])


def _listed(card: Card) -> list[Fact]:
    """Returns the card's lists: of each row its state, reference and time."""
    return [
        Fact(row.subject, f"{words.state_word(row.machine, row.state).word}, {row.at:%Y-%m-%d}")
        for listed in card.lists
        for row in listed.rows
    ]


def _sentence(subject: str, facts: list[Fact]) -> str:
    return f"{subject}: " + "; ".join(f"{fact.title}: {_said(fact)}" for fact in facts)


def _said(fact: Fact) -> str:
    if isinstance(fact.value, dt.datetime):
        return shown(fact.value)
    return shown_amount(fact.value) if fact.kind == "amount" else str(fact.value)
