"""Jurisdiction packs: what the law asks of the end of a service, as data with its source."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connections

from winddown.models import LawRule, Programme
from winddown.personal_data import DataClass

PLACE = Path(__file__).with_name("packs")


@dataclass(frozen=True, slots=True)
class Rule:
    """A value that the law sets from a day on. A number below zero means: never."""

    value: int | bool
    source: str
    valid_from: dt.date


@dataclass(frozen=True, slots=True)
class DateRule:
    """How many days before and after the present day a date may lie."""

    days_before: int
    days_after: int
    source: str
    valid_from: dt.date

    def bounds(self, today: dt.date) -> tuple[dt.date, dt.date]:
        """Returns the least and the greatest day."""
        before, after = (dt.timedelta(days=each) for each in (self.days_before, self.days_after))
        return today - before, today + after


@dataclass(frozen=True, slots=True)
class FilingDuty:
    """A report to an authority, due so many days after what it reports."""

    code: str
    authority: str
    after: str
    due_days: int
    source: str
    valid_from: dt.date


@dataclass(frozen=True, slots=True)
class ChannelDuty:
    """The notice is published in at least one of these channels."""

    any_of: tuple[str, ...]
    source: str
    valid_from: dt.date


@dataclass(frozen=True, slots=True)
class DocumentDuty:
    """Who applies for somebody else, or as no natural person, shows these documents."""

    applicant: str
    codes: tuple[str, ...]
    source: str
    valid_from: dt.date


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days a person's data of one class are kept, at least and at most, after the end of the
    service or the person's last business.
    """

    data_class: DataClass
    least_days: int
    greatest_days: int
    source: str
    valid_from: dt.date


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one jurisdiction."""

    code: str
    name: str
    legal_bases: tuple[str, ...]
    statutory_channels: tuple[str, ...]
    other_channels: tuple[str, ...]
    calendar: str
    """The bank holidays of `winddown.business_days`."""
    rules: dict[str, Rule]
    dates: dict[str, DateRule]
    filings: tuple[FilingDuty, ...]
    publications: tuple[ChannelDuty, ...]
    documents: tuple[DocumentDuty, ...]
    retention: dict[DataClass, Retention]

    def number(self, rule: str) -> int:
        """Returns the value of the rule."""
        return int(self.rules[rule].value)


@cache
def codes() -> tuple[str, ...]:
    """Returns the codes of the packs that exist."""
    return tuple(sorted(path.stem for path in PLACE.glob("*.toml")))


def current() -> Pack:
    """Returns the pack of the programme."""
    return pack(Programme.current().jurisdiction)


@cache
def pack(code: str) -> Pack:
    """Returns the pack. Raises `KeyError` for a code without one."""
    if code not in codes():
        raise KeyError(code)
    read = tomllib.loads((PLACE / f"{code}.toml").read_text())
    return Pack(
        code=code,
        name=read["name"],
        legal_bases=tuple(read["legal_bases"]),
        statutory_channels=tuple(read["statutory_channels"]),
        other_channels=tuple(read["other_channels"]),
        calendar=read["calendar"],
        rules={name: Rule(**rule) for name, rule in read["rules"].items()},
        dates={name: DateRule(**rule) for name, rule in read["dates"].items()},
        filings=tuple(FilingDuty(**duty) for duty in read["filings"]),
        publications=tuple(
            ChannelDuty(**duty | {"any_of": tuple(duty["any_of"])}) for duty in read["publications"]
        ),
        documents=tuple(
            DocumentDuty(**duty | {"codes": tuple(duty["codes"])}) for duty in read["documents"]
        ),
        retention={
            each: Retention(**kept | {"data_class": each})
            for kept in read["retention"]
            for each in (DataClass(kept["data_class"]),)
        },
    )


def write_after_migrate(**kwargs: Any) -> None:
    """The database has the numbers of every pack, for its triggers. A second run changes nothing."""
    if kwargs["app_config"].label != "winddown":
        return
    using = kwargs["using"]
    if LawRule._meta.db_table not in connections[using].introspection.table_names():
        return
    known = {
        (each.jurisdiction, each.name): (each.value, each.source, each.valid_from)
        for each in LawRule.objects.using(using).order_by("pk")
    }
    for code in codes():
        for name, rule in pack(code).rules.items():
            said = (int(rule.value), rule.source, rule.valid_from)
            if known.get((code, name)) != said:
                value, source, valid_from = said
                LawRule.objects.using(using).create(
                    jurisdiction=code,
                    name=name,
                    value=value,
                    source=source,
                    valid_from=valid_from,
                )
