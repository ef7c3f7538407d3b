"""Sign-in by password, by another service or by passkey. Every attempt is recorded."""

from __future__ import annotations

import datetime as dt
import unicodedata

from django.db import transaction

from accounts.attempts import limits
from accounts.credentials import fencing, password_checks
from accounts.credentials.admissions import Admission, Origin
from accounts.credentials.fencing import Fence
from accounts.credentials.passwords import NO_PASSWORD
from accounts.models import AuthEvent, ExternalIdentity, User
from accounts.models.user import LOGIN_ID_MAX
from winddown import clock
from winddown.errors import CapabilityStopped, PastDeadline
from winddown.programme import capabilities


def sign_in(login_id: str, raw_password: str, *, origin: Origin) -> User | None:
    """Returns the user who is let in, with the `admission` that a session must carry; else None.

    Every refusal has the same answer. Only the `AuthEvent` has the reason. An attempt over a limit
    is refused before its password is hashed. The password is hashed before any lock is taken, with
    the same work for every login id. The result is confirmed under the locks.
    """
    user = User.objects.named(login_id).first()
    typed = user.login_id if user else _as_typed(login_id)
    attempt = _attempt(typed, user, origin)
    if not limits.admit(attempt):
        refused = AuthEvent.Outcome.REFUSED
        _record(typed, user, refused, AuthEvent.PASSWORD, admission=None, origin=origin)
        return None
    guessable = _guessable(user, at=attempt.at)
    compared = password_checks.compare(raw_password, user.password if user else NO_PASSWORD)
    with transaction.atomic():
        outcome, admission = _judge_password(user, right=compared.right)
        if user is not None and admission is not None and compared.renewed:
            _renew(user, compared.renewed)
        _record(typed, user, outcome, AuthEvent.PASSWORD, admission=admission, origin=origin)
    limits.note(attempt, outcome, guessable=guessable)
    return _admitted(user, admission)


def _as_typed(login_id: str) -> str:
    """Returns what an attempt with a login id that nobody has is stored and counted under."""
    storable = login_id.replace("\0", "\N{REPLACEMENT CHARACTER}")[:LOGIN_ID_MAX]
    return unicodedata.normalize("NFKC", storable).strip().lower()[:LOGIN_ID_MAX]


def _renew(user: User, encoded: str) -> None:
    """The account has the hash of the present cost in place of the one that was checked.

    It does not count as setting the password. A hash that a reset removed at the same moment stays
    removed.
    """
    if User.objects.filter(pk=user.pk, password=user.password).update(password=encoded):
        user.password = encoded


def _attempt(typed: str, user: User | None, origin: Origin) -> limits.Attempt:
    """Returns the attempt as the limits see it."""
    device = origin.device
    return limits.Attempt(
        key=typed,
        network=origin.network,
        at=clock.now(),
        device=device,
        known_device=bool(user and device and device.opened_before(user.pk)),
    )


def _guessable(user: User | None, *, at: dt.datetime) -> bool:
    """Returns whether there is a password that opens the account."""
    fence = Fence(at=at, not_before=fencing.fence_now())
    if user is None or not user.has_usable_password():
        return False
    return user.kind == User.Kind.STAFF or fence.accepts(user.password_set_at)


def _judge_password(user: User | None, *, right: bool) -> tuple[str, Admission | None]:
    if user is None:
        return AuthEvent.Outcome.UNKNOWN_LOGIN_ID, None
    if not right:
        return AuthEvent.Outcome.WRONG_PASSWORD, None
    version = None
    if user.kind == User.Kind.CUSTOMER:
        passage = _passage("login_password")
        if passage is None:
            return AuthEvent.Outcome.REFUSED, None
        version = passage.version
    fence = fencing.take_fence()
    unchanged = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    set_at = unchanged.values_list("password_set_at", flat=True)
    accepted = any(user.kind == User.Kind.STAFF or fence.accepts(each) for each in set_at)
    if not accepted:
        return AuthEvent.Outcome.REFUSED, None
    return AuthEvent.Outcome.SUCCESS, Admission(fence.at, AuthEvent.PASSWORD, version)


def sign_in_external(provider: str, subject: str, *, origin: Origin) -> User | None:
    """Returns the customer whom `provider` names as `subject`, with the `admission`. Returns None
    for a refusal.

    It is refused while the provider's switch is off or the identity suspended, also at the end of a
    handshake that began before. Staff are never let in this way.
    """
    with transaction.atomic():
        passage = _passage(f"login_external:{provider}")
        fence = fencing.take_fence()
        identity = (
            ExternalIdentity.objects.filter(provider=provider, subject=subject)
            .select_related("user")
            .first()
        )
        user = identity.user if identity else None
        admission = None
        outcome = AuthEvent.Outcome.UNKNOWN_LOGIN_ID
        if identity is not None:
            outcome = AuthEvent.Outcome.REFUSED
            active = identity.state == ExternalIdentity.State.ACTIVE and identity.user.is_active
            customer = identity.user.kind == User.Kind.CUSTOMER
            if active and passage is not None and customer:
                outcome = AuthEvent.Outcome.SUCCESS
                admission = Admission(fence.at, provider, passage.version)
        typed = user.login_id if user else ""
        _record(typed, user, outcome, provider, admission=admission, origin=origin)
    return _admitted(user, admission)


def refuse(method: str, *, origin: Origin) -> None:
    """The attempt is recorded as refused. What was sent proves nobody, or was not looked at."""
    _record("", None, AuthEvent.Outcome.REFUSED, method, admission=None, origin=origin)


def sign_in_passkey(user: User, *, registered_at: dt.datetime, origin: Origin) -> User | None:
    """Returns the user with the `admission`. Returns None for a refusal. The caller has just
    verified the passkey, which was registered at `registered_at`.

    The switch of passwords also governs passkeys. A passkey from before the fence opens nothing.
    """
    with transaction.atomic():
        staff = user.kind == User.Kind.STAFF
        passage = None if staff else _passage("login_password")
        fence = fencing.take_fence()
        admission = None
        outcome = AuthEvent.Outcome.REFUSED
        active = User.objects.filter(pk=user.pk, is_active=True).exists()
        if active and (staff or (passage is not None and fence.accepts(registered_at))):
            outcome = AuthEvent.Outcome.SUCCESS
            version = passage.version if passage else None
            admission = Admission(fence.at, AuthEvent.PASSKEY, version)
        _record(user.login_id, user, outcome, AuthEvent.PASSKEY, admission=admission, origin=origin)
    return _admitted(user, admission)


def _passage(code: str) -> capabilities.Passage | None:
    try:
        with transaction.atomic():
            return capabilities.passed(code)
    except (CapabilityStopped, PastDeadline):
        return None


def _record(
    typed: str,
    user: User | None,
    outcome: str,
    method: str,
    *,
    admission: Admission | None,
    origin: Origin,
) -> None:
    AuthEvent.objects.create(
        occurred_at=admission.at if admission else clock.now(),
        login_id=typed,
        user_id=user.pk if user else None,
        outcome=outcome,
        method=method,
        network=origin.network,
        device_ref=origin.device.ref if origin.device else "",
        country=origin.country,
    )


def _admitted(user: User | None, admission: Admission | None) -> User | None:
    if user is None or admission is None:
        return None
    user.admission = admission
    return user
