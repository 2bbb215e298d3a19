"""What each measurement costs, in training steps of the same pack, and how that grows.

python -m benchmarks.measurements
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from study.config import TrialConfig
from study.measures import measure_strings
from study.measures.likelihood import elbo_losses, likelihood_columns
from study.measures.noise import Windows, measure_noise
from study.measuring import Fixed
from study.member import Member
from study.sampling import generate
from study.training import PackTrainer

BASE = {"depth": 3, "vocab_size": 6, "size": 256, "width": 32, "generated": 512, "members": 4}
GROWTH = {
    "size": (2048, 20_000),
    "generated": (2048,),
    "depth": (4,),
    "vocab_size": (12,),
    "width": (128,),
    "members": (1, 16),
}
STEPS = 40


def config(seed: int, **setting: int) -> TrialConfig:
    depth = setting["depth"]
    return TrialConfig.from_dict(
        {
            "grammar": {
                "depth": depth,
                "vocab_size": setting["vocab_size"],
                "num_synonyms": 4,
                "zipf": {str(depth - 1): 1.5},
            },
            "corpus": {"size": setting["size"]},
            "network": {"width": setting["width"]},
            "training": {"steps": 4096, "batch_size": 64},
            "diffusion": {"num_timesteps": 50},
            "measurement": {"generated": setting["generated"], "budget": None},
            "seed": seed,
        }
    )


def seconds(work: Callable[[], Any]) -> float:
    """Processor seconds of the quicker of two runs: others may be busy on this machine."""
    spent = []
    for _ in range(2):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def costs(**setting: int) -> dict[str, float]:
    """Seconds by activity, for a whole pack."""
    members = [Member(config(seed, **setting)) for seed in range(setting["members"])]
    start = time.process_time()
    for member in members:
        member.prepare()
    preparing = time.process_time() - start
    configs = [member.config for member in members]
    corpora = [member.corpus.training.strings for member in members]
    trainer = PackTrainer(configs, corpora, torch.device("cpu"))
    network, diffusion = trainer.network, trainer.diffusion
    trainer.train(8)
    step = seconds(lambda: trainer.train(trainer.step + STEPS)) / STEPS
    start = time.process_time()
    fixed = [Fixed.of(member, diffusion) for member in members]
    optima = time.process_time() - start
    noisings, exact, probes = (
        [getattr(f, name) for f in fixed] for name in ("noisings", "optima", "probes")
    )

    def noise() -> None:
        readings = measure_noise(network, diffusion, noisings, exact)
        for k, found in enumerate(readings):
            windows = Windows.of(found, noisings[k], exact[k], diffusion.num_timesteps)
            windows.curves()
            windows.noise(diffusion.num_timesteps)

    def likelihood() -> None:
        for k, losses in enumerate(elbo_losses(network, diffusion, probes)):
            likelihood_columns(probes[k], losses)

    seeds, leaves = [c.seed for c in configs], configs[0].grammar.shape.num_leaves
    strings = generate(network, diffusion, seeds, count=setting["generated"], leaves=leaves)

    def generating() -> None:
        generate(network, diffusion, seeds, count=setting["generated"], leaves=leaves)

    def copies() -> None:
        for member, own in zip(members, strings, strict=True):
            measure_strings(member.reference, own)

    return {
        "step": step,
        "corpus, once": preparing,
        "optima, once": optima,
        "noise": seconds(noise),
        "likelihood": seconds(likelihood),
        "generating": seconds(generating),
        "strings": seconds(copies),
    }


def main() -> None:
    torch.set_num_threads(1)
    settings = [("base", BASE)]
    settings += [
        (f"{name}={value}", {**BASE, name: value})
        for name, values in GROWTH.items()
        for value in values
    ]
    print("training steps of the pack that each takes; base:", BASE)
    for number, (title, setting) in enumerate(settings):
        found = costs(**setting)
        step = found.pop("step")
        if number == 0:
            print(f"{'':18}{'ms/step':>9}", *(f"{name:>13}" for name in found))
        print(f"{title:18}{1000 * step:9.2f}", *(f"{x / step:13.0f}" for x in found.values()))


if __name__ == "__main__":
    main()
