"""A transfer file matches the field table and is read back as its items, or it is refused."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.transfer_items import Limits, Manner, TransferItem
from refunds.bankfiles.zengin_transfer import LIMITS, read, stream, write
from tests.refunds.bankfiles.bank_strategies import ITEMS, REMITTER, item

GOLDEN = Path(__file__).parents[2] / "golden" / "zengin_transfer.zengin"
VALUE_DATE = date(2019, 11, 18)
GOLDEN_ITEMS = [
    item(1),
    TransferItem(
        bank_code="9900",
        bank_name="ﾕｳﾁﾖ",
        branch_code="008",
        branch_name="ｾﾞﾛｾﾞﾛﾊﾁ",
        account_type="1",
        account_number="1234567",
        payee_kana="ﾒｱﾘ- ｼﾞｴ-ﾝ",
        amount_minor=1,
        reference="20191118000000000002",
        new_code="2",
    ),
    TransferItem(
        bank_code="0034",
        bank_name="",
        branch_code="081",
        branch_name="",
        account_type="4",
        account_number="0000001",
        payee_kana="ｶ)ABCDEFGHIJ.KLMNOPQRSTUV-WXYZ"[:30],
        amount_minor=9_999_999_999,
        reference="99999999999999999999",
        new_code="0",
    ),
]


def file_of(items: list[TransferItem], *, line_end: bytes = b"\r\n") -> bytes:
    return b"".join(write(REMITTER, VALUE_DATE, items, line_end=line_end))


def records_of(data: bytes) -> list[bytes]:
    return data.split(b"\r\n")[:-1]


def with_byte(data: bytes, *, record: int, position: int, byte: bytes) -> bytes:
    """Returns the CRLF file with one byte replaced, counted as a bank counts."""
    at = (record - 1) * 122 + position - 1
    return data[:at] + byte + data[at + 1 :]


def refusal_of(data: bytes) -> BankFileError:
    with pytest.raises(BankFileError) as refusal:
        read(data)
    return refusal.value


# --- what is written


def test_the_file_equals_the_golden_file_byte_for_byte() -> None:
    """Rule 48."""
    assert file_of(GOLDEN_ITEMS) == GOLDEN.read_bytes()


def test_every_field_stands_where_the_banks_table_puts_it() -> None:
    """Rule 48: positions as published, counted from 1, read from the golden bytes by hand."""
    header, first, second, third, trailer, end = (
        record.decode("cp932") for record in records_of(GOLDEN.read_bytes())
    )
    assert (header[0], header[1:3], header[3], header[4:14]) == ("1", "21", "0", "0123456789")
    assert header[14:54] == "ｶ)ﾃｽﾄﾍﾟｲ".ljust(40)
    assert (header[54:58], header[58:62], header[62:77]) == ("1118", "0001", "ﾐｽﾞﾎ".ljust(15))
    assert (header[77:80], header[80:95]) == ("001", "ﾄｳｷﾖｳｴｲｷﾞﾖｳﾌﾞ".ljust(15))
    assert (header[95], header[96:103], header[103:]) == ("1", "1234567", " " * 17)

    assert (first[0], first[1:5], first[5:20]) == ("2", "0009", "ﾐﾂｲｽﾐﾄﾓ".ljust(15))
    assert (first[20:23], first[23:38], first[38:42]) == ("219", "ｷﾞﾝｻﾞ".ljust(15), "0000")
    assert (first[42], first[43:50]) == ("1", "7654321")
    assert (first[50:80], first[80:90]) == ("ｷﾕｳﾖ ｲﾁﾛｳ".ljust(30), "0000000514")
    assert (first[90], first[91:111]) == ("1", "00000000000000000001")
    assert (first[111], first[112], first[113:]) == ("7", " ", " " * 7)
    assert (second[50:80], second[91:111]) == ("ﾒｱﾘ- ｼﾞｴ-ﾝ".ljust(30), "20191118000000000002")
    assert (third[5:20], third[80:90], third[90]) == (" " * 15, "9999999999", "0")

    assert (trailer[0], trailer[1:7], trailer[7:19]) == ("8", "000003", "010000000514")
    assert trailer[19:] == " " * 101
    assert end == "9" + " " * 119


def test_kana_takes_one_byte_each_in_the_file() -> None:
    """Rule 48."""
    assert records_of(GOLDEN.read_bytes())[1][50:60] == bytes.fromhex("B7D5B3D620B2C1DBB320")


@given(items=ITEMS, line_end=st.sampled_from([b"\r\n", b""]))
def test_written_items_are_read_back_unchanged(items: list[TransferItem], line_end: bytes) -> None:
    """Rule 48."""
    data = file_of(items, line_end=line_end)
    stride = 120 + len(line_end)
    assert len(data) == stride * (len(items) + 3)
    for start in range(0, len(data), stride):
        assert len(data[start : start + 120].decode("cp932")) == 120
        assert data[start + 120 : start + stride] == line_end
    file = read(data)
    assert list(file.items) == items
    assert file.remitter == REMITTER
    assert file.sum_minor == sum(item.amount_minor for item in items)
    assert file.header.value_date(near=date(2019, 11, 1)) == VALUE_DATE


@given(items=ITEMS)
def test_the_same_items_written_again_give_the_same_bytes(items: list[TransferItem]) -> None:
    """Rule 52."""
    assert file_of(items) == file_of([TransferItem(*item) for item in items])


def test_plain_database_rows_give_the_same_bytes() -> None:
    """Rule 52."""
    rows = [tuple(item) for item in GOLDEN_ITEMS]
    assert b"".join(write(REMITTER, VALUE_DATE, rows)) == GOLDEN.read_bytes()


@pytest.mark.parametrize(
    ("field", "value", "position"),
    [
        ("bank_code", "001", 2),
        ("bank_code", "00011", 2),
        ("bank_code", "０００１", 2),
        ("bank_name", "ﾐｽﾞﾎﾐｽﾞﾎﾐｽﾞﾎﾐｽﾞﾎ", 6),
        ("bank_name", " ﾐｽﾞﾎ", 6),
        ("branch_code", "01", 21),
        ("branch_name", "ｷﾞﾝｻﾞ ", 24),
        ("branch_name", "銀座", 24),
        ("account_type", "3", 43),
        ("account_number", "123456", 44),
        ("account_number", "12345678", 44),
        ("account_number", "123456a", 44),
        ("payee_kana", "", 51),
        ("payee_kana", "ｱ" * 31, 51),
        ("payee_kana", "ｭ", 51),
        ("payee_kana", "ｰ", 51),
        ("payee_kana", "a", 51),
        ("payee_kana", "ｱ|0|ｱ", 51),
        ("payee_kana", "ｱ\r\nｱ", 51),
        ("payee_kana", "=1", 51),
        ("amount_minor", 0, 81),
        ("amount_minor", -1, 81),
        ("amount_minor", 10_000_000_000, 81),
        ("amount_minor", 1.0, 81),
        ("amount_minor", True, 81),
        ("reference", "", 92),
        ("reference", "0", 92),
        ("reference", "007", 92),
        ("reference", "1" * 21, 92),
        ("reference", "A1", 92),
        ("new_code", "3", 91),
        ("new_code", "", 91),
    ],
)
def test_an_item_that_the_layout_cannot_hold_is_refused_with_its_position(
    field: str, value: object, position: int
) -> None:
    """Rule 48."""
    broken = item(2)._replace(**{field: value})
    with pytest.raises(BankFileError) as refusal:
        file_of([item(1), broken])
    assert (refusal.value.record, refusal.value.position) == (3, position)
    assert field in refusal.value.reason


@pytest.mark.parametrize(
    ("field", "value", "position"),
    [
        ("code", "123", 5),
        ("name", "", 15),
        ("name", "ｱ" * 41, 15),
        ("bank_code", "1", 59),
        ("bank_name", "ｱ" * 16, 63),
        ("branch_code", "1", 78),
        ("branch_name", "本店", 81),
        ("account_type", "4", 96),
        ("account_number", "1", 97),
    ],
)
def test_a_remitter_that_the_header_cannot_hold_is_refused_before_the_first_byte(
    field: str, value: str, position: int
) -> None:
    """Rule 48."""
    with pytest.raises(BankFileError) as refusal:
        write(replace(REMITTER, **{field: value}), VALUE_DATE, [item(1)])
    assert (refusal.value.record, refusal.value.position) == (1, position)


@pytest.mark.parametrize("numbers", [(1, 1), (2, 1), (10, 9)])
def test_a_payout_cannot_be_listed_twice_in_a_file(numbers: tuple[int, int]) -> None:
    """Rule 53."""
    with pytest.raises(BankFileError) as refusal:
        file_of([item(number) for number in numbers])
    assert (refusal.value.record, refusal.value.position) == (3, 92)


def test_an_empty_file_is_never_written() -> None:
    """Rule 48."""
    with pytest.raises(BankFileError):
        file_of([])


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\x1a"])
def test_only_line_ends_that_banks_accept_are_written(line_end: bytes) -> None:
    """Rule 48."""
    with pytest.raises(BankFileError):
        write(REMITTER, VALUE_DATE, [item(1)], line_end=line_end)


def test_a_sum_of_thirteen_digits_is_refused() -> None:
    """Rule 50."""
    items = [item(number, amount_minor=9_999_999_999) for number in range(1, 102)]
    assert read(file_of(items[:100])).sum_minor == 999_999_999_900
    with pytest.raises(BankFileError, match="more than 12 digits"):
        file_of(items)


def many(count: int) -> Iterator[TransferItem]:
    return (item(number, amount_minor=1) for number in range(1, count + 1))


def test_a_file_holds_at_most_999999_items() -> None:
    """Rule 50."""
    base = tuple(item(1, amount_minor=1))
    rows = ((*base[:8], str(number), *base[9:]) for number in range(1, 1_000_001))
    with pytest.raises(BankFileError, match="more than 999,999 items"):
        sum(len(piece) for piece in write(REMITTER, VALUE_DATE, rows))


@pytest.mark.parametrize("limit", [1, 7, 1000, 1001])
def test_a_smaller_limit_of_a_bank_applies_to_its_files(limit: int) -> None:
    """Rule 50."""
    data = b"".join(write(REMITTER, VALUE_DATE, many(limit), records_max=limit))
    assert read(data).count == limit
    with pytest.raises(BankFileError, match="items"):
        list(write(REMITTER, VALUE_DATE, many(limit + 1), records_max=limit))


def peak_bytes(count: int) -> int:
    """Returns the peak memory of writing and reading a file of so many items, without the file
    itself.
    """
    target = io.BytesIO(bytes((count + 3) * 122))
    tracemalloc.start()
    for piece in write(REMITTER, VALUE_DATE, many(count)):
        target.write(piece)
    target.seek(0)
    for _ in stream(target)[1]:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_number_of_items() -> None:
    """Rule 50."""
    peak_bytes(10)  # the first use fills caches
    assert peak_bytes(20_000) < 1.5 * peak_bytes(2_000)


# --- splitting


def split(amounts: list[int], limits: Limits) -> list[int]:
    """Returns how many of the amounts each file gets when new files follow full ones."""
    sizes: list[int] = []
    while amounts[sum(sizes) :]:
        sizes.append(limits.fitting(amounts[sum(sizes) :]))
    return sizes


def test_two_million_items_are_split_at_999999() -> None:
    """Rule 50."""
    assert split([1] * 2_000_000, LIMITS) == [999_999, 999_999, 2]


def test_a_smaller_limit_of_a_bank_splits_sooner() -> None:
    """Rule 50."""
    assert split([514] * 25, LIMITS.within(10)) == [10, 10, 5]


def test_a_partly_filled_file_takes_only_the_remaining_items() -> None:
    """Rule 50."""
    limits = Limits(records_max=10, sum_max_minor=100)
    assert limits.fitting([1] * 9, count=8, sum_minor=8) == 2
    assert limits.fitting([1] * 9, count=10, sum_minor=10) == 0
    assert limits.fitting([30, 30], count=1, sum_minor=60) == 1
    assert limits.fitting([41], count=1, sum_minor=60) == 0


def test_a_sum_too_long_for_the_trailer_splits_the_file() -> None:
    """Rule 50."""
    items = [item(number, amount_minor=9_999_999_999) for number in range(1, 202)]
    assert split([one.amount_minor for one in items], LIMITS) == [100, 100, 1]
    assert len(read(file_of(items[:100])).items) == 100
    with pytest.raises(BankFileError):
        file_of(items[:101])


@pytest.mark.parametrize("records_max", [0, -1, 1_000_000])
def test_a_limit_beyond_the_format_is_refused(records_max: int) -> None:
    """Rule 50."""
    with pytest.raises(BankFileError):
        LIMITS.within(records_max)
    with pytest.raises(BankFileError):
        write(REMITTER, VALUE_DATE, [item(1)], records_max=records_max)


# --- what is read


def test_a_file_is_read_from_a_stream_as_from_bytes() -> None:
    """Rule 48."""
    data = file_of(GOLDEN_ITEMS)
    header, items = stream(io.BytesIO(data))
    assert list(items) == list(read(data).items) == GOLDEN_ITEMS
    assert header.remitter == REMITTER


def test_the_digest_is_of_the_bytes_that_were_read() -> None:
    """Rule 52."""
    for data in (file_of(GOLDEN_ITEMS), file_of(GOLDEN_ITEMS) + b"\x1a"):
        assert read(data).sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("line_end", [b"\r\n", b""])
def test_one_end_of_file_mark_is_accepted(line_end: bytes) -> None:
    """Rule 48."""
    data = file_of(GOLDEN_ITEMS, line_end=line_end)
    assert list(read(data + b"\x1a").items) == GOLDEN_ITEMS
    assert refusal_of(data + b"\x1a\x1a").record == 7


@pytest.mark.parametrize("line_end", [b"\n", b"\r"])
def test_lf_alone_and_cr_alone_are_refused(line_end: bytes) -> None:
    """Rule 48."""
    refusal = refusal_of(file_of(GOLDEN_ITEMS).replace(b"\r\n", line_end))
    assert (refusal.record, refusal.position) == (1, 121)


def test_a_line_end_that_changes_in_the_middle_is_refused() -> None:
    """Rule 48."""
    data = file_of(GOLDEN_ITEMS)
    refusal = refusal_of(data[: 122 * 2] + data[122 * 2 :].replace(b"\r\n", b"\n "))
    assert (refusal.record, refusal.position) == (3, 121)


@pytest.mark.parametrize("length", [*range(0, 123, 40), 122 * 2, 122 * 3 - 1, 122 * 5, 122 * 6 - 3])
def test_a_file_truncated_anywhere_is_refused(length: int) -> None:
    """Rule 48."""
    refusal_of(file_of(GOLDEN_ITEMS)[:length])


@pytest.mark.parametrize("ending", [b"", b"\x1a", b"\r\n\x1a"])
def test_the_last_record_may_lack_its_line_end(ending: bytes) -> None:
    """Rule 48."""
    whole = file_of(GOLDEN_ITEMS)
    assert read(whole[:-2] + ending).items == read(whole).items


@given(st.data())
def test_a_file_with_any_bytes_missing_is_refused(data: st.DataObject) -> None:
    """Rule 48."""
    # The last line end may be missing.
    whole = file_of(GOLDEN_ITEMS)[:-2]
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start + 1, len(whole)))
    refusal_of(whole[:start] + whole[end:])


def test_a_file_in_another_encoding_is_refused_by_name() -> None:
    """Rule 48."""
    text = file_of(GOLDEN_ITEMS).decode("cp932")
    assert "UTF-8" in refusal_of(text.encode("utf-8")).reason
    assert "UTF-8" in refusal_of(text.encode("utf-8-sig")).reason
    refusal_of(text.encode("utf-16"))


def test_a_double_byte_character_is_refused_with_its_position() -> None:
    """Rule 48."""
    data = with_byte(file_of(GOLDEN_ITEMS), record=3, position=51, byte="山".encode("cp932")[:1])
    data = with_byte(data, record=3, position=52, byte="山".encode("cp932")[1:])
    refusal = refusal_of(data)
    assert (refusal.record, refusal.position) == (3, 51)


@pytest.mark.parametrize(
    ("record", "position", "byte", "found_at"),
    [
        (1, 1, b"2", (1, 1)),
        (1, 2, b"1", (1, 2)),
        (1, 4, b"1", (1, 4)),
        (1, 55, b"2", (1, 55)),
        (1, 120, b"0", (1, 104)),
        (2, 1, b"3", (2, 1)),
        (2, 1, b"1", (2, 1)),
        (2, 4, b" ", (2, 2)),
        (2, 6, b" ", (2, 6)),
        (2, 39, b"1", (2, 39)),
        (2, 43, b"3", (2, 43)),
        (2, 51, b" ", (2, 51)),
        (2, 52, b"\xad", (2, 51)),
        (2, 81, b" ", (2, 81)),
        (2, 88, b"4", (5, 8)),
        (2, 91, b"3", (2, 91)),
        (2, 112, b"8", (2, 112)),
        (2, 113, b"N", (2, 113)),
        (2, 114, b"0", (2, 114)),
        (2, 121, b" ", (2, 121)),
        (3, 92, b"0", None),
        (5, 7, b"4", (5, 2)),
        (5, 19, b"5", (5, 8)),
        (5, 20, b"0", (5, 20)),
        (6, 1, b"8", (6, 1)),
        (6, 120, b"x", (6, 2)),
    ],
)
def test_one_wrong_byte_is_refused_with_its_position(
    record: int, position: int, byte: bytes, found_at: tuple[int, int] | None
) -> None:
    """Rule 48: record and position as the bank counts them; a changed number alone is not seen."""
    data = with_byte(file_of(GOLDEN_ITEMS), record=record, position=position, byte=byte)
    if found_at is None:
        assert list(read(data).items) != GOLDEN_ITEMS
        return
    refusal = refusal_of(data)
    assert (refusal.record, refusal.position) == found_at


def test_the_29th_of_february_is_a_value_date_and_the_30th_is_not() -> None:
    """Rule 49."""
    leap_day = b"".join(write(REMITTER, date(2020, 2, 28), [item(1)]))
    file = read(with_byte(leap_day, record=1, position=58, byte=b"9"))
    assert file.header.value_date(near=date(2020, 2, 3)) == date(2020, 2, 29)
    impossible = with_byte(leap_day, record=1, position=57, byte=b"3")
    assert refusal_of(impossible).position == 55


def test_a_value_date_across_the_turn_of_the_year_keeps_its_year() -> None:
    """Rule 49."""
    file = read(b"".join(write(REMITTER, date(2020, 1, 6), [item(1)])))
    assert file.header.value_date(near=date(2019, 12, 27)) == date(2020, 1, 6)


def reassembled(*order: int) -> bytes:
    """Returns the golden records in this order."""
    records = records_of(file_of(GOLDEN_ITEMS))
    return b"".join(records[number - 1] + b"\r\n" for number in order)


@pytest.mark.parametrize(
    ("order", "record"),
    [
        ((1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6), 7),  # two files one behind the other
        ((1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6), 6),  # two groups in one file
        ((1, 1, 2, 3, 4, 5, 6), 2),
        ((1, 2, 2, 3, 4, 5, 6), 3),
        ((1, 3, 2, 4, 5, 6), 3),
        ((2, 3, 4, 5, 6), 1),
        ((1, 5, 6), 2),
        ((1, 2, 3, 4, 6), 5),
        ((1, 2, 3, 4, 5, 5), 6),
        ((1, 2, 3, 4, 5, 6, 6), 7),
        ((1, 2, 3, 5, 6), 4),
        ((1, 2, 3, 4, 5), None),
        ((1, 2, 3, 4), None),
        ((1,), None),
    ],
)
def test_records_in_the_wrong_order_are_refused(order: tuple[int, ...], record: int | None) -> None:
    """Rule 48."""
    assert refusal_of(reassembled(*order)).record == record


def test_a_refusal_does_not_name_the_payee() -> None:
    """Rule 65."""
    data = with_byte(file_of(GOLDEN_ITEMS), record=2, position=52, byte=b"\xad")
    message = str(refusal_of(data))
    assert message == "record 2, position 51: data record: payee name in bank text expected"


# --- the manner of the bank that pays -------------------------------------------------------------


def test_a_name_is_cut_where_the_bank_cuts_it_and_no_space_is_left_at_the_cut() -> None:
    rows = [
        item(1)._replace(payee_kana="ﾔﾏﾀﾞ ﾀﾛｳ"),
        item(2)._replace(payee_kana="ﾏﾓﾙ"),
    ]
    cut = read(b"".join(write(REMITTER, VALUE_DATE, rows, manner=Manner(name_max=6))))
    assert [each.payee_kana for each in cut.items] == ["ﾔﾏﾀﾞ ﾀ", "ﾏﾓﾙ"]
    at_the_space = read(b"".join(write(REMITTER, VALUE_DATE, rows, manner=Manner(name_max=5))))
    assert at_the_space.items[0].payee_kana == "ﾔﾏﾀﾞ"


def test_shift_jis_is_byte_for_byte_what_the_standard_encoding_is() -> None:
    rows = [item(1)]
    standard = b"".join(write(REMITTER, VALUE_DATE, rows))
    assert b"".join(write(REMITTER, VALUE_DATE, rows, manner=Manner("shift_jis"))) == standard


def test_an_encoding_that_makes_records_longer_writes_no_file() -> None:
    with pytest.raises(BankFileError, match="more than 120 bytes"):
        b"".join(write(REMITTER, VALUE_DATE, [item(1)], manner=Manner("utf-8")))
