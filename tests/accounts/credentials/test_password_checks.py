"""A check of a password does the same work for every account, and takes only hashes it can verify."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argon2
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.core.management import call_command
from django.test import Client

from accounts.credentials import access, hash_costs, password_checks, passwords
from accounts.models import AuthEvent, ImportedHashCost, User
from tests import factories
from tests.accounts import hashers
from tests.accounts.conftest import OLD
from tests.accounts.sign_in.signing import make_stale
from tests.owning import as_loader
from tests.signing_in import is_signed_in, open_session
from winddown import clock
from winddown.loading import file_kinds

pytestmark = pytest.mark.django_db

OF_NO_PASSWORD = "A" * 43
COLUMNS = [each.name for each in file_kinds.get("accounts").columns if not each.may_be_absent]
LONG = "c2FsdHNhbHRzYWx0c2FsdA"


def of_argon2(kind: argon2.low_level.Type, *, memory_kib: int, passes: int, lanes: int) -> str:
    """Returns the hash of OLD, as the reference implementation makes it."""
    made = argon2.low_level.hash_secret(
        OLD.encode(), b"saltsaltsalt", passes, memory_kib, lanes, 16, kind
    )
    return f"argon2{made.decode()}"


def of_pbkdf2(iterations: int) -> str:
    return PBKDF2PasswordHasher().encode(OLD, "c2FsdA", iterations)


# As versions of Django since 1.10 made them.
IMPORTED = {
    "pbkdf2_of_old": lambda: of_pbkdf2(2_000),
    "pbkdf2_of_new": lambda: of_pbkdf2(30_000),
    "argon2i": lambda: of_argon2(argon2.low_level.Type.I, memory_kib=512, passes=2, lanes=2),
    "argon2d": lambda: of_argon2(argon2.low_level.Type.D, memory_kib=64, passes=1, lanes=8),
    "argon2id": lambda: of_argon2(argon2.low_level.Type.ID, memory_kib=1_024, passes=1, lanes=1),
    "without": lambda: "",
}


@pytest.fixture(autouse=True)
def recorded(settings: Any, switches: None) -> None:
    settings.PASSWORD_HASHERS = [
        "tests.accounts.hashers.RecordingArgon2",
        "tests.accounts.hashers.RecordingPBKDF2",
    ]


Load = Callable[[dict[str, str]], tuple[int, str]]


@pytest.fixture
def load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Load:
    """`load({"name": hash})` loads accounts by the command; returns its exit code and its words."""
    by = factories.make_staff("treasury_operator").login_id

    def load(hashes: dict[str, str]) -> tuple[int, str]:
        file = tmp_path / f"{factories.unique('accounts')}.csv"
        with file.open("w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(COLUMNS)
            rows.writerows(
                [name, name, *[""] * 6, "2019-07-01T09:00:00+09:00", encoded]
                for name, encoded in hashes.items()
            )
        try:
            with as_loader():
                call_command("load_accounts", str(file), by=by, reason="test")
        except SystemExit as end:
            return int(end.code or 0), capsys.readouterr().out
        return 0, capsys.readouterr().out

    return load


def attempt(login_id: str, password: str) -> tuple[Counter[str], str]:
    """Returns the work that one sign-in takes, and its outcome."""
    hashers.work_done()
    answer = Client().post("/sign-in/", {"login_id": login_id, "password": password})
    assert answer.status_code in (200, 302)
    return hashers.work_done(), AuthEvent.objects.latest("id").outcome


@pytest.fixture
def imported(load: Load) -> None:
    assert load({name: make() for name, make in IMPORTED.items()})[0] == 0


def test_every_sign_in_takes_the_same_work(imported: None, staff: Callable[..., Any]) -> None:
    unparsable = factories.make_customer(login_id="unparsable", password="argon2$nonsense")
    member = staff("auditor")
    kinds = [*IMPORTED, "nobody", unparsable.login_id, member.login_id]

    work = {login_id: attempt(login_id, "guess")[0] for login_id in kinds}

    assert work["nobody"] == {
        hash_costs.present_cost(): 1,
        "argon2$argon2d$v=19$m=64,t=1,p=8": 1,
        "argon2$argon2i$v=19$m=512,t=2,p=2": 1,
        "pbkdf2_sha256": 30_000,
    }
    for login_id in kinds:
        assert work[login_id] == work["nobody"], login_id


@pytest.mark.parametrize("name", [name for name in IMPORTED if name != "without"])
def test_the_right_password_takes_no_other_work_and_signs_in(imported: None, name: str) -> None:
    """It is renewed with the hash that was made anyway, and only when it lets its owner in."""
    wrong = attempt("nobody", "guess")[0]
    owner = User.objects.get(login_id=name)
    access.disable(owner, actor=factories.make_staff("incident_commander"), reason="test")
    assert attempt(name, OLD) == (wrong, "refused")
    assert User.objects.get(pk=owner.pk).password == owner.password
    User.objects.filter(pk=owner.pk).update(is_active=True)

    assert attempt(name, OLD) == (wrong, "success")

    renewed = User.objects.get(pk=owner.pk)
    assert hash_costs.cost_of(renewed.password) == hash_costs.present_cost()
    assert renewed.password_set_at == owner.password_set_at
    assert attempt(name, OLD) == (wrong, "success")


@pytest.mark.parametrize("name", ["argon2i", "argon2d", "pbkdf2_of_old"])
def test_a_hash_of_another_cost_is_compared_and_renewed_if_it_is_right(name: str) -> None:
    encoded = IMPORTED[name]()
    wrong, right = (password_checks.compare(each, encoded) for each in ("guess", OLD))
    assert wrong == password_checks.Compared(right=False)
    assert right.right
    assert hash_costs.cost_of(right.renewed) == hash_costs.present_cost()
    assert hash_costs.verify(OLD, right.renewed)


def test_without_loaded_hashes_and_after_a_finished_reset_one_hash_is_enough(
    imported: None, done: Callable[..., Any]
) -> None:
    done("reset-all-passwords", mail="file")

    assert ImportedHashCost.objects.exists()
    assert attempt("pbkdf2_of_old", OLD)[0] == {hash_costs.present_cost(): 1}
    assert attempt("nobody", "guess")[0] == {hash_costs.present_cost(): 1}


def test_a_started_reset_still_does_the_work_of_all(
    imported: None, started: Callable[..., Any]
) -> None:
    started("reset-all-passwords", mail="file")

    work, outcome = attempt("pbkdf2_of_old", OLD)

    assert outcome == "refused"
    assert work == attempt("nobody", "guess")[0]
    assert len(work) == 4


REFUSED = [
    f"pbkdf2_sha256$1000001$c2FsdA${OF_NO_PASSWORD}=",
    f"pbkdf2_sha256$999999999$c2FsdA${OF_NO_PASSWORD}=",
    f"pbkdf2_sha256$0$c2FsdA${OF_NO_PASSWORD}=",
    f"pbkdf2_sha256$01000$c2FsdA${OF_NO_PASSWORD}=",
    f"pbkdf2_sha256$-5$c2FsdA${OF_NO_PASSWORD}=",
    f"pbkdf2_sha256$\N{FULLWIDTH DIGIT ONE}000$c2FsdA${OF_NO_PASSWORD}=",
    f"pbkdf2_sha256$1000$${OF_NO_PASSWORD}=",
    f"pbkdf2_sha256$1000$c2FsdA${OF_NO_PASSWORD}",
    f"pbkdf2_sha256$1000$c2FsdA${OF_NO_PASSWORD[:-1]}B=",
    "pbkdf2_sha256$1000$c2FsdA$aGFzaA==",
    "pbkdf2_sha256$1000$c2FsdA",
    "pbkdf2_sha256$",
    f"pbkdf2_sha1$1000$c2FsdA${OF_NO_PASSWORD}=",
    f"argon2$argon2id$v=19$m=102401,t=2,p=8${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2id$v=19$m=1048576,t=2,p=8${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2id$v=19$m=63,t=2,p=8${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2id$v=19$m=102400,t=3,p=8${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2id$v=19$m=102400,t=0,p=8${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2id$v=19$m=102400,t=2,p=9${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2id$v=16$m=102400,t=2,p=8${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2id$m=102400,t=2,p=8${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2x$v=19$m=102400,t=2,p=8${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2id$v=19$t=2,m=102400,p=8${LONG}${OF_NO_PASSWORD}",
    f"argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA${OF_NO_PASSWORD}",
    f"argon2$argon2id$v=19$m=102400,t=2,p=8${LONG}$c2FsdA",
    f"argon2$argon2id$v=19$m=102400,t=2,p=8${LONG}${OF_NO_PASSWORD}AA",
    f"argon2$argon2id$v=19$m=102400,t=2,p=8${LONG}",
    "argon2$nonsense",
    "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuv",
    "!",
    "secret",
]


@pytest.mark.parametrize("encoded", REFUSED)
def test_a_hash_that_is_too_costly_or_cannot_be_read_is_refused_with_its_line(
    load: Load, encoded: str
) -> None:
    code, said = load({"fine": of_pbkdf2(1_000), "other": encoded})

    assert code == 1
    assert "line 3, password_hash: is not a password hash" in said
    assert not re.search("[$]c2FsdA|nonsense|secret", said)
    assert not User.objects.customers().exists()
    assert not ImportedHashCost.objects.exists()


@pytest.mark.parametrize("encoded", REFUSED)
def test_a_stored_hash_that_cannot_be_read_is_a_wrong_password(encoded: str) -> None:
    factories.make_customer(login_id="someone", password=encoded)

    work, outcome = attempt("someone", OLD)

    assert outcome == "wrong_password"
    assert work == {hash_costs.present_cost(): 1}


@pytest.mark.parametrize("column", ["password", "refused_hash"])
@pytest.mark.parametrize("encoded", ["argon2$nonsense", "pbkdf2_sha256$1000", "secret"])
def test_a_stored_hash_that_cannot_be_read_does_not_stop_a_new_password(
    column: str, encoded: str
) -> None:
    someone = factories.make_customer(**{"login_id": "someone", column: encoded})

    passwords.choose_password(someone, OLD, authority_at=clock.now())

    assert attempt("someone", OLD)[1] == "success"


def test_every_hash_that_is_taken_can_be_verified(load: Load) -> None:
    """The costs at each end of what is taken."""
    at_the_ends = {
        "most": of_argon2(argon2.low_level.Type.ID, memory_kib=102_400, passes=2, lanes=8),
        "least": of_argon2(argon2.low_level.Type.I, memory_kib=64, passes=1, lanes=8),
        "iterations": of_pbkdf2(1_000_000),
        "iteration": of_pbkdf2(1),
        "own": make_password(OLD),
    }
    assert load(at_the_ends)[0] == 0

    for name in at_the_ends:
        assert attempt(name, OLD)[1] == "success", name


def test_hashes_have_a_few_costs_and_no_more(load: Load) -> None:
    """Each cost is work for everybody. The costs that were loaded earlier count."""
    of = argon2.low_level.Type.I
    first = of_argon2(of, memory_kib=64, passes=1, lanes=1)
    assert load({"own": make_password(OLD), "one": first, "p": of_pbkdf2(5)})[0] == 0
    second = of_argon2(of, memory_kib=65, passes=1, lanes=1)
    third = of_argon2(of, memory_kib=66, passes=1, lanes=1)

    code, said = load({"again": first, "two": second, "three": third})

    assert code == 1
    assert "1 of 3 rows are refused" in said
    assert "line 4, password_hash: has a cost of its own" in said
    assert load({"again": first, "two": second, "q": of_pbkdf2(7)})[0] == 0
    assert load({"three": third})[0] == 1
    assert len(password_checks.costs_in_use()) == 5
    assert attempt("nobody", "guess")[0].keys() == {
        "argon2$argon2i$v=19$m=64,t=1,p=1",
        "argon2$argon2i$v=19$m=65,t=1,p=1",
        hash_costs.present_cost(),
        "pbkdf2_sha256",
    }


def test_a_fresh_proof_by_password_renews_the_hash_and_keeps_the_session(imported: None) -> None:
    """A session depends on the stored hash."""
    someone, browser = User.objects.get(login_id="pbkdf2_of_old"), Client()
    open_session(browser, someone)
    make_stale(browser)

    browser.post("/account/confirm/password/", {"password": OLD})

    assert AuthEvent.objects.latest("id").outcome == "success"
    renewed = User.objects.get(pk=someone.pk).password
    assert hash_costs.cost_of(renewed) == hash_costs.present_cost()
    assert is_signed_in(browser)
