"""Attacks on the sign-in: recognised live, counted, folded into windows, shown on a page."""
