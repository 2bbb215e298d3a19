"""The measurements on samplers of known answer, many times over: what the long suite checks.

`python -m tests.study.calibration` prints the tables of docs/calibration.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from rhm import Corpus, Grammar, GrammarShape
from study.config import TrialConfig
from study.diffusion import Diffusion
from study.measures import Reference, measure_strings
from study.measures.likelihood import Memorized, Probes, elbo_losses, likelihood_columns
from study.measures.noise import TRAINING, Noisings, Windows, measure_noise
from study.measures.optima import Optima
from study.memorized import memorized_since
from study.oracles import EmpiricalBayesDenoiser, GrammarDenoiser
from study.sampling import generate
from study.training import Batch, PackTrainer

REPETITIONS = 200
FLAG_REPETITIONS = 1000
"""Of the flags alone, which are cheap and scatter widely."""
GENERATED = 512
SIZE = 256
"""Training strings: few enough for exclusive substrings of level 1."""
MANY = 512
"""Training strings: enough for chance to copy some of every stratum.

With fewer, the floor of one control copy makes the stated error of E too large on purpose.
"""
FEW_COPIES = "E, few copies"
SHAPE = GrammarShape(depth=3, vocab_size=6, num_synonyms=4)
ZIPF = {0: 1.0, 2: 1.0}
DRIFTS = (0.4, 0.7, 1.0, 1.3, 1.6)
"""Zipf exponents of the denoisers that stand in for the steps of a training."""

Pair = tuple[float, float | None]


def config(seed: int, *, size: int = SIZE, timesteps: int = 200, probes: int = 256) -> TrialConfig:
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


@cache
def world(seed: int, size: int = SIZE) -> tuple[Corpus, Reference]:
    grammar = Grammar.random(SHAPE, zipf=ZIPF, seed=seed)
    corpus = Corpus.draw(grammar, size, seed=seed)
    return corpus, Reference.build(corpus)


def of_strings(reference: Reference, strings: np.ndarray) -> dict[str, Pair]:
    """Every statistic that is 0 for the grammar, with its stated standard error."""
    tables = measure_strings(reference, strings)
    curves = {name: column[0] for name, column in tables["curves"].items()}
    levels, rules = tables["levels"], tables["rules"]
    found = {
        "E": (curves["excess_copies"], curves["excess_copies_se"]),
        "T": (curves["typicality_slope"], curves["typicality_slope_se"]),
    }
    for level in range(SHAPE.depth):
        for symbol, name in (
            ("λ", "partial_memorization"),
            ("T", "typicality_slope"),
            ("typicality shift", "typicality_shift"),
        ):
            if levels[name][level] is not None:
                found[f"{symbol}, level {level}"] = levels[name][level], levels[f"{name}_se"][level]
    for level, rank, share, error, true in zip(
        *(rules[n] for n in ("level", "rank", "generated", "generated_se", "true_frequency")),
        strict=True,
    ):
        found[f"overproduction - 1, level {level} rank {rank}"] = share / true - 1, error / true
    return found


def of_grammar_denoiser(seed: int) -> dict[str, Pair]:
    """Its strings against two corpora of the grammar: E against the larger one as well."""
    (corpus, reference), (_, larger) = world(seed), world(seed, MANY)
    diffusion = Diffusion.build(200, SHAPE.vocab_size)
    denoiser = GrammarDenoiser(corpus.grammar, diffusion)
    leaves = SHAPE.num_leaves
    strings = generate(denoiser, diffusion, [seed], count=GENERATED, leaves=leaves)[0]
    found = of_strings(reference, strings)
    return {**found, FEW_COPIES: found["E"], "E": of_strings(larger, strings)["E"]}


def of_mixture(seed: int, weight: float) -> dict[str, Pair]:
    """Strings of D with probability w, else of the grammar."""
    corpus, reference = world(seed)
    rng = np.random.default_rng(seed)
    novel = corpus.grammar.sample(GENERATED, rng)
    copies = corpus.training.strings[rng.integers(len(corpus.training), size=GENERATED)]
    return of_strings(reference, np.where(rng.random((GENERATED, 1)) < weight, copies, novel))


@dataclass(frozen=True)
class Flags:
    """Flags of strings under denoisers that know nothing of D, by repetition and step."""

    share: float
    expected: float
    slope: float
    slope_error: float
    ever: float


def of_likelihood(seed: int, drifts: tuple[float, ...] = DRIFTS) -> Flags:
    """A training that learns the grammar better and better, but no string."""
    _, reference = world(seed)
    diffusion = Diffusion.build(50, SHAPE.vocab_size)
    probes = Probes.draw(config(seed, timesteps=50), reference, diffusion)
    strata, p = reference.strata, []
    for exponent in drifts:
        drifting = Grammar.random(SHAPE, zipf={0: exponent, 2: exponent}, seed=seed)
        (losses,) = elbo_losses(GrammarDenoiser(drifting, diffusion), diffusion, [probes])
        training, control = np.split(losses, [len(probes.training)])
        found = Memorized.of(
            training,
            control,
            strata.training_stratum[probes.training],
            strata.control_stratum[probes.control],
        )
        p.append(found.p_values)
        if exponent == ZIPF[0]:
            columns = likelihood_columns(probes, losses)["curves"]
            weights = np.bincount(strata.training_stratum[probes.training])
            rates = np.array(found.null_rate, dtype=float)
            share, expected = found.share @ weights, rates @ weights
            slope, error = columns["likelihood_slope"][0], columns["likelihood_slope_null_se"][0]
            n = len(training)
    since = memorized_since(np.arange(len(drifts)), np.array(p))
    return Flags(share / n, expected / n, slope, error, float(np.isfinite(since).mean()))


def of_memorizer(seed: int) -> dict[str, float]:
    """Empirical Bayes, and the position of both optima."""
    corpus, reference = world(seed)
    cfg = config(seed)
    diffusion = Diffusion.build(200, SHAPE.vocab_size)
    empirical = EmpiricalBayesDenoiser(corpus.training.strings, diffusion)
    strings = generate(empirical, diffusion, [seed], count=GENERATED, leaves=SHAPE.num_leaves)[0]
    probes = Probes.draw(cfg, reference, diffusion)
    (losses,) = elbo_losses(empirical, diffusion, [probes])
    grammar = GrammarDenoiser(corpus.grammar, diffusion)
    return {
        "E": of_strings(reference, strings)["E"][0],
        "memorized excess": likelihood_columns(probes, losses)["curves"]["memorized_excess"][0],
        "position": position(empirical, diffusion, cfg, corpus),
        "position of the grammar": position(grammar, diffusion, cfg, corpus),
    }


def position(denoiser, diffusion: Diffusion, cfg: TrialConfig, corpus: Corpus) -> float:
    noisings = Noisings.draw(cfg, corpus, diffusion)
    own = noisings.side == TRAINING
    optima = Optima.of(
        corpus, diffusion, *(x[own] for x in (noisings.x_0, noisings.x_t, noisings.t))
    )
    (readings,) = measure_noise(denoiser, diffusion, [noisings], [optima])
    windows = Windows.of(readings, noisings, optima, diffusion.num_timesteps)
    value = windows.curves()["position"]
    assert value is not None
    return value


class Once:
    """Batches in which every training string occurs exactly once, in random order."""

    def __init__(self, corpora: list[np.ndarray], diffusion: Diffusion, batch: int) -> None:
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


def trained(configs: list[TrialConfig], corpora: list[Corpus], steps: int, *, once: bool):
    """A pack of networks after some steps, on strings drawn as usual or each seen once."""
    strings = [corpus.training.strings for corpus in corpora]
    trainer = PackTrainer(configs, strings, torch.device("cpu"))
    if once:
        trainer._batches = Once(strings, trainer.diffusion, configs[0].training.batch_size)
    trainer.train(steps)
    return trainer


def of_networks(*, once: bool, seeds: Iterable[int]) -> list[dict[str, Pair]]:
    """E and memorized excess of networks: of D, and with D and C exchanged afterwards."""
    size, steps = (32_768, 512) if once else (64, 1500)
    probed = 4096 if once else 256
    configs = [config(seed, size=size, timesteps=50, probes=probed) for seed in seeds]
    corpora = []
    for cfg in configs:
        grammar = Grammar.random(cfg.grammar.shape, zipf=cfg.grammar.zipf, seed=cfg.seed)
        corpora.append(Corpus.draw(grammar, size, seed=cfg.seed))
    trainer = trained(configs, corpora, steps, once=once)
    leaves = configs[0].grammar.shape.num_leaves
    strings = generate(
        trainer.network,
        trainer.diffusion,
        [cfg.seed for cfg in configs],
        count=1024,
        leaves=leaves,
    )
    references = [Reference.build(corpus) for corpus in corpora]
    exchanged = [
        Reference.build(Corpus.of(c.grammar, c.control.strings, c.training.strings))
        for c in corpora
    ]
    found: list[dict[str, Pair]] = [{} for _ in configs]
    for name, sides in (("", references), (" exchanged", exchanged)):
        probes = [
            Probes.draw(cfg, reference, trainer.diffusion)
            for cfg, reference in zip(configs, sides, strict=True)
        ]
        losses = elbo_losses(trainer.network, trainer.diffusion, probes)
        for k, reference in enumerate(sides):
            known = likelihood_columns(probes[k], losses[k])["curves"]
            copied = measure_strings(reference, strings[k])["curves"]
            found[k][f"memorized excess{name}"] = (
                known["memorized_excess"][0],
                known["memorized_excess_null_se"][0],
            )
            found[k][f"E{name}"] = copied["excess_copies"][0], copied["excess_copies_se"][0]
    return found


@dataclass(frozen=True)
class Summary:
    """Repetitions of one statistic: its mean, the error of the mean, spread and stated error."""

    name: str
    repetitions: int
    mean: float
    error: float
    spread: float
    stated: float

    @property
    def deviations(self) -> float:
        """The mean in units of its standard error."""
        return self.mean / self.error

    @property
    def ratio(self) -> float:
        """Stated error over spread."""
        return self.stated / self.spread


def summarised(repetitions: list[dict[str, Pair]]) -> dict[str, Summary]:
    """By name; a statistic that is undefined in a repetition is left out there."""
    summaries = {}
    for name in dict.fromkeys(n for found in repetitions for n in found):
        pairs = np.array([found[name] for found in repetitions if name in found], dtype=float)
        values, errors = pairs.T
        spread = values.std(ddof=1)
        summaries[name] = Summary(
            name,
            len(values),
            float(values.mean()),
            float(spread / np.sqrt(len(values))),
            float(spread),
            float(np.sqrt((errors**2).mean())),
        )
    return summaries


def table(title: str, summaries: Iterable[Summary], target: float = 0.0) -> str:
    lines = [
        f"\n{title}\n",
        "| statistic | repetitions | mean | its error | deviations | spread | stated / spread |",
        "|---|---|---|---|---|---|---|",
    ]
    for s in summaries:
        away = (s.mean - target * (s.name == "E")) / s.error
        lines.append(
            f"| {s.name} | {s.repetitions} | {s.mean:+.5f} | {s.error:.5f} | {away:+.2f} | "
            f"{s.spread:.5f} | {s.ratio:.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    torch.set_num_threads(1)
    seeds = range(REPETITIONS)
    print(
        table("Exact grammar denoiser", summarised(list(map(of_grammar_denoiser, seeds))).values())
    )
    for weight in (0.25, 0.75):
        rows = summarised([of_mixture(seed, weight) for seed in seeds])
        chosen = [s for n, s in rows.items() if n[0] in "ET"]
        print(table(f"Mixture of strings, w = {weight}", chosen, weight))
    ever = np.array([of_likelihood(seed).ever for seed in seeds])
    ever_error = ever.std() / np.sqrt(REPETITIONS)
    flags = [of_likelihood(seed, (ZIPF[0],)) for seed in range(FLAG_REPETITIONS)]
    share, expected, slope, error = (
        np.array([getattr(f, n) for f in flags])
        for n in ("share", "expected", "slope", "slope_error")
    )
    root = np.sqrt(FLAG_REPETITIONS)
    print("\nMemorized strings under the exact grammar denoiser\n")
    print("| reading | mean | error of the mean | expected |\n|---|---|---|---|")
    print(
        f"| share flagged | {share.mean():.5f} | {share.std() / root:.5f} | {expected.mean():.5f} |"
    )
    print(f"| ever with a τ_mem | {ever.mean():.5f} | {ever_error:.5f} | at most 0.05 |")
    print(f"| T_L | {slope.mean():+.5f} | {slope.std() / root:.5f} | 0 |")
    print(f"\nStated over spread of T_L: {np.sqrt((error**2).mean()) / slope.std():.3f}")
    rows = [of_memorizer(seed) for seed in range(5)]
    print("\nEmpirical Bayes (5 repetitions)\n\n| reading | smallest | largest |\n|---|---|---|")
    for name in rows[0]:
        values = [row[name] for row in rows]
        print(f"| {name} | {min(values):.4f} | {max(values):.4f} |")
    for once in (True, False):
        found = of_networks(once=once, seeds=range(8))
        title = "each string seen once" if once else "64 strings, 1,500 steps"
        print(f"\nNetworks, {title} (8 seeds)\n")
        print("| reading | mean | largest deviation |\n|---|---|---|")
        for name in found[0]:
            values, errors = np.array([f[name] for f in found]).T
            worst = np.abs(values / errors).max()
            print(f"| {name} | {values.mean():+.4f} | {worst:.2f} |")


if __name__ == "__main__":
    main()
