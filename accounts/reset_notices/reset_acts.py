"""What people do after a reset of all passwords, as one declaration for the page and a command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import carrier_files, outbox
from accounts.credentials import fencing
from accounts.models import CarrierFile, ResetNotice
from accounts.reset_notices import notice_files
from winddown import words
from winddown.actors import Actor
from winddown.errors import GuardNotMet
from winddown.models import Run
from winddown.runs import progress
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm, RowField
from winddown.words import Text

CHANNELS: dict[str, Text] = {
    ResetNotice.Channel.EMAIL: pgettext_lazy("notice", "Mail"),
    ResetNotice.Channel.PHONE: pgettext_lazy("notice", "Telephone"),
    ResetNotice.Channel.LETTER: pgettext_lazy("notice", "Letter"),
}


class ChannelForm(ReasonForm):
    channel = forms.ChoiceField(
        label=pgettext_lazy("notice", "Channel"), choices=list(CHANNELS.items())
    )


class FileForm(ReasonForm):
    number = RowField(
        CarrierFile,
        label=_("Number of the file"),
        missing=_("There is no file of this number."),
    )


def reset(*states: str) -> Run | None:
    """Returns the newest reset of all passwords in one of `states`."""
    found = Run.objects.filter(workflow=notice_files.WORKFLOW, state__in=states)
    return found.order_by("-pk").first()


def no_reset() -> Text:
    """Says that no reset has begun; empty once one has."""
    found = reset(*Run.State.values)
    return "" if found and found.as_of else _("No reset has begun.")


def _no_lift() -> Text:
    try:
        fencing.liftable()
    except GuardNotMet as refused:
        return words.refusal(refused)
    return ""


def _no_notices() -> Text:
    run = reset(*Run.STARTED)
    if run is None:
        return _("No reset has begun.")
    if any(notice_files.queued_for(run, channel).exists() for channel in CHANNELS):
        return ""
    return _("No notice waits for a carrier.")


def _no_messages() -> Text:
    return "" if outbox.owed_to_telephones().exists() else _("No message is owed to a telephone.")


def _hand_over(actor: Actor, given: dict[str, Any]) -> object:
    run = progress.latest(notice_files.WORKFLOW, states=Run.STARTED)
    return notice_files.hand_over(
        run, channel=given["channel"], actor=actor, reason=given["reason"]
    )


RESET: dict[str, Act] = {
    "lift": Act(
        title=pgettext_lazy("verb", "Ask to lift the credential fence"),
        effect=_(
            "The fence stands until a second person agrees. Then what customers had before is"
            " accepted again, and the run of the fence ends."
        ),
        permission="accounts.fence_credentials",
        do=lambda actor, given: fencing.request_lift(actor=actor, reason=given["reason"]),
        tone="danger",
        not_now=_no_lift,
    ),
    "notices": Act(
        title=pgettext_lazy("verb", "Hand notices over in a file"),
        effect=_(
            "The queued notices of the channel count as sent. Take the two files then: the messages"
            " with their codes, and their words. Letters are files of pages to print."
        ),
        permission=carrier_files.PERMISSION,
        form=ChannelForm,
        do=_hand_over,
        not_now=_no_notices,
    ),
    "messages": Act(
        title=pgettext_lazy("verb", "Put messages to telephones into a file"),
        effect=_(
            "The messages count as sent, and the time of their codes begins. Take the file at once."
        ),
        permission=carrier_files.PERMISSION,
        do=lambda actor, given: outbox.export_phone_messages(actor=actor, reason=given["reason"]),
        not_now=_no_messages,
    ),
    "again": Act(
        title=pgettext_lazy("verb", "Ask to take a file once more"),
        effect=_(
            "When a second person agrees, the file waits again. Ask only if it was lost on its way:"
            " a copy in other hands opens accounts."
        ),
        permission=carrier_files.PERMISSION,
        form=FileForm,
        do=lambda actor, given: carrier_files.ask_again(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
}


def _stored(name: str, pieces: Iterable[bytes]) -> HttpResponse:
    """Returns the file so that a browser only stores it."""
    return HttpResponse(
        pieces,
        content_type="application/octet-stream",
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )


def _take(actor: Actor, given: dict[str, Any]) -> HttpResponse:
    taken = carrier_files.take(given["number"], actor=actor, reason=given["reason"])
    return _stored(taken.name, carrier_files.content(taken))


def _unreachable(actor: Actor, given: dict[str, Any]) -> HttpResponse:
    run = progress.latest(notice_files.WORKFLOW, states=tuple(Run.State.values))
    listed = notice_files.export_unreachable(run, actor=actor, reason=given["reason"])
    return _stored(listed.name, listed.pieces)


# A command writes these into a directory; the browser saves them.
DOWNLOADS: dict[str, Act] = {
    "take": Act(
        title=pgettext_lazy("verb", "Take the file"),
        effect=_(
            "You have the file from now on, and nobody can take it a second time: its codes open"
            " accounts. Give it to the carrier and delete your copy."
        ),
        permission=carrier_files.PERMISSION,
        form=FileForm,
        do=_take,
        tone="danger",
    ),
    "unreachable": Act(
        title=pgettext_lazy("verb", "List the people without a channel"),
        effect=_("One line for each person, by the key of the core system alone."),
        permission=carrier_files.PERMISSION,
        do=_unreachable,
        not_now=no_reset,
    ),
}
