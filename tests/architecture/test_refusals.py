"""Every refusal can be said in Japanese, with its facts; what cannot stands on a list that shrinks."""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone, translation

# Imported because it fills the registries of words, as it does before every request.
import config.urls  # noqa: F401
from winddown import words
from winddown.errors import GuardNotMet, NotPermitted, TransitionRefused, WinddownError, says

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("winddown", "accounts", "wallets", "refunds")
# A part of these refusals is a sentence, and is made by `says`.
SENTENCES = {
    "GuardNotMet": ("action", "why"),
    "LedgerRefused": ("movement", "why"),
    "PayeeRefused": ("why",),
}
# Only commands and workers meet these; no page shows them. The list may only shrink.
WITHOUT_JAPANESE = {
    "AlreadyRegistered",
    "BackupRefused",
    "ClockRefused",
    "DeviceKeyUsed",
    "LeaseLost",
    "LoadRefused",
    "MailServerRefuses",
    "NotProved",
    "NotRegistered",
    "SealBroken",
    "TokensAreForCustomers",
    "UnknownFileKind",
    "ValueDateRefused",
    "WebhookFailed",
    "YuchoRefused",
}

# They refuse in a shell only. The list may only shrink.
ONLY_IN_A_SHELL = {"accounts/recovery/rehearsed.py", "winddown/programme/time_travel.py"}


def refusals() -> Iterator[type[WinddownError]]:
    for room in ROOMS:
        for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    found = [WinddownError]
    for kind in found:
        found += kind.__subclasses__()
    return (kind for kind in found[1:] if kind.__module__.partition(".")[0] in ROOMS)


def test_every_refusal_has_japanese_or_stands_on_the_list() -> None:
    without = {kind.__name__ for kind in refusals()} - set(words.REFUSALS)
    assert without == WITHOUT_JAPANESE & without
    assert set(words.REFUSALS) & WITHOUT_JAPANESE == set()
    for code, text in words.REFUSALS.items():
        with translation.override("en"):
            english = str(text)
        with translation.override("ja"):
            assert str(text) != english, code


def plain_sentences() -> Iterator[str]:
    """Yields each place where a part of a refusal is a text that is said in English only."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for call in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                    continue
                for given in call.keywords:
                    if given.arg in SENTENCES.get(call.func.id, ()) and isinstance(
                        given.value, ast.Constant | ast.JoinedStr
                    ):
                        yield f"{path.relative_to(ROOT)}:{call.lineno} {given.arg}"


def test_every_part_of_a_refusal_that_is_a_sentence_can_be_translated() -> None:
    assert {place.partition(":")[0] for place in plain_sentences()} == ONLY_IN_A_SHELL


def test_a_refusal_is_said_with_its_facts_in_the_language_and_zone_of_its_reader() -> None:
    at = dt.datetime(2019, 9, 30, 15, tzinfo=dt.UTC)
    refused = GuardNotMet(
        action=says("restore {capability}", capability="spend"),
        why=says("it ended at {at}", at=at.isoformat()),
    )

    assert str(refused) == f"restore spend is refused: it ended at {at.isoformat()}"
    with translation.override("ja"), timezone.override("Asia/Tokyo"):
        assert "「支払い」の再開" in words.refusal(refused)
        assert "2019-10-01 00:00 JST に" in words.refusal(refused).replace("JSTに", "JST に")
    with translation.override("en"), timezone.override("UTC"):
        assert "it ended at 2019-09-30 15:00 UTC" in words.refusal(refused)


@pytest.mark.parametrize(
    ("refused", "japanese"),
    [
        (NotPermitted(actor=1, action="read audit", permission="winddown.read_audit"), "監査"),
        (
            TransitionRefused(
                model="Run", subject=1, source="paused", transition="start", sources="approved"
            ),
            "一時停止",
        ),
        (
            GuardNotMet(action=says("run {workflow}", workflow="freeze-charges"), why="x"),
            "チャージ",
        ),
        (
            GuardNotMet(action="x", why=says("the programme is {stage}", stage="closed")),
            "終了",
        ),
    ],
)
def test_codes_become_words(refused: WinddownError, japanese: str) -> None:
    with translation.override("ja"):
        said = words.refusal(refused)
    assert japanese in said
    for code in ("winddown.", "paused", "freeze-charges", "closed"):
        assert code not in said
