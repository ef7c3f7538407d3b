"""Notices of a mass reset: their waves, their codes and their results."""
