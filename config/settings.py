"""Django's settings: one file, read from the environment, raising on what it does not understand."""

import base64
import binascii
import os
import secrets
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import embedded
from config.environment import Environment, broker_from_url, database_from_url
from config.schedule import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
environment = Environment()
# Everything this machine makes for itself: development keys, embedded servers, replays. Never committed.
LOCAL_DIR = Path(environment.text("WINDDOWN_LOCAL_DIR", default=str(BASE_DIR / ".local")))


# --- What kind of process this is -----------------------------------------------------------------

MODE = environment.choice(
    "WINDDOWN_MODE", options=("development", "production"), default="development"
)
PRODUCTION = MODE == "production"
# Sessions of the three roles have different time limits in the database; see DATABASES.
ROLE = environment.choice("WINDDOWN_ROLE", options=("web", "worker", "command"), default="command")
# Off even in development: Django keeps every query of a long command in memory while it is on.
DEBUG = environment.flag("WINDDOWN_DEBUG", default=False)
# The rehearsal holds a generator of customers and a simulated bank, which production may leave out.
REHEARSAL = environment.flag("WINDDOWN_REHEARSAL", default=not PRODUCTION)

if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("WINDDOWN_DEBUG must be off when WINDDOWN_MODE is production.")


# --- Secrets --------------------------------------------------------------------------------------


def _development_secret(name: str) -> str:
    """32 random bytes exist under .local/, readable by their owner only, in base64."""
    path = LOCAL_DIR / name
    try:
        LOCAL_DIR.mkdir(mode=0o755, exist_ok=True)
        # Linked into place complete, so that two processes that start together agree on one key.
        draft = path.with_name(f"{name}.{os.getpid()}")
        if not path.exists():
            draft.touch(mode=0o600)
            draft.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text().strip()
    except PermissionError as error:
        raise ImproperlyConfigured(
            f"{path} belongs to another user of this checkout; run as that user or remove {LOCAL_DIR}."
        ) from error


def _secret(variable: str, *, development_file: str) -> str:
    value = environment.text(variable)
    if value:
        return value
    if PRODUCTION:
        raise ImproperlyConfigured(f"{variable} must be set when WINDDOWN_MODE is production.")
    return _development_secret(development_file)


def _field_key(value: str) -> bytes:
    """The 32 bytes of the key that encrypts payee data at rest."""
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ImproperlyConfigured("WINDDOWN_FIELD_KEY must be base64.") from error
    if len(key) != 32:
        raise ImproperlyConfigured("WINDDOWN_FIELD_KEY must be 32 bytes in base64.")
    return key


SECRET_KEY = _secret("WINDDOWN_SECRET_KEY", development_file="secret.key")
SECRET_KEY_FALLBACKS = environment.words("WINDDOWN_SECRET_KEY_FALLBACKS")
FIELD_KEY = _field_key(_secret("WINDDOWN_FIELD_KEY", development_file="field.key"))


# --- Applications ---------------------------------------------------------------------------------

_ROOMS = ["winddown", "accounts", "wallets", "refunds"] + (["rehearsal"] if REHEARSAL else [])
_ROOMS = [room for room in _ROOMS if (BASE_DIR / room / "__init__.py").exists()]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "pgtrigger",
    "django_fsm",
    "django_htmx",
    "csp",
    *_ROOMS,
]
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"


# --- Servers --------------------------------------------------------------------------------------


def _server_url(variable: str, kind: type[embedded.Server]) -> str:
    """The server the variable names, or the embedded one, which then runs while this process does."""
    url = environment.text(variable)
    if url:
        return url
    if PRODUCTION:
        raise ImproperlyConfigured(f"{variable} must be set when WINDDOWN_MODE is production.")
    try:
        return embedded.ensure(kind, home=LOCAL_DIR)
    except embedded.EmbeddedServerError as error:
        raise ImproperlyConfigured(str(error)) from error


_database_url = _server_url("DATABASE_URL", embedded.Postgres)
_redis_url = _server_url("REDIS_URL", embedded.Valkey)

DATABASES: dict[str, dict[str, Any]] = {"default": database_from_url(_database_url)}
DATABASES["default"] |= {
    "ATOMIC_REQUESTS": False,
    "CONN_MAX_AGE": environment.whole_number("WINDDOWN_DB_CONNECTION_S_MAX", default=60),
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": False,
}
# A request gives up before its visitor does, a batch well before its lease; a load or a report by
# command may take as long as it takes, but nobody waits long for a lock or holds one while idle.
_SESSION_LIMITS = {
    "web": {"statement_timeout": "15s", "lock_timeout": "5s", "idle_in_transaction": "60s"},
    "worker": {"statement_timeout": "120s", "lock_timeout": "5s", "idle_in_transaction": "60s"},
    "command": {"statement_timeout": "0", "lock_timeout": "30s", "idle_in_transaction": "10min"},
}[ROLE]
DATABASES["default"]["OPTIONS"] |= {
    "application_name": f"winddown-{ROLE}",
    "options": (
        f"-c statement_timeout={_SESSION_LIMITS['statement_timeout']}"
        f" -c lock_timeout={_SESSION_LIMITS['lock_timeout']}"
        f" -c idle_in_transaction_session_timeout={_SESSION_LIMITS['idle_in_transaction']}"
    ),
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis_url,
        "KEY_PREFIX": "wd-cache",
    }
}


# --- Celery: messages are wake-ups with ids, early acknowledged, and may be lost ------------------

CELERY_BROKER_URL = broker_from_url(_redis_url)
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE


# --- People and their sessions --------------------------------------------------------------------

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
PASSWORD_RESET_TIMEOUT = 900


# --- Language and time ----------------------------------------------------------------------------

LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", "日本語"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
# Storage and logs. The zone people read is a field of the programme.
TIME_ZONE = "UTC"


# --- Files ----------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
WHITENOISE_USE_FINDERS = not PRODUCTION

ALLOWED_HOSTS = environment.words(
    "WINDDOWN_ALLOWED_HOSTS", default=() if PRODUCTION else ("localhost", "127.0.0.1", "[::1]")
)
CONTENT_SECURITY_POLICY = {"DIRECTIVES": {"default-src": [NONE], "script-src": [SELF]}}

environment.refuse_unknown()
