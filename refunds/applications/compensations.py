"""The bank account to which a victim's compensation is paid."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from refunds.applications import payees
from refunds.bank_accounts import Account
from refunds.models import Payee
from refunds.remedies import own_funds
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit


def give(holder: User, account: Account, *, actor: Actor, reason: str = "") -> Payee:
    """The holder's compensation is paid to the account, after the checks and the cooling-off of any
    account. Anybody but the holder needs `refunds.work_application`.

    The same account again changes nothing. Raises `PayeeRefused`, and `GuardNotMet` for somebody to
    whom no compensation is owed, or whose compensation is in a file.
    """
    if payees.is_another(holder.pk, actor):
        require(actor, "refunds.work_application", action=f"enter an account for {holder.pk}")
    with transaction.atomic():
        if not own_funds.waiting(holder).exists():
            raise GuardNotMet(
                action=says("enter an account for a compensation"),
                why=says("no compensation of the customer waits for one"),
            )
        done = payees.enter(holder, account, actor=actor)
        audit.append("remedies.give_account", f"payee:{done.pk}", actor=actor, reason=reason)
        return done
