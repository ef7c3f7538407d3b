"""Whatever a file holds, a reader returns what it says or refuses it: never another error."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refunds.bankfiles import bank_list, pain_001
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.formats import FORMATS, Format

GOLDEN = Path(__file__).parents[2] / "golden"
NEAR = date(2020, 1, 8)
# 5 x 100 examples of two files each for every golden file: 13,000 in `make test` and 650,000 in the
# proof, whose profile tries 5,000 in place of 100.
EXAMPLES = settings.default.max_examples * 5
FILES_PER_EXAMPLE = 2
# What stands in the golden files of a person.
PERSONAL = ("ｷﾕｳﾖ", "7654321", "Mustermann")


class Reader(NamedTuple):
    golden: str
    read: Callable[[bytes], object]


def transfers(bank: Format) -> Callable[[bytes], object]:
    return bank.read


def answers(bank: Format) -> Callable[[bytes], object]:
    def read(content: bytes) -> object:
        answer = bank.read_answer(content)
        return list(answer) if hasattr(answer, "__iter__") else answer

    return read


def account(bank: Format, *, currency: str = "JPY") -> Callable[[bytes], object]:
    assert bank.read_statements is not None
    read_statements = bank.read_statements
    return lambda content: read_statements(content, currency=currency, near=NEAR)


def reports(bank: Format) -> Callable[[bytes], object]:
    assert bank.read_report is not None
    read_report = bank.read_report
    return lambda content: list(read_report(content, currency="JPY", near=NEAR))


READERS = (
    Reader("zengin_transfer.zengin", transfers(FORMATS["zengin"])),
    Reader("zengin_result.zengin", answers(FORMATS["zengin"])),
    Reader("zengin_check.zengin", answers(FORMATS["zengin"])),
    Reader("zengin_statement.zengin", account(FORMATS["zengin"])),
    Reader("zengin_notice.zengin", account(FORMATS["zengin"])),
    Reader("pain_001.xml", transfers(FORMATS["iso20022"])),
    Reader("pain_001.eur.xml", partial(pain_001.read, currency="EUR")),
    Reader("pain_002.10.xml", reports(FORMATS["iso20022"])),
    Reader("camt_053.08.xml", account(FORMATS["iso20022"])),
    Reader("camt_053.02.xml", account(FORMATS["iso20022"], currency="EUR")),
    Reader("transfers.csv", transfers(FORMATS["csv"])),
    Reader("results.csv", reports(FORMATS["csv"])),
    Reader("bank_list.csv", bank_list.read),
)
# Bytes that readers stumble over: of XML, of CSV, of other encodings, and numbers of every form.
HOSTILE = (
    b"\x00", b"\x1a", b"\r", b"\n", b"\r\n", b'"', b",", b"&x;", b"&#0;", b"&#55296;", b"<", b"</",
    b"<!DOCTYPE x>", b"<![CDATA[", b"<!--", b"<?x?>", b"<X>", b' Ccy="XXX"', b"\xff\xfe", b"\xef\xbb\xbf",
    b"\x1f\x8b", b"PK\x03\x04", b"9" * 40, b"-1", b"1e9", b"NaN", b"0", b".", b" ", "１".encode(),
    "ｱ".encode("cp932"), "給与".encode(), "給与".encode("cp932"), b"9999-99-99", b"\xc0\x80",
)  # fmt: skip
ENCODINGS = ("utf-16", "cp932", "utf-8", "utf-7", "cp500")


def cut(content: bytes, at: int, _other: int, _some: bytes) -> bytes:
    return content[:at]


def without(content: bytes, at: int, other: int, _some: bytes) -> bytes:
    return content[:at] + content[at + 1 + other % 250 :]


def doubled(content: bytes, at: int, other: int, _some: bytes) -> bytes:
    end = at + 1 + other % 250
    return content[:end] + content[at:end] + content[end:]


def swapped(content: bytes, at: int, other: int, _some: bytes) -> bytes:
    first, second = sorted((at, other % (len(content) + 1)))
    return content[:first] + content[second:] + content[first:second]


def written_over(content: bytes, at: int, _other: int, some: bytes) -> bytes:
    return content[:at] + some + content[at + len(some) :]


def with_hostile(content: bytes, at: int, other: int, _some: bytes) -> bytes:
    return content[:at] + HOSTILE[other % len(HOSTILE)] + content[at:]


def with_digit(content: bytes, at: int, other: int, _some: bytes) -> bytes:
    """One of the digits is another."""
    places = [place for place, byte in enumerate(content) if 0x30 <= byte <= 0x39]
    if not places:
        return content
    place = places[at % len(places)]
    return content[:place] + b"0123456789"[other % 10 :][:1] + content[place + 1 :]


def encoded(content: bytes, at: int, other: int, _some: bytes) -> bytes:
    own = "utf-8" if at % 2 else "cp932"
    return content.decode(own, "replace").encode(ENCODINGS[other % len(ENCODINGS)], "replace")


def compressed(content: bytes, _at: int, _other: int, _some: bytes) -> bytes:
    return gzip.compress(content, compresslevel=1)


def random(_content: bytes, _at: int, _other: int, some: bytes) -> bytes:
    return some


MUTATIONS = (
    cut, without, doubled, swapped, written_over, with_hostile, with_digit, encoded, compressed,
)  # fmt: skip
ONE = st.tuples(
    st.sampled_from(MUTATIONS),
    st.integers(0, 2**16),
    st.integers(0, 2**16),
    st.binary(min_size=1, max_size=4),
)
RANDOM = st.tuples(st.just(random), st.just(0), st.just(0), st.binary(max_size=300))
MUTATED = st.lists(st.one_of(ONE, ONE, ONE, ONE, ONE, ONE, RANDOM), min_size=1, max_size=4)


def test_every_reader_of_the_table_and_every_golden_file_is_tried() -> None:
    assert {reader.golden for reader in READERS} == {
        path.name for path in GOLDEN.iterdir() if path.suffix in (".zengin", ".xml", ".csv")
    }
    for reader in READERS:
        reader.read((GOLDEN / reader.golden).read_bytes())


@pytest.mark.parametrize("reader", READERS, ids=[reader.golden for reader in READERS])
@settings(max_examples=EXAMPLES)
@given(tries=st.lists(MUTATED, min_size=FILES_PER_EXAMPLE, max_size=FILES_PER_EXAMPLE))
def test_a_damaged_file_is_read_or_refused_with_a_reason(
    reader: Reader, tries: list[list[tuple[Callable[..., bytes], int, int, bytes]]]
) -> None:
    golden = (GOLDEN / reader.golden).read_bytes()
    for mutations in tries:
        content = golden
        for change, at, other, some in mutations:
            content = change(content, at % (len(content) + 1), other, some)
        try:
            reader.read(content)
        except BankFileError as refusal:
            said = str(refusal)
            assert refusal.reason
            assert not any(word in said for word in PERSONAL), said
