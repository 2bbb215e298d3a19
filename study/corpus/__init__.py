"""Corpora: training strings, their control twins, and the strata in which the two are compared.

Where strings come from is a `Source`; twins, strata and typicality do not know.
"""

from study.corpus.building import build_corpus, source_of
from study.corpus.grammar_source import GrammarSource
from study.corpus.pool import Pool
from study.corpus.pool_source import PoolSource
from study.corpus.strata import Scores, Strata
from study.corpus.twins import Corpus, Side, StandIn

__all__ = [
    "Corpus",
    "GrammarSource",
    "Pool",
    "PoolSource",
    "Scores",
    "Side",
    "StandIn",
    "Strata",
    "build_corpus",
    "source_of",
]
