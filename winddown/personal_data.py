"""Personal data: the classes, and for each column that holds some, of which class and person it is and
how it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db import models

from winddown.registries import Registry


class DataClass(models.TextChoices):
    """What a person's data are about. The law says for each class how long they are kept at least
    and at most (`winddown/programme/packs`).
    """

    IDENTITY = "identity"
    CONTACT = "contact"
    BANK_DETAILS = "bank_details"
    AUTHENTICATION = "authentication"
    CLAIMS_EVIDENCE = "claims_evidence"
    CORRESPONDENCE = "correspondence"
    MONEY_RECORDS = "money_records"


HOUSE: Final = 0
"""In place of a person's number: data of many people, or of somebody who is no known customer."""

PERSON_KEYS: Final = "accounts_personkey"


def deleted_sql(whose: str, data_class: str) -> str:
    """Returns SQL that is true if the data of the class of the person `whose` were deleted: a key was
    destroyed, and none was made since.
    """
    kept = (
        f"SELECT FROM {PERSON_KEYS} k WHERE k.person_id = {whose} AND k.data_class = '{data_class}'"
    )
    return (
        f"(EXISTS ({kept} AND k.destroyed_at IS NOT NULL)"
        f" AND NOT EXISTS ({kept} AND k.destroyed_at IS NULL))"
    )


@dataclass(frozen=True, slots=True)
class PersonalColumns:
    """Columns of one table that hold personal data of one class.

    `whose` is SQL with `{row}` that gives the person's number, `HOUSE` for the house, and `among`
    finds the rows of some `{people}` by an index. Values of
    `sealed` end with the key of their person and class. Values of `blank` are replaced by the SQL
    given for each. Rows that are not `kept_rows` are deleted. `stays` is why columns stay although
    they may tell of a person; they have no other end. A mass table without an index on its people
    is gone through `by_number`.
    """

    model: type[models.Model]
    data_class: DataClass
    whose: str = str(HOUSE)
    among: str = ""
    sealed: tuple[str, ...] = ()
    blank: Mapping[str, str] = field(default_factory=dict)
    kept_rows: bool = True
    stays: Mapping[str, str] = field(default_factory=dict)
    by_number: bool = False

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.sealed, *self.blank, *self.stays)

    def deleted(self) -> str:
        """Returns SQL that is true for a row of the table whose person's data were deleted."""
        return deleted_sql(self.whose.format(row=self.table), self.data_class)

    def readable(self) -> str:
        """Returns SQL that is true for a row that still says something in a column of `blank`."""
        if not self.kept_rows:
            return "true"
        told = (
            f"{self.table}.{name} IS DISTINCT FROM {value.format(row=self.table)}"
            for name, value in self.blank.items()
        )
        return "(" + " OR ".join(told) + ")" if self.blank else "false"

    def of(self, people: str) -> str:
        """Returns SQL that is true for the rows of the people, who are SQL: a number or a query."""
        return (self.among or f"{self.whose} IN ({{people}})").format(row=self.table, people=people)

    def left(self) -> str:
        """Returns SQL that is true for a row that says something although it should not."""
        return f"({self.deleted()} AND {self.readable()})"

    def emptied(self, *, where: str) -> str:
        """Returns the statement after which those of the rows for which `where` is true, and whose
        person's data were deleted, say nothing any more.
        """
        if not self.kept_rows:
            return f"DELETE FROM {self.table} WHERE {where} AND {self.left()}"  # noqa: S608
        values = ", ".join(
            f"{name} = {value.format(row=self.table)}" for name, value in self.blank.items()
        )
        return f"UPDATE {self.table} SET {values} WHERE {where} AND {self.left()}"  # noqa: S608


PERSONAL_DATA: Registry[PersonalColumns] = Registry(
    "personal data",
    entries_are="columns with personal data: their class, whose they are, and how they end",
    owner=__name__,
)
