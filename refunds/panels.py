"""The panels of refunds: lines of the money table, and how far a customer's refund has come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from refunds.applications import standing, status
from refunds.claims import holding
from refunds.closing import buckets, closing_page, document_words, other_end_page
from refunds.closing.buckets import REFUNDS
from refunds.models import (
    BankFile,
    Entitlement,
    FraudClaim,
    RefundApplication,
    RuleHit,
    Voucher,
)
from refunds.payouts import break_kinds, forecast, view_lists
from refunds.payouts.methods import METHODS, costs
from refunds.payouts.payment_block_acts import KINDS
from wallets.models import LedgerAccount, Wallet
from winddown import words
from winddown.actors import Actor
from winddown.site import panels
from winddown.site.panels import LEFT, OUT, Change, Panel, Totals, money_line
from winddown.words import StateWord

words.REFUSALS.add_all(
    {
        "PayeeRefused": _("The account cannot be used: {why}"),
        "CannotOpen": _("The pack does not open: {why}"),
        "NothingOwed": _("No refund is owed here, or it is not open for an application."),
        "AlreadyApplied": _("The refund was applied for already."),
        "AmountDiffers": _("The amount that was confirmed is not the amount owed."),
        "MethodRefused": _("The amount cannot be paid in this way: {why}"),
        "AddressRefused": _("The postal address cannot be used: {why}"),
        "EndedElsewhere": _(
            "Another institution has the amount: ask {institution}, {contact}. Number: {reference}."
        ),
        "WindowOver": _("The time for applications ended at {at}. A late claim needs a reason."),
        "NoRoute": _("No route to the money is left for this loss."),
        "RemedyTaken": _("The loss is being made good already: nothing is made good twice."),
    }
)

# --- the money table ----------------------------------------------------------------------------


def _of_refunds(account: LedgerAccount, *, sign: int) -> Callable[[Totals], int]:
    def amount(totals: Totals) -> int:
        return sign * totals.posted(accounts=(account,), kinds=REFUNDS)

    return amount


money_line(
    "refunded",
    _("Refunds paid, shown by the bank"),
    part=OUT,
    order=50,
    amount=_of_refunds(LedgerAccount.BANK, sign=-1),
)
money_line(
    "unclaimed",
    _("Excluded, unclaimed"),
    part=OUT,
    order=60,
    amount=_of_refunds(LedgerAccount.UNCLAIMED, sign=-1),
)
money_line(
    "refunds_owed",
    _("Refunds still owed"),
    part=LEFT,
    order=30,
    amount=_of_refunds(LedgerAccount.REFUNDS_PAYABLE, sign=1),
)
money_line(
    "refunds_in_flight",
    _("Refunds in preparation or on their way"),
    part=LEFT,
    order=40,
    amount=_of_refunds(LedgerAccount.PAYOUTS_IN_FLIGHT, sign=1),
)


# --- the programme's page ------------------------------------------------------------------------


@panels.PAGE_PANELS.entry("programme/forecast")
def _forecast(reader: Actor) -> Panel:
    """Returns when the refunds will be finished. Every reader of the page sees it."""
    template = "refunds/_forecast.html"
    if not Entitlement.objects.exists():
        return Panel(template)
    seen = forecast.forecast()
    titles = {
        "app": gettext("Applied in the app"),
        "web": gettext("Applied on the web"),
        "paper": gettext("Applied on paper"),
        "phone": gettext("Applied by telephone"),
    }
    ranges = [(titles[name], found) for name, found in seen.routes.items()]
    return Panel(template, {"forecast": seen, "ranges": [*ranges, (gettext("All"), seen.whole)]})


@panels.PAGE_PANELS.entry("programme/straight_through")
def _straight_through(reader: Actor) -> Panel:
    """Returns the newest payout view. Every reader of the page sees its shares."""
    opens = reader.has_perm(view_lists.PERMISSION)
    return Panel("refunds/_newest_view.html", {"view": view_lists.newest(), "opens": opens})


@panels.PAGE_PANELS.entry("programme/payout_methods")
def _payout_methods(reader: Actor) -> Panel:
    """Returns what it would cost to pay by each method. Every reader of the page sees it."""
    return Panel("refunds/_payout_methods.html", {"costs": costs.of_all_owed()})


# --- the customer's page ------------------------------------------------------------------------

State = Entitlement.State


_DRAFT_ENDED = _("The time for applications ended before you sent what you had begun to write.")


@panels.HOME_PANELS.entry("entitlement", place=5)
def entitlement(customer: User) -> Panel | None:
    """Returns what the customer is owed, what to do about it by when, and how far the refund has
    come, part by part. It is None while nothing can be done and nothing is owed.
    """
    can = standing.of(customer)
    refunds = []
    for owed in Entitlement.objects.filter(wallet__account=customer).order_by("part"):
        application = RefundApplication.objects.filter(entitlement=owed).order_by("pk").last()
        refunds.append(
            {
                "entitlement": owed,
                "application": application,
                "status": status.of(owed, application=application, payee=can.payee),
                "can": can if can.owed == owed and can.is_form else None,
                "draft_ended": _DRAFT_ENDED if _draft_ended(application) else "",
            }
        )
    if refunds or can.is_form:
        return Panel("refunds/_entitlement.html", {"refunds": refunds, "can": can})
    return None


@panels.HOME_PANELS.entry("vouchers", place=21)
def vouchers_of(customer: User) -> Panel | None:
    """Returns the postal orders and codes that the customer can cash; None without any."""
    found = Voucher.objects.filter(payout__holder=customer, state__in=Voucher.OUT)
    rows = list(found.select_related("payout").order_by("pk"))
    return Panel("refunds/_vouchers.html", {"vouchers": rows}) if rows else None


@panels.HOME_PANELS.entry("statement", place=85)
def statement(customer: User) -> Panel | None:
    """Leads to the customer's statement, which outlives the service; None without a wallet."""
    has_wallet = Wallet.objects.filter(account=customer).exists()
    return Panel("refunds/_statement_link.html") if has_wallet else None


def _draft_ended(application: RefundApplication | None) -> bool:
    """The last application was never sent, and the end of the window ended it."""
    return (
        application is not None
        and application.state == RefundApplication.State.WITHDRAWN
        and application.submitted_at is None
    )


# --- the attack page ----------------------------------------------------------------------------

CANDIDATES_SHOWN = 20


@panels.PAGE_PANELS.entry("attack/candidate_claims", place=10)
def candidate_claims(reader: Actor) -> Panel:
    """Returns the claims that wait for an analyst, each with the rules that hit, and how many
    wallets are only suspected."""
    rows = holding.candidates()
    by_rule = FraudClaim.objects.filter(channel=FraudClaim.Channel.RULE)
    return Panel(
        "refunds/_candidates.html",
        {
            "claims": list(rows.prefetch_related("hits__rule")[:CANDIDATES_SHOWN]),
            "total": rows.count(),
            "suspicions": RuleHit.objects.filter(claim=None).values("wallet").distinct().count(),
            "confirmed": by_rule.filter(confirmed_at__isnull=False).count(),
            "rejected": by_rule.filter(rejected_at__isnull=False).count(),
            "may_hold": reader.has_perm("wallets.hold_wallet"),
        },
    )


for _prefix, _title in (
    ("payee", _("Payee")),
    ("forgotten", _("Payouts of a forgotten file, to be paid again")),
    ("entitlement", _("Release of a held refund")),
    ("claim", _("Fraud claim")),
    ("claim_decision", _("Decision about fraud claims")),
    ("ask_list", _("List of requests to a card issuer")),
    ("issuer_action", _("Request to a card issuer")),
    ("chargeback", _("Chargeback")),
):
    panels.name_subjects(_prefix, _title)


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
        "reissued": StateWord(_("Expired, replaced"), "off"),
        "voided": StateWord(pgettext_lazy("voucher", "Void"), "off"),
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
        "withdrawn": StateWord(pgettext_lazy("payout wave", "Withdrawn"), "off"),
    },
)
words.STATES.add(
    "break",
    {
        "open": StateWord(pgettext_lazy("break", "Open"), "bad"),
        "resolved": StateWord(pgettext_lazy("break", "Cleared"), "off"),
    },
)


@panels.CONTENTS.entry("claim_decision")
def _claims_content(listed: dict[str, Any]) -> list[Change]:
    losses = listed["claims"].values()
    return [
        Change(_("Losses of the claims"), sum(losses), is_amount=True),
        Change(_("Claims"), len(losses)),
    ]


@panels.CONTENTS.entry("ask_list")
def _requests_content(listed: dict[str, Any]) -> list[Change]:
    asked = listed["actions"].values()
    return [
        Change(
            _("Sum of the requests"), sum(int(amount) for _kind, amount in asked), is_amount=True
        ),
        Change(_("Requests to issuers"), len(asked)),
    ]


@panels.CONTENTS.entry("forgotten")
def _forgotten_content(listed: dict[str, Any]) -> list[Change]:
    """Returns the sum that may be paid again. A payout may be in several files."""
    amounts = {payout: amount for _name, payout, _owed, _remedy, amount in listed["lines"]}
    return [
        Change(_("Sum that may be paid again"), sum(amounts.values()), is_amount=True),
        Change(_("Payouts"), len(amounts)),
    ]


@panels.CONTENTS.entry("payment_block")
def _block_content(listed: dict[str, Any]) -> list[Change]:
    return [
        Change(
            format_lazy(_("{list}: number of the account"), list=KINDS[listed["kind"]]),
            listed["holder"],
        )
    ]


@panels.SUBJECTS.entry("application")
def _application_subject(subject: str) -> panels.SubjectPage:
    number = subject.split(":")[1]
    return panels.SubjectPage(
        title=format_lazy("{} {}", _("Refund application"), number),
        url=reverse("console:application", args=[number]),
    )


@panels.CONTENTS.entry("application")
def _application_content(listed: dict[str, Any]) -> list[Change]:
    return [Change(_("Amount"), listed["amount_minor"], is_amount=True)]


@panels.CONTENTS.entry("entitlement")
def _release_content(listed: dict[str, Any]) -> list[Change]:
    return [Change(_("Amount"), listed["amount_minor"], is_amount=True)]


@panels.SUBJECTS.entry("payment_block")
def _block_subject(subject: str) -> panels.SubjectPage:
    number = subject.split(":")[1]
    lifts = ":lift:" in subject
    title = _("Lifting of payment block {number}") if lifts else _("Payment block {number}")
    return panels.SubjectPage(
        title=format_lazy(title, number=number), url=reverse("console:payment_blocks")
    )


@panels.SUBJECTS.entry("closing_proof")
def _proof_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=format_lazy(_("Closing proof {number}"), number=subject.split(":")[1]),
        url=reverse("console:closing"),
    )


@panels.CONTENTS.entry("closing_proof")
def _proof_content(listed: dict[str, Any]) -> list[Change]:
    """Returns the sum of all wallets, then how many ended in each bucket."""
    return [
        Change(
            _("Sealed at the close"), buckets.total(listed["buckets"], "sealed"), is_amount=True
        ),
        *(
            Change(closing_page.BUCKETS[name], bucket["wallets"])
            for name, bucket in listed["buckets"].items()
        ),
    ]


@panels.SUBJECTS.entry("other_end")
def _other_end_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=format_lazy(
            _("List of refunds that end otherwise {number}"), number=subject.split(":")[1]
        ),
        url=reverse("console:other_ends"),
    )


@panels.CONTENTS.entry("other_end")
def _other_end_content(listed: dict[str, Any]) -> list[Change]:
    return [
        Change(other_end_page.KINDS[listed["kind"]], listed["total_minor"], is_amount=True),
        Change(_("Refunds"), listed["items"]),
    ]


@panels.SUBJECTS.entry("closing_document")
def _document_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=format_lazy(_("Document of the end {number}"), number=subject.split(":")[1]),
        url=reverse("console:closing"),
    )


@panels.CONTENTS.entry("closing_document")
def _document_content(listed: dict[str, Any]) -> list[Change]:
    if listed["amount_minor"] is None:
        return []
    return [Change(document_words.KINDS[listed["kind"]], listed["amount_minor"], is_amount=True)]


words.STATES.add(
    "closing_document",
    {
        "waiting": StateWord(_("Waiting for approval"), "wait"),
        "confirmed": StateWord(pgettext_lazy("closing document", "Confirmed"), "on"),
        "rejected": StateWord(pgettext_lazy("closing document", "Rejected"), "off"),
    },
)
words.STATES.add(
    "closing_proof",
    {
        "waiting": StateWord(_("Waiting for approval"), "wait"),
        "confirmed": StateWord(pgettext_lazy("closing proof", "Confirmed"), "on"),
        "overtaken": StateWord(pgettext_lazy("closing proof", "Something moved since"), "bad"),
        "rejected": StateWord(pgettext_lazy("closing proof", "Rejected"), "off"),
    },
)
words.STATES.add(
    "payment_block",
    {
        "in_force": StateWord(pgettext_lazy("payment block", "In force"), "wait"),
        "over": StateWord(pgettext_lazy("payment block", "Over"), "off"),
        "lifted": StateWord(pgettext_lazy("payment block", "Lifted"), "off"),
    },
)


@panels.SUBJECTS.entry("restore")
def restored(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=_("Files of a restored database"), url=reverse("console:restored")
    )


words.STATES.add(
    "reminder",
    {
        "email": StateWord(_("E-mail"), "idle"),
        "phone": StateWord(_("Text message"), "idle"),
        "letter": StateWord(_("Letter"), "idle"),
    },
)
words.STATES.add(
    "tracing_effort",
    {
        "reached": StateWord(pgettext_lazy("tracing effort", "Reached"), "on"),
        "not_reached": StateWord(_("Not reached"), "off"),
        "new_address": StateWord(_("New address found"), "run"),
        "unknown": StateWord(_("No answer yet"), "idle"),
    },
)
words.STATES.add(
    "refund_application",
    {
        "draft": StateWord(_("Draft"), "idle"),
        "submitted": StateWord(pgettext_lazy("application", "Received"), "wait"),
        "identity_check": StateWord(_("Identity to be checked"), "wait"),
        "needs_info": StateWord(_("Waiting for the customer"), "wait"),
        "verified": StateWord(_("Amount to be confirmed"), "wait"),
        "amount_confirmed": StateWord(_("To be decided by two people"), "wait"),
        "approved": StateWord(_("Accepted"), "run"),
        "closed": StateWord(_("Paid"), "on"),
        "rejected": StateWord(_("Rejected"), "bad"),
        "withdrawn": StateWord(_("Withdrawn"), "off"),
    },
)
words.STATES.add(
    "payee",
    {
        "entered": StateWord(_("Not asked about yet"), "wait"),
        "asked": StateWord(_("Bank asked"), "wait"),
        "matched": StateWord(_("Known to the bank"), "on"),
        "refused": StateWord(_("Refused by the bank"), "bad"),
        "overridden": StateWord(_("Accepted by two people"), "on"),
    },
)
words.STATES.add(
    "entitlement",
    {
        State.COMPUTED: StateWord(_("Not applied for"), "wait"),
        State.NOTIFIED: StateWord(_("Not applied for"), "wait"),
        State.APPLIED: StateWord(_("Being checked"), "run"),
        State.APPROVED: StateWord(_("Accepted, not sent yet"), "run"),
        State.PAYING: StateWord(_("Transfer under way"), "run"),
        State.PAID: StateWord(_("Arrived"), "on"),
        State.RETURNED: StateWord(_("Returned by the bank"), "bad"),
        State.EXCLUDED: StateWord(_("Not claimed in time"), "off"),
        State.LATE_APPROVED: StateWord(_("Accepted late"), "run"),
        State.HELD: StateWord(_("Being checked"), "wait"),
        State.TRANSFERRED: StateWord(_("Transferred"), "on"),
        State.DEPOSITED: StateWord(_("Deposited with the authority"), "on"),
    },
)
words.STEPS.add_all(
    {
        "entitle_freed_parts": _("Entitle what holds set free"),
        "settle_empty_wallets": _("Settle empty wallets"),
        "entitle_wallets": _("Entitle the holders"),
        "entitle_held_wallets": _("Entitle holders on hold"),
        "book_refunds": _("Book refunds"),
        "book_compensations": _("Book compensations"),
        "book_vouchers": _("Book postal orders and codes"),
        "check_payees": _("Check payees"),
        "check_vouchers": _("Check postal orders and codes that waited"),
        "fill_batches": _("Fill payout batches"),
        "seal_batches": _("Seal payout batches"),
        "exclude_unclaimed": _("Exclude what nobody claimed"),
    }
)
words.PLAN_LINES.add_all(
    {
        "entitled": _("Wallets with paid value"),
        "held": _("Wallets on hold"),
        "freed": _("Wallets of which a hold set a part free"),
        "empty": _("Empty wallets"),
        "bonus_expiring": _("Bonus value that ends"),
        "wallets_with_active_holds": _("Wallets with active holds"),
        "snapshot": _("Sealed snapshot"),
        "part": _("Part of the refund"),
        "value_date": _("Value date"),
        "approved_until": _("Applications approved until"),
        "wave": _("Payout wave"),
        "applied_before": _("Applications received before"),
        "planned_at": _("Planned at"),
        "refunds": _("Refunds"),
        "compensations": _("Compensations"),
        "waiting_payouts": _("Payouts that waited"),
        "vouchers": _("Postal orders and codes"),
        "waiting_vouchers": _("Postal orders and codes that waited"),
        "notice_undeliverable": _("Holders whose notice did not arrive"),
        "open_hold": _("Holders with value on hold"),
        "payment_blocked": _("Holders who are paid nothing at present"),
        "not_traced": _("Holders who were not traced enough"),
        "in_process_returned_or_held": _("In process, returned or held"),
        "excluded": _("Unclaimed entitlements"),
        "unclaimed": _("Unclaimed entitlements"),
        "refunds_digest": _("Digest of the refunds"),
        "compensations_digest": _("Digest of the compensations"),
        "waiting_payouts_digest": _("Digest of the payouts that waited"),
        "vouchers_digest": _("Digest of the postal orders and codes"),
        "waiting_vouchers_digest": _("Digest of the postal orders and codes that waited"),
    }
)
words.PLAN_LINES_OF.add(
    "cost_",
    lambda code: format_lazy(_("Cost to the operator: {method}"), method=METHODS[code].label),
)
