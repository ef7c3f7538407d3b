"""The end of data: what is deleted can be read nowhere, and what must stay is found again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts import person_keys, postal_addresses
from accounts.models import AuthEvent, PersonKey, User
from accounts.person_keys import DataDeleted
from accounts.persons import matching, merging
from refunds.closing import buckets, papers
from refunds.models import DeletionCertificate, Entitlement, Payee, PaymentBlock
from refunds.models.closing_document import PACK_EXPORTED
from refunds.payouts import payout_batches
from refunds.workflows.shred_personal_data import due
from tests import factories
from tests.config.test_every_door import browser_of
from tests.owning import as_owner
from tests.refunds.closing.settled import settle
from tests.refunds.conftest import House, jst
from tests.unguarded import past_the_guards
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, PlanChanged
from winddown.evidence import audit, invariants
from winddown.models import Approval, AuditEntry, Plan, Programme, Run
from winddown.personal_data import HOUSE, DataClass
from winddown.runs import control, planning

SHRED = "shred-personal-data"
PARAMS = {"backups_until": "2036-12-31"}
# What a person told, in every way in which somebody might look for it.
CANARIES = ("Canary Hanako", "カナリアハナコ", "canary@example.com", "+819012345678", "ﾔﾏﾀﾞ ﾀﾛｳ",
            "千代田1-1", "198.51.100.77", "canary-device", "canary-login")  # fmt: skip


@pytest.fixture
def ended(house: House) -> list[Entitlement]:
    """All refunds ended in January 2020, the pack was exported, and it is 2036."""
    owed = settle(house)
    for number, each in enumerate(owed):
        person = each.wallet.account
        tell(person, number)
    factories.bring_to(Programme.current(), "completed")
    exported(house)
    clock.travel(jst("2036-01-15T09:00"), frozen=True)
    return owed


def exported(house: House) -> None:
    with transaction.atomic():
        audit.append(PACK_EXPORTED, "resolution_pack", actor=house.compliance, reason="test")


def tell(person: User, number: int) -> None:
    User.objects.filter(pk=person.pk).update(
        login_id=f"canary-login-{number}",
        display_name="Canary Hanako",
        kana_name="カナリアハナコ",
        email="canary@example.com",
        phone="+819012345678",
    )
    factories.give_postal_address(person)
    AuthEvent.objects.create(
        occurred_at=clock.now(),
        login_id="canary-login",
        user_id=person.pk,
        outcome="success",
        method="password",
        network="198.51.100.77",
        device_ref="canary-device",
    )


def shredded(house: House, **params: Any) -> Run:
    run = factories.started_run(
        SHRED, maker=house.treasury, checker=house.approver, params={**PARAMS, **params}
    )
    return factories.worked_off(run)


def said_in_plain(*texts: str) -> set[str]:
    """Returns the tables in which one of the texts can be read."""
    found = set()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM {table} t WHERE t::text LIKE ANY (%s))",
                [[f"%{text}%" for text in texts]],
            )
            if cursor.fetchone()[0]:
                found.add(table)
    return found


def test_what_was_deleted_can_be_read_nowhere_and_the_evidence_still_holds(
    house: House, ended: list[Entitlement], staff: Callable[..., Any]
) -> None:
    assert {"accounts_user", "accounts_authevent", "refunds_payee"} <= said_in_plain(*CANARIES)
    before, wrong = buckets.counted(), invariants.breached()
    payee = Payee.objects.get(replaced_at=None)
    number = payee.account_number
    (batch,) = payout_batches.PayoutBatch.objects.all()

    run = shredded(house)

    assert run.state == "succeeded", Run.objects.get(pk=run.pk)
    assert said_in_plain(*CANARIES) == set()
    assert due.readable() == {}
    assert invariants.breached() == wrong
    assert buckets.counted() == before
    payee = Payee.objects.get(pk=payee.pk)
    with pytest.raises(DataDeleted, match="2036-01-15"):
        _ = payee.account_number
    assert number not in str(vars(payee))
    with pytest.raises(DataDeleted):
        list(payout_batches.content(batch))
    person = ended[0].wallet.account
    assert postal_addresses.of(User.objects.get(pk=person.pk)) is None
    # The pages of the person say so, and nothing crashes.
    support = browser_of(staff("support"))
    answer = support.post(
        "/console/look-up/find/", {"q": f"account:{person.pk}", "reason": "test"}, follow=True
    )
    page = answer.content.decode()
    assert "消去済み：氏名とログインID" in page
    assert "2036" in page

    again = shredded(house)
    assert (again.state, PersonKey.objects.filter(run=again).count()) == ("succeeded", 0)


def test_the_certificate_says_what_it_covers_and_what_not(
    house: House, ended: list[Entitlement], staff: Callable[..., Any], tmp_path: Path
) -> None:
    run = shredded(house)
    certificate = DeletionCertificate.objects.get(run=run)

    assert certificate.facts["deleted_identity"] == User.objects.customers().count()
    assert certificate.facts["deleted_bank_details"] == 1
    assert certificate.facts["readable"] == 0
    assert certificate.facts["files_out"] > 0
    by = staff("compliance")
    call_command("export_paper", deletion=run.pk, out=tmp_path, by=by.login_id, reason="test")
    written = (tmp_path / f"deletion-{run.pk}.html").read_text()
    assert papers.verified(written)
    assert papers.verified(written.replace("2036-12-31", "2030-12-31")) is None
    for said in ("Backups and replicas from before", "バックアップ", "2036-12-31"):
        assert said in written
    page = browser_of(by).get(f"/console/closing/deletions/{run.pk}/")
    assert "Backups and replicas from before" in page.content.decode()
    assert (
        f"/console/closing/deletions/{run.pk}/"
        in browser_of(by).get("/console/closing/").content.decode()
    )
    assert browser_of(staff("support")).get(page.request["PATH_INFO"]).status_code == 403
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        DeletionCertificate.objects.update(digest="")


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"keep_days": {"identity": 1}}, "identity is kept for 3653 to 5479 days, not 1"),
        ({"keep_days": {"identity": 9999}}, "to 5479 days, not 9999"),
        ({"keep_days": {"identity": True}}, "not True"),
        ({"keep_days": {"names": 4000}}, "names not understood"),
        ({"keep_days": [1]}, "not understood"),
        ({"backups_until": "soon"}, "backups_until"),
        ({"people": 1}, "people not understood"),
    ],
    ids=str,
)
def test_a_period_outside_the_bounds_of_the_law_is_refused(
    house: House, params: dict[str, Any], why: str
) -> None:
    factories.bring_to(Programme.current(), "completed")
    with pytest.raises(GuardNotMet, match=why):
        planning.plan(SHRED, actor=house.treasury, reason="test", params={**PARAMS, **params})


def test_nothing_is_deleted_before_the_end_and_the_export(house: House) -> None:
    settle(house)
    with pytest.raises(GuardNotMet, match="the programme is settling"):
        planning.plan(SHRED, actor=house.treasury, reason="test", params=PARAMS)
    factories.bring_to(Programme.current(), "completed")
    with pytest.raises(GuardNotMet, match="was not exported since"):
        planning.plan(SHRED, actor=house.treasury, reason="test", params=PARAMS)
    exported(house)

    # The time of no class is over yet.
    run = planning.plan(SHRED, actor=house.treasury, reason="test", params=PARAMS)
    assert Plan.objects.get(run=run).content["counts"] == {"people": 0}


def test_whoever_is_held_keeps_everything(house: House, ended: list[Entitlement]) -> None:
    """A legal hold wins: before the plan, between plan and start, and after the start."""
    first, second, third = (each.wallet.account for each in ended)
    block(house, first)
    run = planning.plan(SHRED, actor=house.treasury, reason="test", params=PARAMS)
    content = Plan.objects.get(run=run).content
    assert content["excluded"] == {"kept_legal_hold": 1}
    assert content["counts"]["data_identity"] == User.objects.customers().count() - 1
    planning.approve(run, actor=house.approver, digest=run.plan_digest, reason="test")
    block(house, second)
    with pytest.raises(PlanChanged):
        planning.start(run, actor=house.treasury)
    control.abort(run, actor=factories.make_staff("incident_commander"), reason="test")
    run = factories.started_run(SHRED, maker=house.treasury, checker=house.approver, params=PARAMS)
    block(house, third)

    done = factories.worked_off(run)

    assert done.state == "succeeded"
    kept = User.objects.filter(display_name="Canary Hanako").values_list("pk", flat=True)
    assert set(kept) == {first.pk, second.pk, third.pk}
    assert Payee.objects.get(replaced_at=None).account_number
    # What is about many people stays with them.
    assert not PersonKey.objects.filter(person_id=HOUSE, destroyed_at__isnull=False).exists()
    assert list(payout_batches.content(payout_batches.PayoutBatch.objects.get()))


def test_a_hold_of_one_account_keeps_the_data_of_the_whole_person(
    house: House, ended: list[Entitlement]
) -> None:
    """Also where the other account is in another batch."""
    one, two, other = (each.wallet.account for each in ended)
    officer = factories.make_staff("compliance")
    asked = merging.ask_merge(
        matching.name([one.pk, two.pk], actor=officer, reason="called"),
        evidence="file 7",
        actor=officer,
        reason="one person",
    )
    second = factories.make_staff("fraud_supervisor")
    approvals.carry_out(asked, shown=asked.digest, actor=second, reason="seen", approve=True)
    block(house, one)
    run = planning.plan(SHRED, actor=house.treasury, reason="test", params=PARAMS)
    assert Plan.objects.get(run=run).content["excluded"] == {"kept_legal_hold": 2}
    given = due.terms(run.params["keep_days"], until=run.requested_at)
    with transaction.atomic():
        assert due.shred([two.pk], given, run_id=run.pk) == 0
    control.abort(run, actor=factories.make_staff("incident_commander"), reason="test")
    assert shredded(house).state == "succeeded"
    kept = User.objects.filter(display_name="Canary Hanako").values_list("pk", flat=True)
    assert (set(kept), other.pk in kept) == ({one.pk, two.pk}, False)


def test_backups_that_are_said_to_be_gone_before_the_deletion_are_refused(
    house: House, ended: list[Entitlement]
) -> None:
    with pytest.raises(GuardNotMet, match="is past"):
        planning.plan(
            SHRED, actor=house.treasury, reason="test", params={"backups_until": "2036-01-14"}
        )


def block(house: House, person: User) -> None:
    at = clock.now()
    PaymentBlock.objects.create(
        holder=person, kind="legal_hold", evidence="court 1", begins_at=at,
        ends_at=at + dt.timedelta(days=90), entered_by=house.compliance,
    )  # fmt: skip


def test_a_late_claim_after_the_export_is_kept_until_the_next_one(
    house: House, ended: list[Entitlement]
) -> None:
    late = ended[1].wallet.account
    PaymentBlock.objects.create(
        holder=late, kind="dispute", evidence="letter 1", begins_at=jst("2020-02-01T00:00"),
        ends_at=jst("2020-03-01T00:00"), entered_by=house.compliance,
    )  # fmt: skip
    assert shredded(house).state == "succeeded"
    assert User.objects.filter(display_name="Canary Hanako").get() == late
    assert Plan.objects.latest("pk").content["excluded"] == {"kept_not_exported": 1}
    exported(house)
    assert shredded(house).state == "succeeded"
    assert not User.objects.filter(display_name="Canary Hanako").exists()


def test_nobody_destroys_a_key_or_empties_a_row_without_two_people(
    house: House, ended: list[Entitlement]
) -> None:
    run = factories.started_run(SHRED, maker=house.treasury, checker=house.approver, params=PARAMS)
    held = planning.Run.objects.get(pk=run.pk)
    factories.worked_off(held)
    for sql, why in (
        ("UPDATE accounts_personkey SET secret = NULL, destroyed_at = now(), run_id = {run}"
         " WHERE destroyed_at IS NULL", "two people approved"),
        ("UPDATE accounts_personkey SET secret = '\\x00' WHERE destroyed_at IS NULL", "cannot change"),
        ("UPDATE accounts_personkey SET person_id = 7", "cannot change"),
        ("DELETE FROM accounts_personkey", "permission denied|keeps its rows"),
        ("UPDATE accounts_postaladdress SET fingerprint = 'x'", "append-only"),
        ("UPDATE accounts_authevent SET outcome = 'refused'", "append-only"),
    ):  # fmt: skip
        person_keys.secrets([house.support.pk], DataClass.CONTACT)
        with (
            pytest.raises(DatabaseError, match=why),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.format(run=run.pk))


def test_what_is_not_deleted_cannot_be_emptied(house: House, ended: list[Entitlement]) -> None:
    for sql, why in (
        ("UPDATE accounts_postaladdress SET fingerprint = '', address_sealed = ''", "append-only"),
        ("UPDATE accounts_authevent SET login_id = '', network = NULL, device_ref = ''", "append-only"),
        ("UPDATE refunds_payee SET bank_code = '0000', branch_code = '000', account_type = '9',"
         " account_number_sealed = '', account_mask = '000', fingerprint = '', name_kana = ''",
         "is frozen"),
    ):  # fmt: skip
        with (
            pytest.raises(DatabaseError, match=why),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)


def test_a_name_that_was_put_back_is_found(house: House, ended: list[Entitlement]) -> None:
    """I90."""
    shredded(house)
    assert "I90" not in invariants.breached()
    person = ended[0].wallet.account
    past_the_guards(f"UPDATE accounts_user SET display_name = 'Canary' WHERE id = {person.pk}")
    assert "I90" in invariants.breached()


def test_it_is_done_through_the_commands(
    house: House, ended: list[Entitlement], staff: Callable[..., Any], capsys: Any
) -> None:
    maker, second = staff("compliance"), staff("treasury_approver")
    by = {"by": maker.login_id}
    assert maker.has_perm("winddown.plan_run")
    call_command("shred_personal_data", plan=True, params='{"backups_until": "2036-12-31"}',
                 reason="the time is over", **by)  # fmt: skip
    asked = Approval.objects.latest("pk")
    call_command("approve", asked.subject, by=second.login_id, reason="test", digest=asked.digest)
    call_command("shred_personal_data", run=True, **by)
    assert Run.objects.latest("pk").state == "succeeded"
    assert AuditEntry.objects.filter(action="data.certify").count() == 1
