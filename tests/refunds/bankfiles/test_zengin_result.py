"""A bank's answer is accepted as a whole, or refused with the record and the reason."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refunds.bankfiles.answers import AccountCheck, CheckLine, ResultLine, ReturnReason
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.transfer_items import TransferItem
from refunds.bankfiles.zengin_result import (
    FILE_CODES,
    AnswerKind,
    ResultReader,
    read_checks,
    read_results,
    write_checks,
    write_results,
)
from refunds.bankfiles.zengin_transfer import read
from tests.refunds.bankfiles.bank_strategies import ITEMS, REMITTER, item

GOLDEN = Path(__file__).parents[2] / "golden"
VALUE_DATE, ANSWERED_ON = date(2019, 12, 30), date(2020, 1, 6)
MMDD = f"{VALUE_DATE:%m%d}"
LINES = [
    ResultLine(item(3, amount_minor=300), None, MMDD),
    ResultLine(item(1, amount_minor=100), ReturnReason.NAME_MISMATCH, MMDD),
    ResultLine(item(2, amount_minor=200), ReturnReason.ACCOUNT_CLOSED, MMDD),
]
CHECKS = [
    CheckLine(item(number, amount_minor=0), answer)
    for number, answer in enumerate(AccountCheck, start=1)
]


def result_of(
    lines: list[ResultLine], *, kind: AnswerKind = AnswerKind.RESULT, line_end: bytes = b"\r\n"
) -> bytes:
    pieces = write_results(
        remitter=REMITTER,
        value_date=VALUE_DATE,
        answered_on=ANSWERED_ON,
        kind=kind,
        lines=lines,
        line_end=line_end,
    )
    return b"".join(pieces)


def check_of(lines: list[CheckLine]) -> bytes:
    pieces = write_checks(
        remitter=REMITTER, value_date=VALUE_DATE, answered_on=ANSWERED_ON, lines=lines
    )
    return b"".join(pieces)


def with_byte(data: bytes, *, record: int, position: int, byte: bytes) -> bytes:
    at = (record - 1) * 122 + position - 1
    return data[:at] + byte + data[at + 1 :]


def place_of(data: bytes) -> tuple[int | None, int | None]:
    with pytest.raises(BankFileError) as refusal:
        read_results(data)
    return refusal.value.record, refusal.value.position


# --- what became of each transfer


def test_the_answer_equals_the_golden_file_byte_for_byte() -> None:
    """Rule 55."""
    assert result_of(LINES) == (GOLDEN / "zengin_result.zengin").read_bytes()
    assert check_of(CHECKS) == (GOLDEN / "zengin_check.zengin").read_bytes()


def test_results_repeat_the_transfer_and_add_a_code_at_115() -> None:
    """Rule 55."""
    header, paid, mismatch, closed, trailer, end, _ = result_of(LINES).split(b"\r\n")
    assert header[103:120] == b"R0106".ljust(17)
    assert [line[113:120] for line in (paid, mismatch, closed)] == [
        b" 00    ",
        b" 06    ",
        b" 03    ",
    ]
    assert trailer[:37] == b"8000003000000000600000002000000000300"
    assert len(end) == 120


@given(
    items=ITEMS,
    line_end=st.sampled_from([b"\r\n", b""]),
    data=st.data(),
)
def test_results_are_read_back_as_written(
    items: list[TransferItem], line_end: bytes, data: st.DataObject
) -> None:
    """Rule 55."""
    reasons = st.sampled_from([None, *ReturnReason])
    lines = [ResultLine(one, data.draw(reasons), MMDD) for one in data.draw(st.permutations(items))]
    file = read_results(result_of(lines, line_end=line_end))
    assert list(file.lines) == lines
    returned = [line.item.amount_minor for line in lines if line.reason is not None]
    assert (file.returned_count, file.returned_sum_minor) == (len(returned), sum(returned))
    assert (file.count, file.sum_minor) == (len(items), sum(one.amount_minor for one in items))
    assert file.header.remitter == REMITTER


def test_dates_of_an_answer_get_the_right_year_across_new_year() -> None:
    """Rule 55."""
    header = read_results(result_of(LINES)).header
    assert header.value_date(near=ANSWERED_ON) == VALUE_DATE
    assert header.answered_on(near=ANSWERED_ON) == ANSWERED_ON
    assert header.kind is AnswerKind.RESULT


def test_lines_are_read_one_by_one_and_totals_are_checked_at_the_end() -> None:
    """Rule 55."""
    reader = ResultReader(result_of(LINES))
    assert list(reader) == LINES
    assert (reader.count, reader.returned_count) == (3, 2)
    assert reader.sha256 == read_results(result_of(LINES)).sha256


def test_a_file_of_returns_holds_only_returns() -> None:
    """Rule 55."""
    data = result_of(LINES[1:], kind=AnswerKind.RETURNED)
    assert [line.reason for line in read_results(data).lines] == [
        ReturnReason.NAME_MISMATCH,
        ReturnReason.ACCOUNT_CLOSED,
    ]
    with pytest.raises(BankFileError):
        result_of(LINES, kind=AnswerKind.RETURNED)
    paid = with_byte(data, record=2, position=116, byte=b"0")
    assert place_of(paid) == (2, 115)


def groups(*files: bytes) -> bytes:
    """One file with the groups of the files: an end record stands at the end only."""
    return b"".join(each[:-122] for each in files) + files[-1][-122:]


def empty_day(*, kind: AnswerKind = AnswerKind.RETURNED) -> bytes:
    """A file of a day on which nothing came back."""
    header = result_of(LINES[1:], kind=kind)[:122]
    return header + b"8".ljust(37, b"0").ljust(120) + b"\r\n" + b"9".ljust(120) + b"\r\n"


def test_an_empty_day_is_a_valid_answer() -> None:
    for kind in (AnswerKind.RETURNED, AnswerKind.RESULT):
        file = read_results(empty_day(kind=kind))
        assert (file.count, file.sum_minor, file.lines) == (0, 0, ())
    # A line cannot be left out unseen.
    assert place_of(with_byte(empty_day(), record=2, position=7, byte=b"1")) == (2, 2)


def test_several_groups_in_one_file_are_read_each_with_its_value_date() -> None:
    later = b"".join(
        write_results(
            remitter=REMITTER,
            value_date=VALUE_DATE + timedelta(days=1),
            answered_on=ANSWERED_ON,
            kind=AnswerKind.RETURNED,
            lines=[ResultLine(item(7, amount_minor=700), ReturnReason.OTHER)],
        )
    )
    file = read_results(groups(result_of(LINES), empty_day(), later))
    assert [line.value_mmdd for line in file.lines] == [MMDD] * 3 + [
        f"{VALUE_DATE + timedelta(days=1):%m%d}"
    ]
    assert (file.count, file.sum_minor) == (4, 1_300)
    assert (file.returned_count, file.returned_sum_minor) == (3, 1_000)

    # The totals of each group are its own, and what all groups share is the same in all.
    assert place_of(groups(later, with_byte(result_of(LINES), record=5, position=7, byte=b"9"))) == (
        8, 2,
    )  # fmt: skip
    assert place_of(groups(later, with_byte(result_of(LINES), record=5, position=25, byte=b"9"))) == (
        8, 20,
    )  # fmt: skip
    assert place_of(groups(later, with_byte(result_of(LINES), record=1, position=14, byte=b"0"))) == (
        4, 5,
    )  # fmt: skip
    assert place_of(groups(later, with_byte(result_of(LINES), record=1, position=108, byte=b"9"))) == (
        4, 105,
    )  # fmt: skip
    assert place_of(groups(later, later)) == (5, 92)


def test_a_file_that_answers_a_payout_twice_is_refused() -> None:
    """Rule 55."""
    assert place_of(result_of([*LINES, LINES[1]])) == (5, 92)


@pytest.mark.parametrize(
    ("record", "position", "byte", "found_at"),
    [
        (1, 104, b"K", (1, 104)),
        (1, 104, b" ", (1, 104)),
        (1, 105, b"9", (1, 105)),
        (2, 115, b" ", (2, 115)),
        (2, 116, b"A", (2, 115)),
        (2, 114, b"0", (2, 114)),
        (2, 117, b"0", (2, 117)),
        (3, 90, b"1", (5, 8)),
        (3, 115, b"9", (3, 115)),
        (4, 116, b"0", (5, 20)),
        (5, 7, b"2", (5, 2)),
        (5, 19, b"1", (5, 8)),
        (5, 25, b"1", (5, 20)),
        (5, 37, b"1", (5, 26)),
        (5, 38, b"1", (5, 38)),
        (6, 1, b"2", (6, 1)),
    ],
)
def test_one_wrong_byte_in_an_answer_is_refused_with_its_position(
    record: int, position: int, byte: bytes, found_at: tuple[int, int]
) -> None:
    """Rule 55."""
    assert (
        place_of(with_byte(result_of(LINES), record=record, position=position, byte=byte))
        == found_at
    )


@given(st.data())
def test_an_answer_with_any_bytes_missing_is_refused(data: st.DataObject) -> None:
    """Rule 55."""
    # The last line end may be missing.
    whole = result_of(LINES)[:-2]
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start + 1, len(whole)))
    place_of(whole[:start] + whole[end:])


def test_a_file_that_holds_an_answer_twice_is_refused() -> None:
    """Rule 55."""
    assert place_of(result_of(LINES) * 2) == (7, 1)


def test_an_answer_in_utf_8_is_refused_by_name() -> None:
    """Rule 55."""
    with pytest.raises(BankFileError) as refusal:
        read_results(result_of(LINES).decode("cp932").encode("utf-8"))
    assert "UTF-8" in refusal.value.reason


def test_a_transfer_file_is_refused_as_an_answer_and_the_reverse() -> None:
    """Rule 55."""
    with pytest.raises(BankFileError):
        read(result_of(LINES))
    with pytest.raises(BankFileError):
        read_results(check_of(CHECKS))
    with pytest.raises(BankFileError):
        read_checks(result_of(LINES))


def test_an_empty_answer_is_never_written() -> None:
    """Rule 55."""
    with pytest.raises(BankFileError):
        result_of([])
    with pytest.raises(BankFileError):
        check_of([])


# --- reasons


def test_every_reason_has_its_own_code_and_text() -> None:
    """Rule 55."""
    assert set(FILE_CODES) == set(ReturnReason)
    assert len(set(FILE_CODES.values())) == len(ReturnReason)
    assert "00" not in FILE_CODES.values()
    assert all(reason.bank_words and reason.iso_codes for reason in ReturnReason)


@pytest.mark.parametrize(
    ("iso_code", "reason"),
    [
        ("AC03", ReturnReason.ACCOUNT_NOT_FOUND),
        ("AC01", ReturnReason.ACCOUNT_NUMBER_WRONG),
        ("AC04", ReturnReason.ACCOUNT_CLOSED),
        ("AC06", ReturnReason.ACCOUNT_BLOCKED),
        ("AC14", ReturnReason.ACCOUNT_TYPE_WRONG),
        ("BE01", ReturnReason.NAME_MISMATCH),
        ("RC01", ReturnReason.BANK_OR_BRANCH_INVALID),
        ("FOCR", ReturnReason.RECALLED),
        ("MS03", ReturnReason.OTHER),
        ("NARR", ReturnReason.OTHER),
        ("ZZ99", ReturnReason.OTHER),
    ],
)
def test_an_iso_code_is_mapped_to_its_reason(iso_code: str, reason: ReturnReason) -> None:
    """Rule 55."""
    assert ReturnReason.of_iso(iso_code) is reason


# --- account-name checks


def test_the_answer_of_a_check_stands_at_114() -> None:
    """Rule 56."""
    data = check_of(CHECKS)
    assert [data[122 * n + 113 : 122 * n + 120] for n in range(1, 5)] == [
        b"0      ",
        b"1      ",
        b"2      ",
        b"9      ",
    ]


@given(items=ITEMS, data=st.data())
def test_checks_are_read_back_as_written(items: list[TransferItem], data: st.DataObject) -> None:
    """Rule 56."""
    answers = st.sampled_from(list(AccountCheck))
    lines = [
        CheckLine(one._replace(amount_minor=data.draw(st.integers(0, 10))), data.draw(answers))
        for one in items
    ]
    file = read_checks(check_of(lines))
    assert list(file.lines) == lines
    assert file.header.kind is AnswerKind.CHECK


@pytest.mark.parametrize(
    ("record", "position", "byte", "found_at"),
    [
        (2, 114, b"3", (2, 114)),
        (2, 114, b" ", (2, 114)),
        (2, 115, b"0", (2, 115)),
        (3, 111, b"1", (3, 92)),
        (6, 25, b"1", (6, 20)),
    ],
)
def test_one_wrong_byte_in_a_check_is_refused_with_its_position(
    record: int, position: int, byte: bytes, found_at: tuple[int, int]
) -> None:
    """Rule 56."""
    with pytest.raises(BankFileError) as refusal:
        read_checks(with_byte(check_of(CHECKS), record=record, position=position, byte=byte))
    assert (refusal.value.record, refusal.value.position) == found_at
