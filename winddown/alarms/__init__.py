"""Alarms: they are raised, told to the people on duty, escalated, acknowledged and closed."""
