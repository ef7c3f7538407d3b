"""One transport per way to ask an issuer: bytes out, bytes in, no ORM."""
