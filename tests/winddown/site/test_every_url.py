"""Every address of the site answers any query, any method and any words of a visitor."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests import factories

# Fields and parameters that some page of the site reads.
NAMES = ("next", "span", "page", "state", "days", "q", "language", "code", "error", "provider")
NAMES += ("verb", "person", "action", "subject", "result", "since", "until", "before")
HOSTILE = (
    "\0",
    "%ff%fe",
    "9" * 5_000,
    "0000-00-00",
    "9999-12-31T23:59..9999-12-31T23:59",
    "0001-01-01T00:00..9999-12-31T23:59",
    "//evil.test",
    "[" * 2_000,
    "2²",
    "%ed%a0%80",
    "\N{ARABIC-INDIC DIGIT THREE}",
    "\N{FULLWIDTH DIGIT NINE}" * 30,
    "10000-01-01T00:00",
    "-1",
    "9" * 19,
)
# Parts of an address. A slash, and a part that the server itself refuses, are left out.
PARTS = (
    "%00",
    "%ed%a0%80",
    "%ff",
    "9" * 19,
    "9" * 5_000,
    "%d9%a3",
    "-1",
    "x" * 5_000,
    "%2e%2e",
    "%5b",
)
HOSTILE_IN_FORMS = ("\0", "[" * 2_000, "0000-00-00", *HOSTILE[-6:])
CHARSETS = ("shift_jis", "utf-7", "utf-16", "hex", "idna", "unicode_escape", "nonsense")
_TEXT = base64.urlsafe_b64encode(b"1").decode()
_HUGE = base64.urlsafe_b64encode(b"9" * 5_000).decode()
_ANSWERS = ({}, {"clientDataJSON": 1}, {"clientDataJSON": _TEXT, "authenticatorData": _TEXT})
MALFORMED_PASSKEYS = [
    json.dumps({"id": _TEXT, "rawId": _TEXT, "type": "public-key", "response": answer})
    for answer in (
        *_ANSWERS,
        {**_ANSWERS[2], "signature": _TEXT, "userHandle": _TEXT},
        {**_ANSWERS[2], "signature": _TEXT, "userHandle": _HUGE},
        {**_ANSWERS[2], "attestationObject": _TEXT},
    )
]
SAMPLES = {"int": "1", "slug": "line", "str": "x", "path": "x", "uuid": "0" * 32}


def _addresses(patterns: list[Any], before: str = "") -> Iterator[str]:
    for each in patterns:
        part = str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _addresses(each.url_patterns, before + part)
        elif isinstance(each, URLPattern) and "(?P" not in part:
            filled = re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES[found[1] or "str"], part)
            yield "/" + before + filled


def _places(patterns: list[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yields every address with a part that varies, and the address with PART in its place."""
    for each in patterns:
        part = str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _places(each.url_patterns, before + part)
        elif isinstance(each, URLPattern) and "(?P" not in part and "<" in before + part:
            yield before + part, "/" + re.sub(r"<(?:\w+:)?\w+>", "PART", before + part)


PLACES = sorted(set(_places(get_resolver().url_patterns)))
ADDRESSES = sorted(set(_addresses(get_resolver().url_patterns)))


def _raw(hostile: str) -> str:
    return hostile if hostile.startswith("%") else quote(hostile)


def _given(
    names: tuple[str, ...], words: tuple[str, ...], number: int, *, every: bool
) -> Iterator[str]:
    """Yields what is sent to the address of this number: once a word for each name, which differs
    from address to address. In the proof each word is sent in all names.
    """
    raw = [_raw(word) for word in words]
    mixed = [raw[(number + place) % len(raw)] for place in range(len(names))]
    for row in [[word] * len(names) for word in raw] if every else [mixed]:
        yield "&".join(f"{name}={word}" for name, word in zip(names, row, strict=True))


@pytest.fixture(params=["nobody", "customer", "staff"])
def visitor(request: Any, programme: Any, staff: Any, signed_in: Callable[..., Client]) -> Client:
    """A browser of each kind of visitor, which gets an error page as a visitor does."""
    if request.param == "nobody":
        browser = Client()
    elif request.param == "customer":
        browser = signed_in(factories.make_customer())
    else:
        browser = signed_in(staff(is_superuser=True))
    browser.raise_request_exception = False
    return browser


def test_every_door_has_an_address() -> None:
    assert {"/", "/sign-in/", "/recovery/link/x/", "/console/", "/console/audit/"} <= set(ADDRESSES)


def _some(words: tuple[str, ...], number: int, *, every: bool) -> tuple[str, ...]:
    """Returns a third of the words, which differs from address to address; all of them in the proof."""
    return words if every else words[number % 3 :: 3]


def test_no_query_causes_a_server_error(visitor: Client, long_form: bool) -> None:
    failed = [
        (address, query[:20])
        for number, address in enumerate(ADDRESSES)
        for query in _given(NAMES, HOSTILE, number, every=long_form)
        if visitor.get(f"{address}?{query}").status_code >= 500
    ]
    assert failed == []


def test_no_part_of_an_address_causes_a_server_error(visitor: Client, long_form: bool) -> None:
    failed = [
        (address, part[:20], method)
        for number, (address, parts) in enumerate(PLACES)
        for part in _some(PARTS, number, every=long_form)
        for method in ("GET", "POST")
        if visitor.generic(method, parts.replace("PART", part)).status_code >= 500
    ]
    assert failed == []


def test_head_answers_like_get(visitor: Client) -> None:
    differing = []
    for address in ADDRESSES:
        got, head = visitor.get(address), visitor.head(address)
        if (got.status_code, got.get("Location")) != (head.status_code, head.get("Location")):
            differing.append((address, got.status_code, head.status_code))
        assert head.content == b""
    assert differing == []


def test_no_form_causes_a_server_error(visitor: Client, long_form: bool) -> None:
    names = (*NAMES, "login_id", "password", "again", "who", "name", "account", "story", "reason")
    names += (
        "reference",
        "sources",
        "mail",
        "part",
        "value_date",
        "digest",
        "kind",
        "note",
        "extent",
        "reason_code",
        "credential",
    )
    failed = []
    for number, address in enumerate(ADDRESSES):
        if address in ("/sign-out/", "/sign-out/everywhere/"):
            continue
        for body in _given(names, HOSTILE_IN_FORMS, number, every=long_form):
            form = "application/x-www-form-urlencoded"
            if visitor.post(address, body, content_type=form).status_code >= 500:
                failed.append((address, body[:20]))
    assert failed == []


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "application/json"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_in_another_encoding_is_refused(
    method: str, form: str, charset: str, programme: Any
) -> None:
    # Importing it makes this process a web server's, and the environment is given back after a
    # test.
    from config import wsgi

    asked: dict[str, Any] = {}
    setup_testing_defaults(asked)
    asked |= {"REQUEST_METHOD": method, "PATH_INFO": "/sign-in/", "QUERY_STRING": "next=%2BAA-"}
    asked |= {"CONTENT_TYPE": f"{form}; charset={charset}", "CONTENT_LENGTH": "10"}
    asked |= {"wsgi.input": io.BytesIO(b"login_id=a"), "HTTP_ACCEPT_LANGUAGE": "en"}
    heads: list[str] = []

    content = wsgi.application(asked, lambda status, _headers: heads.append(status))

    assert heads == ["400 Bad Request"]
    assert "This request was not understood" in b"".join(content).decode()


@pytest.mark.parametrize(
    "credential",
    ["[" * 2_000, "9" * 5_000, "{}", "[]", '"x"', '{"id": "\\ud800"}', *MALFORMED_PASSKEYS],
)
def test_no_passkey_causes_a_server_error(credential: str, programme: Any, signed_in: Any) -> None:
    browser = Client()
    browser.get("/sign-in/passkey/", headers={"x-requested-with": "XMLHttpRequest"})
    assert browser.post("/sign-in/passkey/", {"credential": credential}).status_code < 500
    own = signed_in(factories.make_customer())
    for address in ("/account/second-factor/passkey/", "/account/confirm/passkey/"):
        own.get(address)
        assert own.post(address, {"credential": credential}).status_code < 500


def test_no_cookie_causes_a_server_error(programme: Any) -> None:
    browser = Client(raise_request_exception=False)
    for name in ("sessionid", "csrftoken", "device", "django_language", "messages"):
        for value in (r'"a\000bcdefghijklmnop"', r'"\377\376"', "9" * 3_000):
            for address in ("/", "/sign-in/", "/account/sessions/"):
                answer = browser.get(address, headers={"cookie": f"{name}={value}"})
                assert answer.status_code < 500
