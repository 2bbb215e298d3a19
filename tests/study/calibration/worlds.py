"""The grammars and corpora of the calibration, drawn anew in every repetition."""

from __future__ import annotations

from functools import lru_cache

from rhm import Grammar, GrammarShape
from study.config import TrialConfig
from study.corpus import Corpus, GrammarSource
from study.measures import Reference

GENERATED = 512
SIZE = 256
"""Training strings: few enough for exclusive substrings of level 1, and for chance to copy but one
control of a stratum or so."""
MANY = 512
"""Training strings of which chance copies some of every stratum."""
SHAPE = GrammarShape(depth=3, vocab_size=6, num_synonyms=4)
ZIPF = {0: 1.0, 2: 1.0}


def config(seed: int, *, size: int = SIZE, timesteps: int = 200, probes: int = 192) -> TrialConfig:
    """A training whose measurements are the default ones, but for the number of probes."""
    return TrialConfig.from_dict(
        {
            "grammar": {
                "depth": SHAPE.depth,
                "vocab_size": SHAPE.vocab_size,
                "num_synonyms": SHAPE.num_synonyms,
                "zipf": ZIPF,
            },
            "corpus": {"size": size},
            "network": {"width": 32},
            "training": {"steps": 4096, "batch_size": 64},
            "diffusion": {"num_timesteps": timesteps},
            "measurement": {"loss_strings": probes, "budget": None},
            "seed": seed,
        }
    )


@lru_cache(maxsize=4)
def world(seed: int, size: int = SIZE) -> tuple[Corpus, Reference]:
    grammar = Grammar.random(SHAPE, zipf=ZIPF, seed=seed)
    corpus = GrammarSource(grammar).draw(size, seed=seed)
    return corpus, Reference.build(corpus)
