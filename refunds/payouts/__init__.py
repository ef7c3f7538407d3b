"""Payouts: who may be paid, batches, files, answers of the bank."""
