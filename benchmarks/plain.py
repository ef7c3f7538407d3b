"""The wallets table of an ordinary Django project, and the same change written in the ordinary
ways.

`PlainWallet` is a twin of the wallets table: the same columns, checks, indexes and foreign key,
full pages, no triggers. `PlainLog` is a twin of its transition log.
"""

from __future__ import annotations

from django.db import connection, models, transaction
from django.utils import timezone
from django_fsm import FSMField, transition

from wallets.models import Wallet


class PlainWallet(models.Model):
    wallet_ref = models.CharField(max_length=64)
    account_id = models.BigIntegerField()
    state = FSMField(default=Wallet.State.ACTIVE)
    paid_minor = models.BigIntegerField()
    bonus_minor = models.BigIntegerField()
    held_minor = models.BigIntegerField()
    opened_at = models.DateTimeField()

    class Meta:
        app_label = "plain"
        managed = False

    def __str__(self) -> str:
        return self.wallet_ref

    @transition(field=state, source=Wallet.State.ACTIVE, target=Wallet.State.CHARGE_FROZEN)
    def freeze_charges(self) -> None:
        """What most projects write."""


class PlainLog(models.Model):
    subject_id = models.BigIntegerField()
    transition = models.CharField(max_length=60)
    source = models.CharField(max_length=40)
    target = models.CharField(max_length=40)
    actor_id = models.BigIntegerField(null=True)
    run_id = models.BigIntegerField(null=True)
    reason = models.TextField()
    at = models.DateTimeField(default=timezone.now)
    xact_id = models.BigIntegerField(default=0)

    class Meta:
        app_label = "plain"
        managed = False

    def __str__(self) -> str:
        return f"{self.subject_id}: {self.source} -> {self.target}"


def log_of(wallet_id: int) -> PlainLog:
    return PlainLog(
        subject_id=wallet_id,
        transition="freeze_charges",
        source=Wallet.State.ACTIVE,
        target=Wallet.State.CHARGE_FROZEN,
        reason="",
    )


def twins() -> None:
    """The twin tables exist beside the real ones, with the same wallets; `plain_half` keeps its
    pages half full.
    """
    with connection.cursor() as cursor:
        for table, fillfactor in (("plain_plainwallet", 100), ("plain_half", 50)):
            cursor.execute(
                f"""
                CREATE TABLE {table} (LIKE wallets_wallet INCLUDING ALL)
                    WITH (fillfactor = {fillfactor});
                ALTER TABLE {table} ADD FOREIGN KEY (account_id) REFERENCES accounts_user
                    DEFERRABLE INITIALLY DEFERRED;
                INSERT INTO {table} OVERRIDING SYSTEM VALUE
                    SELECT * FROM wallets_wallet ORDER BY id;
                """
            )
        cursor.execute(
            """
            CREATE TABLE plain_plainlog (LIKE wallets_wallettransition INCLUDING ALL);
            CREATE TABLE plain_keyed (LIKE wallets_wallettransition INCLUDING ALL);
            ALTER TABLE plain_keyed ADD FOREIGN KEY (subject_id) REFERENCES plain_plainwallet;
            """
        )


def freeze_one(pk: int) -> None:
    """One wallet as most projects write it: lock, transition, save, log row."""
    with transaction.atomic():
        wallet = PlainWallet.objects.select_for_update().get(pk=pk)
        wallet.freeze_charges()
        wallet.save(update_fields=["state"])
        log_of(pk).save(force_insert=True)
