"""Remedies of losses: the route, the request to the issuer, its answer, and the operator's own
funds."""
