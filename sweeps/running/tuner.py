"""Ray and Ray Tune: where packs run, how many at a time, and what happens when one fails."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.faults import UsageError
from sweeps.files.schema import Resources
from sweeps.planning.packing import Pack

if TYPE_CHECKING:
    from sweeps.running.events import Watcher

LOCAL = "local"
RETRIES = 2
"""Times a pack is tried again, from its last published step, before it counts as failed."""

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
}
"""Ray's own switches: no telemetry, no boxes, no second set of logs, and Ctrl-C reaches us."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """A Ray that lasts as long as the `with` block.

    Args:
        address: as `reachable` returns it; `local` starts a Ray of our own on this machine,
            whatever else runs there.

    Raises:
        UsageError: when there is no such cluster.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        options["include_dashboard"] = False
    try:
        ray.init(address=address, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _unreachable(address, str(error).splitlines()[0]) from None
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    _end_cleanly_when_terminated()
    try:
        yield
    finally:
        ray.shutdown()


def _end_cleanly_when_terminated() -> None:
    """A polite kill is an interruption, as Ctrl-C is; Ray sets a handler of its own before."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def slots(resources: Resources) -> int:
    """Packs that the connected Ray can hold at a time.

    Raises:
        UsageError: when it cannot hold one.
    """
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
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


def train(
    packs: Sequence[Pack],
    location: str,
    resources: Resources,
    *,
    concurrent: int,
    watcher: Watcher,
    token: str,
) -> None:
    """Train packs, the first ones first; failures are the watcher's to note."""
    from ray import tune

    from sweeps.running.events import Events, name
    from sweeps.running.trainable import train_pack

    tasks = [_task(pack, location, resources) for pack in packs]
    needs = {"cpu": resources.cpus_per_pack, "gpu": resources.gpus_per_pack}
    tuner = tune.Tuner(
        tune.with_resources(train_pack, needs),
        param_space={"pack": tune.grid_search(tasks)},
        tune_config=tune.TuneConfig(
            reuse_actors=True,
            max_concurrent_trials=concurrent,
            trial_name_creator=name,
            trial_dirname_creator=name,
        ),
        run_config=tune.RunConfig(
            name=token,
            storage_path=f"{location}/tune",
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=RETRIES),
            callbacks=[Events(watcher)],
        ),
    )
    tuner.fit()


def _task(pack: Pack, location: str, resources: Resources) -> dict[str, Any]:
    return {
        "name": pack.name,
        "results": location,
        "device": "cuda" if resources.gpus_per_pack else "cpu",
        "threads": resources.cpus_per_pack,
        "trainings": [training.config.to_dict() for training in pack.trainings],
    }


def reachable(address: str) -> str:
    """The address of a Ray that answers: `local`, or a cluster's, with `auto` looked up.

    The cluster's port is asked before Ray is: at an address where nobody answers, such as one that
    a killed cluster left behind, Ray waits for minutes or ends the process.

    Raises:
        UsageError: when the text is no address, or nobody answers there.
    """
    if address == LOCAL:
        return address
    if address.startswith("ray://"):
        raise UsageError.of(
            "Ray Tune needs its driver inside the cluster; on its machines use auto or HOST:PORT, "
            "from outside `ray job submit --address http://HEAD:8265 -- memophase run …`",
            place=f"--address {address}",
        )
    found = _cluster_of_this_machine() if address == "auto" else address
    host, colon, port = found.rpartition(":")
    if not colon or not host or not port.isdecimal():
        what = f"'{found}' is none of local, auto and HOST:PORT"
        raise UsageError.of(what, place="--address")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(found, str(error)) from None
    return found


def _cluster_of_this_machine() -> str:
    """Where Ray says that its cluster is: `RAY_ADDRESS`, or the file that `ray start` writes."""
    file = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"
    address = os.environ.get("RAY_ADDRESS") or (file.read_text().strip() if file.exists() else "")
    if not address:
        raise _unreachable("auto", "none was started on this machine")
    return address


def _unreachable(address: str, why: str) -> UsageError:
    return UsageError.of(
        f"no Ray cluster answers at '{address}' ({why}); start one with `ray start --head`, "
        "or leave out --address to run on this machine",
        place="--address",
    )
