"""Measures, prints a table and writes JSON; see the package for the command."""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks import work
from benchmarks.peer import Peer
from benchmarks.timing import Clock, Figure

KINDS = {
    "training": work.training,
    "compiled": work.compiled,
    "narrow": work.narrow,
    "generation": work.generation,
    "measuring": work.measuring,
    "corpus": work.corpora,
}
USUAL = ("training", "generation", "measuring", "corpus")
COLUMNS = "{:<11}{:<20}{:<15}{:>12}{:>12}{:>9}{:>12}{:>9}"


def main() -> None:
    arguments = parsed()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    try:
        peer = Peer.load(arguments.peer, device) if arguments.peer else None
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    seconds, repetitions = (0.05, 3) if arguments.quick else (0.2, arguments.repetitions)
    clock = Clock(device, seconds, repetitions)
    print(COLUMNS.format("", "case", "unit", "ours", "ceiling", "of it", "peer", "ratio"))
    figures = []
    for kind in arguments.only or USUAL:
        for figure in KINDS[kind](clock, peer, quick=arguments.quick, threads=arguments.threads):
            print(line(figure), flush=True)
            figures.append(asdict(figure))
    document = {"machine": machine(device, arguments.threads), "figures": figures}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(document, indent=1) + "\n")
    print(f"written to {arguments.out}")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few cases, in under a minute")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--only",
        action="append",
        choices=KINDS,
        help=f"may be repeated (default: {', '.join(USUAL)})",
    )
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--peer", type=Path, help="checkout of public code to measure beside ours")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks.json"))
    return parser.parse_args()


def line(figure: Figure) -> str:
    ceiling, peer = figure.rates.get("ceiling"), figure.rates.get("peer")
    cells = [
        f"{figure.ours:,.0f}",
        "" if ceiling is None else f"{ceiling:,.0f}",
        "" if ceiling is None else f"{figure.ratios['ceiling']:.0%}",
        "" if peer is None else f"{peer:,.0f}",
        "" if peer is None else f"{figure.ratios['peer']:.1f}x",
    ]
    return COLUMNS.format(figure.kind, figure.case, figure.unit, *cells)


def machine(device: torch.device, threads: int) -> dict[str, object]:
    """What the figures depend on."""
    on_gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if on_gpu else platform.machine(),
        "threads": threads,
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
