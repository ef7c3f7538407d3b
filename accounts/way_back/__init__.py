"""The way back in for people without a password, and the way in for new ones."""
