"""Every transport carries the same requests and answers, and refuses a line that is no answer."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from refunds.models import Issuer
from refunds.remedies import transports
from refunds.remedies.exchange_lines import (
    ANSWER_COLUMNS,
    NOTE_MAX,
    REQUEST_COLUMNS,
    AnswerLine,
    FaultyLine,
    RequestLine,
    Transport,
    arn_is_sound,
    cells_of,
    luhn_digit,
    request_of,
)
from tests.refunds.claims.scene import JST
from winddown.errors import LoadRefused
from winddown.programme import csv_lines
from winddown.programme.evidence_files import File

REQUEST = RequestLine(
    action_ref="0b9ad6a0-0000-4000-8000-000000000001",
    attempt=1,
    issuer_code="HOSHI",
    brand="visa",
    funding="credit",
    card_token="tok",
    bin="902101",
    last4="0001",
    transaction_at_local="2019-07-02T15:00:00+09:00",
    transaction_at_utc="2019-07-02T06:00:00+00:00",
    amount_minor=30_000,
    currency="JPY",
    rrn="000000000001",
    auth_code="A00001",
    arn="",
    asked_action="stop_debit",
    answer_by="2019-08-06T00:00:00+09:00",
    claim_ref="FC00000001",
)
DIGITS = "7498750218200000000001"
ANSWER = AnswerLine(
    line=2,
    action_ref=REQUEST.action_ref,
    attempt=1,
    issuer_code="HOSHI",
    amount_minor=30_000,
    currency="JPY",
    answer_code="accepted_refunded",
    answered_at=dt.datetime(2019, 7, 8, 9, tzinfo=dt.UTC),
    statement_on=dt.date(2019, 8, 13),
    refund_arn=DIGITS + luhn_digit(DIGITS),
    note='端末番号, "which one"?\nsecond line',
)
OTHER = replace(ANSWER, action_ref="0b9ad6a0-0000-4000-8000-000000000002", statement_on=None)

per_transport = pytest.mark.parametrize("name", transports.TRANSPORTS)


def heard(by: Transport, content: bytes) -> list[AnswerLine | FaultyLine]:
    text = csv_lines.text_of(File(name="answers", content=content))
    return by.read_answers(text, name="answers", zone=JST)


def written(by: Transport, *answers: AnswerLine) -> bytes:
    return by.write_answers(answers).encode(by.encoding)


@per_transport
def test_requests_and_answers_are_read_back_as_sent(name: str) -> None:
    by = transports.TRANSPORTS[name]
    second = replace(REQUEST, action_ref=OTHER.action_ref, merchant_id="M1", eci="05")
    asked = by.write_requests([REQUEST, second], sequence=7)
    assert by.read_requests(asked) == [REQUEST, second]
    assert [each for each in transports.TRANSPORTS.values() if each.wrote(asked)] == [by]
    read = heard(by, written(by, ANSWER, OTHER))
    assert [replace(answer, line=2) for answer in read] == [ANSWER, OTHER]
    assert [answer.line for answer in read] == sorted({answer.line for answer in read})


@per_transport
def test_a_file_without_answers_is_read_as_empty(name: str) -> None:
    by = transports.TRANSPORTS[name]
    assert heard(by, written(by)) == []


@per_transport
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("answer_code", "maybe"),
        ("attempt", "once"),
        ("attempt", "1_0"),
        ("amount_minor", 0),
        ("amount_minor", "30,00"),
        ("answered_at", "yesterday"),
        ("answered_at", "0001-01-01T00:00:00+00:00"),
        ("statement_on", "tomorrow"),
        ("statement_on", "R1.4.30"),
        ("statement_on", "2019-02-29"),
        ("refund_arn", "1234567"),
        ("note", "x" * (NOTE_MAX + 1)),
    ],
)
def test_a_line_that_is_no_answer_is_named_with_its_cell_and_the_others_are_read(
    name: str, column: str, value: Any
) -> None:
    by = transports.TRANSPORTS[name]
    read = heard(by, written(by, OTHER, replace(ANSWER, **{column: value})))
    assert isinstance(read[0], AnswerLine)
    assert isinstance(read[1], FaultyLine)
    assert read[1].column == column


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize(
    "written_as", ["2019-08-13", "2019/8/13", "20190813", "R1.8.13", "令和元年8月13日"]
)
def test_an_answer_file_is_read_as_partners_write_it(encoding: str, written_as: str) -> None:
    """Another order of the columns, blank lines, full-width digits, and what a spreadsheet adds."""
    by = transports.TRANSPORTS["csv"]
    cells = cells_of(replace(ANSWER, note="端末番号"))
    cells |= {"statement_on": written_as, "amount_minor": "３０，０００"}
    cells["answered_at"] = written_as.replace("13", "09") + " 18:00"
    columns = sorted(cells)
    lines = [",".join([*columns, ""]), "", ",".join(f'"{cells[each]}"' for each in columns) + ",,"]
    (read,) = heard(by, "\r\n".join([*lines, ",,,", ""]).encode(encoding))
    at = dt.datetime(2019, 8, 9, 18, tzinfo=JST)
    assert read == replace(ANSWER, line=3, note="端末番号", answered_at=at)


def test_a_line_of_another_width_is_no_answer() -> None:
    by = transports.TRANSPORTS["csv"]
    lines = written(by, replace(OTHER, note="")).decode().splitlines(keepends=True)
    for wrong in ("x,y\r\n", lines[-1].rstrip() + ",more\r\n"):
        read = heard(by, (lines[0] + wrong + lines[-1]).encode())
        assert [type(line) for line in read] == [FaultyLine, AnswerLine]


@pytest.mark.parametrize("content", [b"\x00", b"\xff\xfe\xfd", b"", b"a,b\r\n", b'"'])
def test_a_file_in_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(LoadRefused, match="line 1"):
        heard(transports.TRANSPORTS["csv"], content)


def test_the_columns_of_the_csv_files_keep_their_order() -> None:
    """Issuers read and write these files; a new field changes them, so it must be agreed."""
    by = transports.TRANSPORTS["csv"]
    header = (
        "action_ref,attempt,issuer_code,brand,funding,card_token,bin,last4,transaction_at_local,"
        "transaction_at_utc,amount_minor,currency,merchant_id,terminal_id,stan,rrn,auth_code,mti,"
        "arn,eci,asked_action,answer_by,claim_ref\r\n"
    )
    sha256 = hashlib.sha256(header.encode()).hexdigest()
    assert by.write_requests([], sequence=3) == f"{header}control,3,0,0,{sha256}\r\n"
    assert by.write_answers([]) == (
        "action_ref,attempt,issuer_code,amount_minor,currency,answer_code,answered_at,"
        "statement_on,refund_arn,note\r\n"
    )


def test_requests_that_lost_a_line_on_the_way_are_not_read() -> None:
    """As an issuer checks them by the control figures."""
    other = replace(REQUEST, action_ref=OTHER.action_ref)
    for name in ("csv", "json"):
        by = transports.TRANSPORTS[name]
        asked = by.write_requests([REQUEST, other], sequence=1)
        with pytest.raises(LoadRefused, match="control figures"):
            by.read_requests(asked.replace("30000", "30001", 1))


@pytest.mark.parametrize(
    ("name", "torn"),
    [
        ("csv", lambda whole: whole + b"control,1,2,30000\r\n"),
        ("csv", lambda whole: whole + b"control,1,1,60000\r\n"),
        ("json", lambda whole: whole.replace(b'"rows": 1', b'"rows": 2')),
    ],
)
def test_answers_with_the_control_figures_of_other_lines_are_refused(
    name: str, torn: Callable[[bytes], bytes]
) -> None:
    by = transports.TRANSPORTS[name]
    whole = written(by, replace(OTHER, note=""))
    with pytest.raises(LoadRefused, match="control figures"):
        heard(by, torn(whole))


def test_answers_with_their_control_figures_are_read() -> None:
    by = transports.TRANSPORTS["csv"]
    content = written(by, replace(OTHER, note="")) + b"control,1,1,30000\r\n"
    assert [type(line) for line in heard(by, content)] == [AnswerLine]


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"{}", b'{"answers": 1}', b"{" * 100_000, b'{"answers": [1, [], {}]}']
)
def test_json_of_another_form_is_refused_or_its_lines_are_no_answers(content: bytes) -> None:
    try:
        read = heard(transports.TRANSPORTS["json"], content)
    except LoadRefused as refusal:
        assert "line 1" in str(refusal)
    else:
        assert [type(line) for line in read] == [FaultyLine] * 3


def test_a_sheet_has_nothing_that_a_browser_would_run() -> None:
    by = transports.TRANSPORTS["sheet"]
    evil = replace(REQUEST, claim_ref='<script>alert("1")</script>')
    asked = by.write_requests([evil], sequence=1)
    assert "<script" not in asked
    assert "カード発行会社" in asked
    assert by.read_requests(asked) == [evil]


def test_a_request_read_from_its_text_is_the_same_request() -> None:
    cells = cells_of(REQUEST)
    assert tuple(cells) == REQUEST_COLUMNS
    assert request_of(cells) == REQUEST
    assert tuple(cells_of(ANSWER)) == ANSWER_COLUMNS


def test_an_issuer_uses_csv_unless_the_table_names_another_transport(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Other(type(transports.TRANSPORTS["csv"])):  # type: ignore[misc]
        suffix = ".other"

    monkeypatch.setitem(transports.TRANSPORTS, "other", Other())  # type: ignore[arg-type]
    monkeypatch.setitem(transports.NAMED, "KAEDE", "other")  # type: ignore[arg-type]
    assert transports.transport_of(Issuer(code="KAEDE")).suffix == ".other"
    assert transports.transport_of(Issuer(code="HOSHI")).suffix == ".csv"


@pytest.mark.parametrize(
    ("arn", "sound"),
    [
        ("", True),
        ("1234567", False),
        ("12345678", True),
        ("1" * 31, False),
        ("12345678x", False),
        (ANSWER.refund_arn, True),
        (DIGITS + str((int(luhn_digit(DIGITS)) + 1) % 10), False),
    ],
)
def test_a_reference_of_23_digits_has_its_check_digit(arn: str, *, sound: bool) -> None:
    assert arn_is_sound(arn) is sound
