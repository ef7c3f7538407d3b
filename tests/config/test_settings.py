"""The settings read the environment and refuse unknown values."""

import base64
import importlib
import os
import subprocess
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryFile
from typing import NoReturn

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment, broker_from_url, database_from_url, email_from_url

ROOT = Path(__file__).resolve().parents[2]
SERVERS = {
    "DATABASE_URL": "postgres://nobody@/nothing?host=/nonexistent",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
PRODUCTION = SERVERS | {
    "WINDDOWN_MODE": "production",
    "WINDDOWN_SECRET_KEY": "tLw0bJZ7uQyVx3kNfR8sGmEo5HcPiA2dYqT9rKzUeWnB6jXvDhM4",
    "WINDDOWN_FIELD_KEY": "jXa/RkPxq5kzTRIC9BunLteeCwmvQ8Zgfi1b6kSVAE4=",
    "WINDDOWN_ALLOWED_HOSTS": "refunds.example.org, console.example.org",
    "WINDDOWN_SITE_URL": "https://refunds.example.org",
    "WINDDOWN_EMAIL_URL": "smtp://sender:secret@mail.example.org",
    "WINDDOWN_EMAIL_FROM": "Service <notices@example.org>",
}
LINE = {
    "WINDDOWN_OIDC_LINE_URL": "https://access.line.me/",
    "WINDDOWN_OIDC_LINE_CLIENT_ID": "1",
    "WINDDOWN_OIDC_LINE_SECRET": "2",
}


def read(
    home: Path, variables: dict[str, str], *, show: str = "MODE"
) -> subprocess.CompletedProcess[str]:
    """One process reads the settings with these variables and prints one of them.

    It is a copy of this one, which has imported what the settings import.
    """
    with TemporaryFile("w+") as printed, TemporaryFile("w+") as complained:
        child = os.fork()
        if child == 0:
            try:
                os.dup2(printed.fileno(), 1)
                os.dup2(complained.fileno(), 2)
                _print_setting({"WINDDOWN_LOCAL_DIR": str(home)} | variables, show)
            finally:
                os._exit(3)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        printed.seek(0)
        complained.seek(0)
        return subprocess.CompletedProcess([show], code, printed.read(), complained.read())


def _print_setting(variables: dict[str, str], show: str) -> NoReturn:
    """This process ends as a program does that reads the settings anew and prints one of them."""
    sys.stdout, sys.stderr = (os.fdopen(number, "w") for number in (1, 2))
    for name in list(os.environ):
        if name in SERVERS or name.startswith("WINDDOWN_"):
            del os.environ[name]
    os.environ.update(variables)
    sys.argv = ["-c"]
    sys.modules.pop("config.settings", None)
    code = 0
    try:
        settings = importlib.import_module("config.settings")
        print(*eval(f"[{show}]", vars(settings), {"settings": settings}))  # noqa: S307
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"WINDDOWN_DEBUGG": "1"}, "Unknown environment variables: WINDDOWN_DEBUGG."),
        ({"WINDDOWN_DEBUG": "maybe"}, "WINDDOWN_DEBUG must be one of 1, true, yes, on, 0,"),
        ({"WINDDOWN_MODE": "prod"}, "WINDDOWN_MODE must be one of development, production."),
        ({"WINDDOWN_ROLE": "webb"}, "WINDDOWN_ROLE must be one of web, worker, command."),
        ({"WINDDOWN_DB_CONNECTION_S_MAX": "-1"}, "must be a whole number of at least 0."),
        ({"WINDDOWN_TRUSTED_PROXIES": "all"}, "must be a whole number of at least 0."),
        (
            {"WINDDOWN_PASSWORD_MEMORY_KIB": "19455", "WINDDOWN_REHEARSAL": "0"},
            "must be a whole number of at least 19456.",
        ),
        ({"WINDDOWN_PASSWORD_MEMORY_KIB": "1023"}, "must be a whole number of at least 1024."),
        ({"WINDDOWN_PASSWORD_MEMORY_KIB": "204800"}, "must be at most 102400."),
        ({"WINDDOWN_FIELD_KEY": "c2hvcnQ="}, "WINDDOWN_FIELD_KEY must be 32 bytes in base64."),
        ({"WINDDOWN_FIELD_KEY": "!"}, "WINDDOWN_FIELD_KEY must be base64."),
        ({"WINDDOWN_DATABASE_ROLE": "a -c fsync=off"}, "must be the name of one role."),
        ({"DATABASE_URL": "mysql://root@/x"}, "DATABASE_URL must start with postgres://"),
        ({"DATABASE_URL": "postgres://a@b/"}, "DATABASE_URL must name a database"),
        ({"DATABASE_URL": "postgres://a@b/c?ssl=1"}, "DATABASE_URL has unknown parameters: ssl."),
        ({"REDIS_URL": "amqp://localhost"}, "REDIS_URL must start with redis://"),
        (
            {"WINDDOWN_OIDC_LINE_URL": "https://access.line.me"},
            "WINDDOWN_OIDC_LINE_CLIENT_ID, WINDDOWN_OIDC_LINE_SECRET must be set with the others",
        ),
        (LINE | {"WINDDOWN_OIDC_LINE_URL": "access.line.me"}, "WINDDOWN_OIDC_LINE_URL must be"),
        ({"WINDDOWN_OIDC_LINE_URI": "https://x"}, "Unknown environment variables"),
        ({"WINDDOWN_EMAIL_URL": "http://mail"}, "WINDDOWN_EMAIL_URL must be smtp://"),
        ({"WINDDOWN_EMAIL_URL": "smtp://mail?tls=yes"}, "must say tls=starttls, tls=implicit or"),
        ({"WINDDOWN_EMAIL_URL": "smtp://mail?ssl=1"}, "has unknown parameters: ssl."),
        ({"WINDDOWN_EMAIL_URL": "smtp://mail:x"}, "has a port that is not a number."),
        ({"WINDDOWN_EMAIL_URL": "smtp://mail?timeout=0"}, "has a timeout that is not 1 to 60"),
        (
            {"WINDDOWN_EMAIL_URL": "smtp://u:p@mail?tls=none"},
            "must not send a password without TLS.",
        ),
        ({"WINDDOWN_EMAIL_FROM": "nobody"}, "WINDDOWN_EMAIL_FROM must be an address, or"),
    ],
)
def test_an_unknown_value_raises_an_error(
    tmp_path: Path, variables: dict[str, str], sentence: str
) -> None:
    refused = read(tmp_path, SERVERS | variables)

    assert refused.returncode != 0
    assert sentence in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize("cookie", ["SESSION", "CSRF", "LANGUAGE"])
def test_scripts_see_no_cookie_and_in_production_only_tls_carries_it(
    tmp_path: Path, cookie: str
) -> None:
    show = f"{cookie}_COOKIE_HTTPONLY, settings.{cookie}_COOKIE_SECURE"
    assert read(tmp_path, PRODUCTION, show=show).stdout == "True True\n"


@pytest.mark.parametrize("missing", sorted(PRODUCTION.keys() - {"WINDDOWN_MODE"}))
def test_production_refuses_to_start_without_a_required_variable(
    tmp_path: Path, missing: str
) -> None:
    refused = read(tmp_path, {key: text for key, text in PRODUCTION.items() if key != missing})

    assert refused.returncode != 0
    assert missing in refused.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_production_starts_with_everything_it_needs(tmp_path: Path) -> None:
    assert read(tmp_path, PRODUCTION, show="ALLOWED_HOSTS").stdout == (
        "['refunds.example.org', 'console.example.org']\n"
    )


def test_a_provider_in_the_environment_is_offered_and_allowed_as_form_target(
    tmp_path: Path,
) -> None:
    apps = "SOCIALACCOUNT_PROVIDERS['openid_connect']['APPS']"
    show = (
        f"{apps}[0]['provider_id'], settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']"
    )

    assert read(tmp_path, PRODUCTION | LINE, show=show).stdout == (
        "line [\"'self'\", 'https://access.line.me']\n"
    )
    assert read(tmp_path, PRODUCTION, show=apps).stdout == "[]\n"


def test_production_accepts_only_providers_with_https(tmp_path: Path) -> None:
    plain = LINE | {"WINDDOWN_OIDC_LINE_URL": "http://access.line.me"}

    assert "https address" in read(tmp_path, PRODUCTION | plain).stderr
    assert read(tmp_path, SERVERS | plain).returncode == 0


def test_production_refuses_debug(tmp_path: Path) -> None:
    refused = read(tmp_path, PRODUCTION | {"WINDDOWN_DEBUG": "on"})

    assert "WINDDOWN_DEBUG must be off" in refused.stderr


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DATABASE_URL", "postgres://a:b@db.example.org/c", "must say sslmode=verify-full"),
        ("DATABASE_URL", "postgres://a@db.example.org/c?sslmode=prefer", "must say sslmode="),
        ("DATABASE_URL", "postgres://a@/c?host=127.0.0.1,10.0.0.2", "must say sslmode="),
        ("DATABASE_URL", "postgres://a@/c?service=there", "must say sslmode="),
        ("REDIS_URL", "redis://:secret@broker.example.org/0", "must start with rediss://"),
        ("REDIS_URL", "rediss://broker.example.org/0?ssl_cert_reqs=none", "check the server's"),
        ("WINDDOWN_ALLOWED_HOSTS", "*", "must name the sites, without *"),
        ("WINDDOWN_ALLOWED_HOSTS", "refunds.example.org, *", "must name the sites, without *"),
        ("WINDDOWN_SECRET_KEY", "short", "at least 50 random characters"),
        ("WINDDOWN_SECRET_KEY", "ab" * 32, "at least 50 random characters"),
        ("WINDDOWN_SECRET_KEY_FALLBACKS", "short", "at least 50 random characters"),
        ("WINDDOWN_FIELD_KEY", base64.b64encode(bytes(32)).decode(), "must be 32 random bytes"),
        ("WINDDOWN_FIELD_KEY", base64.b64encode(b"\xff\x00" * 16).decode(), "32 random bytes"),
        ("WINDDOWN_FIELD_KEY", base64.b64encode(bytes(range(200, 232))).decode(), "32 random"),
        (
            "WINDDOWN_FIELD_KEY",
            base64.b64encode(b"a sentence that somebody typed!!").decode(),
            "32",
        ),
        ("WINDDOWN_FIELD_KEY", base64.b64encode(b"only sixteen byt").decode(), "32 bytes"),
        ("WINDDOWN_REHEARSAL", "yes", "WINDDOWN_REHEARSAL must be off"),
        ("WINDDOWN_EMAIL_FROM", "notices@localhost", "must name a host that customers can"),
    ],
)
def test_production_refuses_values_that_protect_nothing(
    tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    refused = read(tmp_path, PRODUCTION | {variable: value}).stderr.splitlines()[-1]

    assert variable in refused
    assert sentence in refused


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgres://a:b@db.example.org/c?sslmode=require"),
        ("DATABASE_URL", "postgres://a:b@db.example.org/c?sslmode=verify-full"),
        ("DATABASE_URL", "postgres://a:b@localhost/c"),
        ("REDIS_URL", "rediss://:secret@broker.example.org/0"),
        ("REDIS_URL", "unix:///run/valkey/valkey.sock?db=0"),
    ],
)
def test_production_accepts_local_servers_and_servers_behind_tls(
    tmp_path: Path, variable: str, value: str
) -> None:
    assert read(tmp_path, PRODUCTION | {variable: value}).stdout == "production\n"


def test_the_rehearsal_app_is_installed_only_in_development(tmp_path: Path) -> None:
    show = "INSTALLED_APPS.count('rehearsal')"

    assert read(tmp_path, PRODUCTION, show=show).stdout == "0\n"
    assert read(tmp_path, SERVERS, show=show).stdout == "1\n"


def test_development_keys_are_made_once_and_readable_only_by_their_owner(tmp_path: Path) -> None:
    first = read(tmp_path, SERVERS, show="SECRET_KEY, settings.FIELD_KEY")
    second = read(tmp_path, SERVERS, show="SECRET_KEY, settings.FIELD_KEY")

    assert first.stdout == second.stdout
    assert len(first.stdout) > 80
    for name in ("secret.key", "field.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_wrong_setting_is_reported_in_one_sentence() -> None:
    refused = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | SERVERS | {"WINDDOWN_MODE": "prod"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 1
    assert refused.stderr == ("manage.py: WINDDOWN_MODE must be one of development, production.\n")


def test_a_socket_directory_is_a_database_host() -> None:
    found = database_from_url("postgres://user@/name?host=/run/my%20server")

    assert (found["HOST"], found["PORT"], found["NAME"], found["USER"]) == (
        "/run/my server",
        "",
        "name",
        "user",
    )


def test_a_password_may_hold_any_character() -> None:
    found = database_from_url("postgresql://user:p%40s%2Fs@db.example.org:5433/x?sslmode=require")

    assert (found["PASSWORD"], found["HOST"], found["PORT"]) == ("p@s/s", "db.example.org", "5433")
    assert found["OPTIONS"] == {"sslmode": "require"}


def test_a_socket_url_is_translated_for_celery() -> None:
    assert broker_from_url("unix:///run/valkey.sock?db=3") == (
        "redis+socket:///run/valkey.sock?virtual_host=3"
    )
    assert broker_from_url("unix://me:secret@/run/valkey.sock?db=3") == (
        "redis+socket://me:secret@/run/valkey.sock?virtual_host=3"
    )
    assert broker_from_url("redis://host:6379/1") == "redis://host:6379/1"


def test_a_mail_server_is_one_address() -> None:
    found = email_from_url("smtp://who%40us:p%2Fw@mail.example.org:2525?tls=implicit&timeout=5")

    assert found == {
        "EMAIL_HOST": "mail.example.org",
        "EMAIL_PORT": 2525,
        "EMAIL_HOST_USER": "who@us",
        "EMAIL_HOST_PASSWORD": "p/w",
        "EMAIL_USE_TLS": False,
        "EMAIL_USE_SSL": True,
        "EMAIL_TIMEOUT": 5,
    }
    assert email_from_url("smtp://u:p@localhost?tls=none")["EMAIL_PORT"] == 587


@pytest.mark.parametrize(("word", "meant"), [("1", True), ("On", True), ("no", False), ("", True)])
def test_a_flag_has_its_stated_value_and_the_default_only_when_empty(
    word: str, meant: bool
) -> None:
    assert Environment({"WINDDOWN_X": word}).flag("WINDDOWN_X", default=True) is meant


def test_an_unknown_variable_is_named() -> None:
    environment = Environment({"WINDDOWN_READ": "1", "WINDDOWN_UNREAD": "1", "HOME": "/"})
    environment.flag("WINDDOWN_READ", default=False)

    with pytest.raises(
        ImproperlyConfigured, match="Unknown environment variables: WINDDOWN_UNREAD"
    ):
        environment.refuse_unknown()
