"""Recovery cases in each state, made by the verbs of the people who work on them."""

from __future__ import annotations

from typing import Any

from django.test import Client

from accounts import addresses
from accounts.models import OneTimeLink, RecoveryCase
from accounts.recovery import cases
from accounts.recovery.cases import Contact
from tests.accounts.recovery.visiting import EN
from tests.signing_in import open_session
from winddown.authority import approvals
from winddown.runs import clockwork

NEW_ADDRESS = "reached@example.com"


def opened(address: str = NEW_ADDRESS) -> RecoveryCase:
    found = addresses.understood(address)
    assert found is not None
    return cases.open_case(
        Contact("Taro Yamada", "old@example.com", address, "the telephone is lost"),
        address=found,
        language="en",
        network=None,
    )


def collecting(helper: Any, *kinds: str, address: str = NEW_ADDRESS) -> RecoveryCase:
    case = cases.take(opened(address), actor=helper, reason="test")
    for kind in kinds:
        cases.add_proof(case, kind=kind, note="seen", actor=helper)
    return case


def proposed(helper: Any, account: Any, **more: Any) -> RecoveryCase:
    case = collecting(helper, "identity_document", "call_back", **more)
    return cases.propose(case, account=account.login_id, actor=helper, reason="it is them")


def approved(helper: Any, supervisor: Any, account: Any, **more: Any) -> RecoveryCase:
    case = proposed(helper, account, **more)
    return cases.decide(case, actor=supervisor, digest=digest(case), reason="agreed", approve=True)


def digest(case: RecoveryCase) -> str:
    asked = approvals.standing(case.subject, stage=cases.STAGE)
    return asked.digest if asked else ""


def console(actor: Any) -> Client:
    browser = Client(headers=EN)
    open_session(browser, actor)
    return browser


def case_link(case: RecoveryCase, *, language: str = "en") -> OneTimeLink:
    visitor = Client(headers={"accept-language": language})
    visitor.post("/recovery/case/", {"reference": case.reference})
    visitor.post("/recovery/case/link/")
    clockwork.tick()
    return OneTimeLink.objects.filter(case=case).latest("pk")
