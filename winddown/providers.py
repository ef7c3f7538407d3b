"""The login providers of the service. This module imports nothing, so that the settings can read
it.
"""

PROVIDERS = ("facebook", "google", "line", "twitter", "yahoo")
