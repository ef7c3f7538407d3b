"""People, their external logins, and what invalidates their credentials."""

from accounts.models.attack import (
    AccountDevice,
    AttackWatch,
    AttackWindow,
    AuthMinute,
    DetectionRule,
    SourceMinute,
    SuspiciousSource,
)
from accounts.models.auth_event import AuthEvent
from accounts.models.birth_date import BirthDate
from accounts.models.breached_password import BreachedPassword
from accounts.models.carrier_file import CarrierFile, CarrierFilePart
from accounts.models.credential_fence import CredentialFence, CredentialFenceTransition
from accounts.models.device_token import DeviceToken
from accounts.models.external_identity import ExternalIdentity, ExternalIdentityTransition
from accounts.models.imported_hash_cost import ImportedHashCost
from accounts.models.log_coverage import LogCoverage
from accounts.models.merchant_notice import MerchantMailing, MerchantNotice, MerchantReceipt
from accounts.models.message import Message
from accounts.models.one_time_link import AccessRequest, OneTimeLink
from accounts.models.person import Person, PersonAccount, PersonMatch
from accounts.models.person_key import PersonKey
from accounts.models.postal_address import PostalAddress
from accounts.models.recovery_case import ProofStep, RecoveryCase, RecoveryCaseTransition
from accounts.models.reset_notice import (
    MailReport,
    NoticeWave,
    ResetNotice,
    ResetNoticeTransition,
)
from accounts.models.role_guard import RoleGiven
from accounts.models.session import Session
from accounts.models.sign_in_storm import SignInStorm, SignInStormTransition
from accounts.models.user import User

__all__ = [
    "AccessRequest",
    "AccountDevice",
    "AttackWatch",
    "AttackWindow",
    "AuthEvent",
    "AuthMinute",
    "BirthDate",
    "BreachedPassword",
    "CarrierFile",
    "CarrierFilePart",
    "CredentialFence",
    "CredentialFenceTransition",
    "DetectionRule",
    "DeviceToken",
    "ExternalIdentity",
    "ExternalIdentityTransition",
    "ImportedHashCost",
    "LogCoverage",
    "MailReport",
    "MerchantMailing",
    "MerchantNotice",
    "MerchantReceipt",
    "Message",
    "NoticeWave",
    "OneTimeLink",
    "Person",
    "PersonAccount",
    "PersonKey",
    "PersonMatch",
    "PostalAddress",
    "ProofStep",
    "RecoveryCase",
    "RecoveryCaseTransition",
    "ResetNotice",
    "ResetNoticeTransition",
    "RoleGiven",
    "Session",
    "SignInStorm",
    "SignInStormTransition",
    "SourceMinute",
    "SuspiciousSource",
    "User",
]
