"""Plans, states and outcomes in words for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.claims.readiness import Readiness, missing
from study.measures import validity
from sweeps.files.spec import Sweep
from sweeps.planning.networks import Network
from sweeps.planning.plan import GPU_FLOP_RATES, Plan
from sweeps.running.progress import duration
from sweeps.running.run import Outcome
from sweeps.status.history import History
from sweeps.status.study_state import StudyState


def plan(planned: Plan) -> str:
    """A plan, one fact a line."""
    cells = f"{planned.cells}" + (
        f" ({planned.skipped} infeasible left out)" * (planned.skipped > 0)
    )
    rows = [
        ("study", planned.name),
        _bounds(planned) or ("cells", cells),
        ("trainings", f"{planned.trainings}, {planned.unfinished} of them unfinished"),
        (
            "packs",
            f"{planned.packs} of up to {planned.largest_pack}, {planned.slots} at a time here",
        ),
        ("operations", f"{planned.cost.flop:.2e} FLOP: {_shares(planned)}"),
        ("memory", _memory(planned)),
        ("disk", f"about {_bytes(planned.disk_mib)}"),
    ]
    if planned.core_hours is not None and planned.wall_hours is not None:
        rows.append(("estimate", f"{_hours(planned.core_hours)} of one core, by a trial just now"))
        here = f"{_hours(planned.wall_hours)} on {planned.slots} slots, Ray's start included"
        rows.append(("here", f"{here}: if nothing else runs, or as busy as just now"))
    elif planned.gpu_hours is not None:
        slow, fast = GPU_FLOP_RATES
        at = f"if one does {fast:.0e} to {slow:.0e} FLOP/s, which is assumed, not measured"
        rows.append(("estimate", f"{_hours(planned.gpu_hours)} of one GPU, {at}"))
    rows += [("network", _network(network)) for network in planned.networks]
    rows += _claims(planned.claims)
    if planned.single_stratum is not None:
        rows.append(("typicality", planned.single_stratum))
    return "\n".join(f"{name:<11} {text}" for name, text in rows)


def untold(sweep: Sweep) -> str | None:
    """In which cells generalization cannot be told, in a line; None where in none."""
    grammars = [cell.config.grammar for cell in sweep.cells if cell.config.grammar is not None]
    said = validity.untold([grammar.shape for grammar in grammars])
    return f"note: {said}" if said else None


def study_state(found: StudyState) -> str:
    """The state of a study."""
    counts = ", ".join(f"{count} {state}" for state, count in found.counts.items() if count)
    so_far = " so far" if found.search else ""
    lines = [f"{found.name}: {found.done} of {found.total} trainings{so_far} done ({counts})"]
    lines += [f"search: {found.search}"] if found.search else []
    if found.runner is None:
        lines.append("nobody runs it" + ("" if found.done == found.total else "; run it to go on"))
    else:
        left = found.runner.eta
        lines.append(f"run by {found.runner}" + (f", {duration(left)} left" if left else ""))
    if found.usage is not None:
        lines.append(f"last run: {found.usage}")
    for listed, reason in found.troubles:
        lines.append("  " + " ".join(filter(None, (listed.label, f"seed {listed.seed}: {reason}"))))
    lines += found.ignored
    return "\n".join(lines)


def outcome(sweep: Sweep, ended: Outcome, location: str) -> str:
    """How a run ended, in a line."""
    done = sum(state.done for state in ended.states.values())
    diverged = sum(state.name == "diverged" for state in ended.states.values())
    line = f"{sweep.name}: {done} of {len(ended.states)} trainings done"
    line += f", {diverged} of them diverged" if diverged else ""
    line += "" if ended.trained else "; nothing was left to train"
    return f"{line}; results in {location}"


def failures(sweep: Sweep, ended: Outcome) -> Iterator[str]:
    """A line for every training that is not done."""
    for training in ended.trainings:
        state = ended.states[training.hash]
        if not state.done:
            why = state.reason or state.name
            log = f"; log: {ended.logs[training.hash]}" if training.hash in ended.logs else ""
            where = training.cell.label or sweep.name
            yield f"{where} seed {training.config.seed} ({training.hash}) failed: {why}{log}"


def _network(network: Network) -> str:
    layers = f", {network.layers} layers" if network.layers else ""
    learned = " to ".join(dict.fromkeys(f"{count:,}" for count in network.parameters))
    flop = " to ".join(dict.fromkeys(f"{each:.2e}" for each in network.step_flop))
    size = f"{network.kind} of width {network.width}{layers}"
    told = f"{size}: {learned} parameters, {flop} FLOP a step, {network.trainings} trainings"
    if network.matched is None:
        return told
    width = " to ".join(dict.fromkeys(map(str, network.matched)))
    return f"{told}; of transformers width {width} is nearest in parameters"


def _claims(found: Sequence[Readiness]) -> Iterator[tuple[str, str]]:
    """How many claims can be tested, and what others lack, a line for each thing that is lacking.

    A claim that lacks several things stands in as many lines.
    """
    testable = [claim.id for claim in found if claim.testable]
    named = f": {', '.join(testable)}" if testable else ""
    yield "claims", f"{len(testable)} of {len(found)} can be tested{named}"
    for lack, ids in missing(found).items():
        yield "", f"not {', '.join(ids)}: {lack}"


def history(of: History) -> str:
    """What happened to a training: a heading, a line for every measured step, what it failed of."""
    listed = of.listed
    state = f"{of.state} at step {of.step} of {listed.last_step}"
    lines = [f"{listed.label or 'the only cell'} seed {listed.seed} ({listed.hash}): {state}"]
    if of.rows:
        lines.append(" ".join(f"{name:>{_width(name)}}" for name in of.rows[0]))
    for row in of.rows:
        lines.append(" ".join(f"{_number(x):>{_width(name)}}" for name, x in row.items()))
    lines += [f"error: {of.error}"] if of.error else []
    lines += ["the log of its last failure:", of.failure.strip()] if of.failure.strip() else []
    return "\n".join(lines)


def _width(name: str) -> int:
    return max(len(name), 9)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _bounds(planned: Plan) -> tuple[str, str] | None:
    """What an open-ended search may take; all that follows is of the trainings it starts with."""
    if planned.most_flop is None:
        return None
    words = f"at most {planned.most_cells} cells and {planned.most_flop:.2e} FLOP from here"
    return "search", f"{words}; below, what it asks for first"


def _shares(planned: Plan) -> str:
    parts = planned.cost
    whole = parts.flop or 1.0
    named = {
        "training": parts.training_flop,
        "generating": parts.generating_flop,
        "losses": parts.measuring_flop,
    }
    return ", ".join(f"{name} {100 * flop / whole:.0f} %" for name, flop in named.items())


def _bytes(mib: float) -> str:
    return f"{mib / 1024:.1f} GiB" if mib >= 1024 else f"{mib:.0f} MiB"


def _memory(planned: Plan) -> str:
    largest, limit = _bytes(planned.memory_mib), _bytes(planned.memory_limit_mib)
    words = f"about {largest} for the largest pack"
    if planned.memory_mib > planned.memory_limit_mib:
        words += f", more than the {limit} that it has (resources.memory_gib_per_pack)"
    else:
        words += f", of {limit} that it may take"
    return words + (", and 600 MiB a process" if planned.device == "cpu" else "")


def _hours(hours: tuple[float, float]) -> str:
    """A range, such as `1m50s to 2m40s`."""
    low, high = (duration(each * 3600) for each in hours)
    return low if low == high else f"{low} to {high}"
