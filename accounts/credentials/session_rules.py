"""Why a session is no longer accepted."""

from __future__ import annotations

import datetime as dt

from django.db import connection, models

from accounts.credentials.admissions import Admission
from accounts.credentials.fencing import Fence
from accounts.models import AuthEvent, CredentialFence, Session, User
from winddown.evidence import restores
from winddown.models import Capability
from winddown.programme import capabilities

# Every session and device token ends after this time, also when it is in use.
STAFF_SESSION_MAX = dt.timedelta(hours=8)
CUSTOMER_SESSION_MAX = dt.timedelta(days=30)
TOKEN_MAX = dt.timedelta(days=90)


class Refusal(models.TextChoices):
    """Why a session is no longer accepted."""

    FENCED = "fenced"
    PROVIDER_STOPPED = "provider_stopped"
    SIGNED_OUT = "signed_out"
    DISABLED = "disabled"
    TOO_OLD = "too_old"
    RESTORED = "restored"


def session_refusal(
    user_id: int, admission: Admission | None, *, lasts: dt.timedelta = CUSTOMER_SESSION_MAX
) -> Refusal | None:
    """Returns why a session or token of this user, issued by `admission`, is not accepted now.
    Returns None when it is accepted.

    It takes one query, and no lock or worker. Changes count that were committed before this
    request. A session that a provider's switch stopped stays refused when the provider is back,
    because the switch has a new version. A customer's session is also refused when it is older than
    `lasts`. The fence and the switches do not touch staff (rule 16). Their sessions end sooner
    instead. What is older than a restore of the database is refused to everybody, because an end of
    it may be forgotten.
    """
    method = admission.method if admission else AuthEvent.PASSWORD
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT u.kind, u.is_active, u.sessions_end_before, winddown_now(),
                   (SELECT max(not_before) FROM accounts_credentialfence
                    WHERE state = ANY (%s)),
                   (SELECT version FROM winddown_capability
                    WHERE code = %s AND state = %s),
                   (SELECT max(at) FROM winddown_auditentry WHERE action = ANY (%s))
            FROM accounts_user u WHERE u.id = %s
            """,
            [
                list(CredentialFence.IN_FORCE),
                f"login_external:{method}",
                Capability.State.ENABLED,
                restores.ACTIONS,
                user_id,
            ],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    kind, active, end_before, at, not_before, version, restored_at = found
    issued_at = admission.at if admission else None
    if not active:
        return Refusal.DISABLED
    if not Fence(at=at, not_before=end_before).accepts(issued_at):
        return Refusal.SIGNED_OUT
    if not Fence(at=at, not_before=restored_at).accepts(issued_at):
        return Refusal.RESTORED
    if kind == User.Kind.STAFF:
        old = issued_at is None or at - issued_at > STAFF_SESSION_MAX
        return Refusal.TOO_OLD if old else None
    if not Fence(at=at, not_before=not_before).accepts(issued_at):
        return Refusal.FENCED
    external = method not in AuthEvent.OWN_METHODS
    if admission and external and version != admission.switch_version:
        return Refusal.PROVIDER_STOPPED
    if issued_at is not None and at - issued_at > lasts:
        return Refusal.TOO_OLD
    return None


def sessions_after_stop(switch: Capability) -> int:
    """Returns how many customers' sessions of the switch's method were issued after the stop. It
    must be 0.
    """
    method = switch.code.removeprefix("login_external:").removeprefix("login_")
    methods = AuthEvent.OWN_METHODS if method == AuthEvent.PASSWORD else (method,)
    issued = Session.objects.filter(method__in=methods, issued_at__gte=switch.since)
    return int(issued.of_customers().count())


capabilities.LEAKS.add("login_", sessions_after_stop)
