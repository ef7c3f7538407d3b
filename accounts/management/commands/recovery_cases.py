"""`manage.py recovery_cases`: list the assisted cases, and work them, as the console does."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import translation

from accounts.models import ProofStep, RecoveryCase
from accounts.recovery import case_page, cases
from winddown.authority.staff_command import StaffCommand, shown


class Command(StaffCommand):
    help = "List assisted recovery cases; take, prove, propose or decline one. Decide: approve."
    examples = (
        "recovery_cases --list --by hana",
        'recovery_cases R-1001 --take --by hana --reason "next in line"',
        'recovery_cases R-1001 --proof call_back --note "the number on file" --by hana',
        'recovery_cases R-1001 --contact --by hana --reason "we call back"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("reference", nargs="?", help="the case's reference")
        todo = parser.add_mutually_exclusive_group(required=True)
        todo.add_argument("--list", action="store_true", help="open cases, the oldest first")
        todo.add_argument(
            "--contact",
            action="store_true",
            help="show what the person wrote in full; the auditor sees who did so",
        )
        todo.add_argument("--take", action="store_true", help="begin to collect proofs")
        todo.add_argument("--proof", choices=ProofStep.Kind.values, help="record one; see --note")
        todo.add_argument("--propose", metavar="ACCOUNT", help="login id or account reference")
        todo.add_argument(
            "--decline", choices=RecoveryCase.Rejection.values, help="end it with this reason"
        )
        parser.add_argument(
            "--second-factor-lost",
            action="store_true",
            help="with --propose: app, passkeys and recovery codes are removed",
        )
        parser.add_argument("--note", default="", help="what was seen, not the data itself")

    def act(self, options: dict[str, Any]) -> None:
        if options["list"]:
            for each in RecoveryCase.objects.exclude(state__in=RecoveryCase.ENDED).order_by("pk"):
                self.say(
                    f"{each.reference} {each.state} since {shown(each.opened_at)}",
                    reference=each.reference,
                    state=each.state,
                )
            return
        case = cases.of_reference(options["reference"] or "")
        if case is None:
            raise CommandError("name a case by its reference", returncode=2)
        if options["contact"]:
            self._tell_contact(case, options)
            return
        self._work(case, options)
        case.refresh_from_db(fields=["state"])
        self.say(f"{case.reference} is {case.state}.", reference=case.reference, state=case.state)

    def _tell_contact(self, case: RecoveryCase, options: dict[str, Any]) -> None:
        found = cases.disclose_contact(
            case, actor=self.proven_actor(options), reason=options["reason"]
        )
        with translation.override("en"):
            facts = [f"{fact.title}: {fact.value}" for fact in case_page.contact_facts(found)]
        self.say(f"{case.reference}: {'; '.join(facts)}", reference=case.reference)

    def _work(self, case: RecoveryCase, options: dict[str, Any]) -> None:
        kind, reason = options["proof"], options["reason"]
        actor = self.actor(options, reason_needed=not kind)
        if options["take"]:
            cases.take(case, actor=actor, reason=reason)
        elif kind:
            if not options["note"]:
                raise CommandError("--note is missing: say what was seen", returncode=2)
            cases.add_proof(case, kind=kind, note=options["note"], actor=actor)
        elif options["propose"]:
            cases.propose(
                case,
                account=options["propose"],
                actor=actor,
                reason=reason,
                second_factor_lost=options["second_factor_lost"],
            )
        else:
            cases.decline(case, code=options["decline"], actor=actor, reason=reason)
