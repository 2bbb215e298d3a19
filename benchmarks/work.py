"""The work that is timed: training, generation, measuring, corpora."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.ceiling import generation_ceiling, training_ceiling
from benchmarks.peer import Peer
from benchmarks.timing import Clock, Figure, Run
from rhm import Corpus, Grammar, GrammarShape
from study.config import TrialConfig
from study.diffusion import Diffusion
from study.measures import Reference, measure_strings
from study.memory import keep_freed_memory
from study.network import PackedUNet
from study.sampling import CHUNK, generate
from study.training import PackTrainer
from study.weights import NetworkShape, initial_weights

VOCAB, SYNONYMS, BATCH = 6, 4, 32
PEER_GENERATES = 64
"""The widest network that a peer generates with; beyond, one run takes minutes on a core."""
Runs = dict[str, tuple[Run, float]]

WIDTHS = {  # width -> pack sizes
    16: (1, 8, 16, 32),
    32: (1, 8, 16),
    64: (1, 4, 8, 16),
    128: (1, 4, 8),
    256: (1, 2, 4),
    512: (1, 2),
}
GPU_WIDTHS = {**WIDTHS, 64: (1, 8, 32, 128), 1024: (1, 4), 4096: (1,)}


def widths(clock: Clock, *, quick: bool) -> dict[int, tuple[int, ...]]:
    """Widths and pack sizes that make sense on the device."""
    if quick:
        return {16: (1, 8), 64: (1, 4)}
    return GPU_WIDTHS if clock.device.type == "cuda" else WIDTHS


def training(clock: Clock, peer: Peer | None, *, quick: bool, threads: int) -> Iterator[Figure]:
    """Steps of optimizers, counted per model."""
    packs = widths(clock, quick=quick)
    for depth in (4,) if quick else (4, 3):
        yield from _training("training", depth, packs, clock, peer, threads)


def compiled(clock: Clock, peer: Peer | None, *, quick: bool, threads: int) -> Iterator[Figure]:
    """The same with `training.compile`, alone and in the largest packs: compiling is slow."""
    packs = {width: (own[0], own[-1]) for width, own in widths(clock, quick=quick).items()}
    yield from _training("compiled", 4, packs, clock, peer, threads, compile=True)


def narrow(clock: Clock, peer: Peer | None, *, quick: bool, threads: int) -> Iterator[Figure]:
    """The same with `training.precision: bfloat16` and, on a GPU, `tf32`."""
    packs = widths(clock, quick=quick)
    for precision in ("tf32", "bfloat16") if clock.device.type == "cuda" else ("bfloat16",):
        yield from _training(precision, 4, packs, clock, peer, threads, precision=precision)


def _training(
    kind: str,
    depth: int,
    packs: Mapping[int, Sequence[int]],
    clock: Clock,
    peer: Peer | None,
    threads: int,
    **settings: Any,
) -> Iterator[Figure]:
    """A figure for every width and pack size."""
    for width, sizes in packs.items():
        shape = NetworkShape(depth, 2, VOCAB, width)
        for members in sizes:
            trainer = _trainer(shape, members, clock.device, threads, **settings)
            runs: Runs = {
                "ours": (trainer, members),
                "ceiling": (training_ceiling(shape, members, BATCH, clock.device), members),
            }
            if peer is not None:
                runs["peer"] = (peer.training_step(shape, BATCH), 1)
            case = f"L={depth} W={width} K={members}"
            yield clock.figure(kind, case, "model-steps/s", runs)


def generation(clock: Clock, peer: Peer | None, *, quick: bool, threads: int) -> Iterator[Figure]:
    """Reverse steps of strings; few timesteps, since every one costs the same."""
    del threads
    keep_freed_memory()
    timesteps, batch = (25, 2_000) if quick else (25, 10_000)
    for width, members in ((64, 1),) if quick else ((16, 1), (64, 1), (64, 4), (256, 1)):
        shape = NetworkShape(4, 2, VOCAB, width)
        diffusion = Diffusion.build(timesteps, VOCAB, clock.device)
        weights = initial_weights(shape, range(members)).to(clock.device)
        network = PackedUNet(shape, diffusion, weights)
        strings = 4 * CHUNK
        ceiling = generation_ceiling(shape, members, CHUNK, clock.device)
        runs: Runs = {
            "ours": (_sampler(network, diffusion, members, strings), members * strings * timesteps),
            "ceiling": (ceiling, members * CHUNK),
        }
        if peer is not None and width <= PEER_GENERATES:
            runs["peer"] = (peer.sampler(shape, batch, timesteps), batch * timesteps)
        yield clock.figure("generation", f"L=4 W={width} K={members}", "string-steps/s", runs)


def measuring(clock: Clock, peer: Peer | None, *, quick: bool, threads: int) -> Iterator[Figure]:
    """Everything the tables say about generated strings, half of them copies."""
    del threads
    size, count = (2_000, 1_000) if quick else (20_000, 10_000)
    grammar = _grammar(4)
    corpus = Corpus.draw(grammar, size, seed=0)
    reference = Reference.build(corpus)
    novel = grammar.sample(count // 2, np.random.default_rng(0))
    generated = np.concatenate([novel, corpus.training.strings[: count // 2]])
    runs: Runs = {"ours": (lambda: measure_strings(reference, generated), count)}
    if peer is not None:
        run = peer.measuring(corpus.training.strings, generated, VOCAB, 4)
        runs["peer"] = (run, count)
    yield clock.figure("measuring", f"G={count} N={size}", "strings/s", runs)


def corpora(clock: Clock, peer: Peer | None, *, quick: bool, threads: int) -> Iterator[Figure]:
    """Unique strings with their likelihoods; ours come with as many controls, not counted."""
    del threads
    size = 2_000 if quick else 20_000
    grammar = _grammar(4)
    runs: Runs = {"ours": (lambda: Corpus.draw(grammar, size, seed=0), size)}
    if peer is not None:
        runs["peer"] = (peer.corpus(grammar.shape, size), size)
    yield clock.figure("corpus", f"L=4 N={size}", "strings/s", runs)


def _grammar(depth: int) -> Grammar:
    shape = GrammarShape(depth=depth, vocab_size=VOCAB, num_synonyms=SYNONYMS)
    return Grammar.random(shape, zipf={0: 1.0}, seed=0)


def _trainer(
    shape: NetworkShape, members: int, device: torch.device, threads: int, **settings: Any
) -> Run:
    grammar = _grammar(shape.depth)
    strings = grammar.sample(1024, np.random.default_rng(0))
    configs = [
        TrialConfig.from_dict(
            {
                "grammar": {
                    "depth": shape.depth,
                    "vocab_size": VOCAB,
                    "num_synonyms": SYNONYMS,
                },
                "corpus": {"size": len(strings)},
                "network": {"width": shape.width},
                "training": {"steps": 1 << 20, "batch_size": BATCH, **settings},
                "seed": seed,
            }
        )
        for seed in range(members)
    ]
    trainer = PackTrainer(configs, [strings] * members, device, threads)
    return lambda: trainer.train(trainer.step + 1)


def _sampler(network: PackedUNet, diffusion: Diffusion, members: int, strings: int) -> Run:
    leaves = network.shape.tuple_size**network.shape.depth
    return lambda: generate(network, diffusion, range(members), count=strings, leaves=leaves)
