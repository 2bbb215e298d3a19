"""What a machine says of itself; as a process of its own, what all machines of a Ray cluster say.

Ray's C++ may end the process that asks a cluster, and a cluster that hangs must not hang the one
who looks for the reason: `python -m sweeps.upkeep.probe ADDRESS LOCATION TOKEN` prints JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PACKAGES = ("memophase", "ray", "torch", "numpy", "pyarrow")
FOLDER = "probe"
"""Where the probes of a results folder lie while it is looked at."""
PATIENCE = 60.0
"""Seconds that a machine has to answer."""
ROUNDS = 5
"""Times that a clock is asked; the quickest answer counts."""
TAKEN_IN, REFUSED, UNREACHABLE = "taken in", "refused", "unreachable"


def machine(location: str, token: str, name: str) -> dict[str, Any]:
    """What a machine says of itself.

    On other machines it runs as it is here, with what it calls, whatever is installed there.

    Args:
        location: the results, path or URI; empty: they are not looked at.
        token: what the probe `token` in them says.
        name: of the probe that this machine leaves there.

    Returns:
        host, python, packages (name -> version or None), sources (digest of what trains), gpus
        (names that the driver lists), torch_cuda, cores, scratch (where Ray keeps its own files)
        and scratch_free (bytes), and of the storage: seen, wrote, free; or trouble, where it cannot
        be used.
    """
    scratch = os.environ.get("RAY_TMPDIR") or "/tmp"
    return {
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "packages": {package: _version(package) for package in PACKAGES},
        "sources": _sources(),
        "gpus": _gpus(),
        "torch_cuda": _torch_cuda(),
        "cores": os.cpu_count(),
        "scratch": scratch,
        "scratch_free": shutil.disk_usage(scratch).free,
        **(_storage(location, token, name) if location else {}),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _sources() -> str | None:
    """Digest of the files that decide results."""
    digest = hashlib.sha256()
    for package in ("rhm", "study"):
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            return None
        root = Path(next(iter(spec.submodule_search_locations)))
        for file in sorted(root.rglob("*.py")):
            digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _gpus() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    asked = subprocess.run(
        ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return asked.stdout.split("\n")[:-1] if asked.returncode == 0 else []


def _torch_cuda() -> str | None:
    try:
        import torch
    except ImportError:
        return None
    return torch.version.cuda


def _storage(location: str, token: str, name: str) -> dict[str, Any]:
    try:
        from study.store.storage import Store
    except ImportError as error:
        return {"trouble": f"memophase is not installed there: {error}"}
    store = Store.open(location)
    try:
        seen = store.read(f"{FOLDER}/{token}").decode() == token
        store.publish(f"{FOLDER}/{name}", token.encode())
        free = shutil.disk_usage(store.root).free if store.is_local else None
    except FileNotFoundError:
        return {"seen": False}
    except OSError as error:
        return {"trouble": str(error.strerror or error)}
    return {"seen": seen, "wrote": name, "free": free}


def cluster(location: str, token: str) -> list[dict[str, Any]]:
    """What every machine of the connected cluster says of itself; see `machine`.

    Also `node` (its address), `declared` (GPUs that Ray counts there), and `skew`: the seconds by
    which its clock is ahead of this one, known to half the round trip, `skew_error`. Of one that
    does not answer only `node` and `trouble`.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    class Probe:
        def machine(self, *arguments: str) -> dict[str, Any]:
            return machine(*arguments)

        def clock(self) -> float:
            return time.time()

    def answers(node: dict[str, Any]) -> dict[str, Any]:
        about = {"node": f"{node['NodeManagerAddress']} ({node['NodeManagerHostname']})"}
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        remote: Any = ray.remote(Probe).options(scheduling_strategy=there, num_cpus=0)
        try:
            probe = remote.remote()
            arguments = (location, token, f"{token}-{node['NodeID'][:12]}")
            about |= ray.get(probe.machine.remote(*arguments), timeout=PATIENCE)
            asked = [
                _skew(lambda: ray.get(probe.clock.remote(), timeout=PATIENCE))
                for _ in range(ROUNDS)
            ]
        except Exception as error:  # whatever Ray says of a machine that does not answer
            said = next(iter(str(error).strip().splitlines()), type(error).__name__)
            return about | {"trouble": said}
        skew, error = min(asked, key=lambda each: each[1])
        declared = node["Resources"].get("GPU", 0)
        return about | {"declared": declared, "skew": skew, "skew_error": error}

    return [answers(node) for node in ray.nodes() if node["Alive"]]


def _skew(clock: Any) -> tuple[float, float]:
    """Seconds by which a clock is ahead of this one, and half the round trip."""
    before = time.time()
    there = clock()
    after = time.time()
    return there - (before + after) / 2, (after - before) / 2


def main() -> None:
    """Connect to a cluster and print what its machines say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("location")
    parser.add_argument("token")
    parser.add_argument("--only-connect", action="store_true")
    arguments = parser.parse_args()
    from sweeps.running import tuner

    tuner.prepare(arguments.address)
    try:
        with tuner.connected(arguments.address):
            only = arguments.only_connect
            found = [] if only else cluster(arguments.location, arguments.token)
            document: dict[str, Any] = {"outcome": TAKEN_IN, "machines": found}
    except tuner.Unreachable as error:
        outcome = REFUSED if isinstance(error, tuner.Refused) else UNREACHABLE
        document = {"outcome": outcome, "why": str(error)}
    print(json.dumps(document), flush=True)
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
