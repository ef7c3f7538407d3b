"""Stored value: wallets, their ledger, and what moves it."""

from wallets.models.funding_card import FundingCard
from wallets.models.hold import Hold, HoldTransition
from wallets.models.ledger import WALLET_ACCOUNTS, Journal, LedgerAccount, Posting
from wallets.models.payment import Payment, PaymentTransition
from wallets.models.snapshot import Snapshot, SnapshotLine
from wallets.models.top_up import TopUp, TopUpTransition
from wallets.models.wallet import Wallet, WalletTransition

__all__ = [
    "WALLET_ACCOUNTS",
    "FundingCard",
    "Hold",
    "HoldTransition",
    "Journal",
    "LedgerAccount",
    "Payment",
    "PaymentTransition",
    "Posting",
    "Snapshot",
    "SnapshotLine",
    "TopUp",
    "TopUpTransition",
    "Wallet",
    "WalletTransition",
]
