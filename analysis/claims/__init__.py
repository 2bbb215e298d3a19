"""The claims: each a statement, its source, and a test of it on the tables of a sweep.

One file per claim; `register` has a claim from anywhere tested by every report.
"""

from __future__ import annotations

from analysis.claims.claim import Claim, Result
from analysis.claims.outcomes import Outcome, claims_table, outcomes
from analysis.claims.registry import claims, forget, register

__all__ = ["Claim", "Outcome", "Result", "claims", "claims_table", "forget", "outcomes", "register"]
