"""In which way a claim was found: by which rule, or by whose report."""

from __future__ import annotations

from typing import Final

# SQL over the claim `c`: the first way. A report is the first where there was one, because a rule
# that hits later adds its evidence to the claim.
FIRST_WAY: Final = """CASE WHEN c.channel <> 'rule' THEN c.channel ELSE coalesce((
    SELECT r.code FROM refunds_rulehit h JOIN accounts_detectionrule r ON r.id = h.rule_id
    WHERE h.claim_id = c.id ORDER BY h.found_at, h.hit_at, h.id LIMIT 1), c.channel) END"""
