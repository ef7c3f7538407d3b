"""A browser of a simulated person: cookies, redirects, and forms as the pages offer them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.urls import resolve

from winddown.errors import WinddownError

ANSWER_S_MAX = 60
REDIRECTS_MAX = 10
_LEADS_ON = (301, 302, 303)
Typed = Mapping[str, str | Sequence[str]]


class PageRefused(WinddownError):
    """The page {path} did not go on: {why}"""


@dataclass(slots=True)
class Form:
    """One form of a page. `fields` has the names that it sends, with what they hold already."""

    action: str
    is_post: bool
    fields: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """What a browser shows. `moved` says that the server sent it there from another page."""

    url: str
    text: str
    status: int
    moved: bool
    forms: list[Form]

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def form(self, names: Sequence[str]) -> Form:
        """Returns the one form that takes these names. Raises `PageRefused` without one."""
        for form in self.forms:
            if form.is_post and set(names) <= set(form.fields):
                return form
        raise PageRefused(path=self.path, why=f"it has no form with {', '.join(names)}")

    def takes(self, name: str) -> bool:
        """Returns whether a form of the page that changes something has this field."""
        return any(name in form.fields for form in self.forms if form.is_post)

    def holds(self, name: str) -> str:
        """Returns what the field holds already; empty if there is none."""
        found = [form.fields[name] for form in self.forms if form.fields.get(name)]
        return found[0][0] if found else ""

    def told(self) -> str:
        """Returns the sentences about what is wrong on the page."""
        found = re.findall(
            r'class="[^"]*(?:error|warning)[^"]*"[^>]*>(.*?)</', self.text, re.DOTALL
        )
        plain = (unescape(re.sub(r"<[^>]+>|\s+", " ", each)).strip() for each in found)
        return "; ".join(each for each in plain if each)[:300] or f"it answers {self.status}"


class _Reader(HTMLParser):
    """Reads the forms, also fields that stand elsewhere and name their form."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._by_id: dict[str, Form] = {}
        self._open: Form | None = None
        self._filled: list[str] | None = None
        self._select: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            posts = given.get("method", "get").lower() == "post"
            self._open = Form(action=given.get("action", ""), is_post=posts)
            self.forms.append(self._open)
            self._by_id[given.get("id", "")] = self._open
            return
        form = self._by_id.get(given["form"]) if "form" in given else self._open
        if form is None:
            return
        if tag == "option" and self._select is not None and "selected" in given:
            self._select.append(given.get("value", ""))
        if "name" not in given or tag not in ("input", "select", "textarea", "button"):
            return
        values = form.fields.setdefault(given["name"], [])
        if tag == "button":
            # It sends its value only when it is pressed.
            return
        if tag == "select":
            self._select = values
        elif tag == "textarea":
            self._filled = values
        elif given.get("type") not in ("checkbox", "radio") or "checked" in given:
            values.append(given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._filled is not None:
            self._filled.append(data.removeprefix("\n"))
            self._filled = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._filled = None


class Browser:
    """One person's browser at the site `address`. `sent` counts the forms that took effect, by the
    name of their page.

    `network` is the person's own address, as the proxy in front of the site reports it.
    """

    def __init__(self, address: str, *, sent: Counter[str], network: str = "127.0.0.1") -> None:
        self.address = address
        self.sent = sent
        self._cookies: dict[str, str] = {}
        self._headers = {
            "User-Agent": "rehearsal",
            "Accept-Language": "en",
            "X-Forwarded-For": network,
            # The next page may come from another process of the site.
            "Connection": "close",
        }

    def open(self, path: str) -> Page:
        """Returns the page. Raises `PageRefused` for an answer of 400 or more."""
        return self._ask(urljoin(self.address, path), None)

    def send(self, page: Page, typed: Typed, *, stays: bool = False) -> Page:
        """The form of the page that takes what was typed is sent. Returns the page after it.

        A form that took effect leads to another page, unless it `stays`. Raises `PageRefused`.
        """
        form = page.form(list(typed))
        given: dict[str, Any] = {**form.fields, **typed}
        after = self._ask(urljoin(page.url, form.action), urlencode(given, doseq=True).encode())
        if not (after.moved or stays):
            raise PageRefused(path=page.path, why=after.told())
        self.sent[resolve(urlsplit(urljoin(page.url, form.action)).path).view_name] += 1
        return after

    def _ask(self, url: str, body: bytes | None) -> Page:
        reached = url
        for _ in range(REDIRECTS_MAX):
            status, leads_to, text = self._answer(reached, body)
            if status >= 400:
                raise PageRefused(path=urlsplit(url).path, why=f"it answers {status}")
            if status not in _LEADS_ON:
                reader = _Reader()
                reader.feed(text)
                return Page(reached, text, status, reached != url, reader.forms)
            reached, body = urljoin(reached, leads_to), None
        raise PageRefused(path=urlsplit(url).path, why="it leads from page to page")

    def _answer(self, url: str, body: bytes | None) -> tuple[int, str, str]:
        """Returns the status of one answer, where it leads to, and its text. Its cookies are kept."""
        site, at = urlsplit(self.address), urlsplit(url)
        if (at.scheme, at.netloc) != (site.scheme, site.netloc):
            raise PageRefused(path=at.path, why="it is a page of another site")
        headers = dict(self._headers)
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={text}" for name, text in self._cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = HTTPConnection(site.netloc, timeout=ANSWER_S_MAX)
        try:
            path = f"{at.path or '/'}?{at.query}" if at.query else at.path or "/"
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for said in answer.headers.get_all("Set-Cookie", []):
            for name, cookie in SimpleCookie(said).items():
                if cookie["max-age"] == "0":
                    self._cookies.pop(name, None)
                else:
                    self._cookies[name] = cookie.coded_value
        return answer.status, answer.headers.get("Location", ""), text
