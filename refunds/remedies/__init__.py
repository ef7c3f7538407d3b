"""How a loss is made good: the route, the request to the issuer, its answer, the own funds."""
