"""A small OpenID Connect provider on a real port: discovery, authorise with PKCE and nonce, token, user info, keys."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "wallet"
CLIENT_SECRET = "a secret of the client"


@functools.cache
def _key() -> rsa.RSAPrivateKey:
    """A key takes as long to make as a test takes to run, so all providers have one."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    """`with Provider() as provider`: it answers at `provider.issuer`, and vouches for `subject`.

    `lie` changes the claims of the ID tokens that it gives, so that a test can be a provider that
    cannot be trusted; `sign_with` is the key that signs them.
    """

    subject: str = "somebody"
    lie: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __enter__(self) -> Provider:
        self.key = _key()
        self.sign_with = self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        # It asks this often whether it is told to stop.
        serve = functools.partial(self._server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def app(self, provider: str) -> dict[str, Any]:
        """The provider as the settings describe it."""
        return {
            "provider_id": provider,
            "name": provider,
            "client_id": CLIENT_ID,
            "secret": CLIENT_SECRET,
            "settings": {
                "server_url": self.issuer,
                "oauth_pkce_enabled": True,
                "scope": ["openid"],
                "fetch_userinfo": False,
            },
        }

    def confirm(self, address: str) -> str:
        """The person agrees there; returns where the provider sends the browser then."""
        opener = urllib.request.build_opener(_NoRedirect())
        try:
            opener.open(address, timeout=10)
        except urllib.error.HTTPError as answer:
            assert answer.code == 302, (answer.code, answer.read())
            return str(answer.headers["Location"])
        raise AssertionError("the provider did not send the browser back")

    # --- the protocol -----------------------------------------------------------------------------

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "1", "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Answers only with everything that protects a code from use by another."""
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert asked["code_challenge"]
        assert asked["nonce"]
        assert asked["scope"] == "openid"
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, given: dict[str, str]) -> dict[str, Any]:
        """Answers once for a code, and only to the one who began with it."""
        asked = self.codes.pop(given["code"])
        verifier = hashlib.sha256(given["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        assert challenge == asked["code_challenge"]
        assert given["redirect_uri"] == asked["redirect_uri"]
        assert (given["client_id"], given["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": self.subject,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.lie,
        }
        access = secrets.token_urlsafe(16)
        self.tokens.add(access)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": jwt.encode(claims, self.sign_with, algorithm="RS256", headers={"kid": "1"}),
        }

    def userinfo(self, bearer: str) -> dict[str, Any]:
        assert bearer in self.tokens
        return {"sub": self.subject, "email": "somebody@example.com", "name": "Somebody"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place = urlsplit(self.path)
                try:
                    if place.path == "/authorize":
                        asked = {key: values[0] for key, values in parse_qs(place.query).items()}
                        location = provider.authorize(asked)
                        self.send_response(302)
                        self.send_header("Location", location)
                        self.end_headers()
                    elif place.path == "/.well-known/openid-configuration":
                        self._json(provider.discovery())
                    elif place.path == "/keys":
                        self._json(provider.keys())
                    elif place.path == "/userinfo":
                        bearer = self.headers["Authorization"].removeprefix("Bearer ")
                        self._json(provider.userinfo(bearer))
                    else:
                        self._json({"error": "not_found"}, status=404)
                except (AssertionError, KeyError):
                    self._json({"error": "invalid_request"}, status=400)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                given = {key: values[0] for key, values in parse_qs(body).items()}
                try:
                    self._json(provider.token(given))
                except (AssertionError, KeyError):
                    self._json({"error": "invalid_grant"}, status=400)

            def _json(self, content: dict[str, Any], *, status: int = 200) -> None:
                text = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                """Requests are not written into the output of the tests."""

        return Handler


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
