"""Mutants that no test can notice, each with its reason."""

# File and change, as `proof.mutation` prints them -> why the change alters nothing that a test sees.
REASONS: dict[tuple[str, str], str] = {
    ("winddown/authority/approvals.py", "False -> True"): (
        "JSON with escapes is as canonical as JSON without, and the same code makes both digests"
    ),
    ("accounts/recovery/registration.py", "raise AddressTaken from taken -> pass"): (
        "the login id is looked up just before; only an account made in between brings it here"
    ),
}
