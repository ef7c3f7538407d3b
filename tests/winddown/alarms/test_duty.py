"""Alarms reach the people on duty by mail and webhook, again and again, until somebody answers."""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F

from tests.accounts.mail_server import Mailbox, mail_server, text_of
from tests.config.test_every_door import browser_of
from tests.mail import MailServer
from tests.told import told
from tests.winddown.alarms.receiver import Receiver, receiver
from winddown import alarm_kinds, clock
from winddown.alarms import duty_addresses, notices, sounding, webhook
from winddown.errors import GuardNotMet, NothingToDecide, NotPermitted, TransitionRefused
from winddown.models import Alarm, AlarmNotice, AlarmTransition, AuditEntry, DutyAddress
from winddown.programme import capabilities
from winddown.runs import clockwork

ROOT = Path(__file__).resolve().parents[3]
SECRET = "of the receiver, and long enough for it"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as found:
        yield found


@pytest.fixture
def hook(tmp_path: Path, settings: Any) -> Iterator[Receiver]:
    with receiver(tmp_path, settings) as found:
        yield found


@pytest.fixture
def at_noon(rehearsal_clock: Any, programme: Any) -> Any:
    clock.travel(dt.datetime.fromisoformat("2019-09-01T12:00:00+09:00"), frozen=True)
    return programme


def later(by: dt.timedelta) -> None:
    """The time has passed, a tick came, and the minute's watch was done."""
    clock.travel(clock.now() + by, frozen=True)
    clockwork.tick()
    sounding.watch()


def duty(person: Any, role: str, address: str, language: str = "en") -> DutyAddress:
    channel = "webhook" if address.startswith("https") else "mail"
    return duty_addresses.set_address(
        role=role,
        channel=channel,
        address=address,
        secret=SECRET if channel == "webhook" else "",
        language=language,
        actor=person,
        reason="test",
    )


@pytest.mark.django_db
def test_an_alarm_is_told_repeated_escalated_and_acknowledged(
    at_noon: Any, staff: Callable[..., Any], mailbox: Mailbox, hook: Receiver
) -> None:
    commander, deputy = staff("incident_commander"), staff("incident_commander")
    duty(commander, "compliance", "duty@example.com", "ja")
    duty(commander, "incident_commander", hook.url("ok"))
    capabilities.stop("spend", actor=commander, reason="attack")
    later(dt.timedelta(hours=24))

    (mail,) = mailbox.to("duty@example.com")
    assert mail["Subject"].strip() == f"[{at_noon.name}] 警報：停止が追認されていません"
    assert "支払い：停止の追認が期限を過ぎています。" in text_of(mail)
    assert "/console/switches/spend/" in text_of(mail)
    sounding.watch()
    later(14 * MINUTE)
    assert len(mailbox.mails) == 1
    later(MINUTE)
    again = mailbox.to("duty@example.com")[1]
    assert again["Message-ID"] != mail["Message-ID"]
    assert not hook.got

    later(15 * MINUTE)
    (path, headers, body) = hook.got[0]
    alarm = Alarm.objects.get(code="stop_not_ratified")
    assert (path, alarm.state, len(mailbox.mails)) == ("/ok", "escalated", 3)
    at_s, signed = re.fullmatch(r"t=(\d+),v1=(\w+)", headers["Winddown-Signature"]).groups()  # type: ignore[union-attr]
    assert signed == webhook.signature(SECRET, body, at_s=int(at_s))
    said = json.loads(body)
    assert (said["kind"], said["subject"], said["level"]) == (alarm.code, alarm.subject, 1)
    assert said["sentences"].keys() == {"ja", "en"}
    assert commander.login_id not in body.decode()

    page = browser_of(deputy).post(f"/console/alarms/{alarm.pk}/acknowledge/", {"reason": "I look"})
    assert page.url == "/console/alarms/"
    later(60 * MINUTE)
    assert (len(mailbox.mails), len(hook.got)) == (3, 1)
    alarm.refresh_from_db()
    assert (alarm.acknowledged_by, alarm.answer) == (deputy, "I look")
    with pytest.raises(TransitionRefused):
        sounding.acknowledge(alarm, actor=deputy, reason="again")

    capabilities.ratify("spend", actor=deputy, reason="agreed")
    later(MINUTE)
    moves = AlarmTransition.objects.filter(subject_id=alarm.pk).order_by("pk")
    assert list(moves.values_list("transition", flat=True)) == ["escalate", "acknowledge", "close"]
    told_of = AuditEntry.objects.filter(subject=f"alarm:{alarm.pk}").order_by("seq")
    assert [entry.action.partition(".")[2] for entry in told_of] == [
        "raise",
        "escalate",
        "acknowledge",
        "close",
    ]


@pytest.mark.django_db
def test_without_an_address_of_the_role_the_next_role_is_told_at_once(
    at_noon: Any, staff: Callable[..., Any], mailbox: Mailbox
) -> None:
    commander = staff("incident_commander")
    duty(commander, "incident_commander", "commander@example.com")
    capabilities.stop("spend", actor=commander, reason="attack")

    later(dt.timedelta(hours=24))

    (mail,) = mailbox.mails
    assert mail["Subject"] == f"[{at_noon.name}] Alarm, not acknowledged: A stop is not ratified"
    assert "Nobody acknowledged the alarm in time" in text_of(mail)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("error", "status 500"),
        ("moved", "status 302"),
        ("late", "Error|Disconnected"),
        ("drips", "Error|BadStatusLine|Disconnected"),
    ],
)
def test_a_webhook_that_does_not_take_it_is_tried_again_with_the_same_key(
    at_noon: Any,
    staff: Callable[..., Any],
    hook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    why: str,
) -> None:
    monkeypatch.setattr(webhook, "SEND_S_MAX", 1.0)
    commander = staff("incident_commander")
    duty(commander, "compliance", hook.url(path))
    capabilities.stop("spend", actor=commander, reason="attack")

    later(dt.timedelta(hours=24))
    notice = AlarmNotice.objects.get()
    assert re.search(why, notice.failure), notice.failure
    assert (notice.sent_at, notice.attempts, len(hook.got)) == (None, 1, 1)
    assert notices.send_due() == 0

    AlarmNotice.objects.update(lease_until=F("lease_until") - dt.timedelta(hours=1))
    notices.send_due()
    keys = {headers["Idempotency-Key"] for _, headers, _ in hook.got}
    assert (len(hook.got), len(keys)) == (2, 1)


@pytest.mark.django_db
def test_the_body_of_an_answer_is_not_read(
    at_noon: Any, staff: Callable[..., Any], hook: Receiver
) -> None:
    commander = staff("incident_commander")
    duty(commander, "compliance", hook.url("endless"))
    capabilities.stop("spend", actor=commander, reason="attack")

    later(dt.timedelta(hours=24))

    assert AlarmNotice.objects.get().sent_at is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "https:///x",
        "https://name:word@hooks.example.com/x",
        "https://127.0.0.1/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/latest",
        "https://hooks.example.com:0/",
        "https://hooks.example.com/ x",
        "https://hooks.example.com/#part",
        "https://[::1/",
        # These hold an address of the older kind, or lead to another network of the operator.
        "https://[64:ff9b::7f00:1]/x",
        "https://[2002:7f00:1::1]/x",
        "https://[::127.0.0.1]/x",
        "https://[fec0::1]/x",
        "https://[64:ff9b:1::1]/x",
    ],
)
def test_an_address_that_is_not_public_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^it ") as refused:
        webhook.check(url)
    assert url not in str(refused.value)


def test_a_name_that_leads_inside_is_not_called(hook: Receiver, settings: Any) -> None:
    settings.REACHED_NETWORKS = []
    url = f"https://localhost:{hook.port}/ok"
    with pytest.raises(webhook.WebhookFailed, match="PrivateAddress"):
        webhook.send(url, b"{}", secret=SECRET, key="k", at_s=1)
    assert not hook.got


def test_a_public_address_of_either_kind_may_be_used() -> None:
    for host in ("8.8.8.8", "[2606:4700::1111]", "[64:ff9b::808:808]"):
        assert webhook.check(f"https://{host}/x").hostname == host.strip("[]")


def test_a_name_that_is_found_late_does_not_take_the_limit_away(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is over before there is a connection, and the server then sends byte by byte."""
    find, ended = socket.getaddrinfo, threading.Event()

    def late(*args: Any, **kwargs: Any) -> Any:
        ended.wait(2 * webhook.SEND_S_MAX)
        return find(*args, **kwargs)

    def send() -> None:
        with pytest.raises(webhook.WebhookFailed):
            webhook.send(hook.url("drips"), b"{}", secret=SECRET, key="k", at_s=1)
        ended.set()

    monkeypatch.setattr(webhook, "SEND_S_MAX", 0.5)
    monkeypatch.setattr(socket, "getaddrinfo", late)
    threading.Thread(target=send, daemon=True).start()
    # The server itself never ends.
    assert ended.wait(30)


@pytest.mark.django_db
def test_the_doors_of_a_duty_address(
    programme: Any, staff: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    officer, helper = staff("compliance"), staff("support")
    address, out = "https://hooks.example.com/T0/secret-part", StringIO()

    def typed(person: Any, *lines: str, **given: str) -> int:
        monkeypatch.setattr("sys.stdin", StringIO("".join(f"{line}\n" for line in lines)))
        words = [f"--{name}={value}" for name, value in given.items()]
        by = [f"--by={person.login_id}", "--reason=test"]
        try:
            call_command("alarms", *words[:0], given_verb, *words, *by, stdout=out)
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    given_verb = "set-duty"
    webhook_of = {"role": "compliance", "channel": "webhook", "language": "en"}
    assert typed(helper, address, SECRET, **webhook_of) == 1
    assert typed(officer, address, "short", **webhook_of) == 1
    assert typed(officer, address, SECRET, **webhook_of) == 0
    kept = DutyAddress.objects.get()
    assert duty_addresses.target_of(kept) == duty_addresses.Target(address, SECRET)
    assert kept.shown == "hooks.example.com"
    entry = AuditEntry.objects.get(action="duty_address.set")
    assert "secret-part" not in json.dumps(entry.facts) + out.getvalue()

    mail = {"role": "compliance", "channel": "mail", "language": "ja", "reason": "test"}
    browser = browser_of(officer, headers={"accept-language": "en"})
    refused = browser.post("/console/alarms/duty/set/", mail | {"address": "nobody"})
    assert "a mail address is expected" in told(refused)
    browser_of(helper).post("/console/alarms/duty/set/", mail | {"address": "d@example.com"})
    assert DutyAddress.objects.count() == 1
    browser.post("/console/alarms/duty/set/", mail | {"address": "d@example.com"})
    shown = browser.get("/console/alarms/").content.decode()
    assert "…@example.com" in shown
    assert "hooks.example.com" in shown
    assert "secret-part" not in shown

    # The journal shows the same part of both; the mistake is put right a moment later.
    browser.post("/console/alarms/duty/set/", mail | {"address": "duty@example.com"})
    (put_right,) = DutyAddress.objects.filter(channel="mail", ended_at=None)
    assert duty_addresses.target_of(put_right).address == "duty@example.com"
    browser.post("/console/alarms/duty/set/", mail | {"address": "duty@example.com"})
    assert DutyAddress.objects.filter(channel="mail").count() == 2

    given_verb = "end-duty"
    assert typed(officer, role="compliance", channel="webhook") == 0
    kept.refresh_from_db()
    assert kept.ended_at is not None
    with pytest.raises(NothingToDecide):
        duty_addresses.end_address(
            role="compliance", channel="webhook", actor=officer, reason="test"
        )
    browser.post(
        "/console/alarms/duty/end/", {"role": "compliance", "channel": "mail", "reason": "test"}
    )
    assert not duty_addresses.in_force()
    with pytest.raises(GuardNotMet, match="does not exist"):
        duty(officer, "nobody", "d@example.com")
    for planted in ('"\x0cBcc:x"@example.com', '"\x1c"@example.com', "d@\u2024.com", ""):
        with pytest.raises(GuardNotMet, match="a mail address is expected"):
            duty(officer, "compliance", planted)


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["replaced", "ended"])
def test_whoever_redirects_alarms_cannot_keep_it_from_the_earlier_address(
    at_noon: Any, staff: Callable[..., Any], mailbox: Mailbox, verb: str
) -> None:
    """One person sets an address alone, and may acknowledge the alarm about it at once."""
    officer = staff("compliance")
    earlier = duty(officer, "compliance", "duty@example.com")
    later(MINUTE)
    assert not Alarm.objects.filter(code=duty_addresses.CHANGED).exists()

    if verb == "replaced":
        duty(officer, "compliance", "mine@example.com")
    else:
        duty_addresses.end_address(role="compliance", channel="mail", actor=officer, reason="test")
    sounding.sound(alarm_kinds.find())
    alarm = Alarm.objects.get(code=duty_addresses.CHANGED)
    assert (alarm.subject, alarm.role) == ("duty_address:compliance:mail", "incident_commander")
    sounding.acknowledge(alarm, actor=officer, reason="nothing to see")
    later(MINUTE)

    (mail,) = mailbox.to("duty@example.com")
    assert "The duty address …@example.com (Compliance) was replaced or ended." in text_of(mail)
    assert not mailbox.to("mine@example.com")

    later(dt.timedelta(days=1))
    alarm.refresh_from_db()
    earlier.refresh_from_db()
    assert (alarm.state, earlier.target_sealed) == ("closed", None)
    assert len(mailbox.to("duty@example.com")) == 1


@pytest.mark.django_db
def test_the_doors_of_an_acknowledgement(programme: Any, staff: Callable[..., Any]) -> None:
    sounding.watch()
    alarm = Alarm.objects.get(code="tick_silent")
    out, auditor, officer = StringIO(), staff("auditor"), staff("compliance")
    call_command("alarms", "list", stdout=out)
    assert f"{alarm.pk} grave escalated since" in out.getvalue()
    assert "No role has a duty address" in out.getvalue()

    with pytest.raises(SystemExit) as refused:
        call_command(
            "alarms",
            "acknowledge",
            str(alarm.pk),
            f"--by={auditor.login_id}",
            "--reason=test",
            stdout=out,
        )
    assert refused.value.code == 1
    page = browser_of(auditor).get(f"/console/alarms/{alarm.pk}/acknowledge/")
    assert "この操作ができるのは次の役割だけです" in page.content.decode()
    with pytest.raises(NotPermitted):
        sounding.acknowledge(alarm, actor=auditor, reason="test")
    call_command(
        "alarms",
        "acknowledge",
        str(alarm.pk),
        f"--by={officer.login_id}",
        "--reason=test",
        stdout=out,
    )
    alarm.refresh_from_db()
    assert alarm.state == "acknowledged"
    browser = browser_of(officer, headers={"accept-language": "en"})
    gone = browser.get(f"/console/alarms/{alarm.pk}/acknowledge/", follow=True)
    assert "Somebody acknowledged this alarm, or it ended." in gone.content.decode()


@pytest.mark.django_db
def test_while_a_finder_fails_no_alarm_ends(
    programme: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounding.watch()
    clockwork.tick()

    def fall(at: dt.datetime) -> list[Any]:
        raise KeyError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setitem(sounding.alarm_kinds.ALARM_FINDERS.entries, "stops", fall)
        sounding.watch()
        assert set(
            Alarm.objects.filter(state__in=Alarm.STANDING).values_list("code", flat=True)
        ) == {
            "tick_silent",
            "watch_failed",
        }
    sounding.watch()
    assert not Alarm.objects.filter(state__in=Alarm.STANDING).exists()


def test_the_watchdog_tells_of_a_dead_tick_without_a_broker(
    own_database: Any, programme: Any, staff: Callable[..., Any], tmp_path: Path
) -> None:
    duty(staff("incident_commander"), "incident_commander", "duty@example.com", "en")
    with MailServer(tmp_path / "mail") as server:
        ran = subprocess.run(
            [sys.executable, "manage.py", "watchdog"],
            cwd=ROOT,
            env=own_database.environment
            | {"REDIS_URL": "redis://127.0.0.1:1/0", "WINDDOWN_EMAIL_URL": server.url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 3, ran.stderr
        assert "No tick has come" in ran.stdout
        # Open transactions of other tests may delay the seal, which is an alarm too.
        told = [each for each in server.mails() if "The clockwork is silent" in each["Subject"]]
    assert len(told) == 1
    assert Alarm.objects.filter(code="tick_silent").count() == 1
