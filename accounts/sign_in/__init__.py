"""Signing in: its pages, second factors and external logins."""
