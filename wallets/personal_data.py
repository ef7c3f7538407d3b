"""The columns of wallets that hold personal data."""

from __future__ import annotations

from wallets.models import FundingCard, Hold
from winddown.personal_data import PERSONAL_DATA, DataClass, PersonalColumns

PERSONAL_DATA.add_all(
    {
        "cards": PersonalColumns(
            FundingCard,
            DataClass.CLAIMS_EVIDENCE,
            "{row}.account_id",
            blank={
                "card_ref": "'deleted:' || {row}.id",
                "card_token": "'deleted'",
                "bin": "'000000'",
                "last4": "'0000'",
            },
        ),
        "holds": PersonalColumns(
            Hold,
            DataClass.CLAIMS_EVIDENCE,
            "(SELECT w.account_id FROM wallets_wallet w WHERE w.id = {row}.wallet_id)",
            "{row}.wallet_id IN (SELECT id FROM wallets_wallet WHERE account_id IN ({people}))",
            blank={"reason": "'deleted'"},
        ),
    }
)
