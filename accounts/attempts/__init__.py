"""How often signing in may be tried, and when everybody's attempts together look like an attack."""
