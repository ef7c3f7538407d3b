"""Mail over SMTP. A failure says whether the server may have accepted the mail nevertheless."""

from __future__ import annotations

import smtplib
import time
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as SmtpBackend

# The limit from the first command of a mail to its content. A slower mail is abandoned before its
# content is sent. So the server's log cannot show a mail later than this.
BEFORE_CONTENT_S_MAX = 10.0


class TakenPerhaps(smtplib.SMTPException):
    """The connection broke after the content began: the server may have accepted the mail."""


class _Knowing:
    """A mixin for a connection: the content is sent in time or not at all."""

    begun: float = 0.0

    def mail(self, *args: Any, **kwargs: Any) -> Any:
        self.begun = time.monotonic()
        return super().mail(*args, **kwargs)  # type: ignore[misc]

    def data(self, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() - self.begun > BEFORE_CONTENT_S_MAX:
            self.close()  # type: ignore[attr-defined]
            raise smtplib.SMTPServerDisconnected("the server was too slow")
        try:
            return super().data(*args, **kwargs)  # type: ignore[misc]
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            self.close()  # type: ignore[attr-defined]
            raise TakenPerhaps from error


class _Smtp(_Knowing, smtplib.SMTP):
    pass


class _SmtpSsl(_Knowing, smtplib.SMTP_SSL):
    pass


class EmailBackend(SmtpBackend):
    """Django's SMTP backend; a mail with an unknown result raises `TakenPerhaps`."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _SmtpSsl if self.use_ssl else _Smtp
