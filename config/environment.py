"""Settings are read from the environment, and a value that is not understood raises."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PREFIX = "WINDDOWN_"
_OF_PROVIDER = re.compile(rf"{PREFIX}OIDC_([A-Z][A-Z0-9_]*?)_(?:URL|CLIENT_ID|SECRET)")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
# Options of libpq that a deployment may set in the URL. Anything else is a typing error.
_LIBPQ_PARAMETERS = frozenset(
    {
        "connect_timeout",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "passfile",
        "service",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "target_session_attrs",
        "tcp_user_timeout",
    }
)

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_TLS_MODES = frozenset({"require", "verify-ca", "verify-full"})
# The option by which a Redis client trusts any certificate.
_FALSE_TLS = _FALSE | {"none", "optional"}


class Environment:
    """The variables of one process, read by name and type. None of ours stays unread."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables
        self._known: set[str] = set()

    def text(self, name: str, *, default: str = "", in_production: bool = False) -> str:
        """Returns the text. With `in_production` there is no default: raises if the variable is not
        set.
        """
        self._known.add(name)
        value = self._variables.get(name, "" if in_production else default).strip()
        if in_production and not value:
            raise ImproperlyConfigured(f"{name} must be set when WINDDOWN_MODE is production.")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Returns true for 1/true/yes/on and false for 0/false/no/off. Raises for anything else."""
        value = self.text(name).lower()
        if not value:
            return default
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise ImproperlyConfigured(f"{name} must be one of 1, true, yes, on, 0, false, no, off.")

    def choice(self, name: str, *, options: Sequence[str], default: str) -> str:
        value = self.text(name) or default
        if value not in options:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}.")
        return value

    def whole_number(self, name: str, *, default: int, least: int = 0) -> int:
        value = self.text(name)
        if not value:
            return default
        if not (value.isascii() and value.isdecimal()) or int(value) < least:
            raise ImproperlyConfigured(f"{name} must be a whole number of at least {least}.")
        return int(value)

    def words(self, name: str, *, default: Sequence[str] = ()) -> list[str]:
        value = self.text(name)
        return [word.strip() for word in value.split(",") if word.strip()] or list(default)

    def names_like(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """Returns the matches of the names of the variables that are set."""
        return [found for name in self._variables if (found := pattern.fullmatch(name))]

    def refuse_unknown(self) -> None:
        """Every variable with our prefix has been read. Raises with the names of misspelt ones."""
        unknown = sorted(
            name for name in self._variables if name.startswith(PREFIX) and name not in self._known
        )
        if unknown:
            raise ImproperlyConfigured(
                f"Unknown environment variables: {', '.join(unknown)}. "
                f"Known are: {', '.join(sorted(n for n in self._known if n.startswith(PREFIX)))}."
            )


def database_from_url(url: str) -> dict[str, Any]:
    """Returns a DATABASES entry for `postgres://user:password@host:port/name?sslmode=...`.

    A Unix socket is named by its directory: `postgres://user@/name?host=/run/postgresql`.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must start with postgres:// or postgresql://.")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL must name a database: postgres://user@host/name.")
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = parameters.pop("host", "") or unquote(parts.hostname or "")
    try:
        port = parameters.pop("port", "") or str(parts.port or "")
    except ValueError as error:
        raise ImproperlyConfigured("DATABASE_URL has a port that is not a number.") from error
    unknown = sorted(set(parameters) - _LIBPQ_PARAMETERS)
    if unknown:
        raise ImproperlyConfigured(f"DATABASE_URL has unknown parameters: {', '.join(unknown)}.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        "OPTIONS": parameters,
    }


def refuse_plain_database(entry: Mapping[str, Any]) -> None:
    """Raises if the DATABASES entry leads to another machine without TLS."""
    options = entry["OPTIONS"]
    hosts = [host for host in entry["HOST"].split(",") if not _is_here(host)]
    # The host of a service is in a file that only libpq reads.
    if (hosts or "service" in options) and options.get("sslmode") not in _TLS_MODES:
        raise ImproperlyConfigured(
            "DATABASE_URL must say sslmode=verify-full (or sslmode=require) when the database is"
            " on another machine and WINDDOWN_MODE is production."
        )


def refuse_plain_broker(url: str) -> None:
    """Raises if the server of REDIS_URL is on another machine and not reached by TLS."""
    parts = urlsplit(url)
    if parts.scheme == "unix" or _is_here(parts.hostname or ""):
        return
    parameters = dict(parse_qsl(parts.query))
    unchecked = {
        parameters.get(name, "").lower() for name in ("ssl_cert_reqs", "ssl_check_hostname")
    }
    if parts.scheme != "rediss" or unchecked & _FALSE_TLS:
        raise ImproperlyConfigured(
            "REDIS_URL must start with rediss:// and check the server's certificate when the"
            " broker is on another machine and WINDDOWN_MODE is production."
        )


def refuse_any_host(hosts: Sequence[str]) -> None:
    """Raises if no site is named, and for a star, with which a visitor could name the site."""
    if not hosts or any("*" in host for host in hosts):
        raise ImproperlyConfigured(
            "WINDDOWN_ALLOWED_HOSTS must name the sites, without *, when WINDDOWN_MODE is"
            " production."
        )


def _is_here(host: str) -> bool:
    """Returns whether the host is this machine. A path is the directory of a socket."""
    return not host or host.startswith("/") or host in _THIS_MACHINE


def email_from_url(url: str) -> dict[str, Any]:
    """Returns Django's EMAIL_ settings for `smtp://user:password@host:port?tls=starttls`.

    `tls` is `starttls` (the default), `implicit` or `none`. `timeout` is the number of seconds for
    each answer of the server, 10 by default. A password is sent without TLS only to this machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "smtp" or not parts.hostname or parts.path.strip("/"):
        raise ImproperlyConfigured(
            "WINDDOWN_EMAIL_URL must be smtp://user:password@host:port?tls=starttls."
        )
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    tls = parameters.pop("tls", "starttls")
    timeout = parameters.pop("timeout", "10")
    if tls not in ("starttls", "implicit", "none"):
        raise ImproperlyConfigured(
            "WINDDOWN_EMAIL_URL must say tls=starttls, tls=implicit or tls=none."
        )
    if not timeout.isdecimal() or not 1 <= int(timeout) <= 60:
        raise ImproperlyConfigured("WINDDOWN_EMAIL_URL has a timeout that is not 1 to 60 seconds.")
    if parameters:
        raise ImproperlyConfigured(
            f"WINDDOWN_EMAIL_URL has unknown parameters: {', '.join(sorted(parameters))}."
        )
    if parts.username and tls == "none" and parts.hostname not in _THIS_MACHINE:
        raise ImproperlyConfigured("WINDDOWN_EMAIL_URL must not send a password without TLS.")
    try:
        port = parts.port or (465 if tls == "implicit" else 587)
    except ValueError as error:
        raise ImproperlyConfigured("WINDDOWN_EMAIL_URL has a port that is not a number.") from error
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": tls == "starttls",
        "EMAIL_USE_SSL": tls == "implicit",
        "EMAIL_TIMEOUT": int(timeout),
    }


def broker_from_url(url: str) -> str:
    """Returns the URL in the spelling of Celery, where a Unix socket is `redis+socket://`."""
    parts = urlsplit(url)
    if parts.scheme in {"redis", "rediss"}:
        return url
    if parts.scheme == "unix":
        database = dict(parse_qsl(parts.query)).get("db", "0")
        return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={database}"
    raise ImproperlyConfigured("REDIS_URL must start with redis://, rediss:// or unix://.")


def site_url(url: str, *, schemes: Sequence[str]) -> str:
    """Returns the address of this site without a slash at its end. Raises if it is no address."""
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ImproperlyConfigured(
            "WINDDOWN_SITE_URL must be the site's address, such as https://refunds.example.org."
        )
    return url.rstrip("/")


def configured_providers(environment: Environment) -> list[str]:
    """Returns the codes of the login providers that the environment connects, in alphabetical
    order. The programme declares which codes there are, so no list of them is known here.
    """
    return sorted({found[1].lower() for found in environment.names_like(_OF_PROVIDER)})


def provider_app(
    environment: Environment, provider: str, *, schemes: Sequence[str]
) -> dict[str, Any] | None:
    """Returns the external login of the provider in the form of allauth, or None if none is set.

    Three variables set it together. The issuer's address has one of the schemes.
    """
    prefix = f"WINDDOWN_OIDC_{provider.upper()}"
    given = {part: environment.text(f"{prefix}_{part}") for part in ("URL", "CLIENT_ID", "SECRET")}
    if not any(given.values()):
        return None
    if missing := [f"{prefix}_{part}" for part, value in given.items() if not value]:
        raise ImproperlyConfigured(f"{', '.join(missing)} must be set with the others of {prefix}.")
    url = urlsplit(given["URL"])
    if url.scheme not in schemes or not url.hostname or url.query or url.fragment or url.username:
        raise ImproperlyConfigured(
            f"{prefix}_URL must be the issuer's {' or '.join(schemes)} address."
        )
    return {
        "provider_id": provider,
        "name": provider,
        "client_id": given["CLIENT_ID"],
        "secret": given["SECRET"],
        "settings": {
            "server_url": given["URL"].rstrip("/"),
            "oauth_pkce_enabled": True,
            # Only the subject of the person is asked for.
            "scope": ["openid"],
            "fetch_userinfo": False,
        },
    }
