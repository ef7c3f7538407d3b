"""Which stored addresses reach a person: one reading, by the database and by Python alike."""

from __future__ import annotations

import re
from typing import Final

from django.db.models import Case, CharField, F, Func, GeneratedField, Value, When
from django.db.models.functions import Collate, Concat, Lower
from django.db.models.lookups import Regex

# What our mailer writes to as it stands, the old forms of carriers with two dots included. Other
# letters than these would have to be changed on the way, and so lead to somebody else. Counted
# repetitions make the database twenty times slower at this.
MAIL: Final = "^[0-9A-Za-z!#$%&'*+/=?^_`{|}~.-]+@(?:[0-9A-Za-z-]+[.])+[A-Za-z][0-9A-Za-z-]*$"
# Marks between the digits of a number.
_MARKS: Final = "[-() .]"
# A number of Japan: with its 0, or from abroad, where some write the 0 as well.
_JAPAN: Final = "^0(?:1[1-9]|[2-9][0-9])[0-9]{7,8}$"
_JAPAN_FROM_ABROAD: Final = "^(?:[+]|010|00)?810?[1-9][0-9]{8,9}$"
_COUNTRY_OF_JAPAN: Final = "^(?:[+]|010|00)?810?"
_ELSEWHERE: Final = "^(?:[+]|010|00)(?:[1-79][0-9]|8[02-9])[0-9]{5,13}$"
_ABROAD: Final = "^(?:[+]|010|00)"


def mail_of(written: str) -> str:
    """Returns the address in lower case, for comparing. Returns an empty text when our mailer
    cannot write to it.
    """
    return written.lower() if len(written) <= 254 and re.fullmatch(MAIL, written) else ""


def number_of(written: str) -> str:
    """Returns the digits of the number, with the 0 for a number of Japan. Returns an empty text
    for what is no telephone number.
    """
    digits = re.sub(_MARKS, "", written)
    if re.fullmatch(_JAPAN_FROM_ABROAD, digits):
        return re.sub(_COUNTRY_OF_JAPAN, "0", digits)
    if re.fullmatch(_JAPAN, digits):
        return digits
    if re.fullmatch(_ELSEWHERE, digits):
        return re.sub(_ABROAD, "", digits)
    return ""


def mail_field() -> GeneratedField:
    """Returns the column that the database fills by the rule of `mail_of`. NULL is for no address."""
    return GeneratedField(
        expression=Case(
            When(Regex(F("email"), MAIL), then=Lower(Collate(F("email"), "C"))), default=Value(None)
        ),
        output_field=CharField(max_length=254),
        db_persist=True,
    )


def number_field() -> GeneratedField:
    """Returns the column that the database fills by the rule of `number_of`. NULL is for no
    number.
    """
    digits = _replaced(F("phone"), _MARKS, every=True)
    return GeneratedField(
        expression=Case(
            When(
                Regex(digits, _JAPAN_FROM_ABROAD),
                then=Concat(Value("0"), _replaced(digits, _COUNTRY_OF_JAPAN)),
            ),
            When(Regex(digits, _JAPAN), then=digits),
            When(Regex(digits, _ELSEWHERE), then=_replaced(digits, _ABROAD)),
            default=Value(None),
        ),
        output_field=CharField(max_length=20),
        db_persist=True,
    )


def _replaced(text: F | Func, pattern: str, *, every: bool = False) -> Func:
    flags = [Value("g")] if every else []
    return Func(
        text,
        Value(pattern),
        Value(""),
        *flags,
        function="regexp_replace",
        output_field=CharField(),
    )
