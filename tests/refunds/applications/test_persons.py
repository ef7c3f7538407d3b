"""Several accounts of one person count as one, after two people merged them, and until they undo it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from accounts.models import Person, PersonAccount, PersonMatch, User
from accounts.persons import matching, merging
from refunds.applications import reminders
from refunds.models import Entitlement, Payout, Reminder, ReminderSchedule
from refunds.payouts import payable, payment_blocks, tracing, view_lists
from tests import factories
from tests.config.test_every_door import browser_of
from tests.owning import as_owner
from tests.refunds.closing.test_other_ends import ask as ask_other_end
from tests.refunds.closing.test_other_ends import successor, the_list
from tests.refunds.conftest import House
from tests.refunds.payouts.test_payable import adopt
from tests.signing_in import code_typed
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted, SamePerson
from winddown.evidence.invariants import INVARIANTS
from winddown.models import Approval, AuditEntry, Programme
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db
NUMBER = "090-1234-5678"


@pytest.fixture
def officer(staff: Any) -> Any:
    return staff("compliance")


@pytest.fixture
def second(staff: Any) -> Any:
    return staff("fraud_supervisor")


def somebody(
    kana: str = "ヤマダ タロウ", phone: str = NUMBER, birth: str = "", **more: Any
) -> User:
    made = factories.make_customer(kana_name=kana, phone=phone, **more)
    if birth:
        factories.give_birth_date(made, birth)
    return made


def signals(*accounts: User) -> PersonMatch:
    User.objects.filter(pk__in=[each.pk for each in accounts]).update(
        kana_name="ヤマダ タロウ", phone=NUMBER
    )
    matching.find()
    return PersonMatch.objects.get(accounts=sorted(each.pk for each in accounts))


def agree(request: Approval, by: Any, *, approve: bool = True) -> None:
    approvals.carry_out(request, shown=request.digest, actor=by, reason="seen", approve=approve)


def merge(officer: Any, second: Any, *accounts: User) -> Person:
    asked = merging.ask_merge(
        signals(*accounts), evidence="file 7", actor=officer, reason="one person"
    )
    agree(asked, second)
    return Person.objects.latest("pk")


def undo(person: Person, officer: Any, second: Any) -> None:
    agree(merging.ask_undo(person, evidence="file 8", actor=officer, reason="two"), second)


def found() -> dict[tuple[int, ...], list[str]]:
    return {tuple(each.accounts): each.signals for each in PersonMatch.objects.all()}


def test_equal_signals_are_proposed_and_never_the_name_alone(programme: Any) -> None:
    one = somebody(birth="1980-03-15")
    two = somebody("ﾔﾏﾀﾞ　ﾀﾛｳ", "+81 90 1234 5678", "")
    factories.give_birth_date(_spelled(two))
    small = somebody("キョウコ", "080-1111-2222")
    large = somebody("キヨウコ", "080-1111-2222")
    hira = somebody("きょう こ", "080-1111-2222")
    # A family's number, a common name, father and son of one name, and nothing at all.
    somebody("ヤマダ ハナコ")
    somebody("ヤマダ タロウ", "080-9999-0000", "1980-03-15")
    father = somebody("スズキ イチロウ", "080-3333-4444", "1950-01-01")
    son = somebody("スズキ イチロウ", "080-3333-4444", "1980-01-01")
    again = somebody("スズキ イチロウ", "080-3333-4444", "1980-01-01")
    somebody("スズキ イチロウ", "080-3333-4444")
    for _ in range(2):
        somebody("", "")

    first = matching.find()

    assert found() == {
        (one.pk, two.pk): ["birth_date", "kana", "telephone"],
        (small.pk, large.pk, hira.pk): ["kana", "telephone"],
        (son.pk, again.pk): ["birth_date", "kana", "telephone"],
    }
    assert (first.new, matching.find().new) == (3, 0)
    assert matching.signals_of([father.pk, son.pk]) == []


def _spelled(account: User) -> User:
    """The account with its name in the one spelling, as the load finds it."""
    account.kana_name = "ヤマダタロウ"
    return account


def test_a_crowd_is_no_person(programme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        somebody()
    monkeypatch.setattr(PersonMatch, "ACCOUNTS_MAX", 2)
    assert matching.find() == matching.Found(new=0, too_large=1)


def test_two_people_merge_and_undo_restores_exactly(
    programme: Any, officer: Any, second: Any
) -> None:
    one, two, three = somebody(), somebody(), somebody()
    asked = merging.ask_merge(
        matching.name([one.pk, two.pk], actor=officer, reason="called"),
        evidence="file 7", actor=officer, reason="one person",
    )  # fmt: skip
    assert not Person.objects.exists()
    with pytest.raises(SamePerson):
        agree(asked, officer)
    agree(asked, second)
    inner = Person.objects.get()
    before = list(PersonAccount.objects.order_by("pk").values())
    assert INVARIANTS["I80"].breaches() == []

    outer = merge(officer, second, one, two, three)
    assert merging.accounts_of(outer) == [one.pk, two.pk, three.pk]
    with pytest.raises(GuardNotMet, match="a later merge took this person in"):
        merging.ask_undo(inner, evidence="8", actor=officer, reason="two")
    undo(outer, officer, second)

    left = PersonAccount.objects.filter(person=inner).order_by("pk").values()
    assert list(left) == before
    assert not PersonAccount.objects.filter(person=outer, current=True).exists()
    assert INVARIANTS["I80"].breaches() == []
    undo(inner, officer, second)
    assert not PersonAccount.objects.filter(current=True).exists()
    with pytest.raises(GuardNotMet, match="they are apart again"):
        merging.ask_undo(inner, evidence="8", actor=officer, reason="two")
    acts = AuditEntry.objects.filter(subject=inner.subject).order_by("seq")
    assert [each.action for each in acts] == ["person.ask_undo", "person.undo"]


def test_a_merge_is_refused_when_the_accounts_changed_or_stay_apart(
    programme: Any, officer: Any, second: Any, staff: Any
) -> None:
    one, two = somebody(), somebody()
    match = signals(one, two)
    asked = merging.ask_merge(match, evidence="7", actor=officer, reason="one")
    with pytest.raises(GuardNotMet, match="a second person is asked"):
        merging.keep_apart(match, actor=officer, reason="two")
    User.objects.filter(pk=two.pk).update(phone="080-0000-0001")
    with pytest.raises(GuardNotMet, match="have changed"):
        agree(asked, second)
    agree(asked, second, approve=False)
    merging.keep_apart(match, actor=officer, reason="two people")
    with pytest.raises(GuardNotMet, match="stay apart"):
        merging.ask_merge(match, evidence="7", actor=officer, reason="one")
    stranger = somebody("サトウ", "080-0000-0002")
    for accounts, why in (
        ([one.pk, stranger.pk], "must be equal in all"),
        ([one.pk], "2 to 50 accounts"),
        ([one.pk, officer.pk], "no customer's account"),
    ):
        with pytest.raises(GuardNotMet, match=why):
            matching.name(accounts, actor=officer, reason="test")
    with pytest.raises(NotPermitted):
        matching.name([one.pk, two.pk], actor=staff("support"), reason="test")


def test_a_request_that_expired_keeps_nobody_from_deciding(
    rehearsal_clock: Any, programme: Any, officer: Any
) -> None:
    match = signals(somebody(), somebody())
    merging.ask_merge(match, evidence="7", actor=officer, reason="one")
    rehearsal_clock.travel(clock.now() + merging.DECIDE_WITHIN, frozen=True)
    merging.keep_apart(match, actor=officer, reason="nobody answered, they are two")
    assert PersonMatch.objects.get().apart_by == officer


def test_accounts_that_stay_apart_come_together_by_no_detour(
    programme: Any, officer: Any, second: Any
) -> None:
    """Neither in a larger match, nor account by account through a third one."""
    one, two = somebody(), somebody()
    father = signals(one, two)
    merging.keep_apart(father, actor=officer, reason="father and son")
    three = somebody()
    larger = signals(one, two, three)
    with pytest.raises(GuardNotMet, match=f"some of them stay apart by match {father.pk}"):
        merging.ask_merge(larger, evidence="7", actor=officer, reason="one person")
    merging.keep_apart(larger, actor=officer, reason="three people")
    by_one, by_two = (
        matching.name([each.pk, three.pk], actor=officer, reason="called") for each in (one, two)
    )
    asked = merging.ask_merge(by_two, evidence="7", actor=officer, reason="one person")
    agree(merging.ask_merge(by_one, evidence="7", actor=officer, reason="one person"), second)
    with pytest.raises(GuardNotMet, match="some of them stay apart"):
        agree(asked, second)
    assert merging.accounts_of(Person.objects.get()) == [one.pk, three.pk]


def test_accounts_that_another_match_made_one_person_are_not_merged_again(
    programme: Any, officer: Any, second: Any
) -> None:
    """Otherwise the same person would be buried under itself, and could not be undone."""
    one, two, three = somebody(), somebody(), somebody()
    inner = matching.name([one.pk, two.pk], actor=officer, reason="called")
    asked = merging.ask_merge(inner, evidence="7", actor=officer, reason="one person")
    person = merge(officer, second, one, two, three)
    with pytest.raises(GuardNotMet, match="they are merged"):
        agree(asked, second)
    undo(person, officer, second)
    agree(asked, second)
    assert merging.accounts_of(Person.objects.latest("pk")) == [one.pk, two.pk]


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("UPDATE accounts_person SET undone_at = winddown_now(), undone_by_id = merged_by_id",
         SqlState.NOT_APPROVED),
        ("INSERT INTO accounts_person (match_id, evidence, merged_at, merged_by_id)"
         " SELECT match_id, 'x', winddown_now(), %(alone)s FROM accounts_person",
         SqlState.NOT_APPROVED),
        ("DELETE FROM accounts_personaccount", SqlState.ROW_IS_KEPT),
    ],
)  # fmt: skip
def test_nobody_merges_or_undoes_alone(
    programme: Any, officer: Any, second: Any, statement: str, state: str
) -> None:
    merge(officer, second, somebody(), somebody())
    with pytest.raises(DatabaseError) as refused, as_owner(), connection.cursor() as cursor:
        cursor.execute(statement, {"alone": officer.pk})
    assert sqlstate_of(refused.value) == state


def test_verify_finds_an_account_that_counts_for_a_person_without_a_merge(
    programme: Any, officer: Any, second: Any
) -> None:
    person = merge(officer, second, somebody(), somebody())
    PersonAccount.objects.filter(pk=person.accounts.all()[0].pk).update(current=False)
    assert len(INVARIANTS["I80"].breaches()) == 1


def test_a_merged_person_shares_limits_and_no_payee(
    house: House, officer: Any, second: Any
) -> None:
    adopt(holders_per_account_max=1, auto_approve_max_minor=1_500)
    one, two, other = house.entitled(3)
    merge(officer, second, one.wallet.account, two.wallet.account)
    account = house.account()

    first = house.apply(one, account=account)
    # Together they are above the limit, though each alone is not.
    assert (first.state, first.review_reason) == ("amount_confirmed", "person_amount")
    # Nothing of the other account is paid to this one's payee: it did not apply.
    house.check_payees()
    house.run("pay", value_date="2019-11-15")
    assert not Payout.objects.exists()
    assert payable.missing_for(two.pk, clock.now())[0] == "application_not_approved"
    assert "no_payee" in payable.missing_for(two.pk, clock.now())

    # Two accounts of one person may give one bank account, and a stranger may not.
    house.apply(two, account=account)
    assert "shared_account" not in payable.missing_for(one.pk, clock.now())
    assert house.apply(other, account=account).review_reason == "shared_account"
    assert "shared_account" in payable.missing_for(one.pk, clock.now())


def test_a_block_of_one_account_is_one_of_the_person(
    house: House, officer: Any, second: Any
) -> None:
    one, two = house.entitled(2)
    house.apply(one)
    house.check_payees()
    batch = house.paid_batch()
    person = merge(officer, second, one.wallet.account, two.wallet.account)
    payment_blocks.enter(
        two.wallet.account, kind="sanction", evidence="list 3", actor=officer, reason="named",
        ends_at=clock.now() + dt.timedelta(days=9),
    )  # fmt: skip

    with pytest.raises(GuardNotMet, match="1 of its payouts are to people"):
        house.approve(batch)
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        connection.cursor().execute("UPDATE refunds_payout SET state = 'exported'")
    assert sqlstate_of(refused.value) == SqlState.HOLDER_IS_BLOCKED
    assert "payment_blocked" in payable.missing_for(one.pk, clock.now())
    assert tracing.kept_from_exclusion()["payment_blocked"] == 1
    undo(person, officer, second)
    assert "payment_blocked" not in payable.missing_for(one.pk, clock.now())


def test_counts_reminders_efforts_and_caps_are_of_persons(
    house: House, officer: Any, second: Any
) -> None:
    one, two, other = house.entitled(3)
    person = merge(officer, second, one.wallet.account, two.wallet.account)
    view = view_lists.take(actor=house.treasury, reason="test")
    assert (view.people, view.excluded_rows) == (2, 3)

    Programme.objects.update(state="refunding")
    User.objects.filter(pk__in=PersonAccount.objects.values("user")).update(
        phone_verified_at=clock.now()
    )
    reminders.begin(actor=house.compliance, reason="test")
    clock.travel(reminders.instant_of(_schedule(), 60), frozen=True)
    assert (reminders.follow_up(), reminders.follow_up()) == (1, 0)
    assert Reminder.objects.get().holder_id == min(merging.accounts_of(person))
    tracing.record(
        one.wallet.account, kind="letter", at=clock.now(), result="reached", evidence="1",
        actor=house.support, reason="test",
    )  # fmt: skip
    # The effort counts for the person's other account too, and the stranger is not traced.
    assert tracing.kept_from_exclusion()["not_traced"] == 1

    successor(day_max_minor=1_500)
    with pytest.raises(GuardNotMet, match="would come to 2000"):
        ask_other_end(officer, the_list(one, two), kind="transferred", institution="Wakaba")
    undo(person, officer, second)
    assert ask_other_end(officer, the_list(one, two), kind="transferred", institution="Wakaba")
    assert Entitlement.objects.filter(state="computed").count() == 3
    assert other.state == "computed"


def _schedule() -> Any:
    return ReminderSchedule.objects.get()


def test_pages_and_commands_find_merge_and_undo(
    programme: Any, officer: Any, second: Any, staff: Any
) -> None:
    one, two = somebody(), somebody()
    given = ("--by", officer.login_id, "--reason", "test")
    call_command("find_persons", *given)
    match = PersonMatch.objects.get()
    call_command("merge_person", *given, "--match", str(match.pk), "--evidence", "file 7")
    browser = browser_of(second, headers={"accept-language": "ja"})
    listed = browser.get("/console/persons/").content.decode()
    for shown in (f"account:{one.pk}", "カナ氏名", "電話番号", "判断する"):
        assert shown in listed
    request = Approval.objects.latest("pk")
    decide = f"/console/approvals/{request.pk}/approve/"
    assert f"account:{two.pk}" in browser.get(decide).content.decode()
    browser.post(decide, {"digest": request.digest, "reason": "seen"})
    person = Person.objects.get()
    page = browser.get(f"/console/persons/{person.pk}/").content.decode()
    for shown in ("file 7", "統合済み", f"account:{two.pk}", "seen"):
        assert shown in page
    with code_typed(officer):
        call_command("split_person", *given, "--person", str(person.pk), "--evidence", "8")
    agree(Approval.objects.latest("pk"), second)
    call_command("keep_apart", *given, "--match", str(match.pk))
    english = browser_of(officer, headers={"accept-language": "en"})
    wrong = english.post(
        "/console/persons/name/", {"accounts": "Suzuki", "reason": "test"}
    ).content.decode()
    assert "Write each account like account:12." in wrong
    call_command("name_person", *given, "--accounts", f"account:{one.pk} account:{two.pk}")
    assert PersonMatch.objects.count() == 1
    assert browser_of(staff("support")).get("/console/persons/").status_code == 403
    with pytest.raises(SystemExit):
        call_command("find_persons", "--by", staff("support").login_id, "--reason", "test")
