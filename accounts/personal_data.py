"""The columns of accounts that hold personal data."""

from __future__ import annotations

from typing import Final

from allauth.mfa.models import Authenticator

from accounts.models import (
    AccessRequest,
    AccountDevice,
    AuthEvent,
    BirthDate,
    CarrierFilePart,
    DeviceToken,
    ExternalIdentity,
    Message,
    OneTimeLink,
    PostalAddress,
    ProofStep,
    RecoveryCase,
    Session,
    SignInStorm,
    SourceMinute,
    SuspiciousSource,
    User,
    auth_event,
    birth_date,
    one_time_link,
    postal_address,
    recovery_case,
)
from winddown.personal_data import PERSONAL_DATA, DataClass, PersonalColumns

_OF_USER: Final = "{row}.user_id"
_ATTACKERS: Final = "addresses of attackers and counts; no customer is named"
_NO_PERSON: Final = "a random number; it leads to nobody"

PERSONAL_DATA.add_all(
    {
        "accounts: names": PersonalColumns(
            User,
            DataClass.IDENTITY,
            "{row}.id",
            blank={
                "login_id": "'deleted:' || {row}.id",
                "display_name": "''",
                "kana_name": "''",
            },
        ),
        "accounts: ways to reach": PersonalColumns(
            User, DataClass.CONTACT, "{row}.id", blank={"email": "''", "phone": "''"}
        ),
        "accounts: passwords": PersonalColumns(
            User,
            DataClass.AUTHENTICATION,
            "{row}.id",
            blank={"password": "'!'", "refused_hash": "''"},
        ),
        "accounts: keys of the core system": PersonalColumns(
            User, DataClass.MONEY_RECORDS, "{row}.id", blank={"account_ref": "NULL::varchar"}
        ),
        "postal addresses": PersonalColumns(
            PostalAddress, DataClass.CONTACT, postal_address.WHOSE, blank=postal_address.BLANK
        ),
        "birth dates": PersonalColumns(
            BirthDate, DataClass.IDENTITY, birth_date.WHOSE, blank=birth_date.BLANK
        ),
        "recovery cases: what was told": PersonalColumns(
            RecoveryCase,
            DataClass.CONTACT,
            sealed=("contact_sealed",),
            stays={"key": _NO_PERSON, "reference": _NO_PERSON},
        ),
        "recovery cases: what is shown": PersonalColumns(
            RecoveryCase,
            DataClass.CONTACT,
            recovery_case.WHOSE,
            "{row}.account_id IN ({people})",
            blank=recovery_case.BLANK,
        ),
        "recovery cases: proofs": PersonalColumns(
            ProofStep,
            DataClass.CORRESPONDENCE,
            recovery_case.PROOF_WHOSE,
            "{row}.case_id IN (SELECT id FROM accounts_recoverycase WHERE account_id IN ({people}))",
            blank=recovery_case.PROOF_BLANK,
        ),
        "requests for access: what was typed": PersonalColumns(
            AccessRequest,
            DataClass.CONTACT,
            sealed=("typed_sealed",),
            blank={"network": "NULL::inet"},
            stays={"key": _NO_PERSON},
        ),
        "links: new addresses": PersonalColumns(
            OneTimeLink, DataClass.CONTACT, sealed=("address_sealed",), stays={"key": _NO_PERSON}
        ),
        "links: where they went": PersonalColumns(
            OneTimeLink,
            DataClass.CONTACT,
            one_time_link.WHOSE,
            "{row}.user_id IN ({people})",
            blank=one_time_link.BLANK,
        ),
        "files for carriers": PersonalColumns(
            CarrierFilePart, DataClass.CORRESPONDENCE, sealed=("content_sealed",)
        ),
        "messages": PersonalColumns(
            Message,
            DataClass.CONTACT,
            _OF_USER,
            stays={
                "key": _NO_PERSON,
                "to_sealed": "the database wipes the address when a message ended",
                "facts": "what its text names; nothing personal",
            },
        ),
        "attempts to sign in": PersonalColumns(
            AuthEvent,
            DataClass.AUTHENTICATION,
            auth_event.WHOSE,
            blank=auth_event.BLANK,
            by_number=True,
        ),
        "devices": PersonalColumns(
            AccountDevice,
            DataClass.AUTHENTICATION,
            _OF_USER,
            blank={"device_ref": "'deleted:' || {row}.event_id", "network": "NULL::inet"},
        ),
        "device tokens": PersonalColumns(
            DeviceToken,
            DataClass.AUTHENTICATION,
            _OF_USER,
            blank={"device_name": "''", "digest": "'deleted:' || {row}.id"},
        ),
        "external identities": PersonalColumns(
            ExternalIdentity,
            DataClass.AUTHENTICATION,
            _OF_USER,
            blank={"subject": "'deleted:' || {row}.id"},
        ),
        "sessions": PersonalColumns(
            Session,
            DataClass.AUTHENTICATION,
            _OF_USER,
            sealed=("session_key", "session_data"),
            kept_rows=False,
        ),
        "second factors": PersonalColumns(
            Authenticator, DataClass.AUTHENTICATION, _OF_USER, sealed=("data",), kept_rows=False
        ),
        "sources of attacks": PersonalColumns(
            SuspiciousSource,
            DataClass.AUTHENTICATION,
            stays={"source": _ATTACKERS, "evidence": _ATTACKERS},
        ),
        "storms of sign-ins": PersonalColumns(
            SignInStorm, DataClass.AUTHENTICATION, stays={"signs": _ATTACKERS}
        ),
        "sources of attacks by minute": PersonalColumns(
            SourceMinute, DataClass.AUTHENTICATION, stays={"source": _ATTACKERS, "ids": _ATTACKERS}
        ),
    }
)
