"""The audit journal and the invariants."""
