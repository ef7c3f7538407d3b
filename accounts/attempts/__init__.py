"""How often signing in may be tried: counters and limits."""
