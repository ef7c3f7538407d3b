"""Refund applications: submitted, reviewed, held; and the payees they name."""
