"""The Random Hierarchy Model, and everything that is exact about it.

Grammars and their strings, likelihoods, parses and posteriors. Levels count from the root.
"""

from rhm.exact.derivation import Derivations
from rhm.exact.refit import refit, refit_rule_probabilities
from rhm.grammar import Grammar
from rhm.keys import lookup, string_keys
from rhm.shape import GrammarShape, TreeShape, infeasibility

__all__ = [
    "Derivations",
    "Grammar",
    "GrammarShape",
    "TreeShape",
    "infeasibility",
    "lookup",
    "refit",
    "refit_rule_probabilities",
    "string_keys",
]
