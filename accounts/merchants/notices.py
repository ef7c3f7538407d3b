"""The notice to merchants leaves: a released text, by mail with a link, or as a letter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import outbox
from accounts.addresses import EMAIL, Address
from accounts.models import MerchantMailing, MerchantNotice, MerchantReceipt, Message, reach
from accounts.recovery import links
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Announcement, Merchant
from winddown.programme import announcements
from winddown.programme.gates import GATES, Count, Gate, open_now

PERMISSION = "winddown.publish_notice"
KIND = Announcement.Kind.MERCHANT
# A second reminder within a day is a form that was sent twice.
REMIND_AFTER = dt.timedelta(days=1)
BATCH_ROWS = 2_000
Channel = MerchantNotice.Channel
# The server refused the message, or took it and sent it back.
FAILED = Q(message__given_up_at__isnull=False) | Q(message__bounced_at__isnull=False)


def in_force() -> Announcement | None:
    """Returns the newest text to merchants that two people signed."""
    return announcements.released(KIND).first()


def of_version(text: Announcement) -> QuerySet[MerchantNotice]:
    """Returns what was sent of the version."""
    return MerchantNotice.objects.filter(mailing__announcement=text)


def not_told(text: Announcement) -> QuerySet[Merchant]:
    """Returns the merchants to whom the version was not sent."""
    told = of_version(text).filter(merchant=OuterRef("pk"))
    return Merchant.objects.filter(~Exists(told)).order_by("pk")


def without_receipt(text: Announcement) -> QuerySet[Merchant]:
    """Returns the merchants that have not confirmed the version."""
    confirmed = MerchantReceipt.objects.filter(announcement=text, merchant=OuterRef("pk"))
    return Merchant.objects.filter(~Exists(confirmed)).order_by("pk")


def to_remind(text: Announcement) -> QuerySet[Merchant]:
    """Returns the merchants that got the version, none of it within a day, and have not confirmed."""
    told = of_version(text).filter(merchant=OuterRef("pk"))
    lately = told.filter(queued_at__gt=clock.now() - REMIND_AFTER)
    return without_receipt(text).filter(Exists(told), ~Exists(lately))


def send(*, actor: Actor, reason: str) -> MerchantMailing:
    """Every merchant that had not got the version in force is told of it.

    Raises `GuardNotMet` without a released text, or when every merchant has got it.
    """
    require(actor, PERMISSION, action="send the notice to the merchants")
    action = says("send the notice to the merchants")
    with transaction.atomic():
        locks.take(Lock.MERCHANTS)
        text = _required(action)
        merchants = list(not_told(text))
        if not merchants:
            raise GuardNotMet(action=action, why=says("every merchant has got it"))
        return _mail(text, merchants, is_reminder=False, actor=actor, reason=reason)


def remind(*, actor: Actor, reason: str) -> MerchantMailing:
    """Every merchant that got the version in force and has not confirmed it is told of it again.

    Raises `GuardNotMet` without a released text, or when nobody is left to remind today.
    """
    require(actor, PERMISSION, action="remind the merchants")
    action = says("remind the merchants")
    with transaction.atomic():
        locks.take(Lock.MERCHANTS)
        text = _required(action)
        merchants = list(to_remind(text))
        if not merchants:
            raise GuardNotMet(
                action=action, why=says("every merchant has confirmed it, or was told within a day")
            )
        return _mail(text, merchants, is_reminder=True, actor=actor, reason=reason)


def _required(action: str) -> Announcement:
    text = in_force()
    if text is None:
        why = says(
            "no text to merchants is released: draft one, and let a second person approve it"
        )
        raise GuardNotMet(action=action, why=why)
    return text


def _mail(
    text: Announcement,
    merchants: Sequence[Merchant],
    *,
    is_reminder: bool,
    actor: Actor,
    reason: str,
) -> MerchantMailing:
    japanese, english = (announcements.filled(text, language) for language in ("ja", "en"))
    words = {
        "title_ja": japanese.title,
        "body_ja": japanese.body,
        "title_en": english.title,
        "body_en": english.body,
    }
    mailing = MerchantMailing.objects.create(
        announcement=text, is_reminder=is_reminder, begun_by_id=actor.pk, **words
    )
    by_mail = 0
    for first in range(0, len(merchants), BATCH_ROWS):
        some = merchants[first : first + BATCH_ROWS]
        by_mail += _queue(mailing, some, facts={**words, "is_reminder": is_reminder})
    audit.append(
        "merchants.remind" if is_reminder else "merchants.send",
        text.subject,
        actor=actor,
        reason=reason,
        mailing=mailing.pk,
        mails=by_mail,
        letters=len(merchants) - by_mail,
    )
    return mailing


def _queue(
    mailing: MerchantMailing, merchants: Iterable[Merchant], facts: dict[str, object]
) -> int:
    """Each merchant has its notice. Returns how many are mails; the others are letters."""
    reached, letters = [], []
    for merchant in merchants:
        mail = reach.mail_of(merchant.email)
        if mail:
            reached.append((merchant, Address(EMAIL, mail, merchant.email)))
        else:
            letters.append(merchant)
    issued = links.issue_to_merchants(reached)
    messages = outbox.queue_many(
        Message.Kind.MERCHANT_NOTICE,
        [
            outbox.Recipient(address, link=link)
            for (_merchant, address), link in zip(reached, issued, strict=True)
        ],
        language="ja",
        facts=facts,
    )
    at = clock.now()
    MerchantNotice.objects.bulk_create(
        [
            *(
                MerchantNotice(
                    mailing=mailing,
                    merchant=merchant,
                    channel=Channel.EMAIL,
                    message=message,
                    queued_at=at,
                )
                for (merchant, _address), message in zip(reached, messages, strict=True)
            ),
            *(
                MerchantNotice(
                    mailing=mailing, merchant=merchant, channel=Channel.LETTER, queued_at=at
                )
                for merchant in letters
            ),
        ]
    )
    return len(reached)


def follow_up() -> int:
    """A mail that did not arrive at a merchant without a receipt is followed by a letter. Returns how
    many were queued. A second call queues nothing twice.
    """
    queued = 0
    while batch := _replace_next():
        queued += batch
    return queued


def _replace_next() -> int:
    with transaction.atomic():
        text = in_force()
        if text is None:
            return 0
        locks.take(Lock.MERCHANTS)
        failed = list(
            of_version(text)
            .filter(FAILED, instead=None, merchant__in=without_receipt(text))
            .order_by("pk")[:BATCH_ROWS]
        )
        MerchantNotice.objects.bulk_create(
            MerchantNotice(
                mailing_id=each.mailing_id,
                merchant_id=each.merchant_id,
                channel=Channel.LETTER,
                instead_of=each,
                queued_at=clock.now(),
            )
            for each in failed
        )
        return len(failed)


def _gate() -> list[Count]:
    text, merchants = in_force(), Merchant.objects.count()
    open_ones = without_receipt(text).count() if text else merchants
    return [open_now(_("Merchants without a receipt"), found=open_ones, of=merchants)]


GATES.add("merchants", Gate(_("Every merchant has confirmed the notice"), _gate))


@outbox.STILL_WANTED.entry(Message.Kind.MERCHANT_NOTICE)
def _message_is_wanted(message: Message) -> bool:
    """Returns whether the merchant has not confirmed the version, and it is in force."""
    text = in_force()
    if text is None:
        return False
    return of_version(text).filter(message=message, merchant__in=without_receipt(text)).exists()
