"""Known passwords of attackers cannot be chosen; a list of them is loaded as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import BreachedPassword, User
from accounts.sign_in import breached
from tests.factories import make_staff
from winddown.errors import LoadRefused, NotPermitted
from winddown.loading.loader import REFUSALS_SHOWN
from winddown.locks import Lock
from winddown.models import AuditEntry, LoadedFile

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

STOLEN = ("summer-of-2019-at-the-sea", "my cat is called Tama", "合い言葉はもう知られている")


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def listed(tmp_path: Path) -> Callable[..., Path]:
    """`listed("a", "b")` is a file of these lines."""

    def write(*lines: str, end: str = "\n", name: str = "list.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(end.join(lines).encode())
        return path

    return write


def run(*words: Any) -> tuple[int, dict[str, Any]]:
    """Returns the exit code and output of the command."""
    out = StringIO()
    try:
        by = f"--by={make_staff('treasury_operator').login_id}"
        call_command("load_breached_passwords", *map(str, words), by, "--json", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def refused(password: str, **of: Any) -> set[str]:
    """Returns the codes for which the password is refused to a new customer or to the given person."""
    try:
        validate_password(password, User(login_id="somebody-new", **of))
    except ValidationError as refusal:
        return {error.code or "" for error in refusal.error_list}
    return set()


def test_a_listed_password_cannot_be_chosen_and_the_next_one_can(
    listed: Callable[..., Path],
) -> None:
    assert refused(STOLEN[0]) == set()

    code, said = run(listed(*map(sha1, STOLEN)))

    assert (code, said["rows"], said["inserted"]) == (0, 3, 3)
    assert [refused(each) for each in STOLEN] == [{"password_breached"}] * 3
    assert refused(f"{STOLEN[0]}!") == set()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("spelled", [str.upper, str.lower])
def test_the_list_format_of_have_i_been_pwned_is_read(
    listed: Callable[..., Path], end: str, spelled: Callable[[str], str]
) -> None:
    """Lines are sorted, in upper case, with counts, and end with CR LF."""
    lines = [f"{spelled(sha1(each))}:{n + 1}" for n, each in enumerate(STOLEN)]

    assert run(listed(*lines, "", end=end))[1]["inserted"] == 3
    assert breached.is_breached(STOLEN[2])


def test_a_fingerprint_is_kept_once_however_often_it_is_listed(
    listed: Callable[..., Path],
) -> None:
    run(listed(sha1("a"), sha1("b"), sha1("a")))
    code, said = run(listed(sha1("b"), sha1("c"), name="second.txt"))

    assert (code, said["inserted"], said["already_there"]) == (0, 1, 1)
    assert BreachedPassword.objects.count() == 3


def test_a_second_load_changes_nothing_and_says_so(listed: Callable[..., Path]) -> None:
    path = listed(*map(sha1, STOLEN))
    run(path)

    code, said = run(path)

    assert (code, said["repeated"], said["inserted"]) == (0, True, 0)
    assert LoadedFile.objects.filter(kind="breached_passwords").count() == 1
    assert AuditEntry.objects.filter(action="load.breached_passwords").count() == 1


def test_a_wrong_line_refuses_the_file_with_its_number_and_without_its_content(
    listed: Callable[..., Path],
) -> None:
    """Somebody may load a file of plain passwords by mistake."""
    code, said = run(listed(sha1("a"), "", STOLEN[0], sha1("b")[:39], sha1("c")))

    assert (code, said["rows"], said["refused_rows"]) == (1, 4, 2)
    assert [row["line"] for row in said["first"]] == [3, 4]
    assert STOLEN[0] not in json.dumps(said)
    assert not BreachedPassword.objects.exists()
    assert not LoadedFile.objects.exists()


def test_only_so_many_wrong_lines_are_shown(listed: Callable[..., Path]) -> None:
    path = listed(*(f"wrong {number}" for number in range(REFUSALS_SHOWN + 2)))
    with pytest.raises(LoadRefused) as refusal:
        breached.load(path)
    assert len(refusal.value.facts["first"]) == REFUSALS_SHOWN
    assert refusal.value.facts["refused"] == REFUSALS_SHOWN + 2


def test_a_file_that_changes_while_it_is_read_is_refused(listed: Callable[..., Path]) -> None:
    path = listed(sha1("a"), "")
    longer = path.read_bytes() + f"{sha1('b')}\n".encode()

    def append(phase: str, done: int, total: int) -> None:
        path.write_bytes(longer)

    with pytest.raises(LoadRefused, match="changed while it was read"):
        breached.load(path, progress=append)
    assert not BreachedPassword.objects.exists()


def test_a_load_is_a_transaction_of_its_own(listed: Callable[..., Path]) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        breached.load(listed(sha1("a")))


def test_two_loads_at_once_do_not_wait_for_each_other(listed: Callable[..., Path]) -> None:
    path, other = listed(sha1("a")), connection.copy()
    try:
        other.cursor().execute("SELECT pg_advisory_lock(%s, 0)", [int(Lock.LOAD)])
        with pytest.raises(LoadRefused, match="another file is being loaded"):
            breached.load(path)
        # The server frees the locks of a closed connection later.
        other.cursor().execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()
    assert breached.load(path).inserted == 1


def test_lines_are_counted_across_blocks(
    listed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breached, "BLOCK_BYTES", 97)
    good = [sha1(str(n)) for n in range(50)]

    assert run(listed(*good))[1]["inserted"] == 50
    code, said = run(listed(*good, "not one", *good, name="bad.txt"))
    assert (code, [row["line"] for row in said["first"]]) == (1, [51])


def test_the_announced_number_of_lines_is_compared_with_the_file(
    listed: Callable[..., Path],
) -> None:
    path = listed(*map(sha1, STOLEN))

    assert run(path, "--expect-rows", 4)[0] == 1
    assert not BreachedPassword.objects.exists()
    assert run(path, "--expect-rows", 3)[0] == 0


def test_loading_requires_the_permission_to_load(
    listed: Callable[..., Path], staff: Callable[..., Any]
) -> None:
    path = listed(sha1("a"))
    with pytest.raises(NotPermitted):
        breached.load(path, actor=staff("auditor"))

    breached.load(path, actor=staff("treasury_operator"))
    assert LoadedFile.objects.get().loaded_by is not None


def test_a_check_takes_one_query(listed: Callable[..., Path]) -> None:
    run(listed(*map(sha1, STOLEN)))
    with CaptureQueriesContext(connection) as asked:
        breached.is_breached(STOLEN[0])

    assert len(asked) == 1


def test_the_database_stores_only_fingerprints() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        BreachedPassword.objects.create(sha1=b"a password in clear")


# --- the other rules of a new password ----------------------------------------------------------


def test_staff_need_longer_passwords_than_customers() -> None:
    assert refused("r7#kq2w") == {"password_too_short"}
    assert refused("r7#kq2wz") == set()
    assert refused("r7#kq2wzm4v9x1", kind="staff") == {"password_too_short"}
    assert refused("r7#kq2wzm4v9x1y", kind="staff") == set()


@pytest.mark.parametrize(
    "password", ["絵文字も使える🦊狐", "only lower case words", "7" * 7 + "9463", "x y" * 43]
)
def test_long_passwords_of_any_letters_are_accepted(password: str) -> None:
    """No rule about kinds of characters, and 128 characters are accepted (ASVS 6.2.5, 6.2.9)."""
    if password.isdigit():
        password += " and no rule asks for a letter"

    assert refused(password) == set()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_refusal_is_in_the_language_of_the_reader(
    listed: Callable[..., Path], language: str
) -> None:
    run(listed(*map(sha1, STOLEN)))
    with translation.override(language):
        with pytest.raises(ValidationError) as refusal:
            validate_password(STOLEN[0], User(login_id="somebody-new"))
        told = " ".join(refusal.value.messages)

    assert ("一覧" in told) == (language == "ja")
    assert ("published list" in told) == (language == "en")
