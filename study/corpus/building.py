"""The corpus of a training, from its configuration and, where it has one, its pool."""

from __future__ import annotations

from rhm.grammar import Grammar
from study.config import TrialConfig
from study.corpus.grammar_source import GrammarSource
from study.corpus.pool import Pool
from study.corpus.pool_source import PoolSource
from study.corpus.source import Source
from study.corpus.twins import Corpus


def source_of(config: TrialConfig, pool: Pool | None = None) -> Source:
    """Where the strings of a training come from.

    pool: of the configuration's hash; needed where the strings are not a grammar's.
    """
    if config.pool is None:
        grammar = config.known_grammar
        return GrammarSource(
            Grammar.random(grammar.shape, zipf=grammar.zipf, seed=config.grammar_seed)
        )
    if pool is None:
        raise ValueError("these strings come from a pool, which was not given")
    return PoolSource(pool, config.strings)


def build_corpus(config: TrialConfig, pool: Pool | None = None) -> Corpus:
    """The corpus of a training, from its seeds; see `source_of`."""
    return source_of(config, pool).draw(
        config.corpus.size,
        control_size=config.corpus.control_size,
        unique=config.corpus.unique,
        seed=config.corpus_seed,
    )
