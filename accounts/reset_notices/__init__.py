"""Notices of a mass reset: their waves, their codes, and what came of them."""
