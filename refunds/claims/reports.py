"""What people report: each report is kept on the claim, and an enquiry without one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from accounts import person_keys
from accounts.models import User
from refunds.models import FraudClaim, FraudReport
from refunds.models.fraud_report import answer_place, words_place
from wallets.models import Payment, TopUp, Wallet
from winddown import card_numbers, clock, encryption
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, WinddownError, says
from winddown.evidence import audit
from winddown.personal_data import HOUSE, DataClass

CLASS: Final = DataClass.CLAIMS_EVIDENCE
WORDS_MAX: Final = 4_000
Movement = TopUp | Payment
Channel = FraudClaim.Channel
Kind = FraudReport.Kind


class CardNumberSaid(WinddownError):
    """The text shows a card number: take it out and send it again."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody reported: the movements that were not the holder's own, the day on which the
    holder noticed, and the own words. Of the browser only keyed hashes are kept.
    """

    movements: tuple[Movement, ...] = ()
    noticed_on: dt.date | None = None
    words: str = ""
    network: str = ""
    device: str = ""

    def __repr__(self) -> str:
        return "Said(...)"

    @property
    def named(self) -> list[str]:
        """Returns the movements as pages and commands name them."""
        return sorted(subject_of(each) for each in self.movements)


NOTHING_SAID: Final = Said()


def subject_of(movement: Movement) -> str:
    return f"{'top_up' if isinstance(movement, TopUp) else 'payment'}:{movement.pk}"


def refuse_card_numbers(text: str) -> None:
    """Raises `CardNumberSaid` for a text with a card number."""
    if card_numbers.told_in(text):
        raise CardNumberSaid


def keep(
    claims: Mapping[int, FraudClaim],
    said: Said,
    *,
    channel: str,
    actor: Actor,
    kind: Kind = Kind.FRAUD,
) -> list[FraudReport]:
    """The claim of each wallet keeps the report. Returns those that are new: the same report of the
    same channel is kept once. The caller has locked the wallets or the claims.

    Raises `CardNumberSaid`, and `GuardNotMet` for a movement of another wallet.
    """
    refuse_card_numbers(said.words)
    if any(each.wallet_id not in claims for each in said.movements):
        raise GuardNotMet(
            action=says("report the movements"), why=says("one of them is of another wallet")
        )
    holders = dict(Wallet.objects.filter(pk__in=claims).values_list("pk", "account_id"))
    at, fingerprint = clock.now(), _fingerprint(said, channel=channel)
    there = set(
        FraudReport.objects.filter(
            claim__in=claims.values(), kind=kind, fingerprint=fingerprint
        ).values_list("claim_id", flat=True)
    )
    return FraudReport.objects.bulk_create(
        [
            _given(
                FraudReport(
                    kind=kind,
                    channel=channel,
                    claim=claim,
                    customer_id=holders[wallet_id] if kind == Kind.FRAUD else None,
                    fingerprint=fingerprint,
                ),
                said,
                at=at,
                actor=actor,
            )
            for wallet_id, claim in sorted(claims.items())
            if claim.pk not in there
        ]
    )


def give(report: FraudReport, said: Said, *, actor: Actor) -> None:
    """The report that we asked for, whose row is locked, says this."""
    refuse_card_numbers(said.words)
    _given(report, said, at=clock.now(), actor=actor)
    report.save(
        update_fields=[
            *("movements", "noticed_on", "words_sealed"),
            *("network", "device", "given_at", "given_by"),
        ]
    )


def enquire(
    customer: User, said: Said, *, actor: Actor, channel: str, reason: str = ""
) -> FraudReport:
    """The question of the customer, who names no movement, waits for an answer. It opens no claim.

    Anybody but the customer needs `refunds.report_claim`. Returns the enquiry; the same words are
    one enquiry until it is answered. Raises `CardNumberSaid`.
    """
    if actor.pk != customer.pk:
        require(actor, "refunds.report_claim", action="take an enquiry")
    refuse_card_numbers(said.words)
    fingerprint = _fingerprint(said, channel=channel)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=customer.pk)
        same = FraudReport.objects.filter(
            customer=customer, kind=Kind.ENQUIRY, fingerprint=fingerprint, answered_at=None
        ).first()
        if same is not None:
            return same
        made = _given(
            FraudReport(
                kind=Kind.ENQUIRY, channel=channel, customer=customer, fingerprint=fingerprint
            ),
            said,
            at=clock.now(),
            actor=actor,
        )
        made.save()
        audit.append("claims.enquire", made.subject, actor=actor, reason=reason, channel=channel)
        return made


def answer_enquiry(report: FraudReport, text: str, *, actor: Actor, reason: str) -> FraudReport:
    """The customer reads the answer on the own page. Raises `GuardNotMet` for what is no enquiry, or
    is answered.
    """
    require(actor, "refunds.work_claim", action="answer an enquiry")
    refuse_card_numbers(text)
    with transaction.atomic():
        found = FraudReport.objects.select_for_update(no_key=True).get(pk=report.pk)
        if found.kind != Kind.ENQUIRY or found.answered_at is not None:
            raise GuardNotMet(
                action=says("answer the enquiry"), why=says("it is none, or is answered")
            )
        found.answer_sealed = person_keys.seal(
            text.encode(),
            place=answer_place(found.key),
            person_id=_whose(found),
            data_class=CLASS,
        )
        found.answered_at, found.answered_by_id = clock.now(), actor.pk
        found.save(update_fields=["answer_sealed", "answered_at", "answered_by"])
        audit.append("claims.answer_enquiry", found.subject, actor=actor, reason=reason)
        return found


def words_of(report: FraudReport) -> str:
    """Returns what was said in own words. The page that shows it records who opened it."""
    return _opened(report, report.words_sealed, words_place(report.key))


def answer_of(report: FraudReport) -> str:
    """Returns our answer to the enquiry."""
    return _opened(report, report.answer_sealed, answer_place(report.key))


def movements_of(subjects: Sequence[str], *, wallet_id: int) -> list[Movement]:
    """Returns the movements of the wallet that are named, the oldest first."""
    found: list[Movement] = []
    for kind, model in (("top_up", TopUp), ("payment", Payment)):
        numbers = [int(each.partition(":")[2]) for each in subjects if each.startswith(f"{kind}:")]
        found += model._default_manager.filter(wallet=wallet_id, pk__in=numbers)
    return sorted(found, key=lambda each: each.occurred_at)


def _given(report: FraudReport, said: Said, *, at: dt.datetime, actor: Actor) -> FraudReport:
    """The report, unsaved, says this."""
    report.movements, report.noticed_on = said.named, said.noticed_on
    for name in ("network", "device"):
        text = getattr(said, name)
        setattr(report, name, encryption.fingerprint(text, of=f"origin:{name}") if text else "")
    if said.words:
        report.words_sealed = person_keys.seal(
            said.words.encode(),
            place=words_place(report.key),
            person_id=_whose(report),
            data_class=CLASS,
        )
    report.given_at, report.given_by_id = at, actor.pk
    return report


def _whose(report: FraudReport) -> int:
    return report.customer_id or HOUSE


def _fingerprint(said: Said, *, channel: str) -> str:
    noticed = said.noticed_on.isoformat() if said.noticed_on else ""
    text = "\n".join((channel, *said.named, noticed, said.words))
    return encryption.fingerprint(text, of="fraud report")


def _opened(report: FraudReport, sealed: bytes | memoryview | None, place: str) -> str:
    if sealed is None:
        return ""
    return person_keys.unseal(
        sealed, place=place, person_id=_whose(report), data_class=CLASS
    ).decode()
