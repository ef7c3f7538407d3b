"""A real HTTPS server on this machine that gets webhooks. The path says how it answers."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME = "127.0.0.1"


@dataclass
class Receiver:
    """What it got: path, headers and body of each request."""

    port: int = 0
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"https://{NAME}:{self.port}/{path}?key=a-secret-part"


def _certificate(place: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(NAME))]), False
        )
        .sign(key, hashes.SHA256())
    )
    path = place / "receiver.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path = self.path.partition("?")[0]
            receiver.got.append((path, dict(self.headers), body))
            if path == "/late":
                receiver.ended.wait(30)
                return
            if path == "/drips":
                # One byte after the other, each in time and no end.
                while not receiver.ended.wait(0.05):
                    try:
                        self.wfile.write(b"H")
                    except OSError:
                        return
                return
            self.send_response({"/error": 500, "/moved": 302}.get(path, 200))
            if path == "/moved":
                self.send_header("Location", receiver.url("ok"))
            self.send_header("Content-Length", str(10**12) if path == "/endless" else "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """The log of the server is not part of ours."""

    return Handler


@contextmanager
def receiver(place: Path, settings: Any) -> Iterator[Receiver]:
    """Inside, webhooks may reach the server, whose certificate is known."""
    found = Receiver()
    certificate = _certificate(place)
    server = ThreadingHTTPServer((NAME, 0), _handler(found))
    server.daemon_threads = True
    server.block_on_close = False
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.port = server.server_address[1]
    settings.WEBHOOK_CA_FILE = str(certificate)
    settings.REACHED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield found
    finally:
        found.ended.set()
        server.shutdown()
        server.server_close()
