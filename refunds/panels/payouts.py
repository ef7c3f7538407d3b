"""Payouts and the bank's answers: the pages of what is to be approved, and words of states."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import BankFile
from refunds.payouts import break_kinds
from winddown import words
from winddown.site import panels
from winddown.site.panels import Change
from winddown.words import StateWord

panels.name_subjects("forgotten", _("Payouts of a forgotten file, to be paid again"))


@panels.CONTENTS.entry("payout_batch")
def _batch_content(file: dict[str, Any]) -> list[Change]:
    return [
        Change(_("Sum of the file"), file["total_minor"], is_amount=True),
        Change(_("Transfers"), file["items"]),
    ]


@panels.SUBJECTS.entry("payout_wave")
def _wave_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(title=_("Payout wave"), url=reverse("console:waves"))


@panels.CONTENTS.entry("payout_wave")
def _wave_content(days: dict[str, Any]) -> list[Change]:
    return [
        Change(
            format_lazy(
                _("Record date {record_on}, cut-off {cut_off_on}, payment {pay_on}: days closed"),
                **{name: days[name] for name in ("record_on", "cut_off_on", "pay_on")},
            ),
            days["payees_close_days"],
        )
    ]


@panels.CONTENTS.entry("payout_lines")
def _lines_content(asked: dict[str, Any]) -> list[Change]:
    return [
        Change(_("Sum of the new file"), asked["total_left_minor"], is_amount=True),
        Change(_("Transfers of the new file"), asked["items_left"]),
        Change(
            format_lazy(
                _("Payouts that are taken out ({numbers})"),
                numbers=", ".join(map(str, asked["payouts"])),
            ),
            len(asked["payouts"]),
        ),
    ]


@panels.SUBJECTS.entry("payout_lines")
def _lines_subject(subject: str) -> panels.SubjectPage:
    number = subject.split(":")[1]
    return panels.SubjectPage(
        title=format_lazy(_("Payouts taken out of payout batch {number}"), number=number),
        url=reverse("console:payout", args=[number]),
    )


@panels.CONTENTS.entry("break")
def _break_content(found: dict[str, Any]) -> list[Change]:
    return [
        Change(
            format_lazy(_("{kind}: what it was"), kind=break_kinds.KINDS[found["kind"]]),
            found["explanation"],
        )
    ]


@panels.SUBJECTS.entry("payout_batch")
def _batch_subject(subject: str) -> panels.SubjectPage:
    """Returns the page of the batch, also for a request to end it otherwise than by its results."""
    _kind, number, *end = subject.split(":")
    title = _ENDS[end[0]] if end else _("Payout batch {number}")
    return panels.SubjectPage(
        title=format_lazy(title, number=number), url=reverse("console:payout", args=[number])
    )


_ENDS = {
    "void": _("Voiding of payout batch {number}"),
    "refusal": _("Rejection of payout batch {number} by the bank"),
    "waiver": _("Closing of payout batch {number} with open payouts"),
}


@panels.SUBJECTS.entry("bank_file")
def _file_subject(subject: str) -> panels.SubjectPage:
    number = subject.split(":")[1]
    file = BankFile.objects.filter(pk=number).first()
    return panels.SubjectPage(
        title=format_lazy(_("Voiding of file {number} of the bank"), number=number),
        url=reverse("console:bank_answer", args=[file.sha256])
        if file
        else reverse("console:bank_answers"),
    )


@panels.CONTENTS.entry("bank_file")
def _file_content(file: dict[str, Any]) -> list[Change]:
    return [
        Change(_("Sum of the results that it told"), file["results_minor"], is_amount=True),
        Change(_("Results that it told"), file["results"]),
    ]


@panels.SUBJECTS.entry("break_match")
def _match_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=format_lazy(_("Match of break {number} with payouts"), number=subject.split(":")[1]),
        url=reverse("console:breaks"),
    )


@panels.CONTENTS.entry("break_match")
def _match_content(found: dict[str, Any]) -> list[Change]:
    return [
        Change(_("Amount"), found["amount_minor"], is_amount=True),
        Change(_("Breaks"), len(found["breaks"])),
        Change(
            _("Payouts that came back") if found["came_back"] else _("Payouts that arrived"),
            len(found["payouts"]),
        ),
    ]


@panels.CONTENTS.entry("breaks")
def _breaks_content(found: dict[str, Any]) -> list[Change]:
    return [
        Change(_("Sum of the lines"), found["sum_minor"], is_amount=True),
        Change(
            format_lazy(_("{kind}: breaks"), kind=break_kinds.KINDS[found["kind"]]),
            len(found["breaks"]),
        ),
    ]


@panels.SUBJECTS.entry("breaks")
def _breaks_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(title=_("Clearing of several breaks"), url=reverse("console:breaks"))


@panels.SUBJECTS.entry("break")
def _break_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=format_lazy(_("Clearing of break {number}"), number=subject.split(":")[1]),
        url=reverse("console:breaks"),
    )


words.STATES.add(
    "payout_batch",
    {
        "open": StateWord(_("Being filled"), "run"),
        "sealed": StateWord(_("Sealed"), "run"),
        "submitted_for_approval": StateWord(_("Waiting for approval"), "wait"),
        "approved": StateWord(pgettext_lazy("payout batch", "Approved"), "run"),
        "releasing": StateWord(_("Released, can still be stopped"), "wait"),
        "rejected": StateWord(pgettext_lazy("payout batch", "Rejected"), "off"),
        "exported": StateWord(_("File written, not sent"), "wait"),
        "transmitted": StateWord(_("Sent to the bank"), "run"),
        "bank_accepted": StateWord(_("Accepted by the bank"), "run"),
        "bank_rejected": StateWord(_("Rejected by the bank"), "bad"),
        "executed": StateWord(_("Carried out, no results yet"), "run"),
        "reconciling": StateWord(_("Results are coming in"), "run"),
        "reconciled": StateWord(_("All results are in"), "on"),
        "closed": StateWord(pgettext_lazy("payout batch", "Closed"), "idle"),
        "voided": StateWord(pgettext_lazy("payout batch", "Void"), "off"),
    },
)


words.STATES.add(
    "payout",
    {
        "ready": StateWord(_("Waits for a file"), "wait"),
        "checked": StateWord(_("Waits for a file"), "wait"),
        "batched": StateWord(_("In a file"), "run"),
        "exported": StateWord(_("In a file that was written"), "run"),
        "executed": StateWord(_("Carried out, no result yet"), "run"),
        "settled": StateWord(_("Arrived"), "on"),
        "returned": StateWord(_("Returned by the bank"), "bad"),
        "uncollectable": StateWord(_("Given up"), "off"),
        "recalled": StateWord(_("Recalled"), "off"),
        "cancelled": StateWord(_("Cancelled before it was sent"), "off"),
    },
)


words.STATES.add(
    "voucher",
    {
        "made": StateWord(_("In a list that is not sent"), "wait"),
        "issued": StateWord(_("Issued"), "run"),
        "notified": StateWord(_("Issued, holder told"), "run"),
        "cashed": StateWord(_("Cashed"), "on"),
        "expired": StateWord(_("Expired, not cashed"), "bad"),
        "reissued": StateWord(_("Expired, replaced"), "idle"),
        "voided": StateWord(pgettext_lazy("voucher", "Void"), "off"),
    },
)


words.STATES.add(
    "trace_case",
    {
        "open": StateWord(pgettext_lazy("trace", "Open"), "wait"),
        "closed": StateWord(pgettext_lazy("trace", "Closed"), "off"),
    },
)


words.STATES.add(
    "recall",
    {
        "requested": StateWord(_("Recall requested"), "wait"),
        "in_process": StateWord(_("The bank asks"), "run"),
        "done": StateWord(pgettext_lazy("recall", "Came back"), "on"),
        "failed": StateWord(_("Recall failed"), "bad"),
    },
)


words.STATES.add(
    "payout_wave",
    {
        "planned": StateWord(_("Planned"), "run"),
        "closed": StateWord(_("Accounts closed"), "wait"),
        "over": StateWord(pgettext_lazy("payout wave", "Over"), "idle"),
        "withdrawn": StateWord(pgettext_lazy("payout wave", "Withdrawn"), "idle"),
    },
)


words.STATES.add(
    "break",
    {
        "open": StateWord(pgettext_lazy("break", "Open"), "bad"),
        "resolved": StateWord(pgettext_lazy("break", "Cleared"), "on"),
    },
)


@panels.CONTENTS.entry("forgotten")
def _forgotten_content(listed: dict[str, Any]) -> list[Change]:
    """Returns the sum that may be paid again. A payout may be in several files."""
    amounts = {payout: amount for _name, payout, _owed, _remedy, amount in listed["lines"]}
    return [
        Change(_("Sum that may be paid again"), sum(amounts.values()), is_amount=True),
        Change(_("Payouts"), len(amounts)),
    ]


@panels.SUBJECTS.entry("restore")
def restored(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=_("Files of a restored database"), url=reverse("console:restored")
    )
