"""Passwords, sessions, tokens and the fence that ends them all at once."""
