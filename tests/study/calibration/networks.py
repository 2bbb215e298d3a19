"""Networks: on strings seen once, and on few strings; as they are, and with D and C exchanged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rhm import Grammar
from study.config import TrialConfig
from study.corpus import Corpus, GrammarSource
from study.measures import Reference, measure_strings
from study.measures.likelihood import Probes, elbo_losses
from study.measures.string_losses import loss_columns
from study.processes.generation import generate
from study.processes.uniform import Uniform
from study.training.pack import Batch, PackTrainer
from tests.study.calibration.worlds import config

GENERATED = 1024


@dataclass(frozen=True)
class Trained:
    """A training on strings of ours."""

    config: TrialConfig
    strings: np.ndarray


class Once:
    """Batches in which every training string occurs exactly once, in random order."""

    def __init__(self, corpora: list[np.ndarray], diffusion: Uniform, batch: int) -> None:
        self.diffusion, self.batch = diffusion, batch
        self.rng = torch.Generator().manual_seed(0)
        self.corpora = torch.stack(
            [
                torch.as_tensor(c.astype(np.int64))[torch.randperm(len(c), generator=self.rng)]
                for c in corpora
            ]
        )

    def __getitem__(self, step: int) -> Batch:
        x_0 = self.corpora[:, step * self.batch : (step + 1) * self.batch]
        T = self.diffusion.num_timesteps
        t = torch.randint(1, T + 1, x_0.shape[:2], generator=self.rng)
        uniform = torch.rand(x_0.shape, generator=self.rng)
        return Batch(x_0, self.diffusion.noised(x_0, t, uniform), t)


@dataclass(frozen=True)
class Read:
    """What is read off one network, of D or with D and C exchanged.

    excess  (memorized excess, its null error, its p-value) by the number of strings probed
    copies  E and its standard error
    """

    excess: dict[int, tuple[float, float, float]]
    copies: tuple[float, float]


@dataclass(frozen=True)
class Networks:
    """A pack of trained networks, read twice."""

    own: list[Read]
    exchanged: list[Read]

    @classmethod
    def once(cls, seeds: Iterable[int]) -> Networks:
        """32,768 strings in 512 steps; many probes, and the default number."""
        return cls._trained(seeds, size=32_768, steps=512, probed=(192, 4096), once=True)

    @classmethod
    def few(cls, seeds: Iterable[int]) -> Networks:
        """64 strings in 1,500 steps."""
        return cls._trained(seeds, size=64, steps=1500, probed=(256,), once=False)

    @classmethod
    def _trained(
        cls, seeds: Iterable[int], *, size: int, steps: int, probed: Sequence[int], once: bool
    ) -> Networks:
        configs = [config(seed, size=size, timesteps=50) for seed in seeds]
        corpora = []
        for cfg in configs:
            grammar = Grammar.random(cfg.grammar.shape, zipf=cfg.grammar.zipf, seed=cfg.seed)
            corpora.append(GrammarSource(grammar).draw(size, seed=cfg.seed))
        strings = [corpus.training.strings for corpus in corpora]
        members = [Trained(*each) for each in zip(configs, strings, strict=True)]
        trainer = PackTrainer(members, torch.device("cpu"))
        if once:
            batches = Once(strings, trainer.diffusion, configs[0].training.batch_size)
            setattr(trainer, "_batches", batches)  # noqa: B010 - of another type, on purpose
        trainer.train(steps)
        turned = [
            GrammarSource(c.grammar).of(c.control.strings, c.training.strings) for c in corpora
        ]
        generated = _generated(trainer, configs)
        return cls(
            *(_read(trainer, configs, side, generated, probed) for side in (corpora, turned))
        )


def _generated(trainer: PackTrainer, configs: list[TrialConfig]) -> np.ndarray:
    leaves = configs[0].grammar.shape.num_leaves
    seeds = [cfg.seed for cfg in configs]
    return generate(trainer.network, trainer.diffusion, seeds, count=GENERATED, leaves=leaves)


def _read(
    trainer: PackTrainer,
    configs: list[TrialConfig],
    corpora: list[Corpus],
    generated: np.ndarray,
    probed: Sequence[int],
) -> list[Read]:
    references = [Reference.build(corpus) for corpus in corpora]
    excess: list[dict[int, tuple[float, float, float]]] = [{} for _ in configs]
    for number in probed:
        probes = [
            Probes.draw(config(c.seed, size=c.corpus.size, timesteps=50, probes=number), r, d)
            for c, r, d in zip(configs, references, [trainer.diffusion] * len(configs), strict=True)
        ]
        losses = elbo_losses(trainer.network, trainer.diffusion, probes)
        for own, member, loss in zip(excess, probes, losses, strict=True):
            found = loss_columns(member.with_losses(loss))["curves"]
            names = ("", "_null_se", "_p_value")
            value, error, p = (found[f"memorized_excess{name}"][0] for name in names)
            own[number] = value, error, p
    copied = [
        measure_strings(reference, strings)["curves"]
        for reference, strings in zip(references, generated, strict=True)
    ]
    return [
        Read(own, (found["excess_copies"][0], found["excess_copies_se"][0]))
        for own, found in zip(excess, copied, strict=True)
    ]


def rows(networks: Networks) -> str:
    """The table of a pack."""
    lines = ["| reading | mean | largest deviation | smallest p-value |", "|---|---|---|---|"]
    for suffix, reads in (("", networks.own), (", exchanged", networks.exchanged)):
        for number in reads[0].excess:
            excess, errors, p = np.array([read.excess[number] for read in reads]).T
            worst = np.abs(excess / errors).max()
            lines.append(
                f"| memorized excess of {number}{suffix} | {excess.mean():+.4f} | {worst:.2f} | "
                f"{p.min():.2g} |"
            )
        copies, errors = np.array([read.copies for read in reads]).T
        worst = np.abs(copies / errors).max()
        lines.append(f"| E{suffix} | {copies.mean():+.4f} | {worst:.2f} | |")
    return "\n".join(lines)
