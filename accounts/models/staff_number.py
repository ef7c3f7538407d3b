"""Staff numbers. A person has one number in one spelling, so two spellings never sign as two
people.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from django.db import models
from django.db.models import CheckConstraint, F, Func, Q
from django.db.models.functions import Lower, Trim

# A space, a control character, or an invisible character.
_INVISIBLE = r"[[:space:][:cntrl:]\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"


def one_spelling(typed: str) -> str:
    """Returns the one spelling of a staff number: NFKC, without spaces around it, case folded."""
    folded = unicodedata.normalize("NFKC", typed).strip().casefold()
    return unicodedata.normalize("NFKC", folded)


def is_visible(number: str) -> bool:
    """Returns whether each character of the number shows something, as the database asks too."""
    return all(unicodedata.category(letter)[0] not in "ZC" for letter in number)


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
