"""Django's settings, read from the environment. A value that is not understood raises.

Every variable of our own starts with WINDDOWN_. A misspelt one raises, because a setting must never
be ignored silently. DATABASE_URL and REDIS_URL have the names that hosting services use.
"""

import sys
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu.entity import Exchange, Queue

from config import embedded, keys, log
from config.environment import (
    Environment,
    broker_from_url,
    configured_providers,
    database_from_url,
    email_from_url,
    provider_app,
    refuse_any_host,
    refuse_plain_broker,
    refuse_plain_database,
    site_url,
)
from config.login import login_of, may_be_owner
from config.schedule import beat_schedule
from winddown import workflows

BASE_DIR = Path(__file__).resolve().parent.parent

environment = Environment()


# --- What kind of process this is -----------------------------------------------------------------

MODE = environment.choice(
    "WINDDOWN_MODE", options=("development", "production"), default="development"
)
PRODUCTION = MODE == "production"
# The schemes that the address of this site and of an external login may have.
_SCHEMES = ("https",) if PRODUCTION else ("http", "https")
# The database ends a web request, a worker's batch and a person's command after different times.
ROLE = environment.choice("WINDDOWN_ROLE", options=("web", "worker", "command"), default="command")
# The schemes that the public address of the electronic notice may have.
PUBLIC_SCHEMES = _SCHEMES
# Off in development too. While it is on, Django remembers every query, and a worker makes millions.
DEBUG = environment.flag("WINDDOWN_DEBUG", default=False)
# The rehearsal holds a generator of customers, a simulated bank and a clock that may be moved.
REHEARSAL = environment.flag("WINDDOWN_REHEARSAL", default=not PRODUCTION)
# Made on this machine: development keys, embedded servers, replays. Never committed.
LOCAL_DIR = Path(environment.text("WINDDOWN_LOCAL_DIR", default=str(BASE_DIR / ".local")))
# The embedded servers that `make test` starts do not wait for the disk.
THROWAWAY_DATA = environment.flag("WINDDOWN_THROWAWAY_DATA", default=False)
# Each day a file with the head of the audit chain. Somebody copies the files to another machine.
AUDIT_HEADS_DIR = Path(
    environment.text("WINDDOWN_AUDIT_HEADS_DIR", default=str(LOCAL_DIR / "audit-heads"))
)

if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("WINDDOWN_DEBUG must be off when WINDDOWN_MODE is production.")
if PRODUCTION and REHEARSAL:
    raise ImproperlyConfigured(
        "WINDDOWN_REHEARSAL must be off when WINDDOWN_MODE is production: rehearse on a machine"
        " of its own, in development mode."
    )


# --- Secrets --------------------------------------------------------------------------------------


def _secret(variable: str, *, development_file: str) -> str:
    value = environment.text(variable, in_production=PRODUCTION)
    return value or keys.development_secret(LOCAL_DIR / development_file)


SECRET_KEY = _secret("WINDDOWN_SECRET_KEY", development_file="secret.key")
SECRET_KEY_FALLBACKS = environment.words("WINDDOWN_SECRET_KEY_FALLBACKS")
# Encrypts payees' bank accounts at rest.
FIELD_KEY = keys.field_key(
    _secret("WINDDOWN_FIELD_KEY", development_file="field.key"), variable="WINDDOWN_FIELD_KEY"
)
# Older keys open older values until `manage.py reseal` has run.
FIELD_KEY_FALLBACKS = [
    keys.field_key(word, variable="WINDDOWN_FIELD_KEY_FALLBACKS")
    for word in environment.words("WINDDOWN_FIELD_KEY_FALLBACKS")
]
if PRODUCTION:
    keys.refuse_weak_secret("WINDDOWN_SECRET_KEY", SECRET_KEY)
    for _key in SECRET_KEY_FALLBACKS:
        keys.refuse_weak_secret("WINDDOWN_SECRET_KEY_FALLBACKS", _key)
    keys.refuse_weak_key("WINDDOWN_FIELD_KEY", FIELD_KEY)


# --- Applications ---------------------------------------------------------------------------------

_ROOMS = ["winddown", "accounts", "wallets", "refunds"] + (["rehearsal"] if REHEARSAL else [])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # For FORM_RENDERER, which finds our form templates and then Django's own.
    "django.forms",
    "pgtrigger",
    "django_fsm",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    *_ROOMS,
]
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "accounts.middleware.LinkMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Before everything that reads the request.
    "winddown.site.incoming.IncomingMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Must come before the next one, which must recognise a poll: a poll does not keep a session
    # alive.
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.CredentialMiddleware",
    "accounts.middleware.DeviceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    # Behind the check for forged forms, which is done before any view.
    "winddown.site.language_switch.LanguageSwitchMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
# Constraints in SQL of the database itself, which validates them.
SILENCED_SYSTEM_CHECKS = ["models.W045"]
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
    """Returns the server that the variable names, or the embedded one, which runs while this
    process lives.
    """
    if url := environment.text(variable, in_production=PRODUCTION):
        return url
    try:
        return embedded.ensure(kind, home=LOCAL_DIR, throwaway=THROWAWAY_DATA)
    except embedded.EmbeddedServerError as error:
        raise ImproperlyConfigured(str(error)) from error


DATABASE_URL = _server_url("DATABASE_URL", embedded.Postgres)
REDIS_URL = _server_url("REDIS_URL", embedded.Valkey)

# A request ends before its visitor gives up, a batch long before its lease does. A load or a report
# has no limit, but like the others it neither waits for a lock nor holds one for ever. A worker
# that is idle in a transaction loses its locks when its lease ends.
_SESSION_LIMITS = {
    "web": "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s",
    "worker": "-c statement_timeout=120s -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=20s",
    "command": "-c lock_timeout=30s -c idle_in_transaction_session_timeout=10min",
}
_DATABASE = database_from_url(DATABASE_URL)
if PRODUCTION:
    refuse_plain_database(_DATABASE)
    refuse_plain_broker(REDIS_URL)
# The role of a connection after its login, if the login may take several roles. On the embedded
# server the role itself logs in.
_DATABASE_ROLE = environment.text("WINDDOWN_DATABASE_ROLE")
if _DATABASE_ROLE and not _DATABASE_ROLE.isidentifier():
    raise ImproperlyConfigured("WINDDOWN_DATABASE_ROLE must be the name of one role.")
# In production every other process refuses to work as the owner of the tables, or as a superuser.
MAY_BE_OWNER = may_be_owner(sys.argv)
if not environment.text("DATABASE_URL"):
    _DATABASE["USER"], _DATABASE_ROLE = _DATABASE_ROLE or login_of(sys.argv), ""
DATABASES = {
    "default": {
        **_DATABASE,
        # The code opens transactions where it needs them, so that a reader sees what stays outside.
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": environment.whole_number("WINDDOWN_DB_CONNECTION_S_MAX", default=60),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_DATABASE["OPTIONS"],
            "application_name": f"winddown-{ROLE}",
            "options": _SESSION_LIMITS[ROLE]
            + (f" -c role={_DATABASE_ROLE}" if _DATABASE_ROLE else ""),
        },
    }
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "wd-cache",
        "OPTIONS": {
            "serializer": "config.cache.JsonSerializer",
            "socket_timeout": 5,
            **({} if REDIS_URL.startswith("unix:") else {"socket_connect_timeout": 2}),
        },
    }
}

# The counters of attempts are in the same server as the cache (accounts.attempts.counters).
COUNTERS_PREFIX = "wd-count"


# --- Celery ---------------------------------------------------------------------------------------
# A message is a wake-up that carries ids. Due work is rows in PostgreSQL, so a message may be lost,
# doubled or late. With the settings below a message may be lost, but no worker stalls or repeats
# work.

CELERY_BROKER_URL = broker_from_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The retries never end. With the default of 100, a worker does not come back after a long outage.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": "wd:",
    "visibility_timeout": 3600,
    # Without it a publish on a half-open link waits for ever.
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
# A page must not wait for a broker that is down. The next tick wakes the same work.
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.4,
}

CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_EVENT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
# Early. After a restart of the broker, workers with late acknowledgement run and take no message.
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300

CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300_000  # KiB
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
# Access to the broker must not mean the right to shut workers down.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Otherwise every task opens a connection of its own. config.celery drops the broken ones.
CELERY_DB_REUSE_MAX = 1000

CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = beat_schedule(
    # A replay runs half a year in minutes, so it ticks faster.
    tick_s=environment.whole_number("WINDDOWN_TICK_S", default=15, least=1)
)
CELERY_BEAT_SCHEDULER = "config.beat.Scheduler"

# One for each workflow, so that a stop does not wait for a long run. A worker without -Q serves all
# of them.
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES = [
    # With an exchange each: on a shared one a message would reach every queue.
    Queue(name, Exchange(name), routing_key=name)
    for name in ("default", *workflows.NAMES)
]
CELERY_TASK_CREATE_MISSING_QUEUES = False


# --- Mail -----------------------------------------------------------------------------------------

# The sender of mails, as `Name <address>`. The public page shows the address too.
DEFAULT_FROM_EMAIL = environment.text(
    "WINDDOWN_EMAIL_FROM", default="notices@localhost", in_production=PRODUCTION
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
_EMAIL_URL = environment.text("WINDDOWN_EMAIL_URL", in_production=PRODUCTION)
if parseaddr(DEFAULT_FROM_EMAIL)[1].count("@") != 1:
    raise ImproperlyConfigured("WINDDOWN_EMAIL_FROM must be an address, or Name <address>.")
if PRODUCTION and parseaddr(DEFAULT_FROM_EMAIL)[1].endswith("@localhost"):
    raise ImproperlyConfigured("WINDDOWN_EMAIL_FROM must name a host that customers can answer.")
if _EMAIL_URL:
    EMAIL_BACKEND = "winddown.mail.EmailBackend"
    globals().update(email_from_url(_EMAIL_URL))
else:
    # Development without a mail server: every mail is a file.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = LOCAL_DIR / "mail"


# --- Alarms ---------------------------------------------------------------------------------------

# Alarms go to public addresses, and the notice is read at one, so that nobody who names an address
# reaches into the own network. These networks may be reached all the same.
try:
    REACHED_NETWORKS = [ip_network(word) for word in environment.words("WINDDOWN_REACHED_NETWORKS")]
except ValueError as _error:
    raise ImproperlyConfigured(f"WINDDOWN_REACHED_NETWORKS: {_error}.") from _error
# Authorities that sign the receivers' certificates, as PEM. Empty: those of the system.
WEBHOOK_CA_FILE = environment.text("WINDDOWN_WEBHOOK_CA_FILE")


# --- People and their sessions --------------------------------------------------------------------

LOGIN_URL = "sign_in"
AUTHENTICATION_BACKENDS = ["accounts.sign_in.backends.LoginIdBackend"]
PASSWORD_HASHERS = [
    "accounts.sign_in.hashers.BoundedArgon2PasswordHasher",
    # For hashes of the operator's core system. The next sign-in rewrites them with argon2.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# What one hash of a new password takes. OWASP names 19 MiB as the least, with the two passes that are
# made here. A rehearsal has no person's password to protect. A hash that took more than the usual
# would not be verified.
_PASSWORD_MEMORY_MAX_KIB = 102_400
PASSWORD_MEMORY_KIB = environment.whole_number(
    "WINDDOWN_PASSWORD_MEMORY_KIB",
    default=_PASSWORD_MEMORY_MAX_KIB,
    least=1_024 if REHEARSAL else 19_456,
)
if PASSWORD_MEMORY_KIB > _PASSWORD_MEMORY_MAX_KIB:
    raise ImproperlyConfigured(
        f"WINDDOWN_PASSWORD_MEMORY_KIB must be at most {_PASSWORD_MEMORY_MAX_KIB}."
    )
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("login_id", "email", "phone")},
    },
    {"NAME": "accounts.sign_in.validators.PasswordLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.sign_in.validators.BreachedPasswordValidator"},
    {"NAME": "accounts.sign_in.validators.UnusedPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 900

# The parts of django-allauth that are used, and those that are not: docs/decisions/0007-allauth.md.
ACCOUNT_ADAPTER = "accounts.sign_in.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "accounts.sign_in.adapters.ExternalAdapter"
MFA_ADAPTER = "accounts.sign_in.adapters.SecondFactorAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "login_id"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# Half-finished sign-ins are given up, and dangerous actions ask again, after ten minutes.
ACCOUNT_LOGIN_TIMEOUT = 600
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
# accounts.attempts.limits counts attempts in place of allauth.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "accounts.sign_in.forms.CodeForm",
    "reauthenticate": "accounts.sign_in.forms.FreshCodeForm",
    "add_webauthn": "accounts.sign_in.forms.AddPasskeyForm",
    "authenticate_webauthn": "accounts.sign_in.forms.PasskeyForm",
    "login_webauthn": "accounts.sign_in.forms.PasskeySignInForm",
    "reauthenticate_webauthn": "accounts.sign_in.forms.FreshPasskeyForm",
}

SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {
        "APPS": [
            app
            for provider in configured_providers(environment)
            if (app := provider_app(environment, provider, schemes=_SCHEMES))
        ],
        "provider_class": "accounts.sign_in.external.FencedProvider",
    }
}
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5

SESSION_ENGINE = "accounts.sign_in.sessions"
# A visit ends after half an hour without a request, or with the browser. A customer may ask for a
# longer one.
SESSION_COOKIE_AGE = 30 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Says that a device has signed in before (accounts.devices).
DEVICE_COOKIE_NAME = "device"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"


# --- The web --------------------------------------------------------------------------------------

# In development only this machine gets answers, whatever address the server listens on.
ALLOWED_HOSTS = environment.words(
    "WINDDOWN_ALLOWED_HOSTS", default=() if PRODUCTION else ("localhost", "127.0.0.1", "[::1]")
)
if PRODUCTION:
    refuse_any_host(ALLOWED_HOSTS)
# Mails name this site by this address, never by a header of a visitor's browser.
SITE_URL = site_url(
    environment.text(
        "WINDDOWN_SITE_URL", default="http://127.0.0.1:8000", in_production=PRODUCTION
    ),
    schemes=_SCHEMES,
)
# Only behind a proxy that removes this header from what visitors send.
if environment.flag("WINDDOWN_TRUST_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# The number of our proxies that a request passes. The last addresses of X-Forwarded-For, as many as
# this number, are the visitor's and the proxies'. A visitor can only write addresses before them.
# With 0 the header is ignored.
TRUSTED_PROXIES = environment.whole_number("WINDDOWN_TRUSTED_PROXIES", default=0)
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    DEVICE_COOKIE_NAME = "__Host-device"
    CSRF_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrftoken"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_PROVIDER_ORIGINS = sorted(
    "{0.scheme}://{0.netloc}".format(urlsplit(app["settings"]["server_url"]))
    for app in SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # A sign-in with another service is a form whose answer leads there.
        "form-action": [SELF, *_PROVIDER_ORIGINS],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "upgrade-insecure-requests": PRODUCTION,
    }
}

# The largest page of forms has some dozens of fields. Commands load data, not pages.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 300
DATA_UPLOAD_MAX_NUMBER_FILES = 2
# What is uploaded stays in memory: an answer of the bank has account numbers.
FILE_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
# Development serves the files from their folders. Production has run collectstatic.
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}


# --- Language and time ----------------------------------------------------------------------------

LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", _("Japanese")), ("en", _("English"))]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = PRODUCTION
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
# How times are stored and logged. The zone in which people read them is a field of the programme.
TIME_ZONE = "UTC"


# --- Logs -----------------------------------------------------------------------------------------

LOGGING = log.settings(
    form=environment.choice(
        "WINDDOWN_LOG", options=("json", "text"), default="json" if PRODUCTION else "text"
    ),
    level=environment.choice(
        "WINDDOWN_LOG_LEVEL", options=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO"
    ),
)


environment.refuse_unknown()
