"""A new field key: everything that the old one sealed is sealed with it, and can still be found."""

from __future__ import annotations

import os
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts import addresses, birth_dates, outbox, person_keys, postal_addresses
from accounts.models import OneTimeLink
from accounts.recovery import access_requests, cases, links
from refunds.bank_accounts import Account
from refunds.models import Payee
from refunds.models.payee import account_place
from tests import factories
from winddown import clock, encryption
from winddown.evidence import invariants
from winddown.models import AuditEntry
from winddown.personal_data import DataClass
from winddown.resealing import SEALED

# `manage.py reseal` is run by the owner.
pytestmark = [pytest.mark.usefixtures("own_database"), pytest.mark.as_owner]

ACCOUNT = Account("0001", "123", "1", "1234567", "カナリヤ ハナコ")


def said() -> list[int]:
    """The numbers of rows that the command sealed anew, column by column."""
    out = StringIO()
    call_command("reseal", stdout=out)
    return [int(line.rsplit(": ", 1)[1].split()[0]) for line in out.getvalue().splitlines()]


def rotate(settings: Any) -> None:
    settings.FIELD_KEY_FALLBACKS = [settings.FIELD_KEY]
    settings.FIELD_KEY = os.urandom(32)


@pytest.fixture
def sealed_rows(programme: Any, customer: Any) -> Payee:
    address = addresses.understood("hanako@example.com")
    assert address is not None
    holder = customer()
    factories.give_postal_address(holder)
    factories.give_birth_date(holder)
    payee = Payee.objects.create(
        pk=7001,
        holder=holder,
        version=1,
        bank_code=ACCOUNT.bank_code,
        branch_code=ACCOUNT.branch_code,
        account_type=ACCOUNT.account_type,
        account_number_sealed=person_keys.seal(
            b"1234567",
            place=account_place(7001),
            person_id=holder.pk,
            data_class=DataClass.BANK_DETAILS,
        ),
        account_mask="*567",
        fingerprint=ACCOUNT.fingerprint,
        name_kana=ACCOUNT.name,
        entered_at=clock.now(),
        usable_from=clock.now(),
    )
    with transaction.atomic():
        outbox.queue("account_found", to=address, language="ja")
    access_requests.ask("recover", address.text, language="ja", network=None)
    Authenticator.objects.create(user=holder, type="totp", data={"secret": encrypt("TOTPSECRET")})
    links.issue("sign_up", address=address)
    cases.open_case(
        cases.Contact(name="Hanako", account="1", address=address.text, story="lost"),
        address=address,
        language="ja",
        network=None,
    )
    return payee


def test_every_sealed_column_is_sealed_with_the_new_key() -> None:
    known = {(entry.model, entry.column) for _, entry in SEALED.items()}

    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.name.endswith("_sealed"):
                assert (model, field.name) in known


def test_a_second_run_changes_nothing(sealed_rows: Payee, settings: Any) -> None:
    assert sum(said()) == 0
    rotate(settings)

    assert sum(said()) == 8
    before = AuditEntry.objects.count()
    assert sum(said()) == 0
    assert AuditEntry.objects.count() == before


def test_the_old_key_is_not_needed_after_resealing(sealed_rows: Payee, settings: Any) -> None:
    rotate(settings)
    said()
    settings.FIELD_KEY_FALLBACKS = []

    payee = Payee.objects.get(pk=sealed_rows.pk)
    assert payee.account_number == "1234567"
    assert payee.fingerprint == ACCOUNT.fingerprint != sealed_rows.fingerprint
    assert decrypt(Authenticator.objects.get().data["secret"]) == "TOTPSECRET"
    address = addresses.understood("hanako@example.com")
    assert address is not None
    assert OneTimeLink.objects.get().address_fingerprint == address.fingerprint
    postal = postal_addresses.of(payee.holder)
    assert postal is not None
    stored = payee.holder.postal_address.fingerprint
    assert stored == postal_addresses.LOAD.fingerprint(postal.sealed_text)
    born = payee.holder.birth_date
    assert birth_dates.of(payee.holder) == "1980-03-15"
    assert born.fingerprint == birth_dates.LOAD.fingerprint(birth_dates.opened(born).sealed_text)


def test_what_the_field_key_alone_opens_is_sealed_for_its_person(sealed_rows: Payee) -> None:
    """As the rows were sealed before people had keys."""
    before = encryption.seal(b"7654321", place=account_place(7001))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE refunds_payee DISABLE TRIGGER USER")
        cursor.execute("UPDATE refunds_payee SET account_number_sealed = %s", [before])
        cursor.execute("ALTER TABLE refunds_payee ENABLE TRIGGER USER")
    assert Payee.objects.get().account_number == "7654321"

    assert sum(said()) == 1

    payee = Payee.objects.get()
    assert payee.account_number == "7654321"
    assert encryption.needs_secret(payee.account_number_sealed)
    with pytest.raises(encryption.SealBroken):
        encryption.unseal(payee.account_number_sealed, place=account_place(7001))


def test_a_value_without_a_key_is_reported(sealed_rows: Payee, settings: Any) -> None:
    rotate(settings)
    settings.FIELD_KEY_FALLBACKS = []

    with pytest.raises(CommandError, match="does not open"):
        said()


def test_the_guards_are_enabled_again_after_resealing(sealed_rows: Payee, settings: Any) -> None:
    rotate(settings)
    said()

    with pytest.raises(DatabaseError, match="is frozen"), transaction.atomic():
        Payee.objects.update(account_number_sealed=b"other")


def test_verification_knows_who_wrote_the_new_values(sealed_rows: Payee, settings: Any) -> None:
    """I14b."""
    rotate(settings)
    said()

    assert invariants.rows_rewritten() == []


def test_a_value_can_be_opened_only_in_its_own_column_and_row(sealed_rows: Payee) -> None:
    sealed = sealed_rows.account_number_sealed

    with pytest.raises(encryption.SealBroken):
        encryption.unseal(sealed, place="refunds_payee/account_number/0")


def test_an_address_is_found_by_a_fingerprint_of_an_older_key(settings: Any) -> None:
    address = addresses.understood("hanako@example.com")
    assert address is not None
    before = address.fingerprint
    rotate(settings)

    assert before != address.fingerprint
    assert before in address.fingerprints
