"""`manage.py alarms list|acknowledge|set-duty|end-duty`: the alarms, and where a role is reached."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.utils import translation

from winddown.alarms import sounding
from winddown.authority.staff_command import StaffCommand, shown
from winddown.authority.verb_command import VerbCommand
from winddown.models import Alarm, DutyAddress
from winddown.site.act_command import ActCommand
from winddown.site.alarm_acts import DUTY


class List(StaffCommand):
    help = "List the alarms that stand, the newest first, and the duty addresses of each role."
    examples = ("alarms list --by hana",)

    def act(self, options: dict[str, Any]) -> None:
        with translation.override("en"):
            for alarm in Alarm.objects.filter(state__in=Alarm.STANDING).order_by("-pk"):
                self.say(
                    f"{alarm.pk} {alarm.severity} {alarm.state} since {shown(alarm.raised_at)}"
                    f" ({alarm.role}): {alarm.sentences.get('en', '')}",
                    alarm=alarm.pk,
                    kind=alarm.code,
                    subject=alarm.subject,
                    state=alarm.state,
                )
            addresses = DutyAddress.objects.filter(ended_at=None).order_by("role", "channel")
            for address in addresses:
                self.say(f"{address.role}: {address.channel} to {address.shown}", role=address.role)
            if not addresses:
                self.say("No role has a duty address, so nobody is told of an alarm.")


class Acknowledge(StaffCommand):
    help = "Say that you look after an alarm: nobody is told of it again."
    examples = ('alarms acknowledge 3 --by hana --reason "I look after it"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", type=int, help="the number that `alarms list` prints")

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options)
        alarm = Alarm.objects.filter(pk=options["number"]).first()
        if alarm is None:
            raise CommandError(f"there is no alarm {options['number']}", returncode=2)
        sounding.acknowledge(alarm, actor=actor, reason=options["reason"])
        self.say(f"Alarm {alarm.pk} is acknowledged.", alarm=alarm.pk)


class SetDuty(ActCommand):
    help = (
        "Set where the alarms of a role go. Address and signing secret are typed, or are the next"
        " two lines of the standard input."
    )
    examples = (
        "alarms set-duty --role compliance --channel mail --language ja --by hana "
        '--reason "shift of July"',
    )
    acts = DUTY
    verb = "set"
    done = "The alarms of the role go there."


class EndDuty(ActCommand):
    help = "End a duty address of a role."
    examples = (
        'alarms end-duty --role compliance --channel mail --by hana --reason "the shift is over"',
    )
    acts = DUTY
    verb = "end"
    done = "The role has no address of this channel any more."


class Command(VerbCommand):
    help = "List and acknowledge the alarms, and set where each role is told of them."
    verbs: ClassVar[dict[str, type[StaffCommand]]] = {
        "list": List,
        "acknowledge": Acknowledge,
        "set-duty": SetDuty,
        "end-duty": EndDuty,
    }
