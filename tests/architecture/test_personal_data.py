"""Every column that holds personal data has a class and an end, and every class has its periods."""

from __future__ import annotations

import pytest
from django.apps import apps

# Imported because it fills the registries, as it does before every request.
import config.urls  # noqa: F401
from winddown.database_roles import PERSONAL
from winddown.personal_data import HOUSE, PERSONAL_DATA, DataClass
from winddown.programme import jurisdictions

# They open something and tell of nobody.
SECRETS = {("accounts_personkey", "secret")}
# The database makes them of the columns that they follow.
DERIVED = {("accounts_user", "mail_address"), ("accounts_user", "phone_number")}


def registered() -> set[tuple[str, str]]:
    return {(each.table, column) for each in PERSONAL_DATA.values() for column in each.columns}


def test_every_withheld_column_has_an_end() -> None:
    withheld = {(table, column) for table, columns in PERSONAL.items() for column in columns}
    assert withheld - registered() - SECRETS - DERIVED == set()


def test_every_sealed_column_has_an_end() -> None:
    sealed = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.column and field.column.endswith("_sealed")
    }
    assert sealed - registered() == set()


def test_a_column_of_the_register_exists_and_has_one_end() -> None:
    columns = [(each.table, column) for each in PERSONAL_DATA.values() for column in each.columns]
    known = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
    }
    assert set(columns) - known == set()
    assert len(columns) == len(set(columns))


def test_what_stays_says_why() -> None:
    for name, each in PERSONAL_DATA.items():
        assert each.columns, name
        assert all(each.stays.values()), name
        # What is kept for the house is sealed with its key, or emptied with it.
        assert each.whose != str(HOUSE) or each.kept_rows, name


@pytest.mark.parametrize("code", jurisdictions.codes())
def test_each_class_has_periods_with_a_source(code: str) -> None:
    kept = jurisdictions.pack(code).retention
    assert set(kept) == set(DataClass)
    for each in kept.values():
        assert 0 < each.least_days <= each.greatest_days
        assert each.source
