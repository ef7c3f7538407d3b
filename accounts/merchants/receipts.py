"""A merchant has confirmed the notice: by its link, or as a member of staff records with evidence."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.merchants import notices
from accounts.models import MerchantNotice, MerchantReceipt, OneTimeLink
from accounts.recovery import links
from winddown import clock, locks
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Merchant
from winddown.programme import evidence_files
from winddown.programme.evidence_files import File

Channel = MerchantReceipt.Channel


def notice_of(link: OneTimeLink) -> MerchantNotice:
    """Returns the notice whose mail carries the link."""
    found = MerchantNotice.objects.select_related("mailing__announcement", "merchant")
    return found.get(message__link=link)


def receipt_of(notice: MerchantNotice) -> MerchantReceipt | None:
    """Returns the merchant's receipt of the version of the notice, however it came."""
    return MerchantReceipt.objects.filter(
        merchant_id=notice.merchant_id, announcement_id=notice.mailing.announcement_id
    ).first()


def confirm(link: OneTimeLink) -> MerchantReceipt:
    """The merchant has confirmed the version of its notice, and the link is used. If a receipt is
    there already, it is returned as it is. Raises `LinkDead`.
    """
    with transaction.atomic():
        locks.take(Lock.MERCHANTS)
        notice = notice_of(link)
        found = receipt_of(notice)
        if found is not None:
            return found
        used = links.use(link)
        receipt = MerchantReceipt.objects.create(
            merchant_id=notice.merchant_id,
            announcement_id=notice.mailing.announcement_id,
            channel=Channel.LINK,
            received_at=clock.now(),
            link=used,
        )
        audit.append(
            "merchants.confirm",
            notice.mailing.announcement.subject,
            actor=SYSTEM,
            merchant=notice.merchant_id,
            receipt=receipt.pk,
        )
    return receipt


def record(
    *,
    merchant: Merchant,
    channel: str,
    received_at: dt.datetime,
    file: File,
    actor: Actor,
    reason: str,
) -> MerchantReceipt:
    """The merchant has confirmed the version in force, in the way that the file shows.

    Raises `GuardNotMet` for an instant that has not come or is earlier than the notice, for a
    merchant that has not got the version, and for one that has confirmed it already.
    """
    require(actor, notices.PERMISSION, action="record the receipt of a merchant")
    action = says("record the receipt of a merchant")
    with transaction.atomic():
        locks.take(Lock.MERCHANTS)
        text = notices.in_force()
        told = notices.of_version(text).filter(merchant=merchant) if text else None
        first = told.order_by("pk").first() if told is not None else None
        if text is None or first is None:
            why = says("the notice was not sent to {merchant}", merchant=merchant.merchant_ref)
            raise GuardNotMet(action=action, why=why)
        if received_at > clock.now():
            why = says("that instant has not come: record what has happened")
            raise GuardNotMet(action=action, why=why)
        if received_at < first.queued_at.replace(second=0, microsecond=0):
            why = says("the notice had not left then")
            raise GuardNotMet(action=action, why=why)
        if receipt_of(first) is not None:
            why = says("{merchant} has confirmed it already", merchant=merchant.merchant_ref)
            raise GuardNotMet(action=action, why=why)
        receipt = MerchantReceipt.objects.create(
            merchant=merchant,
            announcement=text,
            channel=channel,
            received_at=received_at,
            evidence=evidence_files.keep(file, action=action),
            recorded_by_id=actor.pk,
        )
        audit.append(
            "merchants.record_receipt",
            text.subject,
            actor=actor,
            reason=reason,
            merchant=merchant.pk,
            receipt=receipt.pk,
            channel=channel,
            received_at=received_at,
            sha256=file.sha256,
        )
    return receipt


def disclose_evidence(number: int, *, actor: Actor, reason: str = "") -> File:
    """The audit journal says that `actor` reads the evidence of the receipt, which is returned. A
    second reading is recorded again. Raises `NotPermitted`, and `GuardNotMet` for a receipt without
    a file.
    """
    require(actor, evidence_files.READ, action="read the evidence")
    found = MerchantReceipt.objects.select_related("evidence", "announcement").filter(pk=number)
    receipt = found.first()
    if receipt is None or receipt.evidence is None:
        why = says("receipt {number} has no file", number=number)
        raise GuardNotMet(action=says("read the evidence"), why=why)
    with transaction.atomic():
        audit.append(
            "merchants.read_evidence",
            receipt.announcement.subject,
            actor=actor,
            reason=reason,
            receipt=receipt.pk,
            sha256=receipt.evidence.sha256,
        )
    return evidence_files.read(receipt.evidence)
