"""The second person's answer about applications, held refunds and payees, by command and page."""

from __future__ import annotations

from refunds.applications import holds, payees, review
from refunds.models import Entitlement, Payee, RefundApplication
from winddown.authority import approvals
from winddown.authority.approvals import Decided
from winddown.errors import NothingToDecide


def _application(said: Decided) -> object:
    """An approved application may be paid; another one waits for the next proposal."""
    found = RefundApplication.objects.filter(pk=said.key).first()
    if found is None:
        raise NothingToDecide(subject=f"application:{said.key}")
    verb = review.approve if said.approve else review.decline
    return verb(found, actor=said.actor, digest=said.digest, reason=said.reason)


def _entitlement(said: Decided) -> object:
    """A released refund may be applied for; another one stays held."""
    found = Entitlement.objects.filter(pk=said.key.partition(":")[0]).first()
    if found is None:
        raise NothingToDecide(subject=f"entitlement:{said.key}")
    verb = holds.release if said.approve else holds.keep
    return verb(found, actor=said.actor, digest=said.digest, reason=said.reason)


def _payee(said: Decided) -> object:
    """A payee is paid although the bank refused it, or many share it; another one is not."""
    found = Payee.objects.filter(pk=said.key.partition(":")[0]).first()
    if found is None:
        raise NothingToDecide(subject=f"payee:{said.key}")
    if not said.approve:
        return payees.decline(
            found, stage=said.stage, actor=said.actor, digest=said.digest, reason=said.reason
        )
    verb = payees.clear_shared if said.stage == payees.SHARED else review.override_payee
    return verb(found, actor=said.actor, digest=said.digest, reason=said.reason)


approvals.DECIDERS.add("application", _application)
approvals.DECIDERS.add("entitlement", _entitlement)
approvals.DECIDERS.add("payee", _payee)
