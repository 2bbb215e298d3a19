"""The claims that a report tests, in the order of their ids.

A claim from outside is added by `register`, for one process, or by naming it as an entry point of
the group `memophase.claims`, which every process finds.
"""

from __future__ import annotations

from typing import Any

from analysis.claims import (
    beyond_grammar,
    beyond_reach,
    common_rules,
    deduplicated,
    enough_strings,
    gap_first,
    level_by_level,
    medium_noise,
    outlier_first,
    partial_generalization,
    recovery_merges,
    reverse_steps,
    rule_complexity,
    size_scaling,
    tails,
    typical_first,
    width_scaling,
)
from analysis.claims.claim import Claim
from study.config.installed import Installed

GROUP = "memophase.claims"

BUILT_IN: tuple[Claim[Any], ...] = (
    typical_first.CLAIM,
    deduplicated.CLAIM,
    tails.C3,
    tails.C4,
    common_rules.CLAIM,
    width_scaling.C6,
    size_scaling.C7,
    size_scaling.C8,
    width_scaling.C9,
    width_scaling.C9B,
    beyond_reach.CLAIM,
    level_by_level.CLAIM,
    enough_strings.CLAIM,
    partial_generalization.CLAIM,
    gap_first.CLAIM,
    recovery_merges.CLAIM,
    outlier_first.CLAIM,
    rule_complexity.CLAIM,
    medium_noise.CLAIM,
    reverse_steps.CLAIM,
    beyond_grammar.CLAIM,
)

_registered: dict[str, Claim[Any]] = {claim.id: claim for claim in BUILT_IN}


def claims() -> tuple[Claim[Any], ...]:
    """Every registered claim, those of installed packages among them.

    Raises:
        NotUsable: when an installed package's claim cannot be registered.
    """
    _installed()
    return tuple(sorted(_registered.values(), key=lambda claim: claim.rank))


def register(claim: Claim[Any]) -> None:
    """Have a claim tested by every report of this process from now on.

    A claim that is registered again, as in a notebook, takes the place of its former self.

    Raises:
        ValueError: when the claim would take the id or the name of another one.
    """
    _installed()
    for other in _registered.values():
        same_id, same_name = other.id == claim.id, other.name == claim.name
        replaces = same_id and same_name and other not in BUILT_IN
        if (same_id or same_name) and not replaces:
            there = f"there is {other.id} ({other.name})"
            raise ValueError(f"{claim.id} ({claim.name}) cannot be registered: {there}")
    _registered[claim.id] = claim


_installed = Installed(GROUP, Claim, register)


def forget(claim: Claim[Any]) -> None:
    """Test a claim no longer, if it was registered from outside."""
    if claim not in BUILT_IN:
        _registered.pop(claim.id, None)
