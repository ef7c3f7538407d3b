"""The audit journal, and the invariants that hold whatever happens."""
