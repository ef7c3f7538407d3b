"""Settings of a project that keeps its ledger with django-hordak, in the database of
`DATABASE_URL`.
"""

import os

from config.environment import database_from_url

SECRET_KEY = "benchmark"  # noqa: S105  signs nothing
DATABASES = {"default": database_from_url(os.environ["DATABASE_URL"])}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "mptt",
    "djmoney",
    "hordak",
]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
DEFAULT_CURRENCY = "JPY"
CURRENCIES = ["JPY"]
HORDAK_INTERNAL_CURRENCY = "JPY"
HORDAK_CURRENCIES = ["JPY"]
