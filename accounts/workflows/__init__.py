"""Registers the account workflows."""
