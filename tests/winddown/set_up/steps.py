"""What two people do to change the set-up of a programme that has begun."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

from django.core.management import call_command

from accounts.models import User
from tests.signing_in import code_typed
from winddown.models import Approval

Begin = Callable[..., tuple[int, str]]
CHANGE = {"pays_on_day = 10": "pays_on_day = 27"}


def ask(begin: Begin, changes: dict[str, str] = CHANGE, by: str = "hana") -> Approval:
    code, said = begin(changes, f"--by={by}", "--reason=letter of the issuer")
    assert code == 0, said
    return Approval.objects.latest("pk")


def decided(asked: Approval, *words: str, by: str) -> int:
    person = User.objects.get(login_id=by)
    try:
        with code_typed(person):
            call_command(
                "approve",
                asked.subject,
                f"--digest={asked.digest}",
                f"--by={by}",
                "--reason=seen",
                *words,
                stdout=StringIO(),
            )
    except SystemExit as end:
        return int(end.code or 0)
    return 0
