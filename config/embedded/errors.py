"""The one error of the embedded servers."""


class EmbeddedServerError(Exception):
    """An embedded server cannot be used; the message is one sentence for a person."""
