"""`python -m proof.scanners wapiti|sqlmap PROGRAM SEED`: the scanner looks at a served rehearsal.

It looks three times: as a visitor, as a customer with a refund, and as the commander. What it finds
and SECURITY.md does not answer fails the line.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".local" / "proof" / "scanned"
ACCOUNTS = 2_000
ANSWER_S_MAX = 120
SCAN_S_MAX = 900
# A scanner that sees fewer was not let in.
PAGES_MIN = 10
# What ends the session that the scanner uses, or leaves the site.
LEFT_OUT = ("/sign-out/", "/account/sessions/", "/sign-in/with/")
# Kinds of finding that SECURITY.md answers.
ANSWERED = frozenset({"Secure Flag cookie"})
# Those of wapiti that need nothing outside this machine.
MODULES = (
    "cookieflags", "crlf", "csp", "csrf", "exec", "file", "http_headers", "methods", "permanentxss",
    "redirect", "sql", "upload", "xss", "xxe",
)  # fmt: skip

SIGN_IN = """
from django.test import Client
from accounts.models import User
from accounts.sign_in import second_factor
from refunds.models import Entitlement
from tests.signing_in import open_session
commander = User.objects.get(login_id="commander")
second_factor.add_app(commander)
customer = Entitlement.objects.filter(wallet__account__is_active=True).first().wallet.account
for person in (customer, commander):
    browser = Client()
    open_session(browser, person)
    print(browser.cookies["sessionid"].value)
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks, and where the look begins."""

    name: str
    address: str
    session: str = ""


def main(arguments: Sequence[str]) -> int:
    """Returns 1 if something was found that has no answer."""
    scanner, program, seed = arguments
    place = PLACE / scanner
    place.mkdir(parents=True, exist_ok=True)
    scan = {"wapiti": _wapiti, "sqlmap": _sqlmap}[scanner]
    with _served(seed, place) as visits:
        found = [each for visit in visits for each in scan(program, visit, place)]
    for each in found:
        print(f"found: {each}", flush=True)
    return 1 if found else 0


@contextlib.contextmanager
def _served(seed: str, place: Path) -> Iterator[list[Visit]]:
    """Inside, console and portal answer on a replayed case of its own."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL"} and not name.startswith("WINDDOWN_")
    } | {"WINDDOWN_LOCAL_DIR": str(place / "local"), "WINDDOWN_LOG_LEVEL": "ERROR"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def manage(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    manage("replay", "--accounts", str(ACCOUNTS), "--seed", seed)
    customer, commander = manage("shell", "--no-imports", "-c", SIGN_IN).split()
    with (place / "served.log").open("wb") as log:
        served = subprocess.Popen(
            [sys.executable, "-m", "config.serve", "--port", str(port)],
            cwd=ROOT, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    portal = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{portal}/sign-in/", served)
        yield [
            Visit("visitor", f"{portal}/"),
            Visit("customer", f"{portal}/", customer),
            Visit("commander", f"{portal}/console/", commander),
        ]
        _wait_for(f"{portal}/sign-in/", served)
    finally:
        served.terminate()
        served.wait()


def _wait_for(address: str, served: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + ANSWER_S_MAX
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            if served.poll() is not None or time.monotonic() > ends:
                raise
            time.sleep(0.5)


def _wapiti(program: str, visit: Visit, place: Path) -> list[str]:
    """Returns what wapiti found that has no answer."""
    report = place / f"{visit.name}.json"
    report.unlink(missing_ok=True)
    site = visit.address.removesuffix("console/")
    words = [
        *[program, "--url", visit.address, "--scope", "folder", "--module", ",".join(MODULES)],
        *[
            "--format",
            "json",
            "--output",
            str(report),
            "--no-bugreport",
            "--flush-session",
            "--depth",
            "6",
        ],
        *["--store-session", str(place / "sessions"), "--store-config", str(place / "config")],
        *["--max-scan-time", str(SCAN_S_MAX // 3), "--max-attack-time", "60"],
        *["--max-links-per-page", "40", "--max-files-per-dir", "40"],
        *[word for path in LEFT_OUT for word in ("--exclude", f"{site.rstrip('/')}{path}*")],
    ]
    if visit.session:
        words += ["--cookie-value", f"sessionid={visit.session}"]
    subprocess.run(words, check=True)
    told = json.loads(report.read_text())
    pages = told["infos"]["crawled_pages_nbr"]
    print(f"wapiti as {visit.name}: {pages} pages", flush=True)
    if pages < PAGES_MIN:
        return [f"wapiti as {visit.name} looked at {pages} pages only"]
    return [
        f"{kind} as {visit.name}: {each['method']} {each['path']} {each['info']}"
        for group in ("vulnerabilities", "anomalies")
        for kind, each_of_kind in told[group].items()
        for each in each_of_kind
        if kind not in ANSWERED
    ]


def _sqlmap(program: str, visit: Visit, place: Path) -> list[str]:
    """Returns the parameters into which sqlmap could put SQL, or that it tried none."""
    results, log = place / f"{visit.name}.csv", place / f"{visit.name}.log"
    results.unlink(missing_ok=True)
    words = [
        *[program, "--url", visit.address, "--batch", "--crawl", "3", "--forms", "--dbms"],
        *["postgresql", "--technique", "BEU", "--level", "2", "--threads", "4"],
        *["--crawl-exclude", "|".join(LEFT_OUT), "--param-exclude", "csrfmiddlewaretoken"],
        *["--time-limit", str(SCAN_S_MAX // 3), "--flush-session", "--disable-coloring"],
        *["--output-dir", str(place / visit.name), "--results-file", str(results)],
    ]
    if visit.session:
        words += ["--cookie", f"sessionid={visit.session}"]
    with log.open("wb") as kept:
        subprocess.run(words, stdout=kept, stderr=kept, check=True)
    tried = log.read_text(errors="replace").count("does not seem to be injectable")
    print(f"sqlmap as {visit.name}: {tried} parameters", flush=True)
    if not tried:
        return [f"sqlmap as {visit.name} tried nothing: {log}"]
    if not results.exists():
        return []
    with results.open(newline="") as rows:
        return [
            f"SQL as {visit.name}: {row}" for row in csv.DictReader(rows) if row["Technique(s)"]
        ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
