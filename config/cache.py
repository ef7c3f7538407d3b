"""Cached values are JSON: a writer of the broker's server must not run code in our processes."""

import json


class JsonSerializer:
    """Django's Redis cache writes and reads its values with it (CACHES in config.settings)."""

    def dumps(self, value: object) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> object:
        """Returns the value. It is None if the value is not JSON, which another program wrote."""
        try:
            return json.loads(data)
        except ValueError:
            return None
