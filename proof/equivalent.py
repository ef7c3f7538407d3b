"""Mutants that no test can notice, each with its reason."""

# A mutant, as `proof.mutation` prints it, without its line -> why the change alters nothing that a
# test sees.
REASONS: dict[str, str] = {
    "accounts/recovery/registration.py:open_account: raise AddressTaken from taken -> pass": (
        "the login id is looked up just before; only an account made in between brings it here"
    ),
    "winddown/evidence/audit.py:rows_that_differ: opened < seal_row.pk -> (opened <= seal_row.pk)": (
        "an entry opens an epoch or makes a seal, never both, so the two numbers are never equal"
    ),
    "winddown/evidence/coverage.py:_seals_out_of_order: seq < seal.pk -> (seq <= seal.pk)": (
        "an entry opens an epoch or makes a seal, never both, so the two numbers are never equal"
    ),
    "winddown/evidence/audit.py:_seal: start == horizon.xact_id -> (start != horizon.xact_id)": (
        "between the last seal and the horizon nothing was to be sealed, so both windows are equal"
    ),
    "accounts/sign_in/adapters.py:fresh: timezone.now().timestamp() - newest < FRESH_FOR.total_sec..."
    " -> (timezone.now().timestamp() - newest <= FRESH_FOR.total_s...": (
        "two instants of the real clock are never exactly ten minutes apart"
    ),
    'accounts/sign_in/second_factor.py:use_code: rows[0].data.get("paused_until", 0) > now'
    " -> (rows[0].data.get('paused_until', 0) >= now)": (
        "an instant of the real clock is never exactly the end of a pause"
    ),
    "winddown/evidence/coverage.py:_seals_beside_their_entries: seq <= newest -> (seq < newest)": (
        "the newest one is already among the entries that the seals are added to"
    ),
    "accounts/sign_in/breached.py:is_breached: False -> True": (
        "the digest is the same; only an OpenSSL that is limited to FIPS refuses one of the two"
    ),
    "accounts/sign_in/forms.py:_PasskeyForm.note_refused: raise NotImplementedError -> pass": (
        "each form of this kind has a method of its own, so this one is never called"
    ),
}
