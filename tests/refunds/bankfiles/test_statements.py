"""A statement is believed if its own figures prove it, and each of its lines can be told again."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest
from lxml import etree
from pyiso20022.camt.camt_053_001_08 import camt_053_001_08
from xsdata.formats.dataclass.parsers import XmlParser

from refunds.bankfiles import camt_053, statements, zengin_statement
from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.era_dates import era_date, era_text
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.statements import Account, Direction, LineKind, StatementFile

GOLDEN = Path(__file__).parents[2] / "golden"
SCHEMAS = Path(__file__).parents[2] / "schemas"
NEAR = date(2020, 1, 8)
MONDAY = date(2020, 1, 6)
STATEMENT = (GOLDEN / "zengin_statement.zengin").read_bytes()
NOTICE = (GOLDEN / "zengin_notice.zengin").read_bytes()
CAMT_08 = (GOLDEN / "camt_053.08.xml").read_bytes()
CAMT_02 = (GOLDEN / "camt_053.02.xml").read_bytes()
NUMBER_OF_12 = "00000000000000000012"


def zengin(content: bytes, *, near: date = NEAR) -> StatementFile:
    return zengin_statement.read(content, currency="JPY", near=near)


def camt(content: bytes | str, *, currency: str = "JPY") -> StatementFile:
    content = content.encode() if isinstance(content, str) else content
    return camt_053.read(content, currency=currency, near=NEAR)


def put(content: bytes, *, record: int, position: int, text: str) -> bytes:
    at = (record - 1) * 202 + position - 1
    written = text.encode("cp932")
    return content[:at] + written + content[at + len(written) :]


def place_of(content: bytes) -> tuple[int | None, int | None]:
    with pytest.raises(BankFileError) as refusal:
        zengin(content)
    return refusal.value.record, refusal.value.position


# --- Zengin statements, kind 03 -------------------------------------------------------------------


def test_a_zengin_statement_is_read_with_every_field() -> None:
    first, second = zengin(STATEMENT).statements
    assert first.account == Account("0001", "001", "1", "0001234567")
    assert (first.from_on, first.to_on, first.made_on) == (MONDAY, MONDAY, date(2020, 1, 7))
    assert (first.balance_before_minor, first.balance_after_minor) == (1_000_000, 700_514)
    assert first.is_proved
    out, back = first.lines
    assert (out.direction, out.amount_minor, out.kind) == (
        Direction.OUT,
        300_000,
        LineKind.TRANSFER,
    )
    assert (back.record, back.inquiry, back.booked_on) == (3, "00000002", MONDAY)
    assert (back.signed_minor, back.balance_after_minor) == (514, 700_514)
    (detail,) = back.details
    assert detail.party_name == "ｷﾕｳﾖ ｲﾁﾛｳ"
    assert (detail.bank_name, detail.branch_name) == ("ﾐﾂｲｽﾐﾄﾓ", "ｷﾞﾝｻﾞ")
    assert (detail.text, detail.reference) == ("ﾌﾘｺﾐﾌﾉｳ", NUMBER_OF_12)
    # A day without a movement is a statement.
    assert (second.lines, second.balance_after_minor) == ((), 700_514)


@pytest.mark.parametrize(
    ("record", "position", "text", "found_at"),
    [
        (1, 2, "04", (1, 1)),
        (1, 5, "000107", (1, 5)),
        (1, 5, "321307", (1, 5)),
        (1, 11, "020107", (1, 17)),
        (1, 60, "1", (1, 60)),
        (1, 114, "3", (1, 114)),
        # The balance before: nothing in it agrees any more.
        (1, 129, "1", (4, None)),
        (2, 10, "020108", (2, 10)),
        (2, 16, "029999", (2, 16)),
        (2, 22, "3", (2, 22)),
        (2, 25, "000000000000", (2, 25)),
        (2, 36, "1", (4, 27)),
        (2, 22, "1", (4, 2)),
        (4, 7, "2", (4, 2)),
        (4, 20, "9", (4, 8)),
        (4, 40, "2", (4, None)),
        (4, 54, "5", (4, None)),
        (4, 61, "3", (4, 55)),
        (4, 70, "x", (4, 62)),
        (5, 1, "2", (5, 1)),
        (7, 1, "8", (7, 1)),
    ],
)
def test_one_wrong_field_of_a_statement_is_refused_with_its_place(
    record: int, position: int, text: str, found_at: tuple[int | None, int | None]
) -> None:
    assert place_of(put(STATEMENT, record=record, position=position, text=text)) == found_at


def test_a_statement_that_does_not_begin_where_the_last_one_ended_is_refused() -> None:
    broken = put(STATEMENT, record=5, position=129, text="5")
    broken = put(broken, record=6, position=54, text="5")
    with pytest.raises(BankFileError, match="does not begin with the balance"):
        zengin(broken)


def test_a_statement_with_any_record_missing_or_behind_the_end_is_refused() -> None:
    records = STATEMENT.split(b"\r\n")[:-1]
    for missing in range(len(records)):
        left = records[:missing] + records[missing + 1 :]
        with pytest.raises(BankFileError):
            zengin(b"\r\n".join([*left, b""]))
    with pytest.raises(BankFileError, match="behind the end"):
        zengin(STATEMENT + records[-1] + b"\r\n")


@pytest.mark.parametrize("ending", [b"", b"\x1a", b"\r\n\x1a"])
def test_the_last_record_may_lack_its_line_end(ending: bytes) -> None:
    assert zengin(STATEMENT.removesuffix(b"\r\n") + ending).lines == zengin(STATEMENT).lines


def test_a_statement_without_line_ends_is_read() -> None:
    assert zengin(STATEMENT.replace(b"\r\n", b"")).lines == zengin(STATEMENT).lines


def test_an_overdraft_is_a_negative_balance() -> None:
    content = put(STATEMENT, record=1, position=116, text=f"{200_000:014d}")
    content = put(content, record=4, position=40, text=f"2{99_486:014d}")
    content = put(content, record=5, position=114, text="2")
    content = put(content, record=5, position=116, text=f"{99_486:014d}")
    content = put(content, record=6, position=40, text=f"2{99_486:014d}")
    assert [one.balance_after_minor for one in zengin(content).statements] == [-99_486, -99_486]


def test_an_unknown_class_of_transaction_stays_unknown() -> None:
    unknown = put(STATEMENT, record=3, position=23, text="77")
    assert zengin(unknown).lines[1].kind is LineKind.UNKNOWN


def test_a_statement_in_another_currency_than_the_programmes_is_refused() -> None:
    with pytest.raises(BankFileError):
        zengin_statement.read(STATEMENT, currency="EUR", near=NEAR)


# --- identity of a line ---------------------------------------------------------------------------


def alone(*records: int) -> bytes:
    """The first statement with only these of its data records, proved anew."""
    header, out, back, *_, end = STATEMENT.split(b"\r\n")[:-1]
    kept = [(out, back)[number - 1] for number in records]
    return b"\r\n".join([header, *kept, STATEMENT.split(b"\r\n")[3], end, b""])


def test_a_line_has_the_same_identity_in_a_file_that_begins_later() -> None:
    whole = zengin(STATEMENT).lines
    later = alone(2)
    later = put(later, record=1, position=116, text=f"{700_000:014d}")
    later = put(later, record=3, position=21, text=f"{0:06d}{0:013d}")
    later = put(later, record=3, position=55, text=f"{1:07d}")
    (line,) = zengin(later).lines
    assert line.identity == whole[1].identity
    assert line.identity != whole[0].identity


def test_two_equal_movements_of_a_day_are_two_lines() -> None:
    header, out, back, *_, end = STATEMENT.split(b"\r\n")[:-1]
    trailer = STATEMENT.split(b"\r\n")[3]
    twice = b"\r\n".join([header, out, back, back, trailer, end, b""])
    twice = put(twice, record=5, position=2, text=f"{2:06d}{1028:013d}")
    twice = put(twice, record=5, position=41, text=f"{701_028:014d}{3:07d}")
    lines = zengin(twice).lines
    assert len({line.identity for line in lines}) == 3


def test_every_part_of_the_identity_changes_it() -> None:
    account = Account("0001", "001", "1", "0001234567")
    said = {
        "account": account,
        "booked_on": MONDAY,
        "inquiry": "1",
        "direction": Direction.IN,
        "amount_minor": 514,
        "running": "514",
    }
    others = {
        "account": Account("0001", "001", "2", "0001234567"),
        "booked_on": NEAR,
        "inquiry": "2",
        "direction": Direction.OUT,
        "amount_minor": 515,
        "running": "515",
    }
    found = {statements.identity_of(**said)} | {  # type: ignore[arg-type]
        statements.identity_of(**{**said, name: other})  # type: ignore[arg-type]
        for name, other in others.items()
    }
    assert len(found) == 1 + len(others)


# --- incoming notices, kind 01 --------------------------------------------------------------------


def test_a_notice_of_incoming_transfers_is_read() -> None:
    (notice,) = zengin(NOTICE).statements
    assert notice.account == Account("0001", "001", "1", "1234567")
    assert not notice.is_proved
    back, paid, cancelled = notice.lines
    assert (back.details[0].reference, back.amount_minor) == (NUMBER_OF_12, 514)
    assert (paid.direction, paid.kind) == (Direction.IN, LineKind.TRANSFER)
    assert (cancelled.direction, cancelled.kind) == (Direction.OUT, LineKind.CORRECTION)
    assert {line.balance_after_minor for line in notice.lines} == {None}
    assert len({line.identity for line in notice.lines}) == 3


@pytest.mark.parametrize(
    ("record", "position", "text", "found_at"),
    [
        (2, 29, "5", (5, 8)),
        (4, 128, "0", (5, 2)),
        (4, 128, "2", (4, 128)),
        (5, 25, "0", (5, 20)),
        (5, 37, "1", (5, 26)),
    ],
)
def test_one_wrong_field_of_a_notice_is_refused_with_its_place(
    record: int, position: int, text: str, found_at: tuple[int, int]
) -> None:
    assert place_of(put(NOTICE, record=record, position=position, text=text)) == found_at


# --- days of an era -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "near", "day"),
    [
        ("310430", date(2019, 5, 7), date(2019, 4, 30)),
        ("010501", date(2019, 5, 7), date(2019, 5, 1)),
        ("020106", date(2020, 1, 8), date(2020, 1, 6)),
        ("081128", date(2026, 11, 28), date(2026, 11, 28)),
        ("640107", date(1989, 1, 9), date(1989, 1, 7)),
        ("010108", date(1989, 1, 9), date(1989, 1, 8)),
    ],
)
def test_a_day_without_an_era_is_the_plausible_one(text: str, near: date, day: date) -> None:
    assert era_date(text, near=near) == day
    assert era_text(day) == text


@pytest.mark.parametrize(
    "text",
    [
        "310501",  # Heisei had ended
        "010430",  # Reiwa had not begun
        "260106",  # a year of the Western calendar, or 2014 or 2044
        "000106",
        "020230",
        "02010",
        "０２０１０６",
        "020301",  # two months ahead
    ],
)
def test_a_day_that_no_era_makes_plausible_is_refused(text: str) -> None:
    with pytest.raises(BankFileError):
        era_date(text, near=date(2020, 1, 8) if text != "260106" else date(2026, 1, 8))


# --- camt.053 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "schema"),
    [(CAMT_08, "camt.053.001.08.xsd"), (CAMT_02, "camt.053.001.02.xsd")],
    ids=["08", "02"],
)
def test_the_golden_statements_are_valid_by_the_published_schema(
    content: bytes, schema: str
) -> None:
    etree.XMLSchema(etree.parse(SCHEMAS / schema)).assertValid(etree.fromstring(content))


def test_a_camt_statement_is_read_with_returns_and_bulk_bookings() -> None:
    (statement,) = camt(CAMT_08).statements
    assert statement.account == Account("0001", "001", "1", "1234567")
    assert (statement.from_on, statement.to_on) == (MONDAY, MONDAY)
    assert (statement.balance_before_minor, statement.balance_after_minor) == (1_000_000, 700_514)
    assert statement.unbooked == 1
    bulk, back = statement.lines
    assert (bulk.direction, bulk.kind, bulk.inquiry) == (Direction.OUT, LineKind.TRANSFER, "B-1")
    assert [(one.reference, one.amount_minor) for one in bulk.details] == [
        ("11", 299_486),
        ("12", 514),
    ]
    assert (back.kind, back.booked_on, back.value_on) == (LineKind.RETURN, MONDAY, MONDAY)
    (detail,) = back.details
    assert (detail.reason, detail.reason_code) == (ReturnReason.ACCOUNT_CLOSED, "AC04")
    assert (detail.party_name, detail.text, detail.message) == (
        "ｷﾕｳﾖ ｲﾁﾛｳ",
        "ﾌﾘｺﾐﾌﾉｳ",
        "20200106-A",
    )


def test_an_independent_reader_finds_the_same_amounts_and_references() -> None:
    document = XmlParser().from_bytes(CAMT_08, camt_053_001_08.Document)
    (theirs,) = document.bk_to_cstmr_stmt.stmt
    ours = camt(CAMT_08).statements[0]
    booked = [entry for entry in theirs.ntry if entry.sts.cd == "BOOK"]
    assert [int(entry.amt.value) for entry in booked] == [line.amount_minor for line in ours.lines]
    assert [one.refs.end_to_end_id for entry in booked for one in entry.ntry_dtls[0].tx_dtls] == [
        detail.reference for line in ours.lines for detail in line.details
    ]


def test_a_camt_statement_in_euro_is_exact_to_the_cent_and_may_be_overdrawn() -> None:
    (statement,) = camt(CAMT_02, currency="EUR").statements
    assert statement.account.number == "DE89370400440532013000"
    assert (statement.balance_before_minor, statement.balance_after_minor) == (-1_000, 55)
    (line,) = statement.lines
    assert (line.amount_minor, line.value_on, line.kind) == (
        1_055,
        date(2020, 1, 7),
        LineKind.UNKNOWN,
    )
    assert line.details[0].amount_minor == 1_055
    assert line.details[0].reference == ""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (">700514<", ">700515<", "do not give the balance after"),
        (">CLBD<", ">CLAV<", "one opening and one closing"),
        (">BOOK<", ">SENT<", "status BOOK"),
        (">DBIT</CdtDbtInd><Sts>", ">DBTI</CdtDbtInd><Sts>", "CRDT or DBIT"),
        ('Ccy="JPY">300000', 'Ccy="USD">300000', "currency JPY"),
        ("<Ccy>JPY</Ccy>", "<Ccy>USD</Ccy>", "currency JPY"),
        (">300000<", ">300000.5<", "no decimals"),
        (">300000<", ">-300000<", "plain digits"),
        (">300000<", ">3e5<", "plain digits"),
        (">300000<", ">３０００００<", "plain digits"),
        (">300000<", ">" + "9" * 19 + "<", "plain digits"),
        ("<Dt>2020-01-06</Dt></BookgDt>", "<Dt>2020-02-30</Dt></BookgDt>", "YYYY-MM-DD"),
        ("camt.053.001.08", "camt.052.001.08", "one of the versions"),
        ("</Document>", "", "well-formed"),
    ],
)
def test_a_camt_statement_with_one_wrong_value_is_refused(old: str, new: str, why: str) -> None:
    content = CAMT_08.decode()
    assert old in content
    with pytest.raises(BankFileError, match=why):
        camt(content.replace(old, new, 1))


# --- hostile files --------------------------------------------------------------------------------

BOMB = "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' if n else '<!ENTITY a0 "ha">' for n in range(10)
)


@pytest.mark.parametrize(
    "declared",
    [
        f"<!DOCTYPE Document [{BOMB}]>",
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        "<!DOCTYPE Document>",
    ],
    ids=["billion laughs", "external document type", "external entity", "empty"],
)
def test_a_document_type_is_refused_before_anything_of_it_is_used(declared: str) -> None:
    content = CAMT_08.decode().replace("?>", f"?>{declared}", 1)
    content = content.replace("<MsgId>STMT", "<MsgId>&a9;STMT", 1)
    with pytest.raises(BankFileError, match="without a document type"):
        camt(content)


def test_an_entity_that_nobody_declared_is_refused() -> None:
    with pytest.raises(BankFileError, match="well-formed"):
        camt(CAMT_08.decode().replace("<MsgId>STMT", "<MsgId>&laughs;STMT", 1))


def test_depth_text_and_attributes_of_a_document_have_limits() -> None:
    plain = CAMT_08.decode()
    deep = "<X>" * 40 + "</X>" * 40
    many = " ".join(f"a{n}='1'" for n in range(20))
    for added, why in (
        (deep, "levels"),
        (f"<X>{'x' * 20_000}</X>", "characters"),
        (f"<X {many}/>", "attributes"),
        (f"<X>{'<Y/>' * 100_001}</X>", "elements"),
    ):
        with pytest.raises(BankFileError, match=why):
            camt(plain.replace("<Id>0001-001", f"{added}<Id>0001-001", 1))


@pytest.mark.parametrize("encoding", ["utf-16", "shift_jis", "iso-8859-1", "no-such-encoding"])
def test_xml_in_another_encoding_than_utf_8_is_refused(encoding: str) -> None:
    content = CAMT_08.decode().replace("UTF-8", encoding)
    with pytest.raises(BankFileError):
        camt(content.encode(encoding if encoding in ("utf-16", "shift_jis") else "utf-8"))


def test_a_compressed_statement_is_read_and_a_bomb_is_refused() -> None:
    assert camt(gzip.compress(CAMT_08)).lines == camt(CAMT_08).lines
    assert zengin(gzip.compress(STATEMENT)).lines == zengin(STATEMENT).lines
    with pytest.raises(BankFileError, match="100 times its size"):
        camt(gzip.compress(b" " * 50_000_000))
    with pytest.raises(BankFileError, match="cut off"):
        camt(gzip.compress(CAMT_08)[:-9])
    with pytest.raises(BankFileError, match="damaged|cut off"):
        camt(b"\x1f\x8b" + CAMT_08)
    with pytest.raises(BankFileError, match="behind the end"):
        camt(gzip.compress(CAMT_08) + b"x")
    with pytest.raises(BankFileError, match="zip"):
        camt(b"PK\x03\x04" + CAMT_08)


def test_a_file_above_the_size_that_is_read_is_refused() -> None:
    with pytest.raises(BankFileError, match="larger than 67,108,864 bytes"):
        camt(CAMT_08.replace(b"<Stmt>", b" " * 2**26 + b"<Stmt>"))
