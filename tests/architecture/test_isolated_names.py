"""What people from outside are called stands by itself: its direction of writing ends with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# What a variable of a template is called that holds what somebody from outside chose.
NAMES = {
    "device_name",
    "display_name",
    "holder_name",
    "kana_name",
    "login_id",
    "maker",
    "name_kana",
    "person",
    "signer",
    "taken_by",
    "entered_by",
    "asks",
    "decides",
    "people",
}
PATHS = {"about", "fact.value", "passkey.name", "object", "seen.evidence.name"}
ISOLATED = {"isolated", "names", "person"}
# Fields whose kind is a number, a sum or an instant.
OF_A_KIND = {"amount", "number", "stamp", "stamp_s", "urlencode"}
TITLE = re.compile(r"{% block title %}.*?{% endblock %}")
PRINTED = re.compile(r"{{ ([^}]+) }}|{% blocktranslate [^%]*?with ([^%]+?) %}")


GIVEN = re.compile(
    r"({% blocktranslate [^%]*?with ([^%]+?) %})(.*?){% endblocktranslate %}", re.DOTALL
)


def _without_given(block: re.Match[str]) -> str:
    """Returns the block without the variables that its own tag gives: that tag isolates them."""
    body = block[3]
    for each in block[2].split():
        body = body.replace(f"{{{{ {each.partition('=')[0]} }}}}", "")
    return block[1] + body


def bare(text: str) -> list[str]:
    """Returns the expressions that print a name and do not isolate it."""
    found = []
    for printed, given in PRINTED.findall(GIVEN.sub(_without_given, TITLE.sub("", text))):
        expressions = [printed] if printed else [each.partition("=")[2] for each in given.split()]
        for expression in filter(None, expressions):
            path, *filters = expression.split("|")
            used = {each.partition(":")[0] for each in filters}
            is_name = path.rpartition(".")[2] in NAMES or path in PATHS
            if is_name and not used & (ISOLATED | OF_A_KIND):
                found.append(expression)
    return found


def test_the_check_finds_a_name_that_is_not_isolated() -> None:
    assert bare("<p>{{ row.person.display_name }}</p>") == ["row.person.display_name"]
    assert bare("{% blocktranslate with name=user.login_id %}{{ name }}{% endblocktranslate %}")
    assert not bare("{{ user.login_id|isolated }} {{ row.maker|person }} {{ row.pk }}")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_name_in_a_page_is_isolated(path: Path) -> None:
    assert bare(path.read_text()) == []
