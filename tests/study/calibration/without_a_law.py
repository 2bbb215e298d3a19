"""Strings of unknown law under samplers of known answer: a grammar's, its law hidden, and words."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import torch

from rhm import Grammar
from study.config import StringsConfig, TrialConfig
from study.corpus import Corpus, GrammarSource, Pool, PoolSource, shipped
from study.measures import Reference, StringLosses, measure_strings
from study.measures.string_losses import loss_columns
from study.models.model import Networks
from study.processes.generation import generate
from study.processes.process import Diffusion
from study.training.member import Member
from study.training.pack import PackTrainer
from tests.study.calibration.flags import pair
from tests.study.calibration.repetitions import Pair
from tests.study.calibration.worlds import GENERATED, SHAPE, SIZE, ZIPF

POOL = 6000
"""Distinct strings of the pool, of 98,304 that the grammar has."""

GRAMMAR = Grammar.random(SHAPE, zipf=ZIPF, seed=5)


HIDDEN, WORDS = "grammar", "words"
"""Pools: strings of a grammar whose law is not told, and English pronunciations."""


@lru_cache(maxsize=2)
def pool(name: str = HIDDEN) -> Pool:
    """Strings of a grammar drawn without replacement, as if read from a file; or a shipped pool."""
    if name == WORDS:
        return shipped.pool(WORDS, StringsConfig())
    strings = GrammarSource(GRAMMAR).draw(POOL - SIZE, control_size=SIZE, seed=5)
    both = np.concatenate([strings.training.strings, strings.control.strings])
    return Pool(
        strings=np.unique(both, axis=0).astype(np.uint8),
        counts=np.ones(POOL, dtype=np.int64),
        typicality=None,
        alphabet=tuple("abcdef"),
    )


@lru_cache(maxsize=4)
def world(seed: int, name: str = HIDDEN) -> tuple[Corpus, Reference]:
    """A corpus of the pool, drawn anew in every repetition, as are the strings put aside."""
    corpus = PoolSource(pool(name), StringsConfig()).draw(SIZE, seed=seed)
    return corpus, Reference.build(corpus)


def stream(seed: int, *more: int) -> np.random.Generator:
    return np.random.default_rng([seed, *more])


def readings(reference: Reference, strings: np.ndarray) -> dict[str, Pair]:
    """E, T_E and λ_1 with their stated errors."""
    tables = measure_strings(reference, strings)
    curves, levels = tables["curves"], tables["levels"]
    found = {
        "E": (curves["excess_copies"][0], curves["excess_copies_se"][0]),
        "T_E": (curves["typicality_slope"][0], curves["typicality_slope_se"][0]),
    }
    if levels["partial_memorization"][1] is not None:
        error = levels["partial_memorization_se"][1]
        found["λ, level 1"] = levels["partial_memorization"][1], error
    return found


def fresh(seed: int, name: str = HIDDEN) -> np.ndarray:
    """Strings of the pool, each as likely as another."""
    strings = pool(name).strings
    return strings[stream(seed, 1).integers(len(strings), size=GENERATED)]


def of_ngram(seed: int, name: str = HIDDEN) -> np.ndarray:
    """Strings of the n-gram of those put aside, which never saw D."""
    model = world(seed, name)[0].stand_in.model  # type: ignore[union-attr]
    return model.sample(GENERATED, pool(name).num_leaves, stream(seed, 2))


def of_fresh(seed: int, name: str = HIDDEN) -> dict[str, Pair]:
    return readings(world(seed, name)[1], fresh(seed, name))


def of_another_model(seed: int, name: str = HIDDEN) -> dict[str, Pair]:
    return readings(world(seed, name)[1], of_ngram(seed, name))


def of_mixture(seed: int, weight: float) -> dict[str, Pair]:
    """Strings of D with probability w, else of the n-gram: E - w, and the slope."""
    corpus, reference = world(seed)
    rng = stream(seed, 3)
    copies = corpus.training.strings[rng.integers(SIZE, size=GENERATED)]
    mixed = np.where(rng.random((GENERATED, 1)) < weight, copies, of_ngram(seed))
    found = readings(reference, mixed)
    excess, error = found["E"]
    assert excess is not None
    return {
        f"E - w, w = {weight}": (excess - weight, error),
        f"T_E, w = {weight}": found["T_E"],
    }


def of_losses(seed: int) -> dict[str, Pair]:
    """Flags by losses that know how typical strings are, and nothing of D."""
    corpus, reference = world(seed)
    rng = stream(seed, 4)
    sides = corpus.training, corpus.control
    losses = [-side.log_p + rng.normal(scale=3.0, size=len(side)) for side in sides]
    rows = [np.arange(len(side)) for side in sides]
    found = StringLosses(
        reference=reference,
        training=rows[0],
        control=rows[1],
        training_loss=losses[0],
        control_loss=losses[1],
        level_strata=[None] * SHAPE.depth,
    )
    curves = loss_columns(found)["curves"]
    return {
        "memorized excess": pair(curves, "memorized_excess"),
        "T_L": pair(curves, "likelihood_slope"),
    }


def with_and_without_the_law(seed: int) -> dict[str, Pair]:
    """E and T_E of one sample, the law hidden less the law known, and the larger stated error.

    The same strings of D and C on both sides; the sample is D with probability 0.4, else the
    grammar. Strata differ, for one side groups by the exact log p and the other by the n-gram.
    """
    hidden, reference = world(seed)
    known = Reference.build(
        GrammarSource(GRAMMAR).of(hidden.training.strings, hidden.control.strings)
    )
    rng = stream(seed, 5)
    copies = hidden.training.strings[rng.integers(SIZE, size=GENERATED)]
    novel = GRAMMAR.sample(GENERATED, rng)
    mixed = np.where(rng.random((GENERATED, 1)) < 0.4, copies, novel)
    one, other = (readings(each, mixed) for each in (reference, known))
    return {
        f"{name}, hidden less known": (
            one[name][0] - other[name][0],
            max(one[name][1], other[name][1]),
        )
        for name in ("E", "T_E")
    }


ANOTHER = 9_999
"""Seed of the corpus that another network was trained on."""


@lru_cache(maxsize=2)
def another_network(name: str = HIDDEN) -> tuple[Networks, Diffusion]:
    """A network on its way to memorizing other strings of the pool."""
    document = {
        "corpus": {"source": "strings", "size": SIZE},
        "pool": pool(name).config.as_document(),
        "network": {"width": 16},
        "training": {"steps": 1024, "batch_size": 32},
        "diffusion": {"num_timesteps": 24},
        "seed": ANOTHER,
    }
    config = TrialConfig.from_dict(document)
    trainer = PackTrainer([Member(config, pool=partial(pool, name))], torch.device("cpu"))
    trainer.train(config.training.steps)
    return trainer.network, trainer.diffusion


def of_another_network(seed: int, name: str = HIDDEN) -> dict[str, Pair]:
    """Its strings, against corpora that it was not trained on."""
    network, diffusion = another_network(name)
    leaves = pool(name).num_leaves
    strings = generate(network, diffusion, [seed], count=GENERATED, leaves=leaves, occasion=seed)
    return readings(world(seed, name)[1], strings[0])
