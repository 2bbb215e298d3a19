"""Measures, prints a table and writes JSON; see the package for the command."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import torch

from benchmarks import timing
from benchmarks.peer import Peer
from benchmarks.timing import CEILING, PEER, PEERS, Clock, Figure
from benchmarks.work import KINDS

SWEEP = "sweep"
USUAL = ("training", "generation", "measuring", "corpus", SWEEP)
COLUMNS = "{:<11}{:<20}{:<15}{:>12}{:>12}{:>7}{:>12}{:>8}{:>12}{:>8}"


def main() -> None:
    arguments = parsed()
    device = torch.device(arguments.device)
    try:
        if device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError("--device cuda: torch finds no GPU here")
        peer = Peer.at(arguments.peer) if arguments.peer else None
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(headings(arguments.at_once))
    figures = []
    crews = timing.crews(arguments.at_once, arguments.threads, device, peer=peer is not None)
    with crews as hired:
        seconds, repetitions = (0.05, 3) if arguments.quick else (0.2, arguments.repetitions)
        clock = Clock(seconds, repetitions, hired)
        for figure in measured(clock, device, peer, arguments):
            print(line(figure), flush=True)
            figures.append(asdict(figure))
    document = {"machine": machine(device, arguments), "figures": figures}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(document, indent=1) + "\n")
    print(f"written to {arguments.out}")


def measured(
    clock: Clock, device: torch.device, peer: Peer | None, arguments: argparse.Namespace
) -> Iterator[Figure]:
    """The figures asked for, one after the other."""
    for kind in arguments.only or USUAL:
        if kind == SWEEP:
            if not find_spec("ray"):
                print("sweep: left out, Ray is not installed")
                continue
            from benchmarks import sweep

            yield sweep.figure(clock, peer, quick=arguments.quick)
        else:
            cases = KINDS[kind](device, peer, quick=arguments.quick)
            yield from map(clock.figure, cases)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few cases, in about a minute")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="default: cpu")
    parser.add_argument(
        "--at-once",
        type=int,
        help="packs at a time, each in a process of its own, as in a sweep (default: one per core, "
        "one on a GPU)",
    )
    parser.add_argument("--threads", type=int, default=1, help="of each pack (default: 1)")
    parser.add_argument(
        "--only",
        action="append",
        choices=(*KINDS, SWEEP),
        help=f"may be repeated (default: {', '.join(USUAL)})",
    )
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--peer", type=Path, help="checkout of public code to measure beside ours")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks.json"))
    arguments = parser.parse_args()
    if arguments.at_once is None:
        arguments.at_once = 1 if arguments.device == "cuda" else os.cpu_count() or 1
    return arguments


def headings(at_once: int) -> str:
    several = f"{at_once} at once" if at_once > 1 else ""
    ratio = "ratio" if at_once > 1 else ""
    return COLUMNS.format(
        "", "case", "unit", "ours", "ceiling", "of it", "peer", "ratio", several, ratio
    )


def line(figure: Figure) -> str:
    cells = [f"{figure.ours:,.0f}"]
    for name, ratio in ((CEILING, "{:.0%}"), (PEER, "{:.1f}x"), (PEERS, "{:.1f}x")):
        known = name in figure.rates
        cells.append(f"{figure.rates[name]:,.0f}" if known else "")
        cells.append(ratio.format(figure.ratios[name]) if known else "")
    remarks = (f"; {name} {value:.0%}" for name, value in figure.remarks.items())
    return COLUMNS.format(figure.kind, figure.case, figure.unit, *cells) + "".join(remarks)


def machine(device: torch.device, arguments: argparse.Namespace) -> dict[str, object]:
    """What the figures depend on."""
    on_gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if on_gpu else platform.machine(),
        "at_once": arguments.at_once,
        "threads": arguments.threads,
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }


if __name__ == "__main__":
    main()
