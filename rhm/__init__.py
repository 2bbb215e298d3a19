"""The Random Hierarchy Model, and everything that is exact about it.

Grammars and their strings, likelihoods, parses and posteriors; corpora with their control twins,
and the strata of equal typicality in which the two are compared. Levels count from the root.
"""

from rhm.corpus import Corpus, Side
from rhm.derivation import Derivations
from rhm.grammar import Grammar
from rhm.keys import lookup, string_keys
from rhm.refit import refit, refit_rule_probabilities
from rhm.shape import GrammarShape, infeasibility
from rhm.strata import Strata

__all__ = [
    "Corpus",
    "Derivations",
    "Grammar",
    "GrammarShape",
    "Side",
    "Strata",
    "infeasibility",
    "lookup",
    "refit",
    "refit_rule_probabilities",
    "string_keys",
]
