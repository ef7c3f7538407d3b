"""Claim numbers are issued by letter, and opened with a code that went to the known channel."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
import uuid

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import addresses, outbox
from accounts.addresses import Address
from accounts.errors import LinkDead
from accounts.models import AccessRequest, Message, OneTimeLink, User
from accounts.models.user import by_letter, by_mail, by_telephone
from accounts.recovery import access_requests, links
from refunds.applications import reminders
from refunds.models import ClaimLetter, ClaimNumber, Entitlement, Reminder
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit

PERMISSION = "refunds.work_application"
# A letter lies for weeks. Whoever finds an old one needs another code, and this one must end.
VALID_FOR = dt.timedelta(days=180)
# Without letters and digits that are taken for each other: 76 bits.
_ALPHABET = "ABCDEFGHJKMNPQRTUVWXY346789"
_LENGTH = 16
# People write these between the groups; nobody means anything by them.
_BETWEEN = str.maketrans("", "", " -‐‑‒–—−ー・\u3000")
_PEOPLE_AT_ONCE = 2_000
Answer = AccessRequest.Answer
Purpose = OneTimeLink.Purpose


# --- the number -----------------------------------------------------------------------------------


def number_of(found: ClaimNumber) -> str:
    """Returns the number in groups of four, as the letter shows it. Raises `GuardNotMet` when the
    site's secret is not the one of its issue any more.
    """
    number = _derived(found.key)
    if digest_of(number) != found.digest:
        raise GuardNotMet(
            action=says("print the letter"),
            why=says("the site's secret has changed since: issue the number again"),
        )
    return "-".join(number[at : at + 4] for at in range(0, _LENGTH, 4))


def _derived(key: uuid.UUID) -> str:
    rest = int(salted_hmac("refunds.claim_numbers", key.hex, algorithm="sha256").hexdigest(), 16)
    letters = []
    for _each in range(_LENGTH):
        rest, place = divmod(rest, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


def understood(typed: str) -> str:
    """Returns the number as it is compared: capital letters without what stands between them."""
    return unicodedata.normalize("NFKC", typed).translate(_BETWEEN).strip().upper()


def digest_of(typed: str) -> str:
    """Returns the SHA-256 under which a typed number is found."""
    return hashlib.sha256(understood(typed).encode()).hexdigest()


def living(typed: str) -> ClaimNumber | None:
    """Returns the number that the text means, if it opens something now."""
    found = _living().select_related("holder__postal_address")
    return found.filter(digest=digest_of(typed), holder__is_active=True).first()


def by_reference(typed: str) -> ClaimNumber | None:
    """Returns the number of a reference that was scanned or typed, also an ended one: paper comes
    late.
    """
    number = ClaimNumber.id_of(typed)
    return None if number is None else ClaimNumber.objects.filter(pk=number).first()


def still_lives(number: int) -> bool:
    """Returns whether the number opens something now."""
    return _living().filter(pk=number).exists()


def _living() -> QuerySet[ClaimNumber]:
    return ClaimNumber.objects.filter(ended_at=None, expires_at__gt=clock.now())


# --- its issue ------------------------------------------------------------------------------------


def issue(holder: User, *, actor: Actor, reason: str) -> ClaimNumber:
    """The holder has a new claim number, whose letter waits for its file. An earlier number, and
    every code of it, is dead from now on.

    Raises `GuardNotMet` without a postal address, and when nothing is owed to the holder.
    """
    require(actor, PERMISSION, action=f"issue a claim number to {holder.pk}")
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=holder.pk)
        refused = says("issue a claim number")
        if not hasattr(locked, "postal_address"):
            raise GuardNotMet(action=refused, why=says("no postal address is known"))
        if not Entitlement.objects.filter(wallet__account=locked).exists():
            raise GuardNotMet(action=refused, why=says("nothing is owed to this customer"))
        ended = ClaimNumber.objects.filter(holder=locked, ended_at=None).update(
            ended_at=clock.now()
        )
        (number,) = issue_to([locked])
        audit.append(
            "claim_number.issue", number.subject, actor=actor, reason=reason, in_place_of=ended
        )
        return number


def end(number: ClaimNumber, *, actor: Actor, reason: str) -> ClaimNumber:
    """The number and every code of it open nothing any more. Raises `GuardNotMet` for one that has
    ended.
    """
    require(actor, PERMISSION, action=f"end {number}")
    with transaction.atomic():
        changed = ClaimNumber.objects.filter(pk=number.pk, ended_at=None).update(
            ended_at=clock.now()
        )
        if not changed:
            raise GuardNotMet(action=says("end the claim number"), why=says("it has ended"))
        audit.append("claim_number.end", number.subject, actor=actor, reason=reason)
        return ClaimNumber.objects.get(pk=number.pk)


def without_number() -> QuerySet[User]:
    """Returns who may still apply, is reached by letter alone, and has no claim number: neither mail
    nor telephone is known, or what was sent there did not arrive.
    """
    now = clock.now()
    by_post = reminders.not_applied().filter(by_letter(now))
    lettered = Reminder.objects.filter(channel=Reminder.Channel.LETTER).values("holder_id")
    alone = by_post.exclude(by_mail(now) | by_telephone(now)) | by_post.filter(pk__in=lettered)
    return alone.exclude(pk__in=ClaimNumber.objects.filter(ended_at=None).values("holder_id"))


def issue_to_all() -> int:
    """Everybody `without_number` has one, as far as one file of letters goes. Returns how many.

    Inside the caller's transaction, who holds the lock of the letters.
    """
    return len(issue_to(list(without_number().order_by("pk")[:_PEOPLE_AT_ONCE])))


def issue_to(holders: list[User]) -> list[ClaimNumber]:
    """Each holder, who has no living number, has one, whose letter waits. Returns them in the order
    given. Inside the caller's transaction.
    """
    at = clock.now()
    keys = [uuid.uuid4() for _each in holders]
    numbers = ClaimNumber.objects.bulk_create(
        ClaimNumber(
            key=key,
            holder=holder,
            digest=digest_of(_derived(key)),
            issued_at=at,
            expires_at=at + VALID_FOR,
        )
        for key, holder in zip(keys, holders, strict=True)
    )
    ClaimLetter.objects.bulk_create(ClaimLetter(number=each, queued_at=at) for each in numbers)
    return numbers


# --- the code -------------------------------------------------------------------------------------


def answer(request: AccessRequest, typed: str) -> AccessRequest.Answer:
    """The holder of the number has a code: by mail or telephone where one is verified, or else by
    letter. A letter goes once as long as its code may still come.
    """
    number = living(typed)
    if number is None:
        return Answer.NOBODY
    holder = number.holder
    if links.too_many(holder):
        return Answer.TOO_MANY
    if (address := addresses.channel_of(holder)) is not None:
        link = links.issue(Purpose.CLAIM, address=address, user=holder, request=request)
        outbox.queue(
            Message.Kind.CLAIM_CODE,
            to=address,
            language=request.language,
            user=holder,
            link=link,
        )
        return Answer.LINKS
    if not hasattr(holder, "postal_address"):
        return Answer.NOBODY
    if any(_waits(each.link) for each in number.letters.exclude(link=None)):
        return Answer.TOO_MANY
    post = Address(addresses.LETTER, holder.postal_address.fingerprint)
    link = links.issue(Purpose.CLAIM, address=post, user=holder, request=request)
    ClaimLetter.objects.create(number=number, link=link, queued_at=clock.now())
    return Answer.LINKS


def _waits(link: OneTimeLink | None) -> bool:
    return (
        link is not None and link.used_at is None and (link.expires_at is None or links.lives(link))
    )


access_requests.ANSWERS.add(AccessRequest.Purpose.CLAIM, answer)


def open_with(typed: str, code: str) -> tuple[ClaimNumber, OneTimeLink]:
    """The code is used, and the journal says that its holder came. Returns number and code.

    Every wrong code counts against each code that the number has; after five they are dead. Raises
    `LinkDead` for everything that does not open, without a difference.
    """
    number = living(typed)
    given = "".join(letter for letter in code if letter.isdecimal())
    with transaction.atomic():
        link = None if number is None else _matching(number, given)
        if number is not None and link is not None:
            used = links.use(link)
            audit.append(
                "claim_number.open", number.subject, actor=number.holder, channel=used.channel
            )
            return number, used
    raise LinkDead


def _matching(number: ClaimNumber, code: str) -> OneTimeLink | None:
    """Returns the living code of the number that this is. The try counts in every case."""
    known = OneTimeLink.objects.filter(
        purpose=Purpose.CLAIM, user=number.holder_id, used_at=None
    ).select_related("request")
    found = None
    for link in known.order_by("-pk")[: links.LINKS_PER_HOUR_MAX + 1]:
        asked = link.request
        if asked is None:
            raise AssertionError("a code was asked for")
        counted = AccessRequest.objects.filter(
            pk=asked.pk, tries__lt=AccessRequest.TRIES_MAX
        ).update(tries=F("tries") + 1)
        # A code belongs to the number with which it was asked for, not to a later one.
        if (
            counted
            and digest_of(access_requests.typed_in(asked)) == number.digest
            and links.lives(link)
            and constant_time_compare(code, links.code(link))
        ):
            found = link
    return found
