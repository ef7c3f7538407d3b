"""A report says of each transfer what the bank says, and a word that nobody knows is unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from lxml import etree
from pyiso20022.pain.pain_002_001_10 import pain_002_001_10
from xsdata.formats.dataclass.parsers import XmlParser

from refunds.bankfiles import csv_results, pain_002
from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.reports import ISO_STATUSES, StatusLine, StatusReport, TransferStatus

GOLDEN = Path(__file__).parents[2] / "golden"
SCHEMAS = Path(__file__).parents[2] / "schemas"
NEAR = date(2019, 11, 19)
REPORT = (GOLDEN / "pain_002.10.xml").read_text()
RESULTS = (GOLDEN / "results.csv").read_bytes().decode()

Status = TransferStatus


def pain(content: str, *, currency: str = "JPY") -> StatusReport:
    return pain_002.read(content.encode(), currency=currency, near=NEAR)


def table(content: str, *, currency: str = "JPY") -> StatusReport:
    return csv_results.read(content.encode(), currency=currency, near=NEAR)


def refused(read: Callable[[str], StatusReport], content: str) -> BankFileError:
    with pytest.raises(BankFileError) as refusal:
        list(read(content))
    return refusal.value


# --- pain.002 -------------------------------------------------------------------------------------


def test_the_golden_report_is_valid_by_the_published_schemas() -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "pain.002.001.12.xsd"))
    schema.assertValid(etree.fromstring(REPORT.replace("001.10", "001.12").encode()))


def test_a_report_says_how_far_each_transfer_has_come() -> None:
    report = pain(REPORT)
    assert report.head.file_reference == "20191118-A"
    # A part of the file says nothing about any one transfer.
    assert (report.head.status, report.head.code) == (Status.UNKNOWN, "PART")
    lines = list(report)
    assert [(line.reference, line.status) for line in lines] == [
        ("1", Status.DONE),
        ("2", Status.NOT_DONE),
        # Without a word of its own it has the group's.
        ("3", Status.IN_PROCESS),
        ("4", Status.UNKNOWN),
    ]
    assert lines[1] == StatusLine(
        record=lines[1].record,
        reference="2",
        status=Status.NOT_DONE,
        code="RJCT",
        reason=ReturnReason.ACCOUNT_CLOSED,
        reason_code="AC04",
        amount_minor=514,
        value_on=date(2019, 11, 18),
        paid_from="1234567",
        bank_code="0009",
        branch_code="219",
        account_type="1",
        account_number="7654321",
        payee="ｷﾕｳﾖ ｲﾁﾛｳ",
    )
    assert lines[3].code == "BLCK"
    assert report.count == 4
    assert len(report.sha256) == 64


def test_an_independent_reader_finds_the_same_statuses() -> None:
    document = XmlParser().from_bytes(REPORT.encode(), pain_002_001_10.Document)
    (payment,) = document.cstmr_pmt_sts_rpt.orgnl_pmt_inf_and_sts
    theirs = [(one.orgnl_end_to_end_id, one.tx_sts) for one in payment.tx_inf_and_sts]
    ours = [(line.reference, line.code if line.reference != "3" else None) for line in pain(REPORT)]
    assert theirs == ours


@pytest.mark.parametrize("version", ["03", "12", "14"])
def test_other_versions_of_the_report_are_read(version: str) -> None:
    assert len(list(pain(REPORT.replace("001.10", f"001.{version}")))) == 4


def test_a_report_that_refuses_the_whole_file_has_no_line() -> None:
    head, _, rest = REPORT.partition("    <OrgnlPmtInfAndSts>")
    whole = head.replace(
        "<GrpSts>PART</GrpSts>",
        "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM05</Cd></Rsn></StsRsnInf>",
    )
    report = pain(whole + "  </CstmrPmtStsRpt>\n</Document>\n")
    assert list(report) == []
    assert (report.head.status, report.head.reason_code) == (Status.NOT_DONE, "AM05")
    assert rest


def test_only_the_two_settled_codes_are_done_and_no_unknown_one() -> None:
    assert {code for code, status in ISO_STATUSES.items() if status is Status.DONE} == {
        "ACSC",
        "ACCC",
    }
    for code in ("PART", "BLCK", "XXXX", "acsc", "ACS"):
        changed = REPORT.replace("<TxSts>ACSC</TxSts>", f"<TxSts>{code}</TxSts>")
        assert next(iter(pain(changed))).status is Status.UNKNOWN, code


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("<OrgnlEndToEndId>2<", "<OrgnlEndToEndId>1<", "answered before"),
        ("<OrgnlEndToEndId>2<", f"<OrgnlEndToEndId>{'2' * 36}<", "at most 35"),
        ("<OrgnlEndToEndId>3</OrgnlEndToEndId>", "<StsId>3</StsId>", "OrgnlEndToEndId expected"),
        ('Ccy="JPY"', 'Ccy="EUR"', "currency JPY"),
        (">514<", ">514.01<", "no decimals"),
        ("<Dt>2019-11-18</Dt>", "<Dt>2019-11-31</Dt>", "YYYY-MM-DD"),
        ("<PmtInfSts>ACSP</PmtInfSts>", "", ""),
        ("</OrgnlPmtInfAndSts>", "<PmtInfSts>ACSP</PmtInfSts></OrgnlPmtInfAndSts>", "before its"),
        ("<OrgnlGrpInfAndSts>", "<OrgnlGrpInfAndStz>", "well-formed"),
        ("</CstmrPmtStsRpt>", "x</CstmrPmtStsRpt>", "no text"),
    ],
)
def test_a_report_with_one_wrong_value_is_refused(old: str, new: str, why: str) -> None:
    assert old in REPORT
    changed = REPORT.replace(old, new, 1)
    if why:
        refusal = refused(pain, changed)
        assert why in refusal.reason
        assert refusal.record is not None
    else:
        # Neither the transfer nor its group says anything, and the file says PART.
        assert list(pain(changed))[2].status is Status.UNKNOWN


def test_a_report_that_was_cut_off_is_refused_at_its_end() -> None:
    for length in range(0, len(REPORT) - 2, 7):
        refused(pain, REPORT[:length])


# --- our CSV --------------------------------------------------------------------------------------


def test_a_table_of_results_is_read() -> None:
    report = table(RESULTS)
    assert report.head.file_reference == "20191118-A"
    lines = list(report)
    assert [(line.reference, line.status, line.reason) for line in lines] == [
        ("1", Status.DONE, None),
        ("2", Status.RETURNED, ReturnReason.ACCOUNT_CLOSED),
        ("3", Status.IN_PROCESS, None),
        ("4", Status.NOT_DONE, ReturnReason.ACCOUNT_BLOCKED),
        ("5", Status.UNKNOWN, None),
    ]
    assert lines[4].code == "paid?"
    assert lines[3].amount_minor == 514
    assert (lines[1].bank_code, lines[1].branch_code, lines[1].payee) == (
        "0009",
        "219",
        "ｷﾕｳﾖ ｲﾁﾛｳ",
    )
    assert report.count == 5


@pytest.mark.parametrize("changed", [RESULTS.replace("\r\n", "\n"), "\ufeff" + RESULTS])
def test_line_ends_and_a_byte_order_mark_change_nothing(changed: str) -> None:
    assert list(table(changed)) == list(table(RESULTS))
    assert list(table(changed.removesuffix("\n"))) == list(table(RESULTS))


def test_an_amount_in_euro_is_exact() -> None:
    euro = RESULTS.replace("JPY", "EUR").replace("514,", "5.14,").replace("514.0,", "5.1,")
    assert [line.amount_minor for line in table(euro, currency="EUR")][:2] == [514, 514]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("row,", "rows,", (1, 1)),
        ("file,", "transfer,", (2, 1)),
        ("transfer,1,", "line,1,", (3, 1)),
        ("transfer,2,", "transfer,1,", (4, 2)),
        ("transfer,2,", "transfer,x,", (4, 2)),
        ("transfer,2,", "transfer,２,", (4, 2)),
        (",514,JPY,2019", ",514,USD,2019", (3, 6)),
        (",514,JPY,2019", ",5 14,JPY,2019", (3, 5)),
        ("2019-11-18", "18.11.2019", (3, 7)),
        (",0009,", ",9,", (3, 9)),
        (",219,", ",21,", (3, 10)),
        (",219,1,", ",219,3,", (3, 11)),
        (",7654321,", ",765432,", (3, 12)),
        ("transfer,1,done,,", "transfer,1,done,", (3, 1)),
        ("transfer,1,done", 'transfer,1,"done', (3, None)),
        ("transfer,1,done", f"transfer,1,{'d' * 501}", (3, 3)),
        ("transfer,1,done", "transfer,1,do\x00ne", (3, 1)),
        ("end,5", "end,4", (8, 2)),
        ("end,5,,,,,,,,,,,\r\n", "", (None, None)),
        ("end,5,,,,,,,,,,,\r\n", "end,5,,,,,,,,,,,\r\nend,5,,,,,,,,,,,\r\n", (9, 1)),
    ],
)
def test_one_wrong_cell_is_refused_with_its_place(
    old: str, new: str, place: tuple[int | None, int | None]
) -> None:
    assert old in RESULTS
    refusal = refused(table, RESULTS.replace(old, new, 1))
    assert (refusal.record, refusal.position) == place


def test_a_table_in_shift_jis_is_refused() -> None:
    with pytest.raises(BankFileError, match="UTF-8"):
        list(csv_results.read(RESULTS.encode("cp932"), currency="JPY", near=NEAR))


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    refusal = refused(table, RESULTS.replace("paid?", "x" * 10_000))
    assert "8,192 bytes" in refusal.reason
