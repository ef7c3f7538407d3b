"""Signing in: its doors, its limits, second factors and external logins."""
