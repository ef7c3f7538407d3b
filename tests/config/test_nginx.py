"""The proxy of the example, as a real nginx in front of two gunicorns: slow visitors stay with it."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.serve import listener
from tests.config.serving import HALVES, answers

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs/nginx.conf.example"
# Debian keeps it out of an ordinary user's path.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
# Each visitor has an address of its own; the example allows it 20 requests at once.
SLOW_VISITORS, SLOW_REQUESTS = 5, 18
PATIENCE_S = 60
TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="no nginx on this machine"),
    pytest.mark.slow,
]


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where nginx and the two servers behind it listen."""

    https: int
    portal: int
    console: int

    def status(self, path: str) -> int:
        """Returns with which status the path is answered through the proxy."""
        try:
            address = f"https://localhost:{self.https}{path}"
            with urllib.request.urlopen(address, timeout=PATIENCE_S, context=TRUSTING) as page:
                return int(page.status)
        except urllib.error.HTTPError as answered:
            return answered.code

    def held(self) -> int:
        """Returns how many connections the servers behind the proxy have at present."""
        ours = {self.portal, self.console}
        return sum(
            each.laddr.port in ours and each.status == psutil.CONN_ESTABLISHED
            for each in psutil.net_connections("tcp4")
            if each.laddr
        )

    def send(self, part: bytes, *, visitor: int) -> ssl.SSLSocket:
        """The visitor sent a part of a request; returns the open connection."""
        source = (f"127.0.0.{2 + visitor}", 0)
        plain = socket.create_connection(("127.0.0.1", self.https), PATIENCE_S, source)
        slow = TRUSTING.wrap_socket(plain)
        slow.sendall(part)
        return slow


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _certificate(place: Path) -> None:
    """A key and a certificate that it signed itself are in the place."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (place / "site.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (place / "site.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _configuration(place: Path, proxy: Proxy) -> Path:
    """The example, with this machine's ports and files, stands in a whole configuration."""
    text = EXAMPLE.read_text()
    for said, here in {
        "127.0.0.1:8000;": f"127.0.0.1:{proxy.portal};",
        "127.0.0.1:8001;": f"127.0.0.1:{proxy.console};",
        "listen 80;": f"listen 127.0.0.1:{_free_port()};",
        "listen 443 ssl;": f"listen 127.0.0.1:{proxy.https} ssl;",
        "/etc/ssl/refunds.example.org.pem": str(place / "site.pem"),
        "/etc/ssl/refunds.example.org.key": str(place / "site.key"),
    }.items():
        assert said in text
        text = text.replace(said, here)
    (place / "site.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {place}/{kind};" for kind in kinds)
    whole = place / "nginx.conf"
    whole.write_text(
        f"daemon off; pid {place}/nginx.pid; events {{ worker_connections 1024; }}\n"
        f"http {{ access_log off; {temporary} include {place}/site.conf; }}\n"
    )
    return whole


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    place = Path(tempfile.mkdtemp(prefix="wd-nginx-"))
    # The workers of root's nginx are another user.
    place.chmod(0o755)
    proxy = Proxy(_free_port(), _free_port(), _free_port())
    _certificate(place)
    words = [str(NGINX), "-e", str(place / "error.log"), "-c", str(_configuration(place, proxy))]
    judged = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stderr
    environment = os.environ | {
        "DATABASE_URL": "postgres://nobody@/nothing?host=/nonexistent",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "WINDDOWN_LOCAL_DIR": str(place / "local"),
        "WINDDOWN_ROLE": "web",
    }
    with contextlib.ExitStack() as running:
        running.callback(shutil.rmtree, place, ignore_errors=True)
        for command in (listener(proxy.portal), listener(proxy.console), words):
            server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
            running.callback(server.wait)
            running.callback(server.terminate)
        ends = time.monotonic() + PATIENCE_S
        while not (answers(proxy.portal) and answers(proxy.console)):
            assert time.monotonic() < ends
            time.sleep(0.2)
        yield proxy


def test_the_portal_and_the_console_are_reached(proxy: Proxy) -> None:
    assert proxy.status("/static/nothing") == 404
    assert proxy.status("/console/nothing/at/all/") == 404


def test_slow_visitors_hold_the_proxy_and_no_thread_of_ours(proxy: Proxy) -> None:
    headers, body = HALVES
    with contextlib.ExitStack() as open_ones:
        for visitor in range(SLOW_VISITORS):
            for _ in range(SLOW_REQUESTS):
                open_ones.enter_context(proxy.send(body, visitor=visitor))
                open_ones.enter_context(proxy.send(headers, visitor=visitor))
        time.sleep(1)

        assert proxy.held() == 0
        assert proxy.status("/static/nothing") == 404
        assert proxy.status("/console/nothing/at/all/") == 404


@pytest.mark.parametrize("half", HALVES, ids=["headers", "body"])
def test_a_request_that_does_not_go_on_is_ended(proxy: Proxy, half: bytes) -> None:
    with proxy.send(half, visitor=0) as slow:
        answer = slow.recv(1_000)

    assert not answer or b" 408 " in answer
