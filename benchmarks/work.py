"""The work that is timed: training, generation, measuring, corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.ceiling import generation_ceiling, training_ceiling
from benchmarks.crew import Run
from benchmarks.peer import Peer
from benchmarks.timing import CEILING, OURS, PEER, Case, Contenders
from rhm import Grammar, GrammarShape
from study.config import TrialConfig
from study.corpus import Corpus, GrammarSource
from study.kernels.memory import keep_freed_memory
from study.measures import Reference, measure_strings
from study.models.unet import PackedUNet
from study.models.weights import NetworkShape, initial_weights
from study.processes.chunks import LARGE
from study.processes.generation import generate
from study.processes.uniform import Uniform
from study.training.pack import PackTrainer

VOCAB, SYNONYMS, BATCH = 6, 4, 32
TIMESTEPS, PEER_TIMESTEPS = 200, 20
"""Reverse steps of a timed generation; a peer's all cost the same, so that few are enough."""
PEER_GENERATES = 64
"""The widest network that a peer generates with; beyond, one run takes minutes on a core."""

WIDTHS = {  # width -> pack sizes
    16: (1, 8, 16, 32),
    32: (1, 8, 16),
    64: (1, 4, 8, 16),
    128: (1, 4, 8),
    256: (1, 2, 4),
    512: (1, 2),
}
GPU_WIDTHS = {**WIDTHS, 64: (1, 8, 32, 128), 1024: (1, 4), 4096: (1,)}


def widths(device: torch.device, *, quick: bool) -> dict[int, tuple[int, ...]]:
    """Widths and pack sizes that make sense on the device."""
    if quick:
        return {16: (1, 8), 64: (1, 4)}
    return GPU_WIDTHS if device.type == "cuda" else WIDTHS


def training(device: torch.device, peer: Peer | None, *, quick: bool) -> Iterator[Case]:
    """Steps of optimizers, counted per model."""
    packs = widths(device, quick=quick)
    for depth in (4,) if quick else (4, 3):
        yield from _training("training", depth, packs, peer)


def compiled(device: torch.device, peer: Peer | None, *, quick: bool) -> Iterator[Case]:
    """The same with `training.compile`, alone and in the largest packs: compiling is slow."""
    packs = {width: (own[0], own[-1]) for width, own in widths(device, quick=quick).items()}
    yield from _training("compiled", 4, packs, peer, compile=True)


def narrow(device: torch.device, peer: Peer | None, *, quick: bool) -> Iterator[Case]:
    """The same with `training.precision: bfloat16` and, on a GPU, `tf32`."""
    packs = widths(device, quick=quick)
    for precision in ("tf32", "bfloat16") if device.type == "cuda" else ("bfloat16",):
        yield from _training(precision, 4, packs, peer, precision=precision)


def _training(
    kind: str,
    depth: int,
    packs: Mapping[int, Sequence[int]],
    peer: Peer | None,
    **settings: Any,
) -> Iterator[Case]:
    """A case for every width and pack size."""
    for width, sizes in packs.items():
        shape = NetworkShape(depth, 2, VOCAB, width)
        for members in sizes:
            contenders: Contenders = {
                OURS: (partial(_trainer, shape, members, settings), members),
                CEILING: (partial(training_ceiling, shape, members, BATCH), members),
            }
            if peer:
                contenders[PEER] = (partial(peer.training_step, shape, BATCH), 1)
            yield Case(kind, f"L={depth} W={width} K={members}", "model-steps/s", contenders)


def generation(device: torch.device, peer: Peer | None, *, quick: bool) -> Iterator[Case]:
    """Reverse steps of strings; the peer's run on 10,000 strings at once, as in its protocol."""
    del device
    batch, strings = (2_000, 2 * LARGE) if quick else (10_000, 4 * LARGE)
    for width, members in ((64, 1),) if quick else ((16, 1), (64, 1), (64, 4), (256, 1)):
        shape = NetworkShape(4, 2, VOCAB, width)
        contenders: Contenders = {
            OURS: (partial(_sampler, shape, members, strings), members * strings * TIMESTEPS),
            CEILING: (partial(generation_ceiling, shape, members, LARGE), members * LARGE),
        }
        if peer and width <= PEER_GENERATES:
            theirs = partial(peer.sampler, shape, batch, PEER_TIMESTEPS)
            contenders[PEER] = (theirs, batch * PEER_TIMESTEPS)
        yield Case("generation", f"L=4 W={width} K={members}", "string-steps/s", contenders)


def measuring(device: torch.device, peer: Peer | None, *, quick: bool) -> Iterator[Case]:
    """Everything the tables say about generated strings, half of them copies."""
    del device
    size, count = (2_000, 1_000) if quick else (20_000, 10_000)
    contenders: Contenders = {OURS: (partial(_reading, size, count), count)}
    if peer:
        corpus, generated = _copies(size, count)
        theirs = partial(peer.measuring, corpus.training.strings, generated, corpus.grammar.shape)
        contenders[PEER] = (theirs, count)
    yield Case("measuring", f"G={count} N={size}", "strings/s", contenders)


def corpora(device: torch.device, peer: Peer | None, *, quick: bool) -> Iterator[Case]:
    """Unique strings with their likelihoods; of ours half are controls."""
    del device
    size = 2_000 if quick else 20_000
    contenders: Contenders = {OURS: (partial(_corpus, size), 2 * size)}
    if peer:
        contenders[PEER] = (partial(peer.corpus, _grammar(4).shape, size), size)
    yield Case("corpus", f"L=4 N={size}", "strings/s", contenders)


KINDS: dict[str, Callable[..., Iterator[Case]]] = {
    "training": training,
    "compiled": compiled,
    "narrow": narrow,
    "generation": generation,
    "measuring": measuring,
    "corpus": corpora,
}


def _grammar(depth: int) -> Grammar:
    shape = GrammarShape(depth=depth, vocab_size=VOCAB, num_synonyms=SYNONYMS)
    return Grammar.random(shape, zipf={0: 1.0}, seed=0)


@dataclass(frozen=True)
class Trained:
    """A training of a pack, on strings of no corpus."""

    config: TrialConfig
    strings: np.ndarray


def _trainer(
    shape: NetworkShape, members: int, settings: Mapping[str, Any], device: torch.device
) -> Run:
    strings = _grammar(shape.depth).sample(1024, np.random.default_rng(0))
    training = {"steps": 1 << 20, "batch_size": BATCH, **settings}
    base = {
        "grammar": {"depth": shape.depth, "vocab_size": VOCAB, "num_synonyms": SYNONYMS},
        "corpus": {"size": len(strings)},
        "network": {"width": shape.width},
        "training": training,
    }
    configs = [TrialConfig.from_dict({**base, "seed": seed}) for seed in range(members)]
    keep_freed_memory()
    trainer = PackTrainer([Trained(config, strings) for config in configs], device)
    torch.set_num_threads(trainer.threads(torch.get_num_threads()))
    return lambda: trainer.train(trainer.step + 1)


def _sampler(shape: NetworkShape, members: int, strings: int, device: torch.device) -> Run:
    keep_freed_memory()
    diffusion = Uniform.build(TIMESTEPS, shape.vocab_size, device)
    weights = initial_weights(shape, range(members)).to(device)
    network, leaves = PackedUNet(shape, diffusion, weights), shape.tuple_size**shape.depth
    return lambda: generate(network, diffusion, range(members), count=strings, leaves=leaves)


def _copies(size: int, count: int) -> tuple[Corpus, np.ndarray]:
    """A corpus, and generated strings half of which it holds."""
    grammar = _grammar(4)
    corpus = GrammarSource(grammar).draw(size, seed=0)
    novel = grammar.sample(count // 2, np.random.default_rng(0))
    return corpus, np.concatenate([novel, corpus.training.strings[: count // 2]])


def _reading(size: int, count: int, device: torch.device) -> Run:
    del device
    corpus, generated = _copies(size, count)
    reference = Reference.build(corpus)
    return lambda: measure_strings(reference, generated)


def _corpus(size: int, device: torch.device) -> Run:
    del device
    grammar = _grammar(4)
    return lambda: GrammarSource(grammar).draw(size, seed=0)
