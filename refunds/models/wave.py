"""Payout waves: days on which a group of refunds is paid, planned by two people."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.db import models
from django.db.models import F, Q

from winddown.guards import Guard, columns_are_fixed, rows_are_kept
from winddown.models import Approval
from winddown.sqlstates import SqlState
from winddown.witness import witnessed

_BY_TWO = f"""
    IF NOT EXISTS (
        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id
        JOIN accounts_user m ON m.id = a.maker_id
        WHERE a.id = {{approval}} AND a.subject LIKE 'payout_wave:{{stem}}:%'
          AND s.part = 'approved' AND s.staff_number <> m.staff_number
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
            MESSAGE = 'a payout wave is planned and withdrawn by two people';
    END IF;
    RETURN NEW;
"""


class PayoutWaveQuerySet(models.QuerySet["PayoutWave"]):
    """Waves as sets."""

    def ahead(self, today: dt.date) -> PayoutWaveQuerySet:
        """Returns the waves that still pay, the next one first."""
        return self.filter(withdrawal=None, pay_on__gte=today).order_by("pay_on", "pk")


class PayoutWave(models.Model):
    """Who applied by `record_on` and lacks nothing at the end of `cut_off_on` is paid on `pay_on`.

    All days are of the programme's zone and inclusive. The holder's account cannot be changed in
    the last `payees_close_days` days before `pay_on`. Two people plan a wave, and two withdraw it.
    """

    record_on = models.DateField()
    cut_off_on = models.DateField()
    pay_on = models.DateField(help_text="The value date of its files.")
    payees_close_days = models.SmallIntegerField()
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")
    withdrawal = models.OneToOneField(
        Approval, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = PayoutWaveQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed(
                "record_on", "cut_off_on", "pay_on", "payees_close_days", "approval_id"
            ),
            columns_are_fixed(
                "withdrawal_id", once="OLD.withdrawal_id IS NOT NULL", name="withdrawn_once"
            ),
            Guard(
                name="planned_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_BY_TWO.format(approval="NEW.approval_id", stem="new"),
            ),
            Guard(
                name="withdrawn_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("withdrawal_id"),
                func=_BY_TWO.format(approval="NEW.withdrawal_id", stem="' || NEW.id || '"),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    cut_off_on__gte=F("record_on"),
                    pay_on__gt=F("cut_off_on"),
                    payees_close_days__range=(0, 30),
                ),
                name="days_of_a_wave_in_order",
            ),
            models.UniqueConstraint(
                fields=["pay_on"], condition=Q(withdrawal=None), name="one_wave_for_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"payout wave {self.pk}"

    @property
    def subject(self) -> str:
        return f"payout_wave:{self.pk}"

    @property
    def payees_close_on(self) -> dt.date:
        """The first day on which the account cannot be changed."""
        return self.pay_on - dt.timedelta(days=self.payees_close_days)
