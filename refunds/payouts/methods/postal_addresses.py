"""The postal address of a payment order, as the holder gives it for one application."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import asdict, dataclass

from accounts import person_keys
from refunds.models import RefundApplication
from refunds.models.application import address_place
from winddown import texts
from winddown.errors import WinddownError, says
from winddown.personal_data import DataClass

NAME_MAX = 60
LINES_MAX = 160


class AddressRefused(WinddownError):
    """The postal address cannot be used ({field}): {why}."""


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Who gets the letter, and where. `postal_code` has seven digits, `lines` the whole address."""

    name: str
    postal_code: str
    lines: str

    @classmethod
    def typed(cls, *, name: str, postal_code: str, lines: str) -> PostalAddress:
        """Returns the address with its width, spaces and hyphens made equal.

        Raises `AddressRefused` with the field for a blank or too long one, and for a postal code that
        has not seven digits.
        """
        digits = re.sub(r"[\s〒ー‐−-]", "", unicodedata.normalize("NFKC", postal_code))
        found = cls(" ".join(name.split()), digits, " ".join(lines.split()))
        for field, text, most in (
            ("name", found.name, NAME_MAX),
            ("lines", found.lines, LINES_MAX),
        ):
            if texts.is_blank(text):
                raise AddressRefused(field=field, why=says("none was given"))
            if len(text) > most:
                raise AddressRefused(field=field, why=says("at most {most} characters", most=most))
        if not re.fullmatch("[0-9]{7}", found.postal_code):
            raise AddressRefused(field="postal_code", why=says("seven digits are expected"))
        return found


def sealed(address: PostalAddress, application_id: int, *, applicant_id: int) -> bytes:
    """Returns the address encrypted for its application and applicant."""
    return person_keys.seal(
        json.dumps(asdict(address), ensure_ascii=False).encode(),
        place=address_place(application_id),
        person_id=applicant_id,
        data_class=DataClass.CONTACT,
    )


def of(application: RefundApplication) -> PostalAddress | None:
    """Returns the address of the application; None if it has none."""
    if application.address_sealed is None:
        return None
    said = person_keys.unseal(
        application.address_sealed,
        place=address_place(application.pk),
        person_id=application.applicant_id,
        data_class=DataClass.CONTACT,
    )
    return PostalAddress(**json.loads(said))
