"""Damaged answer files of issuers: every line is accounted for, and none ends in a traceback."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refunds.models import Issuer, IssuerAction, Loss, Remedy
from refunds.remedies import issuer_answers
from refunds.remedies.exchange_lines import AnswerLine
from refunds.remedies.issuer_answers import Judged, Known, Line
from refunds.remedies.transports import TRANSPORTS
from tests.refunds.claims.scene import JST, Scene, answers
from winddown.errors import LoadRefused
from winddown.programme import csv_lines
from winddown.programme.evidence_files import File

# 200 examples of 20 files in `make test`, and 10,000 of 20 in the proof, whose profile tries 5,000
# in place of 100.
EXAMPLES = settings.default.max_examples * 2
FILES_PER_EXAMPLE = 20
LINES = 6
ASKED_AT = dt.datetime(2019, 7, 5, 12, tzinfo=JST)
READ_AT = ASKED_AT + dt.timedelta(days=60)
ISSUER = Issuer(pk=1, code="HOSHI")
BY = TRANSPORTS["csv"]
DATES = ("2019-08-13", "2019/8/13", "20190813", "R1.8.13", "令和元年8月13日", "２０１９／８／１３")
NO_DATES = ("2019-02-29", "R1.4.30", "H31.5.1", "0001-01-01", "13/8/2019", "明日", "99999999")
HOSTILE = (
    b"\x00", b"\x1a", b"\r", b"\n", b'"', b",", b";", b"\t", b"\xff\xfe", b"\xef\xbb\xbf", b"9" * 40,
    b"-1", b"1e9", b"NaN", b" ", "１".encode(), "　".encode(), "ｱ".encode("cp932"), b"\xc0\x80", b"\x85",
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "cp932", "utf-16", "euc-jp", "utf-7")


def asked(number: int) -> IssuerAction:
    return IssuerAction(
        pk=number,
        key=uuid.UUID(int=number),
        remedy=Remedy(pk=number, kind=Remedy.Kind.STOP_DEBIT),
        issuer=ISSUER,
        kind=IssuerAction.Kind.STOP_DEBIT,
        funding=Loss.Funding.CREDIT,
        amount_minor=10_000 + number,
        state=IssuerAction.State.SENT,
        attempt=1,
        drafted_at=ASKED_AT,
        sent_at=ASKED_AT,
    )


ACTIONS = {str(action.key): action for action in map(asked, range(1, LINES + 1))}
KNOWN = Known(actions=ACTIONS, answers=set(), quarantined=set(), currency="JPY")


def rows() -> list[list[str]]:
    """The header and a good answer to each request."""
    text = BY.write_answers(
        AnswerLine(
            line=line,
            action_ref=ref,
            attempt=1,
            issuer_code="HOSHI",
            amount_minor=action.amount_minor,
            currency="JPY",
            answer_code="accepted_debit_stopped",
            answered_at=ASKED_AT + dt.timedelta(days=1),
            statement_on=dt.date(2019, 8, 13),
            refund_arn="",
            note="ご確認済み",
        )
        for line, (ref, action) in enumerate(ACTIONS.items(), 2)
    )
    return [line.split(",") for line in text.splitlines()]


GOOD = rows()


def judged(content: bytes) -> tuple[str, list[Line], Judged]:
    """Returns the text, its lines, and what they would do. Raises `LoadRefused`."""
    text = csv_lines.text_of(File(name="answers.csv", content=content))
    lines = BY.read_answers(text, name="answers.csv", zone=JST)
    return text, lines, issuer_answers.judge(ISSUER, lines, KNOWN, at=READ_AT)


def accounted(lines: list[Line], done: Judged) -> None:
    """Each line stands in one list."""
    counted = [
        *(each.line for each in (*done.awaited, *done.not_awaited, *done.doubtful)),
        *done.repeated,
    ]
    assert sorted(counted) == [line.line for line in lines]


# --- good lines as partners write them, among damaged ones -----------------------------------------


def partly_damaged(rng: Random) -> tuple[bytes, set[str]]:
    """Returns a file with its lines and columns in any order, and the requests of its good lines."""
    header, *body = [list(row) for row in GOOD]
    good = set(ACTIONS)
    for row in body:
        row[7] = rng.choice(DATES)
        if rng.random() < 0.3:
            row[3] = rng.choice([f"{int(row[3]):,}".join('""'), row[3].translate(FULL_WIDTH)])
        if rng.random() < 0.4:
            good.discard(row[0])
            DAMAGES[rng.randrange(len(DAMAGES))](row, rng)
    order = list(range(len(header)))
    rng.shuffle(order)
    rng.shuffle(body)
    lines = [
        ",".join(row[place] if place < len(row) else "" for place in order)
        for row in (header, *body)
    ]
    for _ in range(rng.randrange(3)):
        lines.insert(rng.randrange(1, len(lines) + 1), rng.choice(["", ",,,", "  "]))
    encoding = rng.choice(["utf-8", "utf-8-sig", "cp932"])
    return rng.choice(["\r\n", "\n"]).join(lines).encode(encoding), good


FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def _other(column: int, *values: str) -> Callable[[list[str], Random], None]:
    def damage(row: list[str], rng: Random) -> None:
        row[column] = rng.choice(values)

    return damage


DAMAGES = (
    _other(0, "", "nobody", str(uuid.UUID(int=99)), "x" * 300),
    _other(1, "0", "2", "99999", "one", "-1"),
    _other(2, "KAEDE", "", "hoshi"),
    _other(3, "1", "0", "-5", "1.5", "9" * 30, "壱万"),
    _other(4, "USD", "", "円"),
    _other(5, "maybe", "", "ACCEPTED"),
    _other(6, *NO_DATES, "2019-07-04T00:00:00+09:00", "2020-01-01T00:00:00Z", "2019-07-06T25:00"),
    _other(7, *NO_DATES),
    _other(8, "123", "x" * 23),
    _other(9, "長" * 501),
)


# --- damage anywhere -------------------------------------------------------------------------------


def damaged(rng: Random) -> bytes:
    content = "\r\n".join(map(",".join, GOOD)).encode("cp932" if rng.random() < 0.3 else "utf-8")
    for _ in range(rng.randrange(1, 4)):
        at, other = sorted((rng.randrange(len(content) + 1), rng.randrange(len(content) + 1)))
        way = rng.randrange(6)
        if way == 0:
            content = content[:other]
        elif way == 1:
            content = content[:at] + content[other:]
        elif way == 2:
            content = content[:other] + content[at:other] + content[other:]
        elif way == 3:
            content = content[:at] + rng.choice(HOSTILE) + content[at:]
        elif way == 4:
            content = content.decode("utf-8", "replace").encode(rng.choice(ENCODINGS), "replace")
        else:
            content = content[:at] + rng.randbytes(rng.randrange(1, 9)) + content[at + 1 :]
    return content


@settings(max_examples=EXAMPLES)
@given(seed=st.integers(0, 2**63))
def test_every_line_of_a_damaged_answer_file_is_accounted_for(seed: int) -> None:
    rng = Random(seed)
    for number in range(FILES_PER_EXAMPLE):
        if number % 2:
            content, good = partly_damaged(rng)
            _, lines, done = judged(content)
            accounted(lines, done)
            assert {each.action_ref for each in done.awaited} == good
            assert len(lines) == LINES
            continue
        try:
            text, lines, done = judged(damaged(rng))
        except LoadRefused as refusal:
            assert refusal.facts["why"]
            continue
        accounted(lines, done)
        if '"' not in text:
            written = [
                each for each in re.split("\r\n|\r|\n", text) if each.replace(",", "").strip()
            ]
            assert len(lines) == len(written) - 1


@pytest.mark.django_db
def test_what_is_counted_is_what_is_stored(scene: Scene) -> None:
    """The same through the door, with real requests."""
    scene.confirmed(*(scene.victim(10_000 + number) for number in range(LINES)))
    content = answers(scene.asked(), "accepted_debit_stopped")
    rng, heard = Random(1), 0
    lines = content.splitlines(keepends=True)
    for number in range(1, LINES):
        at = rng.randrange(len(lines[number]))
        torn = [*lines[:number], lines[number][:at] + b"?" + lines[number][at:], lines[0]]
        done: Any = scene.hear(b"".join(torn))
        counted = done.applied + done.repeated + done.not_awaited + len(done.quarantined)
        assert counted == done.file.rows == number + 1
        heard += done.applied
    assert heard == IssuerAction.objects.filter(state="debit_stopped").count()
