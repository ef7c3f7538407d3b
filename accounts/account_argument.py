"""How a command names one account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.models import User


def add_account(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--account",
        metavar="REF",
        required=True,
        help="reference of a customer, or login of a member of staff",
    )


def account_of(options: dict[str, Any]) -> User:
    """Returns the account of `--account`: a customer's reference, or the login id of staff."""
    named = options["account"]
    found = User.objects.filter(account_ref=named).first()
    found = found or User.objects.named(named).filter(kind=User.Kind.STAFF).first()
    if found is None:
        raise CommandError(f"there is no account {named}", returncode=2)
    return found
