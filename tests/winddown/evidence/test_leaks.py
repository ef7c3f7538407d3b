"""I22 and I23: no card number is kept, and nobody's address is in the broker or a log."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from refunds.models import Issuer, IssuerFile
from refunds.remedies import issuer_answers
from tests import factories
from tests.broker import as_administrator
from tests.unguarded import past_the_guards
from wallets.models import FundingCard
from winddown import card_numbers, clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, LoadRefused
from winddown.evidence import audit, leaks
from winddown.evidence.invariants import INVARIANTS
from winddown.programme import evidence_files
from winddown.programme.evidence_files import File
from winddown.site.forms import ReasonForm

pytestmark = pytest.mark.django_db
CARD = "4111 1111 1111 1111"
TOLD = [
    CARD,
    "4111111111111111",
    "4111-1111-1111-1111",
    "4111.1111/1111_1111",
    "4111 - 1111 - 1111 - 1111",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "４１１１　１１１１　１１１１　１１１１",
    "4111－1111－1111－1111",
    "his card 4111\u00a01111\u00a01111\u00a01111.",
    "tel. 090-1234-5678 4111111111111111",
    "カード3782 822463 10005です",
    "5555555555554444",
    "6240008631401148",
]
UNTOLD = [
    "",
    "4111 1111 1111 1112",
    "on 2019-07-02 at 15:00:00.123456",
    "090-1234-5678, 03-1234-5678",
    "FC00000012 FC00000013",
    "1001 1002 1003 1004",
    "74537604221431003881865",
    "41111111111111111111111",
    "4111,1111,1111,1111",
    "41111111-1111-1111-8000-00805f9b34fb",
    "sha256 e4111111111111111b",
]


@pytest.mark.parametrize("text", TOLD)
def test_a_card_number_is_found_however_it_is_written(text: str) -> None:
    assert card_numbers.told_in(text)
    assert not ReasonForm({"reason": text}).is_valid()


@pytest.mark.parametrize("text", UNTOLD)
def test_other_numbers_are_no_card_numbers(text: str) -> None:
    assert not card_numbers.told_in(text)


def test_a_reason_with_a_card_number_is_refused_by_commands(staff: Any) -> None:
    with pytest.raises(CommandError, match="last four digits"):
        call_command("find_victims", hold=True, by=staff("fraud_analyst").login_id, reason=CARD)


def test_evidence_that_shows_a_card_is_not_kept(programme: Any) -> None:
    for content in (f"the caller read {TOLD[6]}".encode(), b"%PDF-\xff " + CARD.encode()):
        with pytest.raises(GuardNotMet, match="shows a card number"):
            evidence_files.keep(File(name="call.txt", content=content), action="keep it")
    assert evidence_files.keep(File(name="call.txt", content=b"nothing"), action="keep it")


def test_an_answer_of_an_issuer_with_a_card_number_is_not_kept(staff: Any) -> None:
    text = f"the first line\nthe cardholder of {TOLD[6]} is unknown\n"
    with pytest.raises(LoadRefused, match="line 2: it has a card number"):
        issuer_answers.import_answers(
            Issuer(code="HOSHI"),
            text.encode(),
            name="answers.csv",
            actor=staff("fraud_analyst"),
            reason="test",
        )
    assert not IssuerFile.objects.exists()


@pytest.mark.parametrize(
    ("token", "fits"),
    [
        ("tok_bcdfgh", True),
        ("9" * 23, True),
        ("a1b2-c3d4:e5f6/77+8=", True),
        ("4111111111111112", False),
        ("tok_4111-1111-1111-1112", False),
        ("4111.1111:1111/1112:x", False),
        ("４１１１１１１１１１１１１１１１", False),
        ("token with blanks", False),
    ],
)
def test_a_token_is_no_run_of_digits_of_a_card(token: str, *, fits: bool) -> None:
    card = FundingCard(
        card_ref=factories.unique("C"),
        account=factories.make_customer(),
        issuer_code="HOSHI",
        brand="visa",
        funding="credit",
        card_token=token,
        bin="902101",
        last4="0001",
        registered_at=clock.now(),
    )
    if fits:
        card.save()
        return
    with pytest.raises(IntegrityError, match="card_token_is_not"), transaction.atomic():
        card.save()


def test_a_card_number_in_any_text_of_the_database_is_found(programme: Any) -> None:
    check = INVARIANTS["I22"].breaches
    with transaction.atomic():
        entry = audit.append("claims.report", "claims", actor=SYSTEM, reason="a call")
    assert check() == []
    past_the_guards(f"UPDATE winddown_auditentry SET reason = 'card {TOLD[6]}'")
    assert check() == [f"winddown_auditentry {entry} has a card number"]
    assert "refunds_issueranswer" in {table for table, _key, _column in leaks.columns()}


def test_every_column_that_is_not_read_exists() -> None:
    read = {f"{table}.{column}" for table, _key, column in leaks.columns()}
    assert not read & set(leaks.UNREAD)
    for each in leaks.UNREAD:
        table, _, column = each.partition(".")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM {table} LIMIT 0")


@pytest.fixture
def broker(settings: Any) -> Iterator[redis.Redis]:
    settings.REDIS_URL = f"{settings.REDIS_URL.split('?')[0]}?db=8"
    administrator = redis.Redis.from_url(as_administrator(settings.REDIS_URL))
    administrator.flushdb()
    yield administrator
    administrator.flushdb()
    administrator.close()


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("run 12, gen12@host.example.org", []),
        ("to hanako@example.com", ["a mail address"]),
        (f"card {CARD}", ["a card number"]),
        ("/recovery/link/abcdefgh12345/", ["the token of a mailed link"]),
    ],
)
def test_what_a_message_tells_of_people_is_found(
    broker: redis.Redis, programme: Any, said: str, found: list[str]
) -> None:
    body = base64.b64encode(said.encode()).decode()
    broker.lpush("celery", json.dumps({"body": body}))
    broker.hset("unacked", "tag", "nothing")
    assert leaks.in_broker() == [f"the broker's key {_place(broker)} has {what}" for what in found]


def _place(broker: redis.Redis) -> int:
    return [*broker.scan_iter(count=1_000)].index(b"celery") + 1


def test_verify_reads_the_broker_logs_and_exports(
    broker: redis.Redis, programme: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs, exports = tmp_path / "web.log", tmp_path / "out"
    exports.mkdir()
    logs.write_text("signed in\n")
    (exports / "letters.csv").write_text("hanako@example.com,090-1234-5678\n")
    given = {"logs": [str(logs)], "exports": [str(exports)]}
    call_command("verify", **given)
    assert "BREACH" not in capsys.readouterr().out
    logs.write_text("mail to hanako@example.com refused\n")
    (exports / "letters.csv").write_text(f"x,{CARD}\n")
    broker.set("note", "hanako@example.com")
    with pytest.raises(SystemExit):
        call_command("verify", "--json", **given)
    breached = json.loads(capsys.readouterr().out)["breached"]
    assert set(breached) == {"broker", "logs", "exports"}
    assert "hanako" not in json.dumps(breached)
