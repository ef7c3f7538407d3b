"""Who may be paid: one list of the reasons against it, and the queries that use the list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, TypeAlias

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.lookups import GreaterThan

from accounts.persons import counting
from refunds.models import (
    Branch,
    Entitlement,
    FraudClaim,
    Payee,
    PaymentBlock,
    Payout,
    RefundApplication,
    RefundTerms,
    Remedy,
    UnusualHit,
)
from refunds.payouts import forgotten, methods, refund_limits, unusual_rules
from refunds.remedies import doubts, own_funds
from winddown import clock
from winddown.models import Run

# An instant after everything. Without a plan, all that is known now counts.
_NO_END: Final = dt.datetime.max.replace(tzinfo=dt.UTC)

Condition: TypeAlias = Q | Exists | Combinable


class About(Enum):
    """What a reason is about, which decides what it can keep from being paid."""

    REFUND = auto()  # entitlements only
    WALLET = auto()  # entitlements, and payouts of them that wait for another batch
    PAYEE = auto()  # everything that is paid to a bank account
    HOLDER = auto()  # everything that is paid, by any method
    AMOUNT = auto()  # nothing by itself, but two people decide instead of the rules
    PERSON = auto()  # the same, by all that the accounts of one person are owed together


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The instants and limits that the reasons compare with. Later changes do not count."""

    until: dt.datetime
    channels_until: dt.datetime
    limits: RefundTerms
    applied_before: dt.datetime = _NO_END


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason not to pay, under the code that plans and applications carry.

    `applies` returns the condition for it. Its second argument is the lookup from the query's model
    to the row that the reason is about; it is empty for that row itself, and leads to the person for
    a reason about the holder. A reason that is not
    `counted` belongs to a later plan. One with `to_people` keeps the rules from approving an
    application. One that `passes` ends without staff: by time, by the rules, or by a bank's answer.
    """

    code: str
    sentence: str
    about: About
    applies: Callable[[Cutoff, str], Condition]
    counted: bool = True
    to_people: bool = False
    passes: bool = False


def _was_sent_before_a_restore(cutoff: Cutoff, refund: str) -> Condition:
    """A file that this database does not know pays it, and neither the bank nor two people gave it
    back.
    """
    return Q(**{f"{refund}pk__in": forgotten.entitlements()})


def _is_held(cutoff: Cutoff, refund: str) -> Condition:
    return Q(**{f"{refund}state": Entitlement.State.HELD})


def _approved_applications(refund: str) -> QuerySet[RefundApplication]:
    return RefundApplication.objects.filter(
        entitlement=OuterRef(f"{refund}pk"), live=True, state=RefundApplication.State.APPROVED
    )


def _is_decided_later(cutoff: Cutoff, refund: str) -> Condition:
    return Exists(_approved_applications(refund).filter(decided_at__gt=cutoff.until))


def _is_not_approved(cutoff: Cutoff, refund: str) -> Condition:
    return ~Exists(_approved_applications(refund))


def _applied_after_the_record_date(cutoff: Cutoff, refund: str) -> Condition:
    return Exists(_approved_applications(refund).filter(submitted_at__gte=cutoff.applied_before))


def _is_refused(cutoff: Cutoff, payee: str) -> Condition:
    return Q(**{f"{payee}state": Payee.State.REFUSED})


def _is_missing(cutoff: Cutoff, payee: str) -> Condition:
    return Q(**{f"{payee}pk__isnull": True})


def _cools_off(cutoff: Cutoff, payee: str) -> Condition:
    """A new channel of the holder cools off as long as a new account does (rule 57). After an
    assisted recovery, the person at the old channel thus has a day to object before money goes out.
    """
    return Q(**{f"{payee}usable_from__gt": cutoff.until}) | Q(
        **{f"{payee}holder__channel_changed_at__gt": cutoff.channels_until}
    )


def _is_not_checked(cutoff: Cutoff, payee: str) -> Condition:
    return (
        ~Q(**{f"{payee}state__in": Payee.PAYABLE})
        | Q(**{f"{payee}answered_at": None})
        | Q(**{f"{payee}answered_at__gt": cutoff.until})
    )


def _is_shared(cutoff: Cutoff, payee: str) -> Condition:
    """More people gave the account than the limits allow, and nobody cleared it (rule 58). Several
    accounts of one person count once.
    """
    # It looks into the index once for each payee, because a list of all shared accounts would be
    # made again for each batch.
    holders = (
        Payee.objects.filter(
            fingerprint=OuterRef(f"{payee}fingerprint"),
            replaced_at=None,
            entered_at__lte=cutoff.until,
        )
        .order_by()
        .values("fingerprint")
        .annotate(n=Count(counting.person_of("holder_id"), distinct=True))
        .values("n")
    )
    not_cleared = Q(**{f"{payee}shared_cleared_at": None}) | Q(
        **{f"{payee}shared_cleared_at__gt": cutoff.until}
    )
    return Q(GreaterThan(Subquery(holders), cutoff.limits.holders_per_account_max)) & not_cleared


def _is_not_taken(cutoff: Cutoff, payee: str) -> Condition:
    """The bank that pays takes no accounts of this type, or none that an IBAN names."""
    taken = refund_limits.accounts_taken(cutoff.limits)
    return Q(**{f"{payee}pk__isnull": False}) & ~Q(**{f"{payee}account_type__in": taken})


def _is_not_in_bank_data(cutoff: Cutoff, payee: str) -> Condition:
    return ~Q(**{f"{payee}account_type": ""}) & ~Exists(
        Branch.objects.filter(
            dataset__active=True,
            bank_code=OuterRef(f"{payee}bank_code"),
            code=OuterRef(f"{payee}branch_code"),
        )
    )


def _is_under_suspicion(cutoff: Cutoff, refund: str) -> Condition:
    """A claim about the wallet is undecided, so its money stays until somebody decides (I5)."""
    return Exists(
        FraudClaim.objects.filter(
            wallet=OuterRef(f"{refund}wallet"), state__in=FraudClaim.UNDECIDED
        )
    )


def _was_entered_by_a_thief(cutoff: Cutoff, payee: str) -> Condition:
    """The account was entered in the time of compromise of a confirmed claim (I5)."""
    entered_at = OuterRef(f"{payee}entered_at")
    return Exists(
        FraudClaim.objects.filter(
            Q(secured_at=None) | Q(secured_at__gt=entered_at),
            wallet__account=OuterRef(f"{payee}holder_id"),
            confirmed_at__isnull=False,
            compromised_from__lte=entered_at,
        )
    )


def _approved_for_a_voucher(refund: str) -> QuerySet[RefundApplication]:
    return _approved_applications(refund).exclude(method=methods.BANK)


def _method_cools_off(cutoff: Cutoff, refund: str) -> Condition:
    """A postal order or a claim code in place of another way of payment waits as long as a changed
    account does, and so does a new channel of the holder (rule 57). Nobody takes over an account and
    has its refund in cash at once.
    """
    replaces = Q(Exists(Payee.objects.filter(holder=OuterRef("applicant")))) | Q(
        Exists(Payout.objects.filter(entitlement=OuterRef("entitlement")))
    )
    new = Q(replaces, decided_at__gt=cutoff.channels_until) | Q(
        applicant__channel_changed_at__gt=cutoff.channels_until
    )
    return Exists(_approved_for_a_voucher(refund).filter(new))


def _was_chosen_by_a_thief(cutoff: Cutoff, refund: str) -> Condition:
    """A postal order or a claim code was chosen in the time of compromise of a confirmed claim
    (I5).
    """
    robbed = FraudClaim.objects.filter(
        Q(secured_at=None) | Q(secured_at__gt=OuterRef("decided_at")),
        wallet__account=OuterRef("applicant_id"),
        confirmed_at__isnull=False,
        compromised_from__lte=OuterRef("decided_at"),
    )
    return Exists(_approved_for_a_voucher(refund).filter(Exists(robbed)))


def _is_above_the_limit(cutoff: Cutoff, refund: str) -> Condition:
    return Q(**{f"{refund}amount_minor__gt": cutoff.limits.auto_approve_max_minor})


def _is_above_the_limit_together(cutoff: Cutoff, holder: str) -> Condition:
    """The accounts of the person, who has several, come to more than the limit together."""
    together = (
        counting.accounts_with(f"{holder}_id")
        .order_by()
        .values("person")
        .annotate(total=Sum("user__wallet__entitlements__amount_minor"))
    )
    return Exists(together.filter(total__gt=cutoff.limits.auto_approve_max_minor))


def _is_above_the_cap(cutoff: Cutoff, refund: str) -> Condition:
    return Q(**{f"{refund}amount_minor__gt": cutoff.limits.line_max_minor})


def _is_blocked(cutoff: Cutoff, holder: str) -> Condition:
    """The holder is on a sanction list, in dispute or under a legal hold (rule 46), with this account
    or another one of the same person. A block that was entered after the plan counts too.
    """
    blocks = PaymentBlock.objects.in_force(clock.now())
    of_person = counting.accounts_with(f"{holder}_id").filter(user__in=blocks.values("holder"))
    return Q(Exists(blocks.filter(holder=OuterRef(f"{holder}_id")))) | Q(Exists(of_person))


def _is_unusual(cutoff: Cutoff, refund: str) -> Condition:
    """A rule that is enforced found its application unusual, and two people have not cleared it. A
    hit after the plan counts too.
    """
    hits = UnusualHit.objects.filter(
        application__entitlement=OuterRef(f"{refund}pk"),
        application__live=True,
        cleared_at=None,
        rule__in=unusual_rules.enforced(),
    )
    return Q(Exists(hits))


# The order matters: plans and applications name the first reason that applies.
REASONS: tuple[Reason, ...] = (
    Reason(
        "sent_before_restore",
        "A file that a restore of the database forgot pays it.",
        About.WALLET,
        _was_sent_before_a_restore,
    ),
    Reason("held", "The entitlement is held.", About.REFUND, _is_held),
    Reason(
        "decided_later",
        "The application was approved after the plan was made.",
        About.REFUND,
        _is_decided_later,
        counted=False,
        passes=True,
    ),
    Reason(
        "after_record_date",
        "The application came after the record date of the wave.",
        About.REFUND,
        _applied_after_the_record_date,
        counted=False,
        passes=True,
    ),
    Reason(
        "payment_blocked",
        "The holder is on a list of people who are paid nothing.",
        About.HOLDER,
        _is_blocked,
        to_people=True,
    ),
    Reason(
        "above_cap",
        "The amount is above the cap of one transfer.",
        About.WALLET,
        _is_above_the_cap,
    ),
    Reason("payee_refused", "The bank does not know the account.", About.PAYEE, _is_refused),
    Reason(
        "application_not_approved",
        "No application is approved.",
        About.REFUND,
        _is_not_approved,
        passes=True,
    ),
    Reason("no_payee", "The holder gave no account.", About.PAYEE, _is_missing),
    Reason(
        "cooling_off",
        "The account, or the holder's channel, is too new.",
        About.PAYEE,
        _cools_off,
        passes=True,
    ),
    Reason(
        "method_cooling_off",
        "The postal order or claim code was chosen too recently, or the channel is too new.",
        About.REFUND,
        _method_cools_off,
        passes=True,
    ),
    Reason(
        "payee_not_checked",
        "The bank has not answered about the account.",
        About.PAYEE,
        _is_not_checked,
        passes=True,
    ),
    Reason(
        "amount",
        "The amount is above the limit of approval by rule.",
        About.AMOUNT,
        _is_above_the_limit,
        to_people=True,
    ),
    Reason(
        "person_amount",
        "The accounts of the person are above the limit of approval by rule together.",
        About.PERSON,
        _is_above_the_limit_together,
        to_people=True,
    ),
    Reason(
        "shared_account",
        "More people gave the account than the limits allow.",
        About.PAYEE,
        _is_shared,
        to_people=True,
    ),
    Reason(
        "account_not_taken",
        "The bank that pays takes no such account.",
        About.PAYEE,
        _is_not_taken,
    ),
    Reason(
        "branch_not_in_bank_data",
        "The branch is not in the active bank data.",
        About.PAYEE,
        _is_not_in_bank_data,
    ),
    Reason(
        "claim_undecided",
        "A claim about the wallet is undecided.",
        About.WALLET,
        _is_under_suspicion,
    ),
    Reason(
        "unusual",
        "A rule found the application unusual, and nobody cleared it.",
        About.WALLET,
        _is_unusual,
    ),
    Reason(
        "entered_during_compromise",
        "The account was entered while a thief had the wallet.",
        About.PAYEE,
        _was_entered_by_a_thief,
    ),
    Reason(
        "chosen_during_compromise",
        "The postal order or claim code was chosen while a thief had the wallet.",
        About.REFUND,
        _was_chosen_by_a_thief,
    ),
)


def approved_until(run: Run) -> dt.datetime:
    """Returns until when applications count. Those approved later wait for the next plan."""
    return dt.datetime.fromisoformat(run.params["approved_until"])


def planned_at(run: Run) -> dt.datetime:
    """Returns the instant of the plan. For a wave, applications count until its cut-off only."""
    return dt.datetime.fromisoformat(run.params.get("planned_at", run.params["approved_until"]))


def cutoff_of(run: Run) -> Cutoff:
    """Returns what the plan of the run compares with; of a wave, its record date and cut-off."""
    cutoff = cutoff_at(approved_until(run))
    before = run.params.get("applied_before")
    if before is None:
        return cutoff
    return replace(cutoff, applied_before=dt.datetime.fromisoformat(before))


def cutoff_at(until: dt.datetime) -> Cutoff:
    limits = refund_limits.current()
    cooling_off = dt.timedelta(hours=limits.cooling_off_hours)
    return Cutoff(until=until, channels_until=until - cooling_off, limits=limits)


def _conditions(cutoff: Cutoff, *abouts: About, path: str = "") -> list[Condition]:
    return [each.applies(cutoff, path) for each in REASONS if each.about in abouts]


def usable_payees(cutoff: Cutoff, *, holder: OuterRef) -> QuerySet[Payee]:
    """Returns the holder's current payee, if no reason keeps it from being paid."""
    rows = Payee.objects.filter(replaced_at=None, holder_id=holder)
    # The reason `no_payee` means that there is no such row.
    reasons = [
        *_conditions(cutoff, About.PAYEE),
        *_conditions(cutoff, About.HOLDER, path="holder"),
    ]
    return rows.filter(*(~reason for reason in reasons))


def payable_refunds(run: Run) -> QuerySet[Entitlement]:
    """Returns the entitlements that may be paid."""
    cutoff = cutoff_of(run)
    return Entitlement.objects.filter(
        Exists(usable_payees(cutoff, holder=OuterRef("wallet__account_id"))),
        ~by_voucher(),
        *(~reason for reason in _conditions(cutoff, About.REFUND, About.WALLET)),
        state__in=Entitlement.PAYABLE,
    )


def by_voucher(entitlement: str = "pk") -> Exists:
    """Returns the condition that the holder is paid otherwise than into a bank account."""
    return Exists(
        RefundApplication.objects.filter(entitlement=OuterRef(entitlement), live=True).exclude(
            method=methods.BANK
        )
    )


def _reachable(cutoff: Cutoff, holder: str) -> list[Condition]:
    """Returns the conditions for a holder who may get a voucher: no list names the person, and a new
    channel has cooled off (rule 57).
    """
    blocked = _conditions(cutoff, About.HOLDER, path=holder)
    too_new = Q(**{f"{holder}__channel_changed_at__gt": cutoff.channels_until})
    return [*(~reason for reason in blocked), ~too_new]


def payable_vouchers(run: Run) -> QuerySet[Entitlement]:
    """Returns the entitlements that may be paid otherwise than into a bank account."""
    cutoff = cutoff_of(run)
    return Entitlement.objects.filter(
        by_voucher(),
        *_reachable(cutoff, "wallet__account"),
        *(~reason for reason in _conditions(cutoff, About.REFUND, About.WALLET)),
        state__in=Entitlement.PAYABLE,
    )


def vouchers_again(run: Run) -> QuerySet[Payout]:
    """Returns the payouts by voucher that were taken out of a list that was not paid."""
    cutoff = cutoff_of(run)
    return Payout.objects.filter(
        *_reachable(cutoff, "holder"),
        *(~reason for reason in _conditions(cutoff, About.WALLET, path="entitlement__")),
        state=Payout.State.READY,
        live=True,
        booked_at__lte=planned_at(run),
    ).exclude(method=methods.BANK)


def payable_remedies(run: Run) -> QuerySet[Remedy]:
    """Returns the remedies that we pay ourselves, and that may be paid, with the amount `to_pay`: what
    is netted was had already. What an issuer's words make doubtful waits.
    """
    usable = usable_payees(cutoff_of(run), holder=OuterRef("loss__claim__wallet__account_id"))
    live = Payout.objects.filter(remedy=OuterRef("pk"), live=True)
    return (
        Remedy.objects.filter(pk__in=own_funds.compensations().values("pk"))
        .filter(Exists(usable), ~Exists(live), asked_at__lte=approved_until(run))
        .annotate(to_pay=F("amount_minor") - F("netted_minor"))
        .filter(to_pay__gt=0, to_pay__lte=refund_limits.current().line_max_minor)
        .exclude(pk__in=forgotten.remedies())
        .exclude(loss__in=doubts.lost_in_doubt())
        .order_by("pk")
    )


def payable_again(run: Run) -> QuerySet[Payout]:
    """Returns the payouts that were taken out of a batch that was not paid, and that may be paid."""
    cutoff = cutoff_of(run)
    return Payout.objects.filter(
        Exists(usable_payees(cutoff, holder=OuterRef("holder_id"))),
        *(~reason for reason in _conditions(cutoff, About.WALLET, path="entitlement__")),
        state=Payout.State.READY,
        method=methods.BANK,
        live=True,
        booked_at__lte=planned_at(run),
    ).exclude(
        Q(remedy_id__in=forgotten.remedies()) | Q(remedy__loss__in=doubts.lost_in_doubt()),
        remedy_id__isnull=False,
    )


def left_out(run: Run) -> dict[str, int]:
    """Returns how many approved or held refunds are not paid now, by the first reason that applies.

    The counts are shown with the plan and are not in its digest, because customers go on changing
    them. The digests over ids and amounts fix whom the run pays.
    """
    cutoff = cutoff_of(run)
    path = {
        About.REFUND: "",
        About.WALLET: "",
        About.HOLDER: "wallet__account",
        About.PAYEE: "payee__",
    }
    reasons = [each for each in REASONS if each.about in path]
    of_vouchers = [each for each in reasons if each.about is not About.PAYEE]
    judged = (
        Entitlement.objects.filter(state__in=[*Entitlement.PAYABLE, Entitlement.State.HELD])
        .annotate(
            payee=FilteredRelation(
                "wallet__account__payees",
                condition=Q(wallet__account__payees__replaced_at=None),
            )
        )
        .annotate(
            reason=Case(
                When(by_voucher(), then=_first(cutoff, of_vouchers, path)),
                default=_first(cutoff, reasons, path),
            )
        )
    )
    hidden = ["", *(each.code for each in REASONS if not each.counted)]
    counts = judged.exclude(reason__in=hidden).values_list("reason").annotate(n=Count("pk"))
    return dict(counts.order_by("reason"))


def missing_for(entitlement_id: int, at: dt.datetime) -> tuple[str, ...]:
    """Returns every reason that keeps the entitlement from being paid now, in the order of the list."""
    path = {
        About.REFUND: "",
        About.WALLET: "",
        About.HOLDER: "wallet__account",
        About.PAYEE: "payee__",
    }
    cutoff = cutoff_at(at)
    row = Entitlement.objects.filter(pk=entitlement_id).annotate(
        payee=FilteredRelation(
            "wallet__account__payees", condition=Q(wallet__account__payees__replaced_at=None)
        )
    )
    if row.filter(by_voucher()).exists():
        del path[About.PAYEE]
    found = [
        reason
        for reason in REASONS
        if reason.about in path
        and row.filter(Q(reason.applies(cutoff, path[reason.about]))).exists()
    ]
    # Without an account, nothing else can be said of it.
    if none := [reason for reason in found if reason.code == "no_payee"]:
        found = [reason for reason in found if reason.about is not About.PAYEE] + none
    return tuple(reason.code for reason in found)


def against_applications(code: str, at: dt.datetime) -> QuerySet[RefundApplication]:
    """Returns the applications whose payment the reason is against now, by the holder's present
    account.
    """
    path = {
        About.REFUND: "entitlement__",
        About.WALLET: "entitlement__",
        About.PAYEE: "current_payee__",
        About.HOLDER: "applicant",
        About.PERSON: "applicant",
        About.AMOUNT: "entitlement__",
    }
    (reason,) = [each for each in REASONS if each.code == code]
    rows = RefundApplication.objects.annotate(
        current_payee=FilteredRelation(
            "applicant__payees", condition=Q(applicant__payees__replaced_at=None)
        )
    )
    return rows.filter(Q(reason.applies(cutoff_at(at), path[reason.about])))


def reasons_for_people(application_ids: Sequence[int]) -> dict[int, str]:
    """Returns, by application, the first reason for which the rules leave it to people."""
    path = {
        About.AMOUNT: "entitlement__",
        About.PAYEE: "payee__",
        About.HOLDER: "applicant",
        About.PERSON: "applicant",
    }
    asked = [each for each in REASONS if each.to_people]
    judged = RefundApplication.objects.filter(pk__in=application_ids).annotate(
        reason=_first(cutoff_at(_NO_END), asked, path)
    )
    return dict(judged.exclude(reason="").values_list("pk", "reason"))


def _first(cutoff: Cutoff, reasons: Sequence[Reason], path: dict[About, str]) -> Case:
    """Returns the code of the first reason that applies. It is empty if none does."""
    return Case(
        *(
            When(Q(each.applies(cutoff, path[each.about])), then=Value(each.code))
            for each in reasons
        ),
        default=Value(""),
        output_field=CharField(),
    )
