"""The ways to the money that an applicant can choose from."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from winddown.registries import Registry
from winddown.words import Text


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the money, as an applicant reads it. `opens` is the name of the page that goes on
    with it.
    """

    title: Text
    takes: Text
    """How long it takes until the money is there."""
    costs: Text
    expires: Text
    opens: str


WAYS: Registry[Way] = Registry(
    "ways to the money",
    entries_are="by code: a way that the page of the application offers beside a bank transfer",
    owner=__name__,
)
BANK = Way(
    title=_("Bank transfer"),
    takes=_("About one to two weeks after your application."),
    costs=_("It costs you nothing."),
    expires="",
    opens="refund:bank",
)
