"""Every payout format in the table does what the payouts need."""

from __future__ import annotations

import gzip
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given

from refunds.bankfiles import formats
from refunds.bankfiles.answers import Checks
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.formats import FORMATS, Content, Format
from refunds.bankfiles.transfer_items import Manner, TransferItem
from refunds.models import BankProfile
from tests.refunds.bankfiles.bank_strategies import ITEMS, REMITTER, item

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
FRIDAY = date(2019, 11, 15)
# The formats that have a file to ask about accounts.
CHECKING = [one for one in FORMATS.values() if one.write_questions is not formats.no_account_check]
each_format = pytest.mark.parametrize("bank", FORMATS.values(), ids=list(FORMATS))


def written(bank: Format, items: list[TransferItem], *, records_max: int = 100) -> bytes:
    return b"".join(bank.write(REMITTER, FRIDAY, items, records_max=records_max, manner=Manner()))


@each_format
@given(items=ITEMS)
def test_a_format_reads_back_what_it_writes(bank: Format, items: list[TransferItem]) -> None:
    """Rule 48."""
    file = bank.read(written(bank, items))
    assert file.remitter == REMITTER
    # A column for which the format has no place comes back with its default.
    defaults = {name: TransferItem._field_defaults[name] for name in bank.unsaid}
    assert list(file.items) == [one._replace(**defaults) for one in items]
    assert file.sum_minor == sum(one.amount_minor for one in items)


@each_format
def test_a_file_holds_no_more_items_than_the_bank_accepts(bank: Format) -> None:
    """Rule 50."""
    items = [item(number) for number in (1, 2, 3)]
    assert written(bank, items, records_max=3)
    with pytest.raises(BankFileError):
        written(bank, items, records_max=2)
    with pytest.raises(BankFileError):
        written(bank, items, records_max=bank.limits.records_max + 1)


@each_format
def test_a_truncated_file_is_refused_as_a_whole(bank: Format) -> None:
    """Rule 48."""
    content = written(bank, [item(1), item(2)])
    with pytest.raises(BankFileError):
        bank.read(content[: len(content) // 2])


@pytest.mark.parametrize("bank", CHECKING)
def test_a_check_request_is_read_as_one_without_answers(bank: Format) -> None:
    """Rule 56: it names the accounts, and it can neither pay nor match."""
    asked = [item(number, amount_minor=0) for number in (1, 2)]
    content = b"".join(bank.write_questions(REMITTER, FRIDAY, asked))
    with pytest.raises(BankFileError):
        bank.read(content)
    answer = bank.read_answer(content)
    assert isinstance(answer, Checks)
    assert answer.remitter == REMITTER
    assert [line.item for line in answer.lines] == asked
    assert {line.answer for line in answer.lines} == {"other"}


def test_a_format_without_account_checks_and_answers_says_so() -> None:
    """Rule 56."""
    assert FORMATS["zengin"] in CHECKING
    for bank in (FORMATS["iso20022"], FORMATS["csv"]):
        with pytest.raises(BankFileError, match="no account check"):
            bank.write_questions(REMITTER, FRIDAY, [item(1)])
        with pytest.raises(BankFileError, match="status reports"):
            bank.read_answer(b"")
        assert bank.read_report is not None


@each_format
def test_a_file_name_ends_in_a_plain_suffix(bank: Format) -> None:
    assert re.fullmatch(r"[a-z]{2,4}", bank.suffix)


@pytest.mark.parametrize(
    ("name", "format_name", "content"),
    [
        ("zengin_result.zengin", "zengin", Content.ANSWER),
        ("zengin_check.zengin", "zengin", Content.ANSWER),
        ("zengin_statement.zengin", "zengin", Content.STATEMENT),
        ("zengin_notice.zengin", "zengin", Content.STATEMENT),
        ("pain_002.10.xml", "iso20022", Content.REPORT),
        ("camt_053.08.xml", "iso20022", Content.STATEMENT),
        ("results.csv", "csv", Content.REPORT),
    ],
)
def test_a_file_says_by_its_beginning_what_it_is(
    name: str, format_name: str, content: Content
) -> None:
    golden = (GOLDEN / name).read_bytes()
    for came in (golden, gzip.compress(golden)):
        found = formats.recognise(came)
        assert found == (FORMATS[format_name], content)


def test_every_format_of_a_bank_profile_is_in_the_table() -> None:
    assert set(BankProfile.Format.values) == set(FORMATS)
