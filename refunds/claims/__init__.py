"""Fraud claims: reported or detected, held, decided by two people, remedied."""
