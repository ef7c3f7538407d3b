"""How requests travel to an issuer, and its answers back."""
