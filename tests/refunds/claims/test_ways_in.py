"""How thieves came in: the way, the thirty days before, and what the logs leave open."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from accounts.models import AuthEvent, LogCoverage
from refunds.claims import ways_in
from refunds.models import FraudClaim, LogExport, WayIn
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import HIT_AT, Scene
from tests.refunds.claims.test_claims_desk import approve, run
from tests.signing_in import code_typed
from wallets.models import Wallet
from winddown import clock
from winddown.errors import NotPermitted
from winddown.models import Approval, AuditEntry

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}
MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
THIEF = {"network": "198.51.100.9", "device_ref": "thief"}


def event(wallet: Wallet, before: dt.timedelta, kind: str = "sign_in", **changes: Any) -> AuthEvent:
    """Something that happened so long before the thief's first charge."""
    return AuthEvent.objects.create(
        occurred_at=HIT_AT - before,
        login_id=wallet.account.login_id,
        user_id=wallet.account_id,
        event=kind,
        **{"outcome": "success", "method": "password", "country": "JP", **changes},
    )


def covered(log: str, *, complete: bool = True, **changes: Any) -> None:
    values = {"covered_from": HIT_AT - 40 * DAY, "covered_until": HIT_AT + DAY, **changes}
    LogCoverage.objects.create(log=log, complete=complete, source="letter", **values)


def found(claim: FraudClaim) -> WayIn:
    return ways_in.newest().get(claim=claim)


@pytest.mark.parametrize(
    ("before", "changes", "way"),
    [
        ((), {}, "password"),
        ((), {"method": "line"}, "provider"),
        ((), {"method": "passkey"}, "passkey"),
        ((), {"event": "token"}, "token"),
        (({"outcome": "wrong_password"},), {}, "guessed"),
        (({"kind": "link"},), {}, "link"),
        (({"kind": "reset"}, {"kind": "link"}), {}, "reset"),
        (({"kind": "contact_change"}, {"kind": "reset"}), {}, "contact_change"),
        (({"kind": "reset", "outcome": "refused"},), {}, "password"),
        (({"kind": "reset", "network": "203.0.113.1", "device_ref": "own"},), {}, "password"),
        (({"kind": "reset", "network": None, "device_ref": ""},), {}, "reset"),
        (({"kind": "reset", "device_ref": "another"},), {}, "reset"),
    ],
)
def test_the_way_is_what_the_source_of_the_sign_in_did_before(
    scene: Scene, before: tuple[dict[str, Any], ...], changes: dict[str, Any], way: str
) -> None:
    wallet = scene.victim(30_000)
    event(wallet, 50 * DAY, "reset", **THIEF)
    event(wallet, 3 * DAY, network="203.0.113.1", device_ref="own")
    for each in before:
        event(wallet, DAY, **{"kind": "sign_in", **THIEF, **each})
    kind = changes.pop("event", "sign_in")
    signed_in = event(wallet, MINUTE, kind, **{**THIEF, **changes})
    event(wallet, -MINUTE, "reset", **THIEF)
    (claim,) = scene.reported(wallet)
    ways_in.search(actor=scene.analyst, reason="test")
    row = found(claim)
    assert (row.way, row.basis, row.event_id) == (way, "latest", signed_in.pk)
    assert sum(each.events for each in ways_in.said(row)) == 1 + len(before)


def test_a_second_search_adds_nothing_until_the_logs_say_more(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    (claim,) = scene.reported(wallet)
    (nobody,) = scene.reported(scene.victim(20_000))
    assert ways_in.search(actor=scene.analyst, reason="test") == 2
    assert ways_in.search(actor=scene.analyst, reason="test") == 0
    assert (found(claim).way, found(claim).event_id) == ("not_found", None)
    event(wallet, MINUTE, **THIEF)
    assert ways_in.search(actor=scene.analyst, reason="test") == 1
    assert (found(claim).way, found(nobody).way) == ("password", "not_found")
    assert WayIn.objects.filter(claim=claim).count() == 2
    with pytest.raises(NotPermitted):
        ways_in.search(actor=wallet.account, reason="test")


def test_none_found_is_said_only_of_a_log_that_was_complete(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    wallet = scene.victim(30_000)
    event(wallet, 2 * DAY, "reset", **THIEF)
    event(wallet, MINUTE, **THIEF)
    for log in ("reset", "reminder", "link"):
        covered(log)
    gap = {"covered_from": HIT_AT - 20 * DAY, "covered_until": HIT_AT - 19 * DAY}
    covered("reset", complete=False, **gap)
    covered("link", complete=False, **gap)
    covered("token", covered_from=HIT_AT - 10 * DAY)
    (claim,) = scene.reported(wallet)
    analyst = staff("fraud_analyst")
    desk = browser_of(analyst, headers=ENGLISH)
    assert "Nobody has searched yet" in desk.get("/console/claims/ways-in/").content.decode()
    desk.post("/console/claims/find-ways/", {"reason": "the logs of June are here"})
    assert AuditEntry.objects.filter(action="claims.search_ways_in").count() == 1
    said = {each.log: each for each in ways_in.said(found(claim))}
    assert {log for log, each in said.items() if each.none_found} == {"reminder"}
    assert (said["reset"].events, len(said["reset"].gaps), len(said["link"].gaps)) == (1, 1, 1)
    assert said["token"].gaps == [(HIT_AT - MINUTE - 30 * DAY, HIT_AT - 10 * DAY)]

    page = desk.get("/console/claims/ways-in/?way=reset").content.decode()
    for text in (claim.reference, "After a password reset: 1", "1 or more: the log has gaps"):
        assert text in page, text
    assert page.count("None found") == 1
    assert claim.reference not in desk.get("/console/claims/ways-in/?way=link").content.decode()
    shown = desk.get(f"/console/claims/{claim.pk}/").content.decode()
    for text in ("198.51.100.9 JP thief", "Gap from", "Password resets"):
        assert text in shown, text
    japanese = browser_of(analyst, headers={"accept-language": "ja"})
    assert "侵入経路" in japanese.get("/console/claims/ways-in/").content.decode()


def test_logs_leave_under_pseudonyms_after_two_approvals(
    scene: Scene, staff: Callable[..., Any], tmp_path: Path
) -> None:
    analyst, supervisor, compliance = map(
        staff, ("fraud_analyst", "fraud_supervisor", "compliance")
    )
    wallet = scene.victim(30_000)
    for before in (2 * DAY, DAY, MINUTE):
        event(wallet, before, **THIEF)
    event(scene.victim(1), MINUTE, "reset", device_ref="other", network="198.51.100.77")
    desk = browser_of(analyst, headers=ENGLISH)
    given = {"since": "2019-06-30T16:00", "until": "2019-07-02T24:00", "recipient": "Forensics"}
    desk.post("/console/claims/ask-logs/", {**given, "reason": "the day is not over"})
    assert not Approval.objects.exists()
    scene.at(2019, 7, 3)
    desk = browser_of(analyst, headers=ENGLISH)
    desk.post("/console/claims/ask-logs/", {**given, "reason": "investigation"})
    first = Approval.objects.get()
    assert (first.subject, first.summary["events"]) == ("log_export:1", 3)
    export = {"request": 1, "out": tmp_path}

    def refused() -> None:
        with code_typed(analyst), pytest.raises(SystemExit):
            run("export_auth_log", analyst, **export)
        answer = desk.post("/console/claims/take-logs/", {"request": 1, "reason": "too early"})
        assert "two people have not let them out" in answer.content.decode()
        assert not list(tmp_path.iterdir())

    refused()
    approve(supervisor)
    refused()
    second = Approval.objects.latest("pk")
    assert (second.stage, second.maker) == ("compliance", analyst)
    for same in (analyst, supervisor):
        browser_of(same).post(
            f"/console/approvals/{second.pk}/approve/", {"digest": second.digest, "reason": "x"}
        )
    refused()
    approve(compliance)
    with code_typed(analyst):
        said = run("export_auth_log", analyst, **export)
    done = LogExport.objects.get()
    content = (tmp_path / "logs-1.csv").read_bytes()
    assert (done.rows, done.sha256) == (3, hashlib.sha256(content).hexdigest())
    assert done.sha256 in said
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert [row["event"] for row in rows] == ["sign_in", "sign_in", "reset"]
    assert rows[0]["account"] == rows[1]["account"] != rows[2]["account"]
    assert rows[0]["network"] == rows[2]["network"]
    assert rows[0]["address"] != rows[2]["address"]
    for secret in (wallet.account.login_id, "198.51.100", "thief"):
        assert secret not in content.decode()
    page = desk.get("/console/claims/ways-in/").content.decode()
    assert done.sha256 in page
    assert "take-logs/?request=1" in page
    answer = desk.post("/console/claims/take-logs/", {"request": 1, "reason": "sent by courier"})
    assert b"".join(answer.streaming_content) == content
    assert answer["Content-Disposition"] == 'attachment; filename="logs-1.csv"'
    taken = AuditEntry.objects.filter(action="log_export.take")
    assert (taken.last().actor, taken.last().reason) == (analyst, "sent by courier")
    taken = taken.count()
    with code_typed(analyst):
        run("export_auth_log", analyst, **export)
    assert AuditEntry.objects.filter(action="log_export.take").count() == taken + 1
    assert LogExport.objects.count() == 1

    event(wallet, DAY, **THIEF)
    with code_typed(analyst), pytest.raises(SystemExit):
        run("export_auth_log", analyst, request=1, out=tmp_path / "again")
    assert not (tmp_path / "again").exists()
    answer = desk.post("/console/claims/take-logs/", {"request": 1, "reason": "once more"})
    assert "other events than were approved" in answer.content.decode()
    with pytest.raises(DatabaseError, match="two people let the logs"), transaction.atomic():
        LogExport.objects.create(
            request="log_export:2",
            recipient="x",
            since=HIT_AT,
            until=HIT_AT + DAY,
            rows=0,
            sha256="0" * 64,
            written_at=clock.now(),
            written_by=analyst,
        )


def test_the_same_by_commands(scene: Scene, staff: Callable[..., Any]) -> None:
    analyst = staff("fraud_analyst")
    wallet = scene.victim(30_000)
    event(wallet, MINUTE, **THIEF)
    covered("reset")
    (claim,) = scene.reported(wallet)
    assert "1 claims have a new answer" in run("ways_in", analyst, search=True)
    assert run("ways_in", analyst).split() == ["password", "1"]
    said = run("ways_in", analyst, claim=claim.reference)
    assert claim.reference in said
    assert "none found" in said
    assert "not known, gaps" in said
    assert run("ways_in", analyst, way="reset") == ""
    clock.travel(clock.now() + DAY, frozen=True)
    with pytest.raises(SystemExit):
        run("ways_in", staff("support"), search=True)
