"""Corpora: training strings, their control twins, and the strata in which the two are compared.

Where strings come from is a `Source`; twins, strata and typicality do not know.
"""

from study.corpus.grammar_source import GrammarSource, build_corpus
from study.corpus.strata import Scores, Strata
from study.corpus.twins import Corpus, Side

__all__ = ["Corpus", "GrammarSource", "Scores", "Side", "Strata", "build_corpus"]
