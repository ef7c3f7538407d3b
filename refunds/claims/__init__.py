"""Fraud claims: reported or found, held, decided by two people, made good."""
