"""Second factors: which ones count, and whether a code is right, unused and not guessed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.attempts import limits
from accounts.models import User
from winddown.actors import SYSTEM
from winddown.evidence import audit

# After this many wrong codes no code is accepted until the pause is over.
WRONG_CODES_MAX = 5
PAUSE = dt.timedelta(minutes=5)


def use_code(user: User, code: str) -> Authenticator | None:
    """Returns the authenticator of the code, which this call uses up. Returns None when the code is
    not right.

    The code is one of the app, or a recovery code. The used codes and the number of wrong codes are
    stored in the authenticator's own row, under its lock. Therefore they outlive a flushed cache
    and need no cache. The time is the real clock's, because the app uses it. The audit journal has
    every refused code, but only one code of each pause.
    """
    typed = code.replace(" ", "").replace("-", "")
    now = timezone.now().timestamp()
    with transaction.atomic():
        rows = list(
            Authenticator.objects.select_for_update()
            .filter(user_id=user.pk)
            .exclude(type=Authenticator.Type.WEBAUTHN)
            .order_by("pk")
        )
        if not rows:
            return None
        if rows[0].data.get("paused_until", 0) > now:
            if not rows[0].data.get("pause_told"):
                _note(rows[0], pause_told=True)
                _tell(user, "paused")
            return None
        found, why = _use_any(rows, typed)
        wrong = 0 if found else rows[0].data.get("wrong", 0) + 1
        paused = wrong >= WRONG_CODES_MAX
        _note(
            rows[0],
            wrong=0 if paused else wrong,
            paused_until=now + PAUSE.total_seconds() if paused else 0,
            pause_told=False,
        )
        if found is None:
            _tell(user, why, pauses=paused)
    return found


def _use_any(rows: list[Authenticator], typed: str) -> tuple[Authenticator | None, str]:
    """Returns the row whose code it is, which is used from now on. Without one, returns why not."""
    reasons = set()
    for row in rows:
        if not (why := _use(row, typed)):
            return row, ""
        reasons.add(why)
    return None, "used" if "used" in reasons else "wrong"


def _use(row: Authenticator, typed: str) -> str:
    """Returns why the code is refused, or an empty text. A right code is used from now on."""
    if row.type == Authenticator.Type.RECOVERY_CODES:
        codes = row.wrap()
        if codes.validate_code(typed):
            return ""
        return "used" if typed in codes.generate_codes() else "wrong"
    secret = decrypt(row.data["secret"])
    for step in yield_hotp_counters_from_time():
        if constant_time_compare(format_hotp_value(hotp_value(secret, step)), typed):
            if step <= row.data.get("used_step", 0):
                return "used"
            _note(row, used_step=step)
            return ""
    return "wrong"


def note_refused_passkey(user: User) -> None:
    """The audit journal has the refused passkey. Of one person it has a few of each hour only,
    because no limit stops somebody who sends many.
    """
    if limits.allow("refused_passkey", key=user.login_id):
        with transaction.atomic():
            audit.append("access.passkey_refused", f"account:{user.pk}", actor=SYSTEM)


def note_unknown_passkey(network: str | None) -> None:
    """The audit journal has the refused passkey of a sign-in, of which nobody knows whose it is.

    It has a few of each hour only, from one network and from all together.
    """
    if limits.allow("unknown_passkey", network=network):
        with transaction.atomic():
            audit.append("access.passkey_refused", "sign_in:passkey", actor=SYSTEM)


def _tell(user: User, why: str, **facts: Any) -> None:
    """The audit journal has the refused code. Nobody has proved to be the account's owner."""
    audit.append("access.code_refused", f"account:{user.pk}", actor=SYSTEM, why=why, **facts)


def _note(row: Authenticator, **facts: Any) -> None:
    """The facts are stored in the row. Its other facts stay."""
    row.refresh_from_db(fields=["data"])
    row.data.update(facts)
    row.save(update_fields=["data"])


def add_app(user: User) -> str:
    """The person has an authenticator app that no page has set up. Returns its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def current_code(user: User) -> str | None:
    """Returns the code that the person's app shows now. Returns None without an app."""
    row = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).first()
    if row is None:
        return None
    step = int(timezone.now().timestamp()) // 30
    code: str = format_hotp_value(hotp_value(decrypt(row.data["secret"]), step))
    return code
