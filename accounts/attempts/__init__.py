"""Counters and limits of the attempts to sign in."""
