"""The simulated bank accepts only correct files and gives deterministic answers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from refunds.bankfiles import camt_053, zengin_result, zengin_transfer
from refunds.bankfiles.answers import AccountCheck, CheckLine, ReturnReason
from refunds.bankfiles.transfer_items import Remitter, TransferItem
from refunds.bankfiles.zengin_result import AnswerKind
from rehearsal.bank import QUALITIES, Accounts, Habits, SimulatedBank, later_quality

REMITTER = Remitter("1234567890", "ｾﾌﾞﾝ", "0001", "", "001", "", "2", "7654321")
BRANCHES = [("0001", "001"), ("0005", "101")]
FRIDAY = dt.date(2019, 11, 15)


@pytest.fixture
def bank(tmp_path: Path) -> SimulatedBank:
    inbox = tmp_path / "in"
    inbox.mkdir()
    return SimulatedBank(inbox=inbox, outbox=tmp_path / "out", quality_of=Accounts.quality_of)


def items() -> list[TransferItem]:
    """One transfer to an account of each quality."""
    made = []
    for number, quality in enumerate(QUALITIES, start=1):
        code, branch, kind, digits = Accounts(BRANCHES).account(number, attempt=1, quality=quality)
        made.append(
            TransferItem(code, "", branch, "", kind, digits, "ﾔﾏﾀﾞ", 100 + number, str(number))
        )
    return made


def send(bank: SimulatedBank, name: str = "a.txt") -> None:
    pieces = zengin_transfer.write(REMITTER, FRIDAY, items())
    (bank.inbox / name).write_bytes(b"".join(pieces))


def test_a_transfer_is_answered_on_its_value_date_by_the_quality_of_its_account(
    bank: SimulatedBank,
) -> None:
    send(bank)
    assert bank.work(today=dt.date(2019, 11, 14)) == []
    (taken,) = bank.work(today=FRIDAY)
    answer = zengin_result.read_results(taken.answers[0].read_bytes())
    assert [line.reason for line in answer.lines] == [
        None,
        ReturnReason.ACCOUNT_NOT_FOUND,
        ReturnReason.NAME_MISMATCH,
        ReturnReason.ACCOUNT_CLOSED,
        ReturnReason.ACCOUNT_BLOCKED,
        None,
        ReturnReason.ACCOUNT_BLOCKED,
    ]
    assert bank.work(today=FRIDAY) == []


def test_the_bank_returns_after_done_and_corrects_a_return_days_later(bank: SimulatedBank) -> None:
    send(bank)
    bank.work(today=FRIDAY)
    assert not bank.speaks(FRIDAY)
    said = {}
    for day in (dt.date(2019, 11, 18), dt.date(2019, 11, 20)):
        assert bank.speaks(day)
        (taken,) = bank.work(today=day)
        file = zengin_result.read_results(taken.answers[0].read_bytes())
        said[day.day] = [
            (file.header.kind, line.reason, line.item.reference) for line in file.lines
        ]
    assert said == {
        18: [(AnswerKind.RESULT, None, "7")],
        20: [(AnswerKind.RETURNED, ReturnReason.ACCOUNT_CLOSED, "6")],
    }


def test_a_bank_that_is_late_answers_on_a_later_bank_day(bank: SimulatedBank) -> None:
    bank.habits = Habits(late_every=1, late_days=1)
    send(bank)
    assert bank.speaks(FRIDAY)
    assert [bank.work(today=FRIDAY + dt.timedelta(days=days)) for days in (0, 1, 2)] == [[], [], []]
    assert len(bank.work(today=FRIDAY + dt.timedelta(days=3))) == 1


def test_statements_overlap_and_their_balances_follow_each_other(bank: SimulatedBank) -> None:
    bank.states_the_account, bank.funded_minor = True, 10_000
    send(bank)
    for day in (15, 18, 20):
        bank.work(today=dt.date(2019, 11, day))
    first, second = (
        camt_053.read(
            bank.statement(
                account="7654321", first_on=dt.date(2019, 11, on), last_on=dt.date(2019, 11, until)
            ).read_bytes(),
            currency="JPY",
            near=FRIDAY,
        ).statements[0]
        for on, until in ((1, 18), (18, 30))
    )
    known = {line.identity for line in first.lines}
    assert [line.identity in known for line in second.lines] == [True, False]
    assert first.balance_before_minor == 10_000
    both = [line.amount_minor for line in first.lines]
    assert first.balance_after_minor == 10_000 - sum(both)
    assert second.balance_after_minor == first.balance_after_minor + second.lines[-1].amount_minor


def test_a_check_finds_wrong_accounts_and_names_and_no_closed_ones(bank: SimulatedBank) -> None:
    lines = [CheckLine(item._replace(amount_minor=0), AccountCheck.OTHER) for item in items()]
    pieces = zengin_result.write_checks(
        remitter=REMITTER, value_date=FRIDAY, answered_on=FRIDAY, lines=lines
    )
    (bank.inbox / "check.txt").write_bytes(b"".join(pieces))
    (taken,) = bank.work(today=FRIDAY)
    answer = zengin_result.read_checks(taken.answers[0].read_bytes())
    assert [line.answer for line in answer.lines] == [
        AccountCheck.MATCHED,
        AccountCheck.NO_SUCH_ACCOUNT,
        AccountCheck.NAME_DIFFERS,
        AccountCheck.MATCHED,
        AccountCheck.MATCHED,
        AccountCheck.MATCHED,
        AccountCheck.MATCHED,
    ]


def test_the_bank_answers_the_same_file_alike(tmp_path: Path) -> None:
    answers = []
    for name in ("one", "two"):
        inbox = tmp_path / name / "in"
        inbox.mkdir(parents=True)
        bank = SimulatedBank(
            inbox=inbox, outbox=tmp_path / name / "out", quality_of=Accounts.quality_of
        )
        send(bank)
        (taken,) = bank.work(today=FRIDAY)
        answers.append(taken.answers[0].read_bytes())
    assert answers[0] == answers[1]


def test_a_damaged_file_is_refused_without_any_answer(bank: SimulatedBank) -> None:
    send(bank)
    path = bank.inbox / "a.txt"
    path.write_bytes(path.read_bytes().replace(b"0000000101", b"0000000109"))
    (taken,) = bank.work(today=FRIDAY)
    assert "amounts" in taken.refused
    assert taken.answers == ()


def test_an_unknown_remitter_is_refused(bank: SimulatedBank) -> None:
    bank.remitter_codes = frozenset({"0000000001"})
    send(bank)
    (taken,) = bank.work(today=FRIDAY)
    assert "contract" in taken.refused


def test_no_two_holders_or_attempts_share_an_account() -> None:
    accounts = Accounts(BRANCHES)
    seen = {
        accounts.account(number, attempt=attempt, quality="ok")
        for number in range(1, 200_000, 100)
        for attempt in (1, 2, 3)
    }
    assert len(seen) == 2_000 * 3


def test_a_corrected_account_is_good_unless_its_holder_never_has_one() -> None:
    assert [later_quality(quality) for quality in QUALITIES] == [
        "ok", "ok", "ok", "ok", "always_bad", "ok", "ok",
    ]  # fmt: skip
