"""Simulated card issuers, which read the request files and write the answer files. The same seed
gives the same answers.

None of these issuers exists. Most stop the debit or credit the card. Some are too late. A few
decline, do not know the card, or need more information before they answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from refunds.models import Issuer, IssuerAction, IssuerAnswer
from refunds.remedies.exchange_lines import AnswerLine, RequestLine, Transport, luhn_digit
from refunds.remedies.transports import transport_of

Code = IssuerAnswer.Code
Kind = IssuerAction.Kind
_ACCEPTED = (Code.ACCEPTED_DEBIT_STOPPED, Code.ACCEPTED_REFUNDED)
# Upper bounds of a draw between 0 and 1, in order.
_ANSWERS: Mapping[str, tuple[tuple[float, str], ...]] = {
    Kind.STOP_DEBIT: (
        (0.92, Code.ACCEPTED_DEBIT_STOPPED),
        (0.95, Code.TOO_LATE_WILL_REPAY),
        (0.97, Code.TOO_LATE_CANNOT),
        (0.98, Code.CARDHOLDER_UNKNOWN),
        (0.99, Code.DECLINED),
        (1.0, Code.NEED_INFO),
    ),
    Kind.REFUND: (
        (0.94, Code.ACCEPTED_REFUNDED),
        (0.96, Code.CARDHOLDER_UNKNOWN),
        (0.99, Code.DECLINED),
        (1.0, Code.NEED_INFO),
    ),
    Kind.DEBIT_REIMBURSEMENT: (
        (0.86, Code.ACCEPTED_REFUNDED),
        (0.90, Code.CARDHOLDER_UNKNOWN),
        (0.96, Code.DECLINED),
        (1.0, Code.NEED_INFO),
    ),
}


@dataclass(frozen=True, slots=True)
class Moods:
    """How difficult the issuers are beside their usual answers: one request in so many is declined,
    and one in so many is not answered before it is repeated. 0 means none.
    """

    declined_every: int = 0
    silent_every: int = 0

    def is_silent(self, number: int, request: RequestLine) -> bool:
        due = self.silent_every and number % self.silent_every == 0
        return bool(due) and request.attempt == 1

    def declines(self, number: int) -> bool:
        return bool(self.declined_every) and number % self.declined_every == 0


USUAL = Moods()


def answer_file(
    requests: bytes, *, by: Transport, seed: int, at: dt.datetime, moods: Moods = USUAL
) -> bytes:
    """Returns the issuer's answers to one request file, dated `at`; nothing if it answers no line.

    The same requests, seed and time give the same bytes.
    """
    read = enumerate(by.read_requests(requests.decode(by.encoding)), 1)
    answered = [(number, each) for number, each in read if not moods.is_silent(number, each)]
    if not answered:
        return b""
    answers = (
        _answer(each, line=line, seed=seed, at=at, declined=moods.declines(number))
        for line, (number, each) in enumerate(answered, 2)
    )
    return by.write_answers(answers).encode(by.encoding)


def answer_directory(
    requests: Path, answers: Path, *, seed: int, at: dt.datetime, moods: Moods = USUAL
) -> list[Path]:
    """Every request file that had no answer file has one, if its issuer answers. Returns the new
    answer files.
    """
    answers.mkdir(parents=True, exist_ok=True)
    written = []
    transports = {issuer.code: transport_of(issuer) for issuer in Issuer.objects.all()}
    for path in sorted(requests.glob("asks_*")):
        answer = answers / path.name.replace("asks_", "answers_", 1)
        if not answer.exists():
            by = transports[issuer_of(path)]
            content = answer_file(path.read_bytes(), by=by, seed=seed, at=at, moods=moods)
            if content:
                answer.write_bytes(content)
                written.append(answer)
    return written


def issuer_of(path: Path) -> str:
    """Returns the code of the issuer that a file of the exchange belongs to."""
    return path.stem.partition("_")[2].rpartition("_")[0]


def _answer(
    request: RequestLine, *, line: int, seed: int, at: dt.datetime, declined: bool
) -> AnswerLine:
    # Our references are random, but the data by which the issuer finds the transaction are not.
    found_by = f"{seed}:{request.rrn}:{request.auth_code}:{request.asked_action}"
    rng = Random(f"{found_by}:{request.attempt}")  # noqa: S311  # it must repeat
    draw = rng.random()
    code = next(answer for bound, answer in _ANSWERS[request.asked_action] if draw < bound)
    if declined:
        code = Code.DECLINED
    if code == Code.NEED_INFO and request.attempt > 1:
        code = _ANSWERS[request.asked_action][0][1]
    if code == Code.ACCEPTED_DEBIT_STOPPED and at >= dt.datetime.fromisoformat(request.answer_by):
        code = Code.TOO_LATE_WILL_REPAY
    return AnswerLine(
        line=line,
        action_ref=request.action_ref,
        attempt=request.attempt,
        issuer_code=request.issuer_code,
        amount_minor=request.amount_minor,
        currency=request.currency,
        answer_code=code,
        answered_at=at,
        statement_on=_statement_on(at) if code in _ACCEPTED else None,
        refund_arn=_refund_arn(request, rng) if code == Code.ACCEPTED_REFUNDED else "",
        note="which terminal?" if code == Code.NEED_INFO else "",
    )


def _statement_on(at: dt.datetime) -> dt.date:
    """Returns the tenth of the next month."""
    return (at.date().replace(day=1) + dt.timedelta(days=32)).replace(day=10)


def _refund_arn(request: RequestLine, rng: Random) -> str:
    digits = f"8{request.bin[:6]}" + "".join(str(int(rng.random() * 10)) for _ in range(15))
    return digits + luhn_digit(digits)
