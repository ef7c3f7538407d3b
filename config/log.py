"""The log. A record is one line of JSON, so that no message can pretend to be a second record."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


# A server logs the line of a request before the site can remove the token from it.
_TOKEN = re.compile(r"(/recovery/link/)[^/\s\"']+")


def _without_tokens(text: str) -> str:
    """Returns the text without the tokens of mailed links."""
    return _TOKEN.sub(r"\1...", text)


class TextFormatter(logging.Formatter):
    """Lines for people, without the tokens of mailed links."""

    def format(self, record: logging.LogRecord) -> str:
        return _without_tokens(super().format(record))


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, and the fields passed as `extra`, without the tokens of mailed
    links.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        # `request` and the like are objects; their text is logged.
        line |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _without_tokens(json.dumps(line, default=str, ensure_ascii=False))


def settings(*, form: str, level: str) -> dict[str, Any]:
    """Returns Django's LOGGING: records of the level and above go to stderr, as "json" or "text"."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "config.log.JsonFormatter"},
            "text": {
                "()": "config.log.TextFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers send mails, or log nothing outside DEBUG.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }
