"""A person who lacks the one required permission is refused, at every place that asks for one."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from refunds.payouts import batch_ends
from tests import factories
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.errors import NotPermitted
from winddown.site import audit_page

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("winddown", "accounts", "wallets", "refunds", "rehearsal")


@dataclass(frozen=True, slots=True)
class Person:
    """A person who has every permission except one."""

    lacks: str
    is_active: bool = True
    pk: int = -1
    staff_number: str = "person"

    def has_perm(self, perm: str, /) -> bool:
        return perm != self.lacks


@dataclass(frozen=True, slots=True)
class Place:
    """A function that asks for a permission, and what it needs to reach the question."""

    function: str
    permission: str
    by_system: bool = False
    given: Callable[[], dict[str, Any]] = dict


# Stands for the subject of an act: a refused person never reaches it.
NOTHING = SimpleNamespace(
    pk=0,
    workflow="none",
    subject="none",
    reference="none",
    applicant_id=0,
    kind="staff",
    staff_number="none",
)


def _report() -> dict[str, Any]:
    return {"report": SimpleNamespace(customer_id=0)}


def _of_a_wallet() -> dict[str, Any]:
    wallet = factories.make_wallet()
    return {"wallet_ids": [wallet.pk], "wallet": wallet}


def _asked() -> dict[str, Any]:
    approvals.ask(
        "test:1",
        stage="test",
        content={},
        permission="winddown.approve_run",
        maker=factories.make_staff(),
        reason="test",
    )
    return {"subject": "test:1", "stage": "test"}


PLACES = (
    Place("accounts.look_up.disclose_contact", "accounts.read_contact"),
    Place(
        "refunds.payouts.batch_ends._ask",
        "test",
        given=lambda: {"end": batch_ends.End("void", "test", (), lambda *_: 0)},
    ),
    Place("refunds.payouts.batch_ends.ask_void", "refunds.make_payout_batch"),
    Place("refunds.payouts.batch_ends.ask_refusal", "refunds.reconcile"),
    Place("refunds.applications.claim_numbers.issue", "refunds.work_application"),
    Place("refunds.applications.claim_numbers.end", "refunds.work_application"),
    Place("refunds.applications.claim_letters.export", "winddown.publish_notice"),
    Place("refunds.applications.claim_letters.form_for", "refunds.work_application"),
    Place("refunds.payouts.batch_ends.ask_waiver", "refunds.reconcile"),
    Place("refunds.payouts.unpaid.as_csv", "refunds.reconcile"),
    Place(
        "refunds.payouts.methods.vouchers.report_lost",
        "refunds.work_application",
        given=lambda: {"voucher": SimpleNamespace(pk=0, payout=SimpleNamespace(holder_id=0))},
    ),
    Place(
        "refunds.payouts.arrivals.answer",
        "refunds.work_application",
        given=lambda: {"payout": SimpleNamespace(pk=0, holder_id=0)},
    ),
    Place(
        "refunds.payouts.traces.open_for",
        "refunds.work_application",
        given=lambda: {"payout": SimpleNamespace(pk=0, holder_id=0)},
    ),
    Place("refunds.payouts.traces.take", "refunds.reconcile"),
    Place("refunds.payouts.traces.ask_close", "refunds.reconcile"),
    Place("refunds.payouts.bank_days.tie", "refunds.reconcile", by_system=True),
    Place("refunds.payouts.voiding.ask_void", "refunds.reconcile"),
    Place("refunds.payouts.matching.ask_match", "refunds.reconcile"),
    Place("refunds.payouts.breaks.take", "refunds.reconcile"),
    Place("refunds.payouts.breaks.ask_clear", "refunds.reconcile"),
    Place(
        "refunds.payouts.breaks.ask_clear_all",
        "refunds.reconcile",
        given=lambda: {"kind": "unknown_reference"},
    ),
    Place("refunds.payouts.tracing.record", "refunds.work_application"),
    Place("refunds.payouts.tracing.load", "winddown.publish_notice"),
    Place("refunds.applications.intake.load", "refunds.work_application"),
    Place(
        "refunds.applications.submitting.submit_many", "refunds.work_application", by_system=True
    ),
    Place("refunds.applications.review.correct_many", "refunds.work_application", by_system=True),
    Place("refunds.payouts.payment_blocks.enter", "refunds.block_payment"),
    Place("refunds.payouts.payment_blocks.ask_lift", "refunds.block_payment"),
    Place("accounts.persons.matching.find", "accounts.match_persons", by_system=True),
    Place("accounts.persons.matching.name", "accounts.match_persons"),
    Place("accounts.persons.merging.ask_merge", "accounts.match_persons"),
    Place("accounts.persons.merging.keep_apart", "accounts.match_persons"),
    Place("accounts.persons.merging.ask_undo", "accounts.match_persons"),
    Place("refunds.applications.documents.demand", "refunds.work_application"),
    Place(
        "refunds.applications.documents.receive",
        "refunds.work_application",
        given=lambda: {"document": SimpleNamespace(pk=0, application=NOTHING)},
    ),
    Place("refunds.applications.documents.check", "refunds.work_application"),
    Place("refunds.applications.documents.disclose", "refunds.work_application"),
    Place("refunds.applications.unusual.find", "refunds.work_application", by_system=True),
    Place("refunds.applications.unusual.ask_clear", "refunds.work_application"),
    Place(
        "refunds.applications.unusual.ask_rule",
        "refunds.decide_unusual",
        given=lambda: {"code": "burst"},
    ),
    Place("accounts.credentials.access._require", "test", given=lambda: {"permission": "test"}),
    Place("accounts.credentials.access.disable", "accounts.disable_account"),
    Place("accounts.credentials.access.enable", "accounts.disable_account"),
    Place("accounts.credentials.access.sign_out_everywhere", "accounts.end_sessions"),
    Place("accounts.credentials.fencing.request_lift", "accounts.fence_credentials"),
    Place("accounts.carrier_files.ask_again", "accounts.send_reset_notice"),
    Place("accounts.carrier_files.take", "accounts.send_reset_notice"),
    Place("accounts.merchants.letters.export", "winddown.publish_notice"),
    Place("accounts.merchants.notices.remind", "winddown.publish_notice"),
    Place("accounts.merchants.notices.send", "winddown.publish_notice"),
    Place("accounts.merchants.receipts.disclose_evidence", "winddown.read_audit"),
    Place("accounts.merchants.receipts.record", "winddown.publish_notice"),
    Place("accounts.outbox.export_phone_messages", "accounts.send_reset_notice"),
    Place("accounts.recovery.cases.add_proof", "accounts.work_recovery_case"),
    Place("accounts.recovery.cases.propose", "accounts.work_recovery_case"),
    Place("accounts.recovery.staff_recovery._decide", "accounts.recover_staff"),
    Place("accounts.recovery.staff_recovery._refuse", "accounts.recover_staff"),
    Place("accounts.recovery.staff_recovery.request", "accounts.recover_staff"),
    Place("accounts.staff_adding.add", "accounts.assign_roles"),
    Place("accounts.staff_roles._refuse", "accounts.assign_roles"),
    Place("accounts.staff_roles.decide", "accounts.assign_roles"),
    Place("accounts.staff_roles.request", "accounts.assign_roles"),
    Place(
        "accounts.reset_notices.mail_results.settle", "accounts.send_reset_notice", by_system=True
    ),
    Place("accounts.reset_notices.notice_files.export_unreachable", "accounts.send_reset_notice"),
    Place("accounts.reset_notices.notice_files.hand_over", "accounts.send_reset_notice"),
    Place("accounts.sign_in.breached.load", "winddown.load_data", by_system=True),
    Place("refunds.applications.holds.ask_release", "wallets.release_wallet"),
    Place("refunds.applications.payees.ask_override", "refunds.work_application"),
    Place("refunds.applications.payees.ask_shared", "refunds.work_application"),
    Place("refunds.applications.payees.enter", "refunds.work_application", by_system=True),
    Place(
        "refunds.applications.payees.export_check_file", "refunds.make_payout_batch", by_system=True
    ),
    Place("refunds.applications.review._require_own", "refunds.work_application", by_system=True),
    Place("refunds.applications.review.answer_info", "refunds.work_application", by_system=True),
    Place("refunds.applications.review.confirm_amount", "refunds.work_application", by_system=True),
    Place("refunds.applications.review.correct_payee", "refunds.work_application", by_system=True),
    Place("refunds.applications.leaving.leave", "refunds.work_application", by_system=True),
    Place("refunds.applications.compensations.give", "refunds.work_application", by_system=True),
    Place("refunds.closing.other_ends._ask", "winddown.post_exclusion"),
    Place("refunds.closing.other_ends.ask_deposit", "winddown.post_exclusion"),
    Place("refunds.closing.other_ends.ask_transfer", "winddown.post_exclusion"),
    Place("refunds.closing.other_ends.ask_return", "winddown.post_exclusion"),
    Place("refunds.closing.other_ends.ask_claimed", "winddown.post_exclusion"),
    Place("refunds.closing.unclaimed.content", "winddown.post_exclusion"),
    Place("refunds.applications.choosing.choose", "refunds.work_application", by_system=True),
    Place("refunds.applications.review.propose", "refunds.work_application"),
    Place("refunds.applications.review.record_consent", "refunds.work_application"),
    Place("refunds.applications.review.withdraw", "refunds.work_application", by_system=True),
    Place("refunds.applications.submitting.save_draft", "refunds.work_application", by_system=True),
    Place("refunds.applications.submitting.submit", "refunds.work_application", by_system=True),
    Place("refunds.claims.damage.publish", "winddown.publish_notice"),
    Place("refunds.claims.deciding.propose", "refunds.work_claim"),
    Place("refunds.claims.asking.answer", "refunds.report_claim", given=_report),
    Place("refunds.claims.asking.ask", "refunds.work_claim"),
    Place("refunds.claims.deciding.propose_lists", "refunds.work_claim"),
    Place("refunds.claims.lists.review", "refunds.decide_claim"),
    Place("refunds.claims.ending.request_reopening", "refunds.reopen_claim"),
    Place("refunds.claims.files.disclose", "refunds.work_claim"),
    Place(
        "refunds.claims.files.keep",
        "refunds.report_claim",
        given=lambda: {"claim": SimpleNamespace(wallet=SimpleNamespace(account_id=0))},
    ),
    Place("refunds.claims.holding.hold_candidates", "wallets.hold_wallet"),
    Place("refunds.claims.holding.release", "wallets.release_wallet"),
    Place("refunds.claims.holding.secure", "refunds.work_claim", by_system=True),
    Place("refunds.claims.losses.drop_loss", "refunds.work_claim"),
    Place("refunds.claims.losses.name_losses", "refunds.work_claim"),
    Place("refunds.claims.losses.name_payers", "refunds.work_claim"),
    Place("refunds.claims.reporting.move", "refunds.work_claim", given=lambda: {"name": "take_up"}),
    Place(
        "refunds.claims.reporting.report",
        "refunds.report_claim",
        by_system=True,
        given=lambda: {"wallet_ids": [factories.make_wallet().pk]},
    ),
    *(
        Place(
            f"refunds.claims.reporting.{name}",
            "refunds.report_claim",
            by_system=True,
            given=_of_a_wallet,
        )
        for name in ("_reported", "take")
    ),
    Place("refunds.claims.reporting.take_up", "refunds.work_claim"),
    Place("refunds.claims.log_export.ask", "refunds.work_claim"),
    Place("refunds.claims.log_export.write", "refunds.work_claim"),
    Place("refunds.claims.reserve.ask_release", "refunds.decide_claim"),
    Place("refunds.claims.ways_in.search", "refunds.work_claim"),
    *(
        Place(f"refunds.claims.noting.{name}", "refunds.work_claim")
        for name in ("assign", "set_due", "snooze", "escalate", "note", "see_link", "_note")
    ),
    Place("refunds.claims.reports.answer_enquiry", "refunds.work_claim"),
    Place("refunds.claims.reports.enquire", "refunds.report_claim"),
    Place("refunds.claims.thieves.report_card", "refunds.report_claim"),
    Place("refunds.closing.documents.keep", "refunds.keep_closing_document"),
    Place("refunds.closing.documents.disclose", "refunds.keep_closing_document"),
    Place("refunds.closing.papers.export", "refunds.take_closing_proof"),
    Place("refunds.closing.regulator_pack.export", "winddown.file_filing"),
    Place("refunds.closing.resolution_pack.export", "refunds.export_resolution_pack"),
    Place("refunds.closing.proofs.take", "refunds.take_closing_proof"),
    Place("refunds.payouts.view_lists.take", "refunds.take_payout_view"),
    Place("refunds.payouts.view_lists.open_again", "refunds.take_payout_view"),
    Place("refunds.payouts.bank_codes.load", "refunds.adopt_terms", by_system=True),
    Place("refunds.payouts.forgotten.ask_release", "refunds.make_payout_batch"),
    Place("refunds.payouts.recalls.ask", "refunds.reconcile"),
    Place("refunds.payouts.waves.ask", "refunds.make_payout_batch"),
    Place("refunds.payouts.waves.ask_withdrawal", "refunds.make_payout_batch"),
    Place("refunds.payouts.line_removal.ask", "refunds.make_payout_batch"),
    Place("refunds.payouts.payout_batches.hand_out", "refunds.make_payout_batch", by_system=True),
    Place("refunds.payouts.payout_batches.release", "refunds.make_payout_batch", by_system=True),
    Place("refunds.payouts.refund_limits.adopt", "refunds.adopt_terms"),
    Place("refunds.payouts.results.import_file", "refunds.reconcile", by_system=True),
    Place("refunds.payouts.results.preview", "refunds.reconcile", by_system=True),
    Place("refunds.payouts.uploads.upload", "refunds.reconcile"),
    Place("refunds.payouts.sent_files.ask", "refunds.make_payout_batch"),
    Place("refunds.remedies.chargeback_answers.ask", "refunds.draft_issuer_action"),
    Place("refunds.remedies.chargeback_answers.record_outcome", "refunds.draft_issuer_action"),
    Place("refunds.remedies.chargebacks.register", "refunds.draft_issuer_action", by_system=True),
    Place("refunds.remedies.doubts.ask_settle", "refunds.send_issuer_action"),
    Place("refunds.remedies.doubts.take_over", "refunds.send_issuer_action"),
    Place("refunds.remedies.follow_up.escalate", "refunds.send_issuer_action"),
    Place(
        "refunds.remedies.issuer_answers.import_answers",
        "refunds.send_issuer_action",
        by_system=True,
    ),
    Place("refunds.remedies.issuer_answers.preview", "refunds.send_issuer_action"),
    Place("refunds.remedies.own_funds.pay_instead", "refunds.decide_claim"),
    Place("refunds.remedies.own_funds.recredit", "refunds.decide_claim"),
    Place("refunds.claims.evidence_pack.take", "refunds.work_claim"),
    Place("refunds.remedies.by_hand.ask", "refunds.send_issuer_action"),
    Place("refunds.remedies.quarantine.ask", "refunds.send_issuer_action"),
    Place("refunds.remedies.requests.hand_out", "refunds.send_issuer_action"),
    Place("refunds.remedies.requests.send", "refunds.send_issuer_action", by_system=True),
    Place("refunds.remedies.requests.submit", "refunds.draft_issuer_action"),
    Place("winddown.alarms.duty_addresses.end_address", "winddown.set_duty_address"),
    Place("winddown.alarms.duty_addresses.set_address", "winddown.set_duty_address"),
    Place("winddown.authority.approvals.decide", "winddown.approve_run", given=_asked),
    Place("winddown.evidence.witnessing.ask", "winddown.load_data"),
    Place("winddown.evidence.witnessing.witness", "winddown.load_data"),
    Place("winddown.loading.loader.load", "winddown.load_data", by_system=True),
    Place(
        "winddown.machines.move.transition_one",
        "winddown.declare_incident",
        given=lambda: {"row": factories.make_programme(), "name": "declare_incident"},
    ),
    Place("refunds.applications.reminder_letters.export", "winddown.publish_notice"),
    Place("refunds.applications.reminders.begin", "winddown.publish_notice"),
    Place("winddown.programme.incident_withdrawal.ask", "winddown.withdraw_incident"),
    Place("winddown.programme.announcements.draft", "winddown.announce_termination"),
    Place("winddown.programme.notice_watch.attach_correction", "winddown.publish_notice"),
    Place("winddown.programme.publications.disclose_evidence", "winddown.read_audit"),
    Place("winddown.programme.filings.disclose_evidence", "winddown.read_audit"),
    Place("winddown.programme.publications.record", "winddown.publish_notice"),
    Place("winddown.programme.filings.file", "winddown.file_filing"),
    Place("winddown.programme.filings.write", "winddown.write_filing"),
    Place("winddown.programme.funds.report_safeguarded", "winddown.report_funds"),
    Place("winddown.programme.milestones.assign", "winddown.set_milestone"),
    Place("winddown.programme.milestones.reach", "winddown.reach_milestone"),
    Place("winddown.programme.milestones.set_milestone", "winddown.set_milestone"),
    Place("winddown.programme.public_notice.publish_contact", "winddown.publish_notice"),
    Place("winddown.programme.public_notice.publish_notice", "winddown.publish_notice"),
    Place("winddown.programme.stages.ask_announcement", "winddown.announce_termination"),
    Place("winddown.site.set_up_page.look", "winddown.change_set_up"),
    Place("winddown.set_up.beginning.ask", "winddown.change_set_up"),
    Place("winddown.runs.control.set_rate", "winddown.pause_run"),
    Place("winddown.runs.planning.plan", "winddown.plan_run"),
    Place("winddown.runs.planning.replan", "winddown.plan_run"),
    Place(
        "winddown.site.look_up_page.disclose_found",
        "winddown.look_up",
        given=lambda: {"typed": "account:1"},
    ),
    Place(
        "winddown.site.reading.disclose",
        "winddown.read_audit",
        given=lambda: {"source": audit_page.SOURCE},
    ),
)


# --- the places in the code -----------------------------------------------------------------------


def _calls(function: ast.FunctionDef) -> Iterator[tuple[str, ast.Call]]:
    """Yields each call inside the function, with the last word of the called name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("require", "actors.require") or "." not in called:
                yield called.rpartition(".")[2], node


def _said(permission: ast.expr, module: ModuleType) -> str | None:
    """Returns the permission in the call; None if it is known only at run time."""
    if isinstance(permission, ast.Name):
        return getattr(module, permission.id, None)
    return permission.value if isinstance(permission, ast.Constant) else None


def _asking(module: ModuleType, tree: ast.Module) -> dict[str, str | None]:
    """Returns function -> permission, for each one that asks itself or by a private function beside
    it.
    """
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found: dict[str, str | None] = {}
    for function in functions:
        asked = [call for name, call in _calls(function) if name == "require"]
        assert len(asked) <= 1, f"{function.name} asks twice; each needs a place of its own"
        if asked:
            found[function.name] = _said(asked[0].args[1], module)
    private = {name for name in found if name.startswith("_")}
    for function in functions:
        if private & {name for name, _ in _calls(function)}:
            found.setdefault(function.name, None)
    return found


def _places() -> dict[str, str | None]:
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            text = path.read_text()
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if "require(" in text and name != "winddown.actors":
                asking = _asking(importlib.import_module(name), ast.parse(text))
                found |= {f"{name}.{function}": said for function, said in asking.items()}
    return found


def test_every_function_that_asks_for_a_permission_is_in_the_table() -> None:
    found = _places()
    assert {place.function for place in PLACES} == set(found)
    said = {place.function: place.permission for place in PLACES if found[place.function]}
    assert said == {function: permission for function, permission in found.items() if permission}


# --- what each place does -------------------------------------------------------------------------


def _call(place: Place, actor: Any) -> None:
    module, _, name = place.function.rpartition(".")
    function = getattr(importlib.import_module(module), name)
    needed = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    given = {**dict.fromkeys(needed, NOTHING), **place.given(), "actor": actor}
    taken = inspect.signature(function).parameters
    function(**{name: value for name, value in given.items() if name in taken})


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.function)
def test_a_person_with_every_other_permission_is_refused(place: Place) -> None:
    with pytest.raises(NotPermitted) as refusal:
        _call(place, Person(lacks=place.permission))
    assert refusal.value.facts["permission"] == place.permission


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.function)
def test_a_disabled_person_with_every_permission_is_refused(place: Place) -> None:
    with pytest.raises(NotPermitted):
        _call(place, Person(lacks="", is_active=False))


@pytest.mark.parametrize(
    "place", [each for each in PLACES if not each.by_system], ids=lambda place: place.function
)
def test_the_system_is_refused_where_only_people_may_act(place: Place) -> None:
    with pytest.raises(NotPermitted):
        _call(place, SYSTEM)


@pytest.mark.parametrize(
    "place", [each for each in PLACES if each.by_system], ids=lambda place: place.function
)
def test_the_system_is_let_through_where_it_acts(place: Place) -> None:
    try:
        _call(place, SYSTEM)
    except NotPermitted:
        pytest.fail("the system may not act here")
    except Exception:  # noqa: S110  what comes after the question fails without its subject
        pass


def test_the_system_is_active_and_holds_no_permission() -> None:
    """A place lets it act by a declaration, never by a permission that it would hold."""
    held = {place.permission for place in PLACES if SYSTEM.has_perm(place.permission)}
    assert (SYSTEM.is_active, held) == (True, set())
