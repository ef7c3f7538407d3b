"""Mutants that no test can notice, each with its reason."""

# A mutant, as `proof.mutation` prints it, without its line -> why the change alters nothing that a
# test sees.
REASONS: dict[str, str] = {
    "accounts/recovery/registration.py:open_account: raise AddressTaken from taken -> pass": (
        "the login id is looked up just before; only an account made in between brings it here"
    ),
}
