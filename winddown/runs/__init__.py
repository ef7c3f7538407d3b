"""Runs: planned, approved, done in batches, verified."""
