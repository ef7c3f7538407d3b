"""Recovery of access for people who cannot sign in."""
