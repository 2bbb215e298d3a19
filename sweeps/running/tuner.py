"""Ray and Ray Tune: where packs run, how many at a time, and what happens when one fails."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sweeps.faults import UsageError
from sweeps.running import access

if TYPE_CHECKING:
    from sweeps.files.schema import Resources
    from sweeps.planning.packing import Pack
    from sweeps.running.searcher import PackSearcher

RETRIES = 2
"""Times a pack is tried again, from its last published step, before it counts as failed."""

SEAM = 1000
"""Packs after which Ray Tune is ended and begun anew, since it keeps a record of every trial until
then: few enough to be small, and so many that the workers' new start counts for little."""

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
}
"""Ray's own switches: no telemetry, no boxes, no second set of logs, and Ctrl-C is ours."""

BRIEF = {"RAY_NUM_REDIS_GET_RETRIES": "5"}
"""A cluster that answers its port and refuses us need not be asked for 20 seconds."""


class Unreachable(RuntimeError):  # noqa: N818 - told to the user as such
    """No Ray took us in; the text says why."""


class Refused(Unreachable):
    """A cluster is there but wants another token."""


@dataclass(frozen=True)
class Trials:
    """How Ray Tune is to run packs, in plain values.

    Attributes:
        needs: processors of a pack.
        concurrent: packs at a time.
        storage: where Ray Tune keeps its own files.
        name: of a folder there for each turn of Ray Tune, which no earlier call used.
        seam: packs of a turn.
    """

    needs: dict[str, float]
    concurrent: int
    storage: str
    name: str
    seam: int

    @classmethod
    def of(cls, location: str, resources: Resources, slots: int, name: str) -> Trials:
        """The trials of a run."""
        return cls(
            needs={"cpu": resources.cpus_per_pack, "gpu": resources.gpus_per_pack},
            concurrent=slots,
            storage=f"{location}/tune",
            name=name,
            seam=SEAM,
        )


def task(pack: Pack, location: str, resources: Resources) -> dict[str, Any]:
    """What `trainable.train_pack` is given to train a pack."""
    return {
        "name": pack.name,
        "label": pack.label,
        "results": location,
        "device": "cuda" if resources.gpus_per_pack else "cpu",
        "threads": resources.cpus_per_pack,
        "trainings": [training.config.to_dict() for training in pack.trainings],
    }


def slots(nodes: Sequence[Mapping[str, float]], resources: Resources) -> int:
    """Packs that the machines of a Ray can hold at a time.

    Args:
        nodes: `CPU` and `GPU` of each machine.
        resources: what a pack takes.

    Raises:
        UsageError: when they cannot hold one.
    """
    held = sum(_packs_on(node.get("CPU", 0), node.get("GPU", 0), resources) for node in nodes)
    if held == 0:
        has = ", ".join(f"{n.get('CPU', 0):g} CPUs and {n.get('GPU', 0):g} GPUs" for n in nodes)
        needs = f"{resources.cpus_per_pack} CPUs and {resources.gpus_per_pack:g} GPUs"
        raise UsageError.of(
            f"a pack needs {needs} on one machine, but there are: {has}", field="resources"
        )
    return min(held, resources.max_concurrent or held)


def _packs_on(cpus: float, gpus: float, resources: Resources) -> int:
    by_cpu = int(cpus // resources.cpus_per_pack)
    share = resources.gpus_per_pack
    if share == 0:
        return by_cpu
    by_gpu = int(gpus // share) if share >= 1 else int(gpus) * int(1 / share + 1e-9)
    return min(by_cpu, by_gpu)


def prepare(address: str) -> None:
    """Set this process's environment; Ray reads it when it is imported, not later."""
    local = address == access.LOCAL
    for name, value in (QUIET if local else QUIET | BRIEF).items():
        os.environ.setdefault(name, value)
    if local:
        os.environ.update(access.guarded(os.environ))


@contextmanager
def connected(address: str) -> Iterator[None]:
    """A Ray that lasts as long as the `with` block, after `prepare`.

    Args:
        address: as `access.reachable` returns it; `local` starts a Ray of our own on this machine,
            whatever else runs there.

    Raises:
        Unreachable: when there is a cluster that did not take us in.
        RuntimeError: when a Ray of our own did not start.
    """
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == access.LOCAL:
        options["include_dashboard"] = False
    try:
        ray.init(address=address, **options)
    except Exception as error:  # Ray raises even plain ones
        if address == access.LOCAL:
            raise RuntimeError(f"it did not start: {_first_line(error)}") from error
        raise _why(error) from error
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        ray.shutdown()


def _why(error: Exception) -> Unreachable:
    """Ray tells of a refused token only in the text of what caused its error."""
    from ray.exceptions import AuthenticationError

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AuthenticationError) or "InvalidAuthToken" in str(cause):
            return Refused(_first_line(error))
        cause = cause.__cause__ or cause.__context__
    return Unreachable(_first_line(error))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def nodes() -> list[dict[str, float]]:
    """`CPU`, `GPU` and more of every machine of the connected Ray."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def train(
    trials: Trials, tell: Callable[..., None], searcher: PackSearcher, finishing: threading.Event
) -> None:
    """Train packs, so many in each turn of Ray Tune; failures are told, not raised.

    Args:
        trials: how to run them.
        tell: called with the name of a method of `watcher.Watcher` and its arguments.
        searcher: hands them out.
        finishing: set when no more than the measurements under way is wanted.
    """
    turn = 0
    while searcher.turn() and not finishing.is_set():
        _take_turn(replace(trials, name=f"{trials.name}-{turn}"), tell, searcher, finishing)
        gc.collect()  # trials and their controller hold each other
        turn += 1


def _take_turn(
    trials: Trials, tell: Callable[..., None], searcher: PackSearcher, finishing: threading.Event
) -> None:
    from ray import tune

    from sweeps.running.events import Events, name
    from sweeps.running.stopper import AfterMeasurement
    from sweeps.running.trainable import train_pack

    events = Events(tell)
    tuner = tune.Tuner(
        tune.with_resources(train_pack, trials.needs),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            num_samples=-1,
            reuse_actors=True,
            max_concurrent_trials=trials.concurrent,
            trial_name_creator=name,
            trial_dirname_creator=name,
        ),
        run_config=tune.RunConfig(
            name=trials.name,
            storage_path=trials.storage,
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=RETRIES),
            callbacks=[events],
            stop=AfterMeasurement(finishing, events.running),
        ),
    )
    tuner.fit()
