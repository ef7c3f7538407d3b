"""Visitors who send half a request block nobody, with and without a proxy."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

from tests.config.serving import HALVES, answers

ROOT = Path(__file__).resolve().parents[2]
PROXY = ROOT / "docs/nginx.conf.example"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a gunicorn that was started as the manual says."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{number}"],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": "postgres://nobody@/nothing?host=/nonexistent",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "WINDDOWN_LOCAL_DIR": str(tmp_path),
            "WINDDOWN_ROLE": "web",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ends = time.monotonic() + 60
    while not answers(number):
        assert server.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.2)
    yield number
    server.kill()
    server.wait()


@pytest.mark.parametrize("half", HALVES, ids=["headers", "body"])
def test_the_portal_answers_while_eight_requests_are_half_sent(port: int, half: bytes) -> None:
    with contextlib.ExitStack() as open_ones:
        for _ in range(8):
            slow = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(half)
        time.sleep(1)

        assert all(answers(port) for _ in range(3))


def test_an_endless_request_line_is_refused(port: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/{'a' * 5000}", timeout=5)

    assert 400 <= refused.value.code < 500


def test_the_proxy_of_the_example_buffers_and_ends_slow_requests() -> None:
    text = re.sub(r"#.*", "", PROXY.read_text())
    said = dict(re.findall(r"^\s*(\w+) ([^;{]+);", text, re.MULTILINE))

    assert text.count("{") == text.count("}")
    assert said["proxy_request_buffering"] == "on"
    assert {said["client_header_timeout"], said["client_body_timeout"]} == {"10s"}
    assert said["client_max_body_size"] == "1m"


def test_the_proxy_of_the_example_knows_our_pages() -> None:
    text = PROXY.read_text()

    for place, upstream in re.findall(r"location (\S+) \{ proxy_pass http://(\w+);", text):
        assert f"upstream {upstream} {{" in text
        with contextlib.suppress(Resolver404):
            assert resolve(place)
            continue
        raise AssertionError(f"no page at {place}")
