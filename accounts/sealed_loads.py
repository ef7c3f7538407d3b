"""Optional columns of the file of accounts that are stored sealed, one row for each person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from accounts import person_keys
from accounts.models import User
from winddown import encryption
from winddown.loading import staged_rules
from winddown.loading.file_kinds import REFUSED, ROWS
from winddown.personal_data import DataClass

PORTION: Final = 5_000
_USERS: Final = User._meta.db_table


@dataclass(frozen=True, slots=True)
class SealedLoad:
    """What a load does with such a column.

    `column` is the column of the file that says whether a line has it, `table` and `sealed` are
    where the sealed text goes. `parts` is SQL of what the text consists of, over the file's rows
    `r` and the accounts `u`, and `text` makes the text of it. `place` is what the encryption of a
    person's text is bound to.
    """

    column: str
    table: str
    sealed: str
    data_class: DataClass
    parts: str
    text: Callable[..., str]
    place: Callable[[int], str]

    def fingerprint(self, text: str) -> str:
        """Returns the keyed fingerprint of a sealed text."""
        return encryption.fingerprint(text, of=self.column)

    def is_loaded(self) -> bool:
        """Returns whether the file under load has the column."""
        return staged_rules.has_column(self.column)

    def refuse_others(self) -> None:
        """Rows of known accounts that have another value here are refused. An account without one
        may get it by a later file.
        """
        known = (
            f"SELECT r.line, s.fingerprint, {self.parts} FROM {ROWS} r"  # noqa: S608  constants
            f" JOIN {self.table} s ON s.user_id = r.earlier_id"
            f" JOIN {_USERS} u ON u.id = r.earlier_id"
        )
        others = [
            (line, "account_ref", f"is already recorded with another {self.column}")
            for portion in self._portions(known)
            for line, stored, *parts in portion
            if stored not in encryption.fingerprints(self.text(*parts), of=self.column)
        ]
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {REFUSED} VALUES (%s, %s, %s)", others)  # noqa: S608

    def record(self, progress: Callable[[int], None]) -> int:
        """Every person who has a value in the file and none here has it, sealed. The accounts are
        there. Returns how many of them were known before.
        """
        new = (
            f"SELECT u.id, r.earlier_id, {self.parts} FROM {ROWS} r"  # noqa: S608  constants
            f" JOIN {_USERS} u ON u.account_ref = r.account_ref"
            f" LEFT JOIN {self.table} s ON s.user_id = u.id"
            f" WHERE r.{self.column} <> '' AND s.id IS NULL ORDER BY r.line"
        )
        done, known = 0, 0
        into = f"COPY {self.table} (user_id, {self.sealed}, fingerprint) FROM STDIN"
        for portion in self._portions(new):
            keys = person_keys.secrets([row[0] for row in portion], self.data_class)
            with connection.cursor() as cursor, cursor.copy(into) as copy:
                for user_id, earlier_id, *parts in portion:
                    text = self.text(*parts)
                    sealed = encryption.seal(
                        text.encode(), place=self.place(user_id), secret=keys[user_id]
                    )
                    copy.write_row((user_id, sealed, self.fingerprint(text)))
                    known += earlier_id is not None
            done += len(portion)
            progress(done)
        return known

    def _portions(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yields the rows of the query, some at a time."""
        if connection.connection is None:
            raise AssertionError("the connection is not open")
        with connection.connection.cursor(f"load_{self.table}") as rows:
            rows.execute(query)
            while portion := rows.fetchmany(PORTION):
                yield portion
