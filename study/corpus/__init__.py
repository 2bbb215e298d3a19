"""Corpora: training strings, their control twins, and the strata in which the two are compared."""

from study.corpus.strata import Strata
from study.corpus.twins import Corpus, Side

__all__ = ["Corpus", "Side", "Strata"]
