"""The commands that exchange files with issuers."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from refunds.models import IssuerAction, IssuerFile
from refunds.remedies import requests
from refunds.remedies.exchange_lines import AnswerLine
from refunds.remedies.transports import TRANSPORTS
from rehearsal import issuers
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import Scene, answers
from tests.signing_in import code_typed
from winddown import clock
from winddown.models import AuditEntry


def said(command: str, *args: Any, scene: Scene, **options: Any) -> dict[str, Any]:
    out = StringIO()
    given = {"by": scene.analyst.login_id, "reason": "test", "json": True, **options}
    with code_typed(scene.analyst):
        call_command(command, *args, stdout=out, **given)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_requests_are_exported_and_answers_imported_by_command(
    scene: Scene, tmp_path: Path
) -> None:
    """Rule 25: the second import says that it changed nothing."""
    scene.confirmed(scene.victim(30_000, 20_000))
    asked = requests.submit(IssuerAction.objects.all(), actor=scene.analyst, reason="test")
    requests.decide(asked, actor=scene.supervisor, digest=asked.digest, reason="test")
    asks, back = tmp_path / "asks", tmp_path / "answers"
    sent = said("export_issuer_asks", scene=scene, out=asks)
    assert (sent["rows"], sent["files"]) == (2, ["asks_HOSHI_0001.csv"])
    assert said("export_issuer_asks", scene=scene, out=asks)["rows"] == 0
    (path,) = issuers.answer_directory(asks, back, seed=1, at=clock.now())
    assert issuers.answer_directory(asks, back, seed=1, at=clock.now()) == []
    first = said("import_issuer_answers", path, scene=scene, issuer="HOSHI")
    again = said("import_issuer_answers", path, scene=scene, issuer="HOSHI")
    assert (first["applied"], first["repeated"]) == (2, 0)
    assert (again["applied"], again["repeated"]) == (0, 2)


def test_a_stored_file_is_exported_again_unchanged_and_its_hand_out_recorded(
    scene: Scene, tmp_path: Path
) -> None:
    scene.confirmed(scene.victim(30_000))
    file = scene.asked()
    said("export_issuer_asks", scene=scene, out=tmp_path, file=file.pk)
    assert (tmp_path / "asks_HOSHI_0001.csv").read_bytes() == file.content.encode()
    assert IssuerFile.objects.count() == 1
    (noted,) = AuditEntry.objects.filter(action="issuer_asks.hand_out")
    assert (noted.actor_id, noted.facts["sha256"]) == (scene.analyst.pk, file.sha256)


@pytest.mark.parametrize(
    ("options", "why"), [({"file": 0}, "no file 0"), ({"issuer": "NOBODY"}, "no issuer NOBODY")]
)
def test_what_is_not_there_is_refused_and_sends_nothing(
    scene: Scene, tmp_path: Path, options: dict[str, Any], why: str
) -> None:
    scene.confirmed(scene.victim(30_000))
    asked = requests.submit(IssuerAction.objects.all(), actor=scene.analyst, reason="test")
    requests.decide(asked, actor=scene.supervisor, digest=asked.digest, reason="test")
    with pytest.raises(CommandError, match=why):
        said("export_issuer_asks", scene=scene, out=tmp_path, **options)
    assert IssuerAction.objects.get().state == IssuerAction.State.APPROVED


def test_only_who_sends_requests_is_handed_a_file_of_requests(scene: Scene, tmp_path: Path) -> None:
    scene.confirmed(scene.victim(30_000))
    file = scene.asked()
    scene.answer(file, "declined")
    answered = IssuerFile.objects.exclude(pk=file.pk).get()
    stranger = factories.make_staff("treasury_operator")
    for number, person in ((file.pk, stranger), (answered.pk, scene.analyst)):
        with pytest.raises(SystemExit) as ended, code_typed(person):
            call_command(
                "export_issuer_asks", out=tmp_path, file=number, by=person.login_id, reason="test"
            )
        assert ended.value.code == 1
    assert list(tmp_path.iterdir()) == []
    assert not AuditEntry.objects.filter(action="issuer_asks.hand_out").exists()


def test_requests_whose_file_is_not_written_are_not_sent(scene: Scene, tmp_path: Path) -> None:
    scene.confirmed(scene.victim(30_000))
    asked = requests.submit(IssuerAction.objects.all(), actor=scene.analyst, reason="test")
    requests.decide(asked, actor=scene.supervisor, digest=asked.digest, reason="test")
    (tmp_path / "asks_HOSHI_0001.csv").write_text("of somebody else")
    with pytest.raises(SystemExit):
        said("export_issuer_asks", scene=scene, out=tmp_path)
    assert IssuerAction.objects.get().state == IssuerAction.State.APPROVED
    assert not IssuerFile.objects.exists()


def test_a_refused_answer_file_ends_the_command_with_code_1(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "answers_HOSHI_0001.csv"
    path.write_text("not,an,answer\n")
    with pytest.raises(SystemExit) as ended:
        said("import_issuer_answers", path, scene=scene, issuer="HOSHI")
    assert ended.value.code == 1


def test_a_command_gives_up_stops_that_were_not_sent_in_time(scene: Scene) -> None:
    """Rules 18 and 26."""
    scene.confirmed(scene.victim(30_000))
    scene.at(2019, 8, 8)
    assert said("follow_up_claims", scene=scene)["fell_back"] == 1
    assert said("follow_up_claims", scene=scene)["fell_back"] == 0


def test_a_preview_says_what_each_line_would_do_and_changes_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    scene.confirmed(scene.victim(30_000, 20_000, 10_000))
    file = scene.asked()
    lines = answers(file, "accepted_debit_stopped").splitlines(keepends=True)
    scene.hear(b"".join(lines[:2]))
    path = tmp_path / "answers.csv"
    path.write_bytes(b"".join([*lines[:3], lines[3].replace(b"10000", b"10001")]))
    before = list(IssuerAction.objects.order_by("pk").values_list("state", flat=True))
    told = said("import_issuer_answers", path, scene=scene, issuer="HOSHI", preview=True)
    assert [(line["verdict"], line["why"]) for line in told["lines"]] == [
        ("known", ""),
        ("new", ""),
        ("quarantined", "amount"),
    ]
    with path.open("rb") as sent:
        stored = browser_of(scene.analyst).post(
            "/console/issuers/preview/", {"issuer": "HOSHI", "answers": sent, "reason": "look"}
        )
    assert b"4,quarantined,amount,\r\n" in stored.content
    assert list(IssuerAction.objects.order_by("pk").values_list("state", flat=True)) == before
    assert IssuerFile.objects.count() == 2


@pytest.mark.parametrize("written_as", ["json", "sheet"])
def test_requests_are_sent_in_another_format_and_handed_out_with_the_same_bytes(
    scene: Scene, tmp_path: Path, written_as: str
) -> None:
    scene.confirmed(scene.victim(30_000))
    asked = requests.submit(IssuerAction.objects.all(), actor=scene.analyst, reason="test")
    requests.decide(asked, actor=scene.supervisor, digest=asked.digest, reason="test")
    sent = said("export_issuer_asks", scene=scene, out=tmp_path, written_as=written_as)
    file = IssuerFile.objects.get()
    again = tmp_path / "again"
    said("export_issuer_asks", scene=scene, out=again, file=file.pk)
    (name,) = sent["files"]
    assert name.endswith({"json": ".json", "sheet": ".html"}[written_as])
    assert (again / name).read_bytes() == (tmp_path / name).read_bytes() == file.content.encode()
    by = TRANSPORTS[written_as]
    (request,) = by.read_requests(file.content)
    line = AnswerLine(
        line=1,
        action_ref=request.action_ref,
        attempt=1,
        issuer_code="HOSHI",
        amount_minor=30_000,
        currency="JPY",
        answer_code="declined",
        answered_at=clock.now(),
        statement_on=None,
        refund_arn="",
        note="",
    )
    assert scene.hear(by.write_answers([line]).encode()).applied == 1
