"""Payees are sealed to their row, frozen, and checked by the bank."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import person_keys
from refunds.applications import payees, review
from refunds.bank_accounts import Account
from refunds.models import BankFile, Entitlement, Payee, ReconciliationBreak, RefundApplication
from refunds.models.payout import PAYEE_NUMBERS_FROM
from refunds.payouts import results
from tests.refunds.conftest import House, jst, person
from winddown import clock
from winddown.encryption import SealBroken
from winddown.errors import GuardNotMet, LoadRefused, SamePerson
from winddown.files import FileDiffers, write_once
from winddown.personal_data import DataClass

pytestmark = pytest.mark.django_db


def test_an_account_number_is_stored_nowhere_in_plain(house: House) -> None:
    """Rule 65."""
    (owed,) = house.entitled(1)
    account = house.account()
    payee = house.apply(owed, account=account).payee
    assert payee.account_number == account.account_number
    assert payee.account_mask == f"*{account.account_number[-3:]}"
    assert account.account_number not in repr(account)
    house.check_payees()
    house.approve(house.paid_batch())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s OR t::text LIKE %s',
                [f"%{account.account_number}%", f"%{account.account_number.encode().hex()}%"],
            )
            assert cursor.fetchone()[0] == 0, table


def test_a_sealed_number_opens_only_in_its_own_row(house: House) -> None:
    one, other = (house.apply(row).payee for row in house.entitled(2))
    sealed = bytes(one.account_number_sealed)
    place = f"refunds_payee/account_number/{one.pk}"
    changed = bytearray(sealed)
    changed[-1] ^= 1

    def opened(value: bytes, *, place: str, holder: int) -> bytes:
        return person_keys.unseal(
            value, place=place, person_id=holder, data_class=DataClass.BANK_DETAILS
        )

    assert opened(sealed, place=place, holder=one.holder_id)
    with pytest.raises(SealBroken):
        opened(sealed, place=f"refunds_payee/account_number/{other.pk}", holder=one.holder_id)
    with pytest.raises(SealBroken):
        opened(sealed, place=place, holder=other.holder_id)
    with pytest.raises(SealBroken):
        opened(bytes(changed), place=place, holder=one.holder_id)


def test_a_version_of_a_payee_cannot_be_changed(house: House) -> None:
    one, other = (house.apply(row).payee for row in house.entitled(2))
    for sql in (
        "UPDATE refunds_payee SET branch_code = '101' WHERE id = %s",
        f"UPDATE refunds_payee SET account_number_sealed = (SELECT account_number_sealed"
        f" FROM refunds_payee WHERE id = {other.pk}) WHERE id = %s",
        "UPDATE refunds_payee SET usable_from = usable_from - interval '1 day' WHERE id = %s",
    ):
        with (
            pytest.raises(DatabaseError, match=r"(frozen|usable_after_entry)"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, [one.pk])


def test_a_payee_unknown_to_the_bank_is_paid_only_after_correction_or_override(
    house: House,
) -> None:
    """Rule 56."""
    one, other = house.entitled(2)
    house.apply(one, quality="name_mismatch")
    house.apply(other, quality="no_such_account")
    house.check_payees()
    run = house.run("pay", value_date="2019-11-15")
    assert run.plans.get().content["counts"]["refunds"] == 0
    assert run.plans.get().content["estimates"] == {"left_out_payee_refused": 2}
    payee = Payee.objects.get(holder=one.wallet.account)
    assert (payee.state, payee.answer) == ("refused", "name_differs")
    assert RefundApplication.objects.get(entitlement=one).state == "needs_info"
    request = payees.ask_override(payee, actor=house.checker, reason="maiden name")
    with pytest.raises(SamePerson):
        review.override_payee(payee, actor=house.checker, digest=request.digest, reason="mine")
    second = person("refunds.override_name_check")
    review.override_payee(payee, actor=second, digest=request.digest, reason="register")
    assert RefundApplication.objects.get(entitlement=one).state == "approved"
    clock.travel(jst("2019-11-05T10:01"), frozen=True)
    assert house.paid_batch().items == 1
    house.money_holds()


@pytest.mark.parametrize(
    ("field", "said", "why"),
    [
        *(("account_number", said, "one to seven") for said in ("", "0000000", "12345678", "12a")),
        ("account_type", "3", "1, 2, 4 or 9"),
        ("bank_code", "001", "4 digits"),
        ("branch_code", "1001", "3 digits"),
        ("name", " ", "empty"),
        ("name", "\N{SNOWMAN}", "cannot carry"),
    ],
)
def test_an_account_that_no_bank_file_carries_is_refused(field: str, said: str, why: str) -> None:
    right = Account("0001", "001", "1", "1234567", "ヤマダ　タロウ")
    with pytest.raises(payees.PayeeRefused, match=f"{field}.*{why}"):
        payees.understood(replace(right, **{field: said}))


def test_only_a_refused_payee_can_be_overridden(house: House) -> None:
    (owed,) = house.entitled(1)
    payee = house.apply(owed).payee
    with pytest.raises(GuardNotMet):
        payees.ask_override(payee, actor=house.support, reason="why not")


@pytest.mark.loads_files
def test_each_payee_is_checked_once_and_answered_once(house: House) -> None:
    """Rule 25."""
    house.apply(house.entitled(1)[0])
    path = payees.export_check_file(house.bank.inbox, actor=house.treasury, reason="test")
    assert path is not None
    assert payees.export_check_file(house.bank.inbox, actor=house.treasury) is None
    (done,) = house.answers()
    assert done.matched == 1
    (answer,) = house.bank.outbox.iterdir()
    again = results.import_file(answer, actor=house.treasury, reason="again")
    assert again.known_before
    assert BankFile.objects.count() == 2


@pytest.mark.loads_files
def test_an_answer_about_another_account_is_a_break(house: House) -> None:
    """Rule 59: the reference alone does not make a match."""
    house.apply(house.entitled(1)[0])
    path = payees.export_check_file(house.bank.inbox, actor=house.treasury, reason="test")
    assert path is not None
    answer = bytearray(path.read_bytes())
    number = slice(122 + 43, 122 + 50)
    assert answer[number].isdigit()
    answer[number] = bytes(ord("0") + (digit - ord("0") + 1) % 10 for digit in answer[number])
    answer[122 + 113] = ord("0")
    done = results.import_file(bytes(answer), actor=house.treasury, reason="test")
    assert (done.matched, done.breaks) == (0, 1)
    assert ReconciliationBreak.objects.get().kind == "account_differs"
    assert Payee.objects.get().state == "asked"


@pytest.mark.loads_files
def test_a_check_of_another_remitter_is_refused(house: House) -> None:
    house.apply(house.entitled(1)[0])
    path = payees.export_check_file(house.bank.inbox, actor=house.treasury, reason="test")
    assert path is not None
    answer = path.read_bytes().replace(b"1234567890", b"1234567891")
    with pytest.raises(LoadRefused, match="another remitter"):
        results.import_file(answer, actor=house.treasury, reason="test")
    assert Payee.objects.get().state == "asked"


@pytest.mark.loads_files
@pytest.mark.parametrize("reference", [1, PAYEE_NUMBERS_FROM, 10**20 - 1])
def test_a_check_under_a_number_of_nobody_is_a_break(house: House, reference: int) -> None:
    """Also under the largest number of the format, which no column has room for."""
    payee = house.apply(house.entitled(1)[0]).payee
    path = payees.export_check_file(house.bank.inbox, actor=house.treasury, reason="test")
    assert path is not None
    asked = f"{PAYEE_NUMBERS_FROM + payee.pk:020}".encode()
    answer = path.read_bytes().replace(asked, f"{reference:020}".encode())
    done = results.import_file(answer, actor=house.treasury, reason="test")
    assert (done.refused, done.breaks) == (0, 1)
    assert ReconciliationBreak.objects.get().kind == "unknown_reference"
    assert Payee.objects.get().state == "asked"


def test_a_file_is_written_once(tmp_path: Path) -> None:
    """Rule 52: the same bytes again change nothing, other bytes are refused."""
    path = write_once(tmp_path, "a.txt", [b"one", b"two"])
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"onetwo", 0o600)
    assert write_once(tmp_path, "a.txt", [b"onetwo"]) == path
    with pytest.raises(FileDiffers):
        write_once(tmp_path, "a.txt", [b"other"])
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == b"onetwo"


def test_a_corrected_payee_waits_for_the_cooling_off_and_the_bank(house: House) -> None:
    """Rule 55."""
    (owed,) = house.entitled(1)
    house.apply(owed, quality="no_such_account")
    house.check_payees()
    holder = owed.wallet.account
    done = review.correct_payee(holder, house.account(), actor=holder)
    assert done.state == "approved"
    run = house.run("pay", value_date="2019-11-15")
    assert run.plans.get().content["estimates"] == {"left_out_cooling_off": 1}
    clock.travel(jst("2019-11-06T10:00"), frozen=True)
    run = house.run("pay", value_date="2019-11-15")
    assert run.plans.get().content["estimates"] == {"left_out_payee_not_checked": 1}
    house.check_payees()
    assert house.paid_batch().items == 1


def test_an_approval_by_two_people_outlives_the_correction_of_the_account(house: House) -> None:
    (owed,) = house.entitled(1, paid_minor=100_001)
    waiting = house.apply(owed, quality="no_such_account")
    request = review.propose(waiting, actor=house.support, reason="looked at")
    review.approve(waiting, actor=house.approver2, digest=request.digest, reason="in order")
    house.check_payees()
    assert RefundApplication.objects.get().state == "needs_info"
    holder = owed.wallet.account
    done = review.correct_payee(holder, house.account(), actor=holder)
    assert (done.state, done.decided_by) == ("approved", house.approver2)
    assert Entitlement.objects.get().state == "approved"
    house.money_holds()


def test_a_refused_account_that_is_entered_again_is_a_new_version(house: House) -> None:
    """The bank is asked again: it may know the account by now."""
    (owed,) = house.entitled(1)
    account = house.account("no_such_account")
    house.apply(owed, account=account)
    house.check_payees()
    holder = owed.wallet.account
    entered = payees.enter(holder, account, actor=holder)
    assert (entered.version, entered.state) == (2, "entered")
