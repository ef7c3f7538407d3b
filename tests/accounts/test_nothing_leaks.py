"""I23: the broker, the counters and the logs hold no name, address, login id, password or token."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.models import AccessRequest, AuthEvent
from config.log import JsonFormatter
from tests import factories
from tests.accounts.mail_server import Mailbox, link_in, mail_server
from tests.broker import as_administrator
from winddown import clock

ROOT = Path(__file__).resolve().parents[2]
NAME, KANA = "Kanariya Hanako", "カナリヤハナコ"
LOGIN, UNKNOWN = "canary-login-3141", "canary-unknown-2718"
EMAIL, PHONE = "canary.mailbox@example.com", "09031415926"
PASSWORD = "canary battery staple 1618"
NETWORK = "198.51.100.217"
CANARIES = ["anariya", KANA, "canary", PHONE, PHONE.lstrip("0"), NETWORK]


def found_in(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary.lower() in text.lower()]


def everything_in(server: redis.Redis) -> dict[str, str]:
    """Returns every key of the server with its value, of any type."""
    kept = {}
    for key in server.scan_iter():
        # Every kind of value, as the server itself would write it to its file.
        kept[key.decode(errors="replace")] = (server.dump(key) or b"").decode(errors="replace")
    return kept


@pytest.fixture
def lines() -> Any:
    """All log lines of this process, as production writes them."""
    kept: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(JsonFormatter().format(record))

    keeper, root = Keeper(level=logging.DEBUG), logging.getLogger()
    before = root.level
    root.addHandler(keeper)
    root.setLevel(logging.INFO)
    yield kept
    root.removeHandler(keeper)
    root.setLevel(before)


@pytest.fixture
def broker(own_database: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """A part of the real server for this test, in which the messages of this process stay."""
    from config.celery import app

    own = 9
    url = f"{settings.REDIS_URL.split('?')[0]}?db={own}"
    administrator = redis.Redis.from_url(as_administrator(url))
    administrator.flushdb()
    settings.REDIS_URL = url
    from config.environment import broker_from_url

    own_database.environment["REDIS_URL"] = url
    monkeypatch.setattr(app.conf, "broker_url", broker_from_url(url))
    # Connections that were opened before lead to the same server.
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    yield administrator
    administrator.flushdb()


def worker_takes_all(database: Any, mails: Mailbox) -> str:
    """A real worker has answered every request and sent the mails; returns all its log lines."""
    log = Path(database.environment.get("TMPDIR", "/tmp")) / f"worker-{os.getpid()}.log"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "1"]
    with log.open("w") as file:
        worker = subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle", "--loglevel", "DEBUG"],
            cwd=ROOT,
            env=database.environment | {"WINDDOWN_ROLE": "worker", "WINDDOWN_LOG": "json"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            ends = time.monotonic() + 120
            while not mails.mails or AccessRequest.objects.filter(answered_at=None).exists():
                assert worker.poll() is None, log.read_text()
                assert time.monotonic() < ends, log.read_text()
                time.sleep(0.2)
        finally:
            worker.terminate()
            worker.wait(60)
    said = log.read_text()
    log.unlink()
    return said


@pytest.mark.slow
def test_the_broker_the_counters_and_the_logs_hold_no_personal_data(
    own_database: Any,
    broker: redis.Redis,
    settings: Any,
    lines: list[str],
    programme: Any,
) -> None:
    factories.make_customer(
        login_id=LOGIN,
        password=make_password(PASSWORD),
        password_set_at=clock.now(),
        email=EMAIL,
        email_verified_at=clock.now(),
        phone=PHONE,
        phone_verified_at=clock.now(),
        display_name=NAME,
        kana_name=KANA,
    )
    browser = Client(REMOTE_ADDR=NETWORK)
    for login_id, password in [(UNKNOWN, PASSWORD), (LOGIN, "canary wrong"), (LOGIN, PASSWORD)]:
        browser.post("/sign-in/", {"login_id": login_id, "password": password})
    for _ in range(6):
        Client(REMOTE_ADDR=NETWORK).post("/sign-in/", {"login_id": UNKNOWN, "password": "canary"})
    for who in (EMAIL, PHONE, UNKNOWN, *[EMAIL] * 5):
        Client(REMOTE_ADDR=NETWORK).post("/recovery/", {"who": who})
    outcomes = set(AuthEvent.objects.values_list("outcome", flat=True))
    assert outcomes == {"success", "wrong_password", "unknown_login_id", "refused"}

    kept = everything_in(broker)
    assert any(key.startswith(settings.COUNTERS_PREFIX) for key in kept), "counters were looked at"
    assert any(not key.startswith(("wd-count", "wd-cache")) for key in kept), "messages were too"
    assert found_in(json.dumps(kept, ensure_ascii=False)) == []
    with mail_server(settings) as mails:
        url = f"smtp://127.0.0.1:{settings.EMAIL_PORT}?tls=none"
        own_database.environment["WINDDOWN_EMAIL_URL"] = url
        said = worker_takes_all(own_database, mails)
    assert "accounts." in said, "the worker says what it does"
    assert found_in(said) == []
    assert found_in(json.dumps(everything_in(broker), ensure_ascii=False)) == []
    token = link_in(mails.mails[0]).rstrip("/").rpartition("/")[2]
    Client().get(f"/recovery/link/{token}/", follow=True)
    written = "\n".join(lines)
    assert "sign-in refused by the limit key" in written, "the log was looked at"
    assert found_in(written) == []
    assert token not in written
    assert token not in json.dumps(everything_in(broker), ensure_ascii=False)


@pytest.mark.parametrize("planted", CANARIES)
def test_the_search_finds_planted_personal_data(planted: str) -> None:
    assert found_in(f'{{"message": "mail to {planted.upper()} refused"}}')
