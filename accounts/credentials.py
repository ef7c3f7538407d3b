"""What opens an account: the one rule of the credential fence, and the verbs under it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, models, transaction

from accounts.admissions import Admission, Origin
from accounts.attempts import limits
from accounts.errors import AuthorityFenced, PasswordChangedMeanwhile, PasswordReused
from accounts.models import AuthEvent, CredentialFence, ExternalIdentity, Session, User
from winddown import clock, locks
from winddown.actors import SYSTEM, require
from winddown.authority import approvals
from winddown.errors import CapabilityStopped, GuardNotMet, PastDeadline
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import transition_one
from winddown.models import Batch, Capability, Run
from winddown.programme import capabilities
from winddown.providers import PROVIDERS
from winddown.runs import control

# A session of staff ends by itself, whatever is done in it.
STAFF_SESSION_MAX = dt.timedelta(hours=8)
NO_PASSWORD = "!"  # noqa: S105  what Django's hashers understand as unusable


class Refusal(models.TextChoices):
    """Why a session is no longer accepted."""

    FENCED = "fenced"
    PROVIDER_STOPPED = "provider_stopped"
    SIGNED_OUT = "signed_out"
    DISABLED = "disabled"
    TOO_OLD = "too_old"


@dataclass(frozen=True, slots=True)
class Fence:
    """The fence as it stands until this transaction ends, and the instant at which it was read."""

    at: dt.datetime
    not_before: dt.datetime | None

    def accepts(self, given_at: dt.datetime | None) -> bool:
        """What a customer set, or was given, at `given_at` still opens the account.

        This is the rule. What was given at the fence's own instant is accepted; what has no date is
        older than every fence.
        """
        return self.not_before is None or (given_at is not None and given_at >= self.not_before)


# --- the fence --------------------------------------------------------------------------------


def fence_now() -> dt.datetime | None:
    """What was given before this instant is not accepted; None while no fence was ever raised.

    A fence that a later one superseded still counts: if the later is lifted, the earlier holds on.
    """
    rows = CredentialFence.objects.exclude(state=CredentialFence.State.LIFTED)
    newest: dt.datetime | None = rows.aggregate(newest=models.Max("not_before"))["newest"]
    return newest


def hold_fence() -> Fence:
    """The fence neither rises nor falls until this transaction ends.

    Everything that accepts or gives a credential decides under this shared lock, and dates what it
    gives by the instant returned: so nothing can be accepted under the old fence and be dated
    behind the new one.
    """
    # Two statements: the second sees what was committed while the first waited.
    locks.share(Lock.FENCE)
    return Fence(at=clock.now(), not_before=fence_now())


def _move_fence() -> None:
    """Whoever held the fence has committed, and nobody holds it until this transaction ends."""
    locks.hold(Lock.FENCE)


def raise_fence(run: Run) -> CredentialFence:
    """From the commit on, no password, session or reset link of a customer from before is accepted.

    The fence's instant is taken when everything under way has committed. An earlier standing fence
    is superseded. Staff stand on neither side of it.
    """
    _move_fence()
    earlier = CredentialFence.objects.filter(state=CredentialFence.State.STANDING).first()
    if earlier is not None:
        transition_one(earlier, "supersede", actor=SYSTEM, reason=run.reason, run=run)
    # Never earlier than a fence that stood before, even if a rehearsal moved its clock back.
    at = max(filter(None, [clock.now(), fence_now()]))
    fence = CredentialFence.objects.create(not_before=at, run=run)
    audit.append("credentials.fence", fence.approval_subject, actor=SYSTEM, run=run, not_before=at)
    return fence


def request_lift(*, actor: Any, reason: str) -> CredentialFence:
    """A first person has asked to lift the standing fence; it stands until a second agrees.

    Raises `NotPermitted`, or `GuardNotMet` when no fence stands, when its run is not paused or
    aborted, or when the run has removed passwords already.
    """
    require(actor, "accounts.fence_credentials", action="lift the credential fence")
    with transaction.atomic():
        fence = _liftable()
        approvals.ask(
            fence.approval_subject,
            stage="lift",
            content=_lift_content(fence),
            permission="accounts.fence_credentials",
            maker=actor,
            reason=reason,
        )
        audit.append(
            "credentials.request_lift",
            fence.approval_subject,
            actor=actor,
            reason=reason,
            run=fence.run,
        )
        return fence


def lift(*, actor: Any, reason: str) -> CredentialFence:
    """What the fence refused is accepted again, because a second person agreed; its run is aborted.

    Raises what `request_lift` and `approvals.decide` raise. The lock makes a batch that is removing
    passwords at this moment either count, or find the fence gone and remove nothing.
    """
    with transaction.atomic():
        _move_fence()
        fence = _liftable()
        approvals.decide(
            fence.approval_subject,
            stage="lift",
            actor=actor,
            digest=approvals.digest_of(_lift_content(fence)),
            reason=reason,
        )
        run = fence.run
        fence = transition_one(
            fence, "lift", actor=actor, reason=reason, run=run, lifted_at=clock.now()
        )
        if run.state == Run.State.PAUSED:
            control.abort(run, actor=actor, reason=reason)
        audit.append(
            "credentials.lift", fence.approval_subject, actor=actor, reason=reason, run=run
        )
        return fence


def _liftable() -> CredentialFence:
    def refuse(why: str) -> GuardNotMet:
        return GuardNotMet(action="lift the credential fence", why=why)

    standing = CredentialFence.objects.filter(state=CredentialFence.State.STANDING)
    fence = standing.select_related("run").first()
    if fence is None:
        raise refuse("none stands")
    if Batch.objects.filter(run=fence.run, step="remove_passwords", moved__gt=0).exists():
        raise refuse("its run has removed passwords, which do not come back")
    if fence.run.state not in (Run.State.PAUSED, Run.State.ABORTED):
        raise refuse(f"its run is {fence.run.state}: pause it first")
    return fence


def _lift_content(fence: CredentialFence) -> dict[str, Any]:
    return {"lift": fence.approval_subject, "not_before": fence.not_before}


# --- signing in -------------------------------------------------------------------------------


def sign_in(login_id: str, raw_password: str, *, origin: Origin) -> User | None:
    """The user who is let in, with the `admission` that a session must carry; else None.

    One answer for every refusal; the reason stands only in the `AuthEvent`. What is tried too often
    is refused before anything is hashed. The password is hashed before any lock is taken, also for
    a login id that nobody has, so that the time tells nothing; what was found then is confirmed
    under the locks.
    """
    typed = login_id.replace("\0", "\N{REPLACEMENT CHARACTER}").lower()[:254]
    user = User.objects.filter(login_id=typed).first()
    attempt = _attempt(typed, user, origin)
    if not limits.admit(attempt):
        refused = AuthEvent.Outcome.REFUSED
        _record(typed, user, refused, AuthEvent.PASSWORD, admission=None, origin=origin)
        return None
    guessable = _guessable(user, at=attempt.at)
    if user is None or not user.has_usable_password():
        right = check_password(raw_password, NO_PASSWORD)
    else:
        right = user.check_password(raw_password)
    with transaction.atomic():
        outcome, admission = _judge_password(user, right=right)
        _record(typed, user, outcome, AuthEvent.PASSWORD, admission=admission, origin=origin)
    limits.note(attempt, outcome, guessable=guessable)
    return _admitted(user, admission)


def _attempt(typed: str, user: User | None, origin: Origin) -> limits.Attempt:
    """The attempt as the limits see it."""
    device = origin.device
    return limits.Attempt(
        key=typed,
        network=origin.network,
        at=clock.now(),
        device=device,
        known_device=bool(user and device and device.opened_before(user.pk)),
        staff=user is not None and user.kind == User.Kind.STAFF,
    )


def _guessable(user: User | None, *, at: dt.datetime) -> bool:
    """There is a password that would open the account, if somebody guessed it."""
    fence = Fence(at=at, not_before=fence_now())
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
    fence = hold_fence()
    unchanged = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    set_at = unchanged.values_list("password_set_at", flat=True)
    accepted = any(user.kind == User.Kind.STAFF or fence.accepts(each) for each in set_at)
    if not accepted:
        return AuthEvent.Outcome.REFUSED, None
    return AuthEvent.Outcome.SUCCESS, Admission(fence.at, AuthEvent.PASSWORD, version)


def sign_in_external(provider: str, subject: str, *, origin: Origin) -> User | None:
    """The customer whom `provider` vouches for as `subject`, with the `admission`; else None.

    Refused while the provider's switch is off or the identity suspended, whatever stage the
    handshake had reached. No member of staff is ever let in this way.
    """
    with transaction.atomic():
        passage = _passage(f"login_external:{provider}")
        fence = hold_fence()
        identity = (
            ExternalIdentity.objects.filter(provider=provider, subject=subject)
            .select_related("user")
            .first()
        )
        user = identity.user if identity else None
        admission = None
        outcome = AuthEvent.Outcome.UNKNOWN_LOGIN_ID
        if identity is not None and user is not None:
            outcome = AuthEvent.Outcome.REFUSED
            active = identity.state == ExternalIdentity.State.ACTIVE and user.is_active
            if active and passage is not None and user.kind == User.Kind.CUSTOMER:
                outcome = AuthEvent.Outcome.SUCCESS
                admission = Admission(fence.at, provider, passage.version)
        typed = user.login_id if user else ""
        _record(typed, user, outcome, provider, admission=admission, origin=origin)
    return _admitted(user, admission)


def sign_in_passkey(user: User, *, registered_at: dt.datetime, origin: Origin) -> User | None:
    """The user, whose passkey registered at `registered_at` was verified just now, with the
    `admission`; else None.

    A passkey is a customer's own key like the password: the same switch governs it, and one from
    before the fence opens nothing by itself.
    """
    with transaction.atomic():
        staff = user.kind == User.Kind.STAFF
        passage = None if staff else _passage("login_password")
        fence = hold_fence()
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


# --- sessions ---------------------------------------------------------------------------------


def session_refusal(user_id: int, admission: Admission | None) -> Refusal | None:
    """Why a session or token of this user, issued by `admission`, is not accepted now; None when
    it is.

    One query, no lock and no worker: what was committed before this request counts. What a
    provider's switch stopped stays refused after the provider is back, because the switch's version
    has moved on. Neither the fence nor a switch touches staff (rule 16); their sessions have an end
    of their own instead.
    """
    method = admission.method if admission else AuthEvent.PASSWORD
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT u.kind, u.is_active, u.sessions_end_before, winddown_now(),
                   (SELECT max(not_before) FROM accounts_credentialfence WHERE state <> 'lifted'),
                   (SELECT version FROM winddown_capability WHERE code = %s AND state = 'enabled')
            FROM accounts_user u WHERE u.id = %s
            """,
            [f"login_external:{method}", user_id],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    kind, active, end_before, at, not_before, version = found
    issued_at = admission.at if admission else None
    if not active:
        return Refusal.DISABLED
    if not Fence(at=at, not_before=end_before).accepts(issued_at):
        return Refusal.SIGNED_OUT
    if kind == User.Kind.STAFF:
        old = issued_at is None or at - issued_at > STAFF_SESSION_MAX
        return Refusal.TOO_OLD if old else None
    if not Fence(at=at, not_before=not_before).accepts(issued_at):
        return Refusal.FENCED
    if admission and method in PROVIDERS and version != admission.switch_version:
        return Refusal.PROVIDER_STOPPED
    return None


@contextmanager
def giving(user: User, *, authority_at: dt.datetime | None) -> Iterator[dt.datetime]:
    """What gives an account a further credential is done inside, dated by the instant yielded.

    `authority_at` is when the session was issued in which the owner asks. Raises `AuthorityFenced`
    when that lies before the fence, or there is no session: nobody carries a passkey or a token
    over it, and no token begets another.
    """
    with transaction.atomic():
        fence = hold_fence()
        accepted = authority_at is not None and fence.accepts(authority_at)
        if user.kind == User.Kind.CUSTOMER and not accepted:
            raise AuthorityFenced(not_before=f"{fence.not_before or fence.at:%Y-%m-%d %H:%M:%S %Z}")
        yield fence.at


def sessions_after_stop(switch: Capability) -> int:
    """Customers' sessions of the switch's method issued after it was stopped: must be 0."""
    method = switch.code.removeprefix("login_external:").removeprefix("login_")
    own = (AuthEvent.PASSWORD, AuthEvent.PASSKEY)
    methods = own if method == AuthEvent.PASSWORD else (method,)
    issued = Session.objects.filter(method__in=methods, issued_at__gte=switch.since)
    return int(issued.of_customers().count())


capabilities.LEAKS["login_"] = sessions_after_stop


# --- choosing a password ----------------------------------------------------------------------


def is_refused(user: User, raw_password: str) -> bool:
    """`raw_password` is the account's present password, or the one that a mass reset took away."""
    return any(
        check_password(raw_password, encoded)
        for encoded in (user.password, user.refused_hash)
        if encoded and not encoded.startswith(NO_PASSWORD)
    )


def choose_password(user: User, raw_password: str, *, authority_at: dt.datetime) -> None:
    """The account's password is `raw_password`, set now by its owner.

    `authority_at` is when the session or link was issued by which the owner asks. Raises
    `AuthorityFenced` when that lies before the fence, so that nobody carries an old credential over
    it; `PasswordReused` for the present or the removed password (rule 11); and
    `PasswordChangedMeanwhile` when a sweep or another request was first. Nobody sets another
    person's password.
    """
    seen = User.objects.get(pk=user.pk)
    if is_refused(seen, raw_password):
        raise PasswordReused
    encoded = make_password(raw_password)
    with transaction.atomic():
        fence = hold_fence()
        customer = seen.kind == User.Kind.CUSTOMER
        if customer and not fence.accepts(authority_at):
            raise AuthorityFenced(not_before=f"{fence.not_before:%Y-%m-%d %H:%M:%S %Z}")
        # The sweep has not come by yet: what it would have refused is refused from now on.
        fenced = customer and seen.has_usable_password() and not fence.accepts(seen.password_set_at)
        refused_hash = seen.password if fenced and seen.password else seen.refused_hash
        unchanged = User.objects.filter(
            pk=seen.pk, password=seen.password, refused_hash=seen.refused_hash
        )
        changed = unchanged.update(
            password=encoded, password_set_at=fence.at, refused_hash=refused_hash
        )
        if not changed:
            raise PasswordChangedMeanwhile(account=seen.pk)
    user.refresh_from_db(fields=["password", "password_set_at", "refused_hash"])


def _decided(said: approvals.Decided) -> object:
    if not said.approve:
        raise GuardNotMet(action="reject the lift", why="leave it undecided: the fence stands")
    return lift(actor=said.actor, reason=said.reason)


approvals.DECIDERS["credential_fence"] = _decided
