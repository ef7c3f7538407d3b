"""State machines: declared once, run for one row or a set, guarded and logged by the database."""
