"""Plays the ways of finding a boundary and keeps their scores; see the package for the command."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.boundary import trained, ways
from benchmarks.boundary.lattice import Trainings, whole
from benchmarks.boundary.pictures import Panel, as_crossings, looked, write
from benchmarks.boundary.replay import Grid
from benchmarks.boundary.score import HEADINGS, Score, row, score
from benchmarks.boundary.ways import Played
from benchmarks.boundary.worlds import SHAPES, SIZES, World

SEARCH = "search"
STEP = float(SIZES[1] - SIZES[0])


def main() -> None:
    arguments = parsed()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.command == "simulate":
        for name in arguments.world or SHAPES:
            simulate(name, arguments)
    if arguments.command == "train":
        search, out = {"kind": arguments.kind}, arguments.results
        trained.train(trained.sweep(json.dumps(search), arguments.steps), out)
        print(trained.told(trained.read(out)))
    if arguments.command == "compare":
        compare(arguments.results, *arguments.priced)
    if arguments.command == "replay":
        spent = [
            row for folder in (arguments.results, *arguments.priced) for row in trained.read(folder)
        ]
        replay(Grid.of(arguments.results, spent), arguments)
    if arguments.command == "pictures":
        draw(arguments)
    for file in sorted(arguments.out.glob("*.jsonl")):
        print(f"\n{file.stem}\n\n{HEADINGS}\n{'|---' * HEADINGS.count(' | ')}|---|")
        by_way: dict[str, list[Score]] = defaultdict(list)
        for line in file.read_text().splitlines():
            kept = Score(**json.loads(line))
            by_way[kept.way].append(kept)
        for way, scores in by_way.items():
            print(row(way, scores))


def simulate(name: str, arguments: argparse.Namespace) -> None:
    """Append the scores of some repetitions of a shape to its file."""
    with (arguments.out / f"{name.replace(' ', '-')}.jsonl").open("a") as out:
        for repetition in range(arguments.first, arguments.first + arguments.repetitions):
            world = World(name, SHAPES[name], repetition)
            truth = world.crossings()
            for way, found in played(world, repetition, arguments):
                kept = score(way, repetition, found, truth, STEP)
                out.write(json.dumps(dataclasses.asdict(kept)) + "\n")
            out.flush()


def played(
    trainings: Trainings, repetition: int, arguments: argparse.Namespace
) -> Iterator[tuple[str, Played]]:
    """Each way, the others with the time that the search took."""
    width = arguments.width
    searched, _ = ways.search(trainings, width, repetition, arguments.slots)
    budget = searched.observed.spent
    yield SEARCH, searched
    yield "random, equal budget", ways.random(trainings, budget, width, repetition)
    yield "bisection, equal budget", ways.bisection(trainings, budget)
    yield "grid, 4 seeds", ways.grid(trainings)
    if repetition < arguments.until:
        yield "random, equal band", ways.random_until(trainings, width, repetition)


def replay(grid: Grid, arguments: argparse.Namespace) -> None:
    """Play a real grid's trainings again, its seeds coming in another order every time."""
    known = grid.crossings()
    truth = {line: [each.position for each in crossings] for line, crossings in known.items()}
    with (arguments.out / "replay.jsonl").open("w") as out:
        for repetition in range(arguments.repetitions):
            panels: list[Panel] = []
            for way, found in played(grid.shuffled(repetition), repetition, arguments):
                kept = score(way, repetition, found, truth, STEP)
                out.write(json.dumps(dataclasses.asdict(kept)) + "\n")
                title = f"{way.capitalize()}: {found_words(found)}"
                panels.append(Panel(title, known, found.found, found.observed))
            out.flush()
            if repetition == 0:
                shown = [p for p in panels if not p.title.startswith("Grid")]
                write(looked(shown, "grid's boundary"), arguments.pictures / "replay.png")


def compare(grid: Path, searched: Path) -> None:
    """A search that was trained beside the grid: core-seconds, and n*(W) by both."""
    rows = {name: trained.read(folder) for name, folder in (("grid", grid), ("search", searched))}
    print(*(f"{name}: {trained.told(own)}" for name, own in rows.items()), sep="\n")
    took = {name: sum(row.seconds for row in own) for name, own in rows.items()}
    print(f"share, the search's own time included: {took['search'] / took['grid']:.1%}\n")
    theirs = Grid.of(grid, [*rows["grid"], *rows["search"]]).crossings()
    largest = pd.read_parquet(searched / "search" / "largest.parquet")
    print("| W | n*, search | band | n*, grid | band |\n|---|---|---|---|---|")
    for line in largest.to_dict("records"):
        (known,) = theirs[float(np.log2(line["network.width"]))]
        numbers = [line[name] for name in ("position", "lower", "upper")]
        numbers += [2**x for x in (known.position, known.lower, known.upper)]
        a, b, c, d, e, f = (f"{x:.1f}" for x in numbers)
        print(f"| {line['network.width']:.0f} | {a} | {b} to {c} | {d} | {e} to {f} |")


def found_words(played: Played) -> str:
    """What a search spent, in words."""
    observed = played.observed
    share = observed.spent / observed.trainings.price(whole(observed.trainings))
    return f"{len(observed.cells)} trainings, {share:.0%} of the grid's time"


def draw(arguments: argparse.Namespace) -> None:
    """One search of every shape."""
    panels = []
    for name, lead in SHAPES.items():
        world = World(name, lead, arguments.first)
        searched, _ = ways.search(world, arguments.width, arguments.first, arguments.slots)
        title = f"{name.capitalize()}: {found_words(searched)}"
        truth = as_crossings(world.crossings())
        panels.append(Panel(title, truth, searched.found, searched.observed))
    write(looked(panels, "true boundary"), arguments.pictures / "simulated.png")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.boundary", description=__doc__)
    parser.add_argument(
        "command", choices=("simulate", "train", "compare", "replay", "pictures", "tables")
    )
    parser.add_argument("results", nargs="?", type=Path, help="what is trained, or replayed")
    parser.add_argument("--kind", default="grid", choices=("grid", "boundary"), help="of search")
    parser.add_argument("--steps", type=int, default=1024, help="of training")
    parser.add_argument("--priced", nargs="*", type=Path, default=[], help="more trained folders")
    parser.add_argument("--world", action="append", choices=tuple(SHAPES), help="default: all")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first repetition")
    parser.add_argument("--until", type=int, default=40, help="repetitions that draw to equal band")
    parser.add_argument("--width", type=float, default=1.0, help="of the band, in lattice steps")
    parser.add_argument("--slots", type=int, default=ways.SLOTS, help="packs asked at a time")
    parser.add_argument("--out", type=Path, default=Path("results/boundary"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/boundary-search"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
