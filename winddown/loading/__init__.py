"""Imported files: read, checked, and loaded completely or not at all."""
