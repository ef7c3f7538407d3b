"""Bank formats as pure functions, one per file: bytes in, bytes out, no database, no framework."""
