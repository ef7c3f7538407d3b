"""What the changes of a wallet are called."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from winddown import words

words.ACTS.add_all(
    {
        "top_up.post": _("Charge posted"),
        "top_up.withhold": _("Charge withheld"),
        "top_up.reverse": _("Charge reversed"),
        "payment.post": _("Payment posted"),
        "payment.void": _("Payment voided"),
        "payment.reverse": _("Payment reversed"),
        "wallet.freeze_charges": _("Charges frozen"),
        "wallet.restore_charges": _("Charges possible again"),
        "wallet.hold": _("Wallet held"),
        "wallet.release": _("Hold released"),
        "wallet.release_frozen": _("Hold released, charges stay frozen"),
        "wallet.release_entitled": _("Hold released, refund due"),
        "wallet.start_closing": _("Closing begun"),
        "wallet.close": _("Wallet closed"),
        "wallet.close_held": _("Wallet closed on hold"),
        "wallet.entitle": _("Refund computed"),
        "wallet.entitle_held": _("Refund computed on hold"),
        "wallet.settle": _("Wallet settled"),
        "wallet.settle_empty": _("Empty wallet settled"),
        "wallet.owe_again": _("Refund came back, owed again"),
        "wallet.settle_late": _("Wallet settled late"),
        "wallet.deposit": _("Deposited with the authority"),
        "wallet.transfer": _("Transferred to another issuer"),
        "wallet.exclude": _("Excluded, not claimed in time"),
    }
)
