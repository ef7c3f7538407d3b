"""Staff numbers. A person has one number in one spelling, so two spellings never sign as two
people.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from django.db import models
from django.db.models import CheckConstraint, F, Func, Q
from django.db.models.functions import Lower, Trim

from winddown import texts

# A space, a control character, or a character that shows nothing of its own: fillers, variants of
# the letter before, tags.
_INVISIBLE = (
    r"[[:space:][:cntrl:]\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)


def one_spelling(typed: str) -> str:
    """Returns the one spelling of a staff number: NFKC, without spaces around it, case folded."""
    folded = unicodedata.normalize("NFKC", typed).strip().casefold()
    return unicodedata.normalize("NFKC", folded)


def is_visible(number: str) -> bool:
    """Returns whether each character of the number shows something of its own. The database asks
    nearly the same.
    """
    return not any(
        texts.is_blank(letter) or unicodedata.category(letter)[0] == "M" for letter in number
    )


class Normalized(Func):
    """`normalize(x, NFKC)` of PostgreSQL."""

    template = "normalize(%(expressions)s, NFKC)"
    output_field = models.TextField()


class StaffNumberField(models.CharField):
    """A staff number. It is saved, and looked for, in its one spelling."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return one_spelling(prepared) if isinstance(prepared, str) else prepared

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        spelling = self.get_prep_value(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, spelling)
        return spelling


def in_one_spelling(column: str, *, name: str) -> CheckConstraint:
    """Returns the constraint that refuses any other spelling from every writer.

    Every guard compares the stored staff numbers. Because of the constraint, this compares people.
    """
    spelling = Lower(Trim(Normalized(F(column))))
    return CheckConstraint(
        condition=Q(**{column: spelling}) & ~Q(**{f"{column}__regex": _INVISIBLE}), name=name
    )
