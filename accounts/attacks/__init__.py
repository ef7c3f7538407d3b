"""Attacks on the sign-in: counted live, folded into windows, shown on a page."""
