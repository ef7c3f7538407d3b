"""Requests of people who are not signed in, and the one-time links that answer them."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from accounts.models.person_key import loses_only
from winddown.guards import Guard
from winddown.personal_data import DataClass
from winddown.sqlstates import SqlState


class AccessRequest(models.Model):
    """A request for access with the text that the person typed. A worker finds out later whether an
    account matches.

    The page writes this row only. Therefore it takes the same time and gives the same answer for
    everybody. The typed text is sealed.
    """

    class Purpose(models.TextChoices):
        RECOVER = "recover"
        SIGN_UP = "sign_up"
        CASE = "case"
        CLAIM = "claim"
        CONFIRM = "confirm"

    TRIES_MAX = 5

    class Answer(models.TextChoices):
        LINKS = "links"
        KNOWN = "known"
        NOBODY = "nobody"
        TOO_MANY = "too_many"
        STOPPED = "stopped"
        FAILED = "failed"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    typed_sealed = models.BinaryField()
    language = models.CharField(max_length=5)
    network = models.GenericIPAddressField(null=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=10, choices=Answer.choices, blank=True)
    tries = models.SmallIntegerField(default=0, help_text="Codes typed to it.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(tries__gte=0, tries__lte=5), name="tries_of_a_request_are_limited"
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(answered_at=None), name="access_requests_owed"),
            BrinIndex(fields=["asked_at"], autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"access request {self.pk}"


WHOSE = "coalesce({row}.user_id, 0)"
BLANK = {"address_fingerprint": "''"}


class OneTimeLink(models.Model):
    """A link that works once: for a new password, a new account, a new channel, a new browser, for an
    address to be verified, for a merchant to confirm a notice, or, as a code alone, beside a claim
    number, or to confirm a change of the payee.

    Its token (mail) and its code (telephone) are not stored. Both are derived from `key` with the
    site's secret. Its time begins when it is handed to its channel. It is dead after its use, when
    its time is over, when the account's password or address changed after its issue, when a
    credential fence rose after it, and after too many wrong codes. The database refuses the use of
    a dead link, whoever writes.
    """

    class Purpose(models.TextChoices):
        RECOVER = "recover"
        SIGN_UP = "sign_up"
        CASE = "case"
        STAFF = "staff"
        BROWSER = "browser"
        ADDRESS = "address"
        MERCHANT = "merchant"
        CLAIM = "claim"
        CONFIRM = "confirm"

    UNFENCED = (Purpose.STAFF, Purpose.BROWSER, Purpose.MERCHANT)
    """The purposes of links that open no account of a customer. No fence ends them."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    request = models.ForeignKey(
        AccessRequest, null=True, on_delete=models.PROTECT, related_name="links"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="+",
    )
    case = models.ForeignKey(
        "accounts.RecoveryCase", null=True, on_delete=models.PROTECT, related_name="links"
    )
    merchant = models.ForeignKey(
        "winddown.Merchant", null=True, on_delete=models.PROTECT, related_name="+"
    )
    channel = models.CharField(max_length=10, blank=True)
    address_fingerprint = models.CharField(
        max_length=64, blank=True, help_text="Where it was sent, to see whether that changed."
    )
    address_sealed = models.BinaryField(
        null=True, help_text="The address that the account is to have; it has not got it yet."
    )
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, help_text="None until its channel has it.")
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["user", "issued_at"], name="links_of_account")]
        constraints = [
            models.CheckConstraint(
                condition=Q(used_at=None)
                | Q(used_at__gte=F("issued_at"), used_at__lt=F("expires_at")),
                name="link_used_in_its_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    purpose="sign_up", user=None, merchant=None, address_sealed__isnull=False
                )
                | Q(
                    purpose="address",
                    user__isnull=False,
                    merchant=None,
                    address_sealed__isnull=False,
                )
                | Q(purpose="merchant", user=None, merchant__isnull=False, address_sealed=None)
                | (
                    ~Q(purpose__in=("sign_up", "address", "merchant"))
                    & Q(user__isnull=False, merchant=None, address_sealed=None)
                ),
                name="link_names_whom_it_is_for",
            ),
            models.CheckConstraint(
                condition=Q(purpose="case", case__isnull=False)
                | (~Q(purpose="case") & Q(case=None)),
                name="link_of_a_case_names_it",
            ),
        ]
        triggers = [
            Guard(
                name="link_is_for_whom_it_may",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__user__isnull=False),
                func=f"""
                    IF NEW.purpose <> 'address' AND (NEW.purpose IN ('staff', 'browser')) <> (
                        SELECT u.kind = 'staff' FROM accounts_user u WHERE u.id = NEW.user_id) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.LINK_REFUSED}', MESSAGE = format(
                            'no link to %s for account %s', NEW.purpose, NEW.user_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="link_opens_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    IF TG_OP = 'UPDATE'
                        AND {loses_only(BLANK, whose=WHOSE, data_class=DataClass.CONTACT)} THEN
                        RETURN NEW;
                    END IF;
                    IF TG_OP = 'DELETE' OR OLD.used_at IS NOT NULL OR (
                        OLD.key, OLD.purpose, OLD.request_id, OLD.user_id, OLD.case_id,
                        OLD.merchant_id, OLD.channel, OLD.address_fingerprint, OLD.issued_at
                    ) IS DISTINCT FROM (
                        NEW.key, NEW.purpose, NEW.request_id, NEW.user_id, NEW.case_id,
                        NEW.merchant_id, NEW.channel, NEW.address_fingerprint, NEW.issued_at
                    ) OR (
                        OLD.expires_at IS NOT NULL AND NEW.expires_at IS DISTINCT FROM OLD.expires_at
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.APPEND_ONLY}', MESSAGE = format(
                            'one-time link %s is kept as it is: %s refused', OLD.id, TG_OP);
                    END IF;
                    IF NEW.used_at IS NOT NULL THEN
                        NEW.used_at := winddown_now();
                        IF NEW.expires_at IS NULL OR NEW.used_at >= NEW.expires_at
                           OR NEW.used_at < NEW.issued_at
                           OR (NEW.purpose NOT IN ('staff', 'browser', 'merchant') AND EXISTS (
                               SELECT FROM accounts_credentialfence f
                               WHERE f.state <> 'lifted' AND f.not_before > NEW.issued_at))
                           OR EXISTS (
                               SELECT FROM accounts_user u WHERE u.id = NEW.user_id AND (
                                   NOT u.is_active OR u.password_set_at > NEW.issued_at
                                   OR u.channel_changed_at > NEW.issued_at))
                        THEN
                            RAISE EXCEPTION USING ERRCODE = '{SqlState.LINK_REFUSED}', MESSAGE = format(
                                'one-time link %s is dead', NEW.id);
                        END IF;
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"one-time link {self.pk}"
