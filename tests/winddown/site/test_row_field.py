"""A row that is named by its number in a form."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from tests import factories
from winddown.models import Milestone
from winddown.site.forms import RowField

pytestmark = pytest.mark.django_db
MISSING = "There is no milestone of this number."


def test_the_row_of_the_number_is_found() -> None:
    factories.make_programme()
    row = Milestone.objects.create(kind="spend_ends", at="2030-01-01T00:00Z")
    assert RowField(Milestone, missing=MISSING).clean(str(row.pk)) == row


@pytest.mark.parametrize("typed", ["1", "9" * 18, "9" * 19, "9" * 40])
def test_a_number_of_no_row_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match=MISSING):
        RowField(Milestone, missing=MISSING).clean(typed)


@pytest.mark.parametrize("typed", ["0", "-1", "a", "1.5", "9" * 2_000])
def test_what_is_no_number_of_a_row_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        RowField(Milestone, missing=MISSING).clean(typed)


def test_a_field_that_may_be_empty_names_no_row() -> None:
    assert RowField(Milestone, missing=MISSING, required=False).clean("") is None
