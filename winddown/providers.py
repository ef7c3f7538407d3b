"""The login providers that the service knows; imports nothing, so that settings can read it."""

PROVIDERS = ("facebook", "google", "line", "twitter", "yahoo")
