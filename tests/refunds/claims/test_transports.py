"""Every transport carries the same requests and answers, and refuses a line that is no answer."""

from __future__ import annotations

import datetime as dt
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
    RequestLine,
    Transport,
    arn_is_sound,
    cells_of,
    luhn_digit,
    request_of,
    text_of,
)
from winddown.errors import LoadRefused

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


def refusal_of(by: Transport, *answers: AnswerLine) -> str:
    with pytest.raises(LoadRefused) as refusal:
        by.read_answers(by.write_answers(answers), name="answers")
    return str(refusal.value)


@per_transport
def test_requests_and_answers_are_read_back_as_sent(name: str) -> None:
    by = transports.TRANSPORTS[name]
    second = replace(REQUEST, action_ref=OTHER.action_ref, merchant_id="M1", eci="05")
    assert by.read_requests(by.write_requests([REQUEST, second])) == [REQUEST, second]
    content = by.write_answers([ANSWER, OTHER]).encode(by.encoding)
    heard = by.read_answers(text_of(content, by, name="answers"), name="answers")
    assert [replace(answer, line=2) for answer in heard] == [ANSWER, OTHER]
    assert [answer.line for answer in heard] == sorted({answer.line for answer in heard})


@per_transport
def test_a_file_without_answers_is_read_as_empty(name: str) -> None:
    by = transports.TRANSPORTS[name]
    assert by.read_answers(by.write_answers([]), name="answers") == []


@per_transport
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"answer_code": "maybe"}, "answer_code: 'maybe' is no answer"),
        ({"attempt": "once"}, "attempt"),
        ({"amount_minor": 0}, "must be positive"),
        ({"answered_at": dt.datetime(2019, 7, 8)}, "needs its offset"),  # noqa: DTZ001
        ({"statement_on": "tomorrow"}, "statement_on"),
        ({"refund_arn": "1234567"}, "check digit"),
        ({"note": "x" * (NOTE_MAX + 1)}, "longer than 500"),
    ],
)
def test_a_file_with_a_line_that_is_no_answer_is_refused(
    name: str, changes: dict[str, Any], why: str
) -> None:
    assert why in refusal_of(transports.TRANSPORTS[name], OTHER, replace(ANSWER, **changes))


@per_transport
def test_a_file_with_two_answers_about_one_request_is_refused(name: str) -> None:
    assert "the same request" in refusal_of(transports.TRANSPORTS[name], ANSWER, ANSWER)


@per_transport
def test_a_file_in_another_encoding_is_refused(name: str) -> None:
    by = transports.TRANSPORTS[name]
    for content in (b"\xff\xfe\xfd", b"\x00"):
        with pytest.raises(LoadRefused):
            text_of(content, by, name="answers")


def test_the_columns_of_the_csv_files_keep_their_order() -> None:
    """Issuers read and write these files; a new field changes them, so it must be agreed."""
    by = transports.TRANSPORTS["csv"]
    assert by.write_requests([]) == (
        "action_ref,attempt,issuer_code,brand,funding,card_token,bin,last4,transaction_at_local,"
        "transaction_at_utc,amount_minor,currency,merchant_id,terminal_id,stan,rrn,auth_code,mti,"
        "arn,eci,asked_action,answer_by,claim_ref\r\n"
    )
    assert by.write_answers([]) == (
        "action_ref,attempt,issuer_code,amount_minor,currency,answer_code,answered_at,"
        "statement_on,refund_arn,note\r\n"
    )


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
