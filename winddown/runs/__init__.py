"""Runs: planned, approved, worked off in batches, verified."""
