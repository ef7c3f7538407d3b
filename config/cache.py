"""Cached values are JSON: who can write to the broker's server must not run code in our processes."""

import json


class JsonSerializer:
    """Django's Redis cache writes and reads its values with it (CACHES in config.settings)."""

    def dumps(self, value: object) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> object:
        """Returns the value, None for what is not JSON: nobody of ours wrote that."""
        try:
            return json.loads(data)
        except ValueError:
            return None
