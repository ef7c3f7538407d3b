"""Transfers as pain.001 and as CSV: valid by the schema, the same bytes again, and read whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree
from pyiso20022.pain.pain_001_001_09 import pain_001_001_09
from xsdata.formats.dataclass.parsers import XmlParser

from refunds.bankfiles import csv_transfers, pain_001
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.transfer_items import Manner, TransferItem
from tests.refunds.bankfiles.bank_strategies import ITEMS, REMITTER, item

GOLDEN = Path(__file__).parents[2] / "golden"
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[2] / "schemas/pain.001.001.09.xsd"))
MONDAY = date(2019, 11, 18)
GIVEN = [
    item(1),
    item(2, amount_minor=100_000)._replace(
        bank_name="", branch_name="", account_type="4", payee_kana="ｶ)A-B.C"
    ),
]


OF_IBANS = [
    TransferItem("", "", "", "", "", "DE89370400440532013000", "MUSTER ANNA", 123, "1"),
    TransferItem("", "", "", "", "", "MT84MALT011000012345MTLCAST001S", "BORG J.", 100_050, "2"),
]


def euro(items: list[TransferItem] = OF_IBANS) -> bytes:
    return b"".join(pain_001.write(REMITTER, MONDAY, items, manner=Manner(currency="EUR")))


def pain(items: list[TransferItem] = GIVEN) -> bytes:
    return b"".join(pain_001.write(REMITTER, MONDAY, items))


def table(items: list[TransferItem] = GIVEN) -> bytes:
    return b"".join(csv_transfers.write(REMITTER, MONDAY, items))


def test_both_files_equal_the_golden_ones_byte_for_byte() -> None:
    assert pain() == (GOLDEN / "pain_001.xml").read_bytes()
    assert table() == (GOLDEN / "transfers.csv").read_bytes()
    assert euro() == (GOLDEN / "pain_001.eur.xml").read_bytes()


def test_payees_with_an_iban_are_found_by_an_independent_reader() -> None:
    SCHEMA.assertValid(etree.fromstring(euro()))
    document = XmlParser().from_bytes(euro(), pain_001_001_09.Document)
    (payment,) = document.cstmr_cdt_trf_initn.pmt_inf
    assert [
        (one.cdtr_acct.id.iban, one.cdtr_agt, one.cdtr.nm, f"{one.amt.instd_amt.value}")
        for one in payment.cdt_trf_tx_inf
    ] == [
        ("DE89370400440532013000", None, "MUSTER ANNA", "1.23"),
        ("MT84MALT011000012345MTLCAST001S", None, "BORG J.", "1000.50"),
    ]
    assert list(pain_001.read(euro(), currency="EUR").items) == OF_IBANS


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("DE89370400440532013000", "DE88370400440532013000", "valid IBAN"),
        ("DE89370400440532013000", "de89370400440532013000", "IBAN expected"),
        ("<IBAN>DE89370400440532013000</IBAN>", "<Othr><Id>7654321</Id></Othr>", "IBAN expected"),
        ("</IBAN></Id>", "</IBAN></Id><Tp><Cd>SVGS</Cd></Tp>", "bank_code"),
    ],
)
def test_an_iban_that_is_none_is_refused(old: str, new: str, why: str) -> None:
    content = euro().decode()
    assert old in content
    with pytest.raises(BankFileError, match=why):
        pain_001.read(content.replace(old, new, 1).encode(), currency="EUR")


def test_a_table_has_no_place_for_an_iban() -> None:
    with pytest.raises(BankFileError, match="bank code of four digits"):
        table(OF_IBANS)


@given(items=ITEMS)
def test_every_message_is_valid_by_the_published_schema(items: list[TransferItem]) -> None:
    SCHEMA.assertValid(etree.fromstring(pain(items)))


@given(items=ITEMS)
def test_an_independent_reader_finds_every_transfer_of_a_message(items: list[TransferItem]) -> None:
    document = XmlParser().from_bytes(pain(items), pain_001_001_09.Document)
    message = document.cstmr_cdt_trf_initn
    (payment,) = message.pmt_inf
    assert int(message.grp_hdr.nb_of_txs) == len(items)
    assert message.grp_hdr.ctrl_sum == sum(one.amount_minor for one in items)
    assert str(payment.reqd_exctn_dt.dt) == "2019-11-18"
    assert payment.dbtr_agt.fin_instn_id.clr_sys_mmb_id.mmb_id == "0001001"
    assert [
        (
            one.pmt_id.end_to_end_id,
            int(one.amt.instd_amt.value),
            one.amt.instd_amt.ccy,
            one.cdtr_agt.fin_instn_id.clr_sys_mmb_id.mmb_id,
            one.cdtr_acct.id.othr.id,
            one.cdtr.nm,
        )
        for one in payment.cdt_trf_tx_inf
    ] == [
        (
            one.reference,
            one.amount_minor,
            "JPY",
            one.bank_code + one.branch_code,
            one.account_number,
            one.payee_kana,
        )
        for one in items
    ]


def test_the_same_transfers_are_the_same_bytes_and_others_another_message() -> None:
    assert pain() == pain()
    names = {
        pain_001.read(content).message_reference
        for content in (
            pain(),
            pain(GIVEN[:1]),
            b"".join(pain_001.write(REMITTER, date(2019, 11, 19), GIVEN)),
        )
    }
    assert len(names) == 3


def test_value_date_and_digest_are_read_back() -> None:
    assert pain_001.read(pain()).value_date == MONDAY
    assert csv_transfers.read(table()).value_date == MONDAY


def test_a_name_is_cut_as_the_bank_wants_it() -> None:
    short = Manner(name_max=6)
    for write, read in (
        (pain_001.write, pain_001.read),
        (csv_transfers.write, csv_transfers.read),
    ):
        content = b"".join(write(REMITTER, MONDAY, [item(1)], manner=short))
        # The space before the cut is no end of a name.
        assert read(content).items[0].payee_kana == "ｷﾕｳﾖ ｲ"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("<NbOfTxs>2<", "<NbOfTxs>3<", "total of transfers"),
        ("<CtrlSum>100514<", "<CtrlSum>100515<", "total of amounts"),
        ("</PmtMtd><NbOfTxs>2<", "</PmtMtd><NbOfTxs>3<", "total of transfers"),
        ('Ccy="JPY"', 'Ccy="USD"', "currency JPY"),
        (">514<", ">0<", "amount_minor"),
        (">514<", ">514.5<", "no decimals"),
        ("<MmbId>0009219<", "<MmbId>009219<", "bank_code"),
        (
            "<Cd>JPZGN</Cd></ClrSysId><MmbId>0009219",
            "<Cd>USABA</Cd></ClrSysId><MmbId>0009219",
            "bank_code",
        ),
        ("<EndToEndId>2<", "<EndToEndId>1<", "must ascend"),
        ("<EndToEndId>2<", "<EndToEndId>x<", "reference"),
        ("<Dt>2019-11-18<", "<Dt>2019-11-8<", "YYYY-MM-DD"),
        ("<Othr><Id>0123456789<", "<Othr><Id>1<", "remitter code"),
        ("<Dbtr>", "<Dbtx>", "well-formed"),
        ("001.001.09", "001.001.03", "one of the versions"),
    ],
)
def test_a_message_with_one_wrong_value_is_refused(old: str, new: str, why: str) -> None:
    content = pain().decode()
    assert old in content
    with pytest.raises(BankFileError, match=why):
        pain_001.read(content.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("row,", "rows,", (1, 1)),
        ("2019-11-18", "2019-11-31", (2, 2)),
        ("JPY", "USD", (2, 3)),
        ("0123456789", "123456789", (2, 4)),
        (",0009,", ",009,", (2, 12)),
        (",514,", ",514.5,", (2, 19)),
        (",514,", ",0,", (2, 19)),
        (",514,", ",515,", (4, 19)),
        (",2,1\r\n", ",1,1\r\n", (3, None)),
        # The end row twice.
        ("", "", None),
        ("end", "fin", (4, 1)),
        ("100514,2", "100514,3", (4, 20)),
    ],
)
def test_a_table_with_one_wrong_cell_is_refused_with_its_place(
    old: str, new: str, place: tuple[int | None, int | None] | None
) -> None:
    content = table().decode()
    if place is None:
        content, place = content + content.splitlines()[-1] + "\r\n", (5, 1)
    else:
        # Day and account stand in every row, and others are another file.
        count = -1 if old in ("2019-11-18", "0123456789") else 1
        content, before = content.replace(old, new, count), content
        assert content != before
    with pytest.raises(BankFileError) as refusal:
        csv_transfers.read(content.encode())
    assert (refusal.value.record, refusal.value.position) == place


def test_two_accounts_that_pay_are_two_files() -> None:
    rows = table().decode().splitlines(keepends=True)
    rows[2] = rows[2].replace("2019-11-18", "2019-11-19")
    with pytest.raises(BankFileError, match="one value date"):
        csv_transfers.read("".join(rows).encode())


def test_a_file_cut_off_anywhere_is_refused() -> None:
    for content, read in ((pain(), pain_001.read), (table(), csv_transfers.read)):
        # The last line end is no part of either format.
        for length in range(len(content) - 2):
            with pytest.raises(BankFileError):
                read(content[:length])


def test_an_item_or_a_remitter_that_fits_no_bank_is_refused() -> None:
    for write in (pain_001.write, csv_transfers.write):
        with pytest.raises(BankFileError):
            list(write(REMITTER, MONDAY, []))
        with pytest.raises(BankFileError):
            list(write(REMITTER, MONDAY, [item(2), item(1)]))
        with pytest.raises(BankFileError, match="payee_kana"):
            list(write(REMITTER, MONDAY, [item(1)._replace(payee_kana="給与")]))
        with pytest.raises(BankFileError, match="12 digits"):
            list(
                write(
                    REMITTER, MONDAY, (item(n, amount_minor=9_999_999_999) for n in range(1, 102))
                )
            )


def test_memory_does_not_grow_with_the_message() -> None:
    def many() -> Iterator[TransferItem]:
        return (item(number) for number in range(1, 40_001))

    tracemalloc.start()
    try:
        for piece in pain_001.write(REMITTER, MONDAY, many()):
            assert piece
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()
