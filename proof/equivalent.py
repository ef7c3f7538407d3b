"""Mutants that no test can notice, each with its reason."""

# File and change, as `proof.mutation` prints them -> why the change alters nothing that a test sees.
REASONS: dict[tuple[str, str], str] = {}
