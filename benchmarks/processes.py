"""Steps of U-Net packs under either noise process, beside the ceiling that both have.

`OMP_NUM_THREADS=1 python -m benchmarks.processes --width 128 --members 4`: one core, processor
time, the quickest of turns taken one after the other. The ceiling is that of `benchmarks.ceiling`:
the matrix products of a step and one fused Adam.
"""

from __future__ import annotations

import argparse

import torch

from benchmarks.ceiling import training_ceiling
from benchmarks.turns import asked, pack_step, quickest, trials
from study.kernels.memory import keep_freed_memory
from study.models.weights import NetworkShape
from study.processes.registry import PROCESSES


def main() -> None:
    """Measure and print, in milliseconds of a step of one model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processes", description=__doc__)
    options = asked(parser, width=128, depth=4, members=4, batch=32)
    torch.set_num_threads(1)
    keep_freed_memory()
    packs = {process: trials(options, "unet", process) for process in PROCESSES}
    shape = NetworkShape.of(next(iter(packs.values()))[0])
    ceiling = training_ceiling(shape, options.members, options.batch, torch.device("cpu"))
    runs = {name: (pack_step(configs), options.members) for name, configs in packs.items()}
    best = quickest({"ceiling": (ceiling, options.members), **runs}, options)
    times = ", ".join(f"{name} {1e3 * own:.2f} ms" for name, own in best.items())
    shares = ", ".join(f"{name} {best['ceiling'] / best[name]:.0%}" for name in packs)
    print(f"L={options.depth} W={options.width} K={options.members}: {times}; of it {shares}")


if __name__ == "__main__":
    main()
