"""Plays the ways of finding a boundary and keeps their scores; see the package for the command."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from benchmarks.boundary import ways
from benchmarks.boundary.lattice import Array
from benchmarks.boundary.pictures import Panel, as_crossings, looked, write
from benchmarks.boundary.replay import Grid
from benchmarks.boundary.score import HEADINGS, Score, row, score
from benchmarks.boundary.worlds import SHAPES, SIZES, World
from sweeps.search.level_set import Surface

SEARCH = "search"
STEP = float(SIZES[1] - SIZES[0])


def main() -> None:
    arguments = parsed()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.command == "simulate":
        for name in arguments.world or SHAPES:
            simulate(name, arguments)
    if arguments.command == "replay":
        replay(Grid.of(arguments.results, arguments.step), arguments)
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
            for found in played(world, repetition, arguments):
                out.write(json.dumps(dataclasses.asdict(found)) + "\n")
            out.flush()


def played(world: World, repetition: int, arguments: argparse.Namespace) -> Iterator[Score]:
    truth = world.crossings()
    searched, _ = ways.search(world, arguments.width, repetition, batch=arguments.batch)
    budget = searched.observed.spent
    yield score(SEARCH, repetition, searched, truth, STEP)
    drawn = ways.random(world, budget, arguments.width, repetition)
    yield score("random, equal budget", repetition, drawn, truth, STEP)
    halved = ways.bisection(world, budget)
    yield score("bisection, equal budget", repetition, halved, truth, STEP)
    yield score("grid, 4 seeds", repetition, ways.grid(world), truth, STEP)
    if repetition < arguments.until:
        until = ways.random_until(world, arguments.width, repetition)
        yield score("random, equal band", repetition, until, truth, STEP)


def replay(grid: Grid, arguments: argparse.Namespace) -> None:
    """Play a real grid's trainings again, its seeds coming in another order every time."""
    known = grid.crossings()
    truth = {line: [each.position for each in crossings] for line, crossings in known.items()}
    with (arguments.out / "replay.jsonl").open("w") as out:
        for repetition in range(arguments.repetitions):
            shuffled = grid.shuffled(repetition)
            searched, surface = ways.search(
                shuffled, arguments.width, repetition, grid.seeds, arguments.batch
            )
            budget = searched.observed.spent
            each = {
                SEARCH: searched,
                "random, equal budget": ways.random(shuffled, budget, arguments.width, repetition),
                "random, equal band": ways.random_until(shuffled, arguments.width, repetition),
                "bisection, equal budget": ways.bisection(shuffled, budget),
            }
            for way, played in each.items():
                found = score(way, repetition, played, truth, STEP)
                seconds = grid.seconds_spent(played.observed.cells)
                packed = grid.effort(played.batches) if played.batches else None
                kept = dataclasses.replace(found, seconds=seconds, packed=packed)
                out.write(json.dumps(dataclasses.asdict(kept)) + "\n")
            if repetition == 0:
                largest(grid, surface, searched)
                panel = Panel(found_words(searched), known, searched.found, searched.observed)
                write(looked([panel], "grid's boundary"), arguments.pictures / "replay.png")


def largest(grid: Grid, surface: Surface, searched: ways.Played) -> None:
    """n*(W), the largest dataset still memorized, by search and grid, at three budgets of steps."""
    print("\n| W | steps | n* | lower | upper | n*, grid |\n|---|---|---|---|---|---|")
    for log_step in grid.log_steps[-1:-6:-2]:
        at = surface.search.fit(*searched.observed.rows(), at=float(log_step)).largest()
        theirs = grid.crossings(float(log_step))
        for width, *ends in at.to_numpy(dtype=float).tolist():
            own = "".join(f"{2**each.position:.0f}" for each in theirs[width])
            values = " | ".join(_size(x, grid.lattice.cells[:, 0]) for x in ends)
            print(f"| {2**width:.0f} | {math.exp(log_step):.0f} | {values} | {own} |")


def _size(position: float, sizes: Array) -> str:
    """A dataset size, or that it lies beyond the axis."""
    low, high = 2 ** sizes.min(), 2 ** sizes.max()
    if math.isinf(position):
        return f"< {low:.0f}" if position < 0 else f"> {high:.0f}"
    return f"{2**position:.1f}"


def found_words(played: ways.Played) -> str:
    """What a search spent, in words."""
    observed = played.observed
    lattice = observed.trainings.lattice
    share = observed.spent / float(lattice.costs.sum() * observed.trainings.seeds)
    return f"{len(observed.cells)} trainings, {share:.0%} of the grid's cost"


def draw(arguments: argparse.Namespace) -> None:
    """One search of every shape."""
    panels = []
    for name, lead in SHAPES.items():
        world = World(name, lead, arguments.first)
        searched, _ = ways.search(world, arguments.width, arguments.first)
        title = f"{name.capitalize()}: {found_words(searched)}"
        truth = as_crossings(world.crossings())
        panels.append(Panel(title, truth, searched.found, searched.observed))
    write(looked(panels, "true boundary"), arguments.pictures / "simulated.png")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.boundary", description=__doc__)
    parser.add_argument("command", choices=("simulate", "replay", "pictures", "tables"))
    parser.add_argument("results", nargs="?", type=Path, help="of the grid that is replayed")
    parser.add_argument("--world", action="append", choices=tuple(SHAPES), help="default: all")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first repetition")
    parser.add_argument("--until", type=int, default=40, help="repetitions that draw to equal band")
    parser.add_argument("--step", type=int, help="at which a grid is cut; default: its last")
    parser.add_argument("--width", type=float, default=1.0, help="of the band, in lattice steps")
    parser.add_argument("--batch", type=int, default=8, help="trainings that are asked at a time")
    parser.add_argument("--out", type=Path, default=Path("results/boundary"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/boundary-search"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
