"""The WSGI application for gunicorn: `gunicorn config.wsgi`."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("WINDDOWN_ROLE", "web")

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from winddown import connected_role


class Utf8Request(WSGIRequest):
    """A request that is read as UTF-8, whatever encoding it names.

    Django decodes the query as soon as it reads the name, before anything could answer an error.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(
            meta.get("CONTENT_TYPE", "")
        )


class Application(WSGIHandler):
    """Django's, with requests that are read as UTF-8."""

    request_class = Utf8Request


django.setup(set_prefix=False)
if settings.PRODUCTION:
    connected_role.check_at_start()
application = Application()
